//! Words typed with Telex keys while the keyboard was not listening: `luwar` → `lửa`.
//!
//! Only a second guess: the caller decodes when the words as typed are unknown to the index.

use crate::vietnamese::{canonical, spell_with_tone};

const TONE_KEYS: [(char, char); 5] = [
    ('f', '\u{300}'),
    ('s', '\u{301}'),
    ('r', '\u{309}'),
    ('x', '\u{303}'),
    ('j', '\u{323}'),
];

/// Longer letter groups first, so that `uow` is not read as `u` + `ow`.
const LETTER_KEYS: [(&str, &str); 9] = [
    ("dd", "đ"),
    ("aa", "â"),
    ("ee", "ê"),
    ("oo", "ô"),
    ("uow", "ươ"),
    ("uwow", "ươ"),
    ("aw", "ă"),
    ("ow", "ơ"),
    ("uw", "ư"),
];

/// The canonical syllable that lower-case keystrokes spell, or `None` when they spell none.
pub fn decode(keys: &str) -> Option<String> {
    if keys.len() > 12 || !keys.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let (mut base, tone) = take_tone(keys);
    for (typed, letter) in LETTER_KEYS {
        base = base.replace(typed, letter);
    }
    if base.ends_with('w') && base.contains('u') {
        base.pop();
        base = base.replacen('u', "ư", 1);
    }
    let spelled = spell_with_tone(&base, tone)?;
    (spelled != canonical(keys)).then_some(spelled)
}

/// The tone key may stand anywhere after the vowels: `nuowcs` or `nuowsc`.
fn take_tone(keys: &str) -> (String, Option<char>) {
    let is_vowel = |c: char| "aeiouy".contains(c);
    let Some(first) = keys.find(is_vowel) else {
        return (keys.to_owned(), None);
    };
    let after = keys[first..]
        .find(|c| !is_vowel(c) && c != 'w')
        .map_or(keys.len(), |n| first + n);
    let coda = &keys[after..];
    let coda = &coda[..coda.find(is_vowel).unwrap_or(coda.len())];
    for (key, tone) in TONE_KEYS {
        if let Some(at) = coda.find(key) {
            let mut base = keys.to_owned();
            base.remove(after + at);
            return (base, Some(tone));
        }
    }
    (keys.to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn keystrokes_become_syllables() {
        for (keys, word) in [
            ("dieem", "diêm"),
            ("chays", "cháy"),
            ("luwar", "lửa"),
            ("rungwf", "rừng"),
            ("dduwowngf", "đường"),
            ("nuowcs", "nước"),
            ("soong", "sông"),
            ("tieengs", "tiếng"),
            ("vieejt", "việt"),
        ] {
            assert_eq!(decode(keys).as_deref(), Some(word), "{keys}");
        }
    }

    #[test]
    fn what_spells_nothing_new_is_left_alone() {
        for keys in ["dataset", "climate", "lua", "hoa", "", "rrrr", "strength"] {
            assert_eq!(decode(keys), None, "{keys}");
        }
    }
}
