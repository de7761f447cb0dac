//! Vietnamese text as search terms: syllables in a canonical and in an accent-free form.
//!
//! One written word has many byte forms: composed or decomposed (macOS file names), `hoà` or `hòa`,
//! `kỹ` or `kĩ`, `Ð` or `Đ`. [`syllables`] brings them to one. It is not a word segmenter: words of
//! several syllables are caught by pairs of neighbours ([`pairs`]), which needs no dictionary.
//!
//! Invariant: whatever changes a token here changes what is on disk, so it must raise
//! [`ANALYZER_VERSION`]; an index with another number is rebuilt, never read.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::english;

/// Raise it when any token of any text would come out differently.
pub const ANALYZER_VERSION: u32 = 1;

/// Longer runs (base64, DNA, a hash dump) are cut: nobody types them whole, and the term
/// dictionary would carry them for ever.
const LONGEST_TOKEN: usize = 80;

/// One syllable, or one word of another language, or one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syllable {
    /// Lower case, NFC, tone mark in its fixed place, i/y unified: `kỹ` → `kĩ`.
    pub canonical: String,
    /// The canonical form without any mark, đ as d, English plural as singular: `kĩ` → `ki`.
    pub folded: String,
    /// The canonical form without marks only: what the exact field holds when a text was typed
    /// without accents.
    pub bare: String,
    /// Where it stands in the text it was taken from, in bytes.
    pub range: Range<usize>,
}

impl Syllable {
    /// True when accents were typed, so the writer meant this word and no other.
    pub fn is_accented(&self) -> bool {
        self.canonical != self.bare
    }
}

/// Every syllable of a text in order. Never fails; punctuation and symbols are left out.
pub fn syllables(text: &str) -> Vec<Syllable> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        if belongs_to_word(c) {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            push_run(text, from..at, &mut found);
        }
    }
    if let Some(from) = start {
        push_run(text, from..text.len(), &mut found);
    }
    found
}

/// Neighbouring terms joined: `dữ liệu mở` → `dữ_liệu`, `liệu_mở`. A match on a pair says the
/// syllables form a phrase, which tells `dữ liệu` from `Liệu pháp dữ dội`.
pub fn pairs<'a>(terms: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut terms = terms.into_iter();
    let Some(mut left) = terms.next() else {
        return Vec::new();
    };
    let mut joined = Vec::new();
    for right in terms {
        joined.push(format!("{left}_{right}"));
        left = right;
    }
    joined
}

/// A text brought to the form a facet value or a stored title is kept in.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The canonical form of one lower-case word. Anything that is not built like a Vietnamese
/// syllable comes back as it is, composed.
pub fn canonical(word: &str) -> String {
    let (mut base, tone) = split_tone(word);
    let mut parts = Parts::of(&base);
    if parts.is_none() && base.contains('ð') {
        // U+00F0 stands for đ in text from old keyboards and from OCR.
        let repaired = base.replace('ð', "đ");
        if Parts::of(&repaired).is_some() {
            base = repaired;
            parts = Parts::of(&base);
        }
    }
    match parts {
        Some(parts) => parts.spell(tone),
        None => composed(word),
    }
}

/// A word without marks, đ and ð as d: the form typed on a keyboard without Vietnamese.
pub fn bare(word: &str) -> String {
    let stripped: String = word
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if matches!(c, 'đ' | 'ð') { 'd' } else { c })
        .nfc()
        .collect();
    if stripped.is_empty() {
        return word.to_owned();
    }
    for onset in OPEN_I {
        if stripped.strip_prefix(onset) == Some("y") {
            return format!("{onset}i");
        }
    }
    stripped
}

/// True for a word that could be a Vietnamese syllable, tone or not.
pub fn is_syllable(word: &str) -> bool {
    Parts::of(&split_tone(word).0).is_some()
}

/// The two syllables that a plain word is made of: `vietnam` is `viet nam`. Of several ways the one whose
/// second half has the longer beginning is taken, as people write (`ha noi`, not `han oi`). A guess, for when
/// the word itself is nowhere: `mango` is `man go` too.
pub fn separate(word: &str) -> Option<String> {
    let plain = (4..=14).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
    if !plain || is_syllable(word) {
        return None;
    }
    let onset = |s: &str| s.bytes().take_while(|b| !b"aeiouy".contains(b)).count();
    (2..=word.len() - 2)
        .map(|at| word.split_at(at))
        .filter(|(a, b)| is_syllable(a) && is_syllable(b))
        .max_by_key(|(_, b)| onset(b))
        .map(|(a, b)| format!("{a} {b}"))
}

/// Puts the tone of a word, if any, on the first vowel and spells it canonically. Used for
/// keystrokes, where the tone is known but not its place.
pub(crate) fn spell_with_tone(base: &str, tone: Option<char>) -> Option<String> {
    Parts::of(base).map(|parts| parts.spell(tone))
}

