//! Where the words of a query stand in a text. Gives text and positions, never markup: the caller
//! escapes the text and marks the hits. Works on the stored text, so a query without accents marks
//! words with accents.

use std::collections::HashSet;
use std::ops::Range;

use serde::Serialize;

use crate::query::{Kind, Node, Reading, Target};
use crate::vietnamese::{self, Syllable};

/// A piece of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fragment {
    pub text: String,
    /// Bytes of `text` to mark, in order, not overlapping, at character boundaries.
    pub hits: Vec<Range<usize>>,
    /// Something was left out before or after.
    pub cut_before: bool,
    pub cut_after: bool,
}

/// The words to look for, as the query was read.
#[derive(Debug, Default)]
pub(crate) struct Marker {
    exact: HashSet<String>,
    folded: HashSet<String>,
    prefixes: Vec<String>,
}

impl Marker {
    /// Words wanted anywhere, or in the one field the text belongs to.
    pub(crate) fn new(node: &Node, reading: Reading, field: Target) -> Self {
        let mut marker = Self::default();
        node.walk(true, &mut |leaf, wanted| {
            if !wanted || !(leaf.target == Target::Anywhere || leaf.target == field) {
                return;
            }
            match &leaf.kind {
                Kind::Word(text) | Kind::Phrase(text) => {
                    for syllable in vietnamese::syllables(text) {
                        marker.add(syllable, reading);
                    }
                }
                Kind::Prefix(text) => {
                    let mut syllables = vietnamese::syllables(text);
                    marker
                        .prefixes
                        .extend(syllables.pop().map(|last| last.bare));
                    for syllable in syllables {
                        marker.add(syllable, reading);
                    }
                }
                Kind::Range(..) | Kind::Present => {}
            }
        });
        marker
    }

    fn add(&mut self, syllable: Syllable, reading: Reading) {
        let strict = matches!(reading, Reading::AsTyped | Reading::Keystrokes);
        if strict && syllable.is_accented() {
            self.exact.insert(syllable.canonical);
            self.exact.insert(syllable.bare);
        } else {
            self.folded.insert(syllable.folded);
        }
    }

    /// The whole text with its hits.
    pub(crate) fn whole(&self, text: &str) -> Fragment {
        Fragment {
            hits: self.hits(text),
            text: text.to_owned(),
            ..Fragment::default()
        }
    }

    /// The stretch of at most `longest` bytes with the most hits; the beginning when there are none.
    pub(crate) fn best(&self, text: &str, longest: usize) -> Fragment {
        let hits = self.hits(text);
        let within = |from: usize| {
            hits.iter()
                .filter(|h| h.start >= from && h.end <= from + longest)
                .count()
        };
        // `max_by_key` takes the last of equals; the first reads better.
        let densest = hits
            .iter()
            .rev()
            .max_by_key(|hit| within(lead_in(text, hit.start, longest)));
        let start = densest.map_or(0, |hit| lead_in(text, hit.start, longest));
        let end = word_end(text, start, longest);
        Fragment {
            text: text[start..end].to_owned(),
            hits: hits
                .into_iter()
                .filter(|hit| hit.start >= start && hit.end <= end)
                .map(|hit| hit.start - start..hit.end - start)
                .collect(),
            cut_before: start > 0,
            cut_after: end < text.len(),
        }
    }

    fn hits(&self, text: &str) -> Vec<Range<usize>> {
        let mut hits: Vec<Range<usize>> = Vec::new();
        if self.exact.is_empty() && self.folded.is_empty() && self.prefixes.is_empty() {
            return hits;
        }
        for syllable in vietnamese::syllables(text) {
            if !self.wants(&syllable) {
                continue;
            }
            match hits.last_mut() {
                // One mark over words that stand together reads better than one on each.
                Some(last)
                    if text[last.end.min(syllable.range.start)..syllable.range.start]
                        .trim()
                        .is_empty() =>
                {
                    last.end = last.end.max(syllable.range.end);
                }
                _ => hits.push(syllable.range),
            }
        }
        hits
    }

    fn wants(&self, syllable: &Syllable) -> bool {
        self.exact.contains(&syllable.canonical)
            || self.folded.contains(&syllable.folded)
            || self
                .prefixes
                .iter()
                .any(|p| syllable.bare.starts_with(p.as_str()))
    }
}

/// Where to begin so that some words come before the hit: a quarter of the stretch, at a blank.
fn lead_in(text: &str, hit: usize, longest: usize) -> usize {
    let earliest = hit.saturating_sub(longest / 4);
    if earliest == 0 {
        return 0;
    }
    let earliest = text.ceil_char_boundary(earliest);
    let mut words = text[earliest..hit].char_indices();
    match words.find(|(_, c)| c.is_whitespace()) {
        Some((blank, c)) => earliest + blank + c.len_utf8(),
        None => hit,
    }
}

/// The end of the last whole word that fits.
fn word_end(text: &str, start: usize, longest: usize) -> usize {
    let end = text.floor_char_boundary(start + longest);
    if end == text.len() {
        return end;
    }
    match text[start..end].rfind(char::is_whitespace) {
        Some(blank) if blank > 0 => start + blank,
        _ => end,
    }
}