const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{309}', '\u{303}', '\u{323}'];
const VOWELS: &str = "aăâeêioôơuưy";
/// Two letters before one: `ngh` must win over `n`. `gi` and `qu` end in a letter that may also be
/// the vowel, so a shorter reading is tried when nothing is left over.
const ONSETS: [&str; 11] = [
    "ngh", "ng", "nh", "ch", "gh", "gi", "kh", "ph", "qu", "th", "tr",
];
const SINGLE_ONSETS: &str = "bcdđghklmnpqrstvx";
const CODAS: [&str; 9] = ["", "ch", "nh", "ng", "c", "m", "n", "p", "t"];
/// After these, at the end of a syllable, `i` and `y` are two spellings of one sound.
const OPEN_I: [&str; 8] = ["h", "k", "l", "m", "t", "s", "v", "qu"];

/// A toneless syllable taken apart: `nghiên` = `ngh` + `iê` + `n`.
struct Parts<'a> {
    onset: &'a str,
    vowels: &'a str,
    coda: &'a str,
}

impl<'a> Parts<'a> {
    fn of(base: &'a str) -> Option<Self> {
        for onset in ONSETS {
            if base.starts_with(onset)
                && let Some(parts) = Self::after(base, onset.len())
            {
                return Some(parts);
            }
        }
        let first = base.chars().next()?;
        if SINGLE_ONSETS.contains(first)
            && let Some(parts) = Self::after(base, first.len_utf8())
        {
            return Some(parts);
        }
        Self::after(base, 0)
    }

    fn after(base: &'a str, onset_len: usize) -> Option<Self> {
        let (onset, rest) = base.split_at(onset_len);
        let vowels_len = rest.find(|c| !VOWELS.contains(c)).unwrap_or(rest.len());
        let (vowels, coda) = rest.split_at(vowels_len);
        (!vowels.is_empty() && CODAS.contains(&coda)).then_some(Self {
            onset,
            vowels,
            coda,
        })
    }

    /// Old-style placement (`hòa`, `thủy`), chosen because it never depends on the region.
    fn spell(&self, tone: Option<char>) -> String {
        let mut vowels: Vec<char> = self.vowels.chars().collect();
        if self.coda.is_empty() && vowels == ['y'] && OPEN_I.contains(&self.onset) {
            vowels = vec!['i'];
        }
        let mut spelled = String::with_capacity(self.onset.len() + 8);
        spelled.push_str(self.onset);
        let bearer = tone.map(|tone| (self.tone_place(&vowels), tone));
        for (at, vowel) in vowels.iter().enumerate() {
            spelled.push(*vowel);
            if let Some((place, tone)) = bearer
                && place == at
            {
                spelled.push(tone);
            }
        }
        spelled.push_str(self.coda);
        composed(&spelled)
    }

    fn tone_place(&self, vowels: &[char]) -> usize {
        if let Some(marked) = vowels.iter().rposition(|c| "ăâêôơư".contains(*c)) {
            return marked;
        }
        match (vowels.len(), self.coda.is_empty()) {
            (1, _) | (2, true) => 0,
            (_, false) => vowels.len() - 1,
            (_, true) => 1,
        }
    }
}

fn split_tone(word: &str) -> (String, Option<char>) {
    if word.is_ascii() {
        return (word.to_owned(), None);
    }
    let mut tone = None;
    let base = word
        .nfd()
        .filter(|c| {
            let is_tone = TONES.contains(c);
            if is_tone {
                tone = Some(*c);
            }
            !is_tone
        })
        .collect::<String>();
    (composed(&base), tone)
}

/// Letters, digits and their marks, and characters such as `℃` or `ﬁ` whose compatibility form
/// has some. The invisible joiners that copying from a PDF leaves inside words belong too.
fn belongs_to_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    c.is_alphanumeric()
        || is_combining_mark(c)
        || is_joiner(c)
        || std::iter::once(c).nfkc().any(char::is_alphanumeric)
}

fn is_joiner(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}'
    )
}

/// Scripts written without spaces: each character is a term, and the pairs do the rest.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x3041..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

fn push_run(text: &str, range: Range<usize>, found: &mut Vec<Syllable>) {
    let raw = &text[range.clone()];
    if raw.is_ascii() {
        found.push(syllable_of(raw.to_ascii_lowercase(), range));
        return;
    }
    // Lower-casing can leave decomposed text behind (İ), and compatibility forms can bring
    // punctuation with them (½): hence the second composition and the second split.
    let plain: String = raw
        .chars()
        .filter(|c| !is_joiner(*c))
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    let mut word = String::new();
    for c in plain.chars() {
        let alone = stands_alone(c) && !is_combining_mark(c);
        if (alone || !(c.is_alphanumeric() || is_combining_mark(c))) && !word.is_empty() {
            found.push(syllable_of(std::mem::take(&mut word), range.clone()));
        }
        if alone {
            found.push(syllable_of(c.to_string(), range.clone()));
        } else if c.is_alphanumeric() || (is_combining_mark(c) && !word.is_empty()) {
            word.push(c);
        }
    }
    if !word.is_empty() {
        found.push(syllable_of(word, range));
    }
}

fn syllable_of(mut word: String, range: Range<usize>) -> Syllable {
    if let Some((cut, _)) = word.char_indices().nth(LONGEST_TOKEN) {
        word.truncate(cut);
    }
    let canonical = canonical(&word);
    let bare = bare(&canonical);
    let folded = if is_syllable(&bare) {
        bare.clone()
    } else {
        english::singular(&bare)
    };
    Syllable {
        canonical,
        folded,
        bare,
        range,
    }
}
