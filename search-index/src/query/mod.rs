//! What a person typed: first a tree ([`parse()`]), then a tantivy query (`compile`).
//!
//! Invariant: parsing is total. Only what is plainly meant as syntax and cannot be obeyed is an
//! error; everything else, `C++`, `PM2.5`, a quote without its partner, is text to look for.

pub(crate) mod compile;
mod fields;
mod lex;
mod parse;

pub use fields::Target;
pub use parse::parse;

use crate::vietnamese::{self, Syllable};

/// Characters of a query.
pub const LONGEST_QUERY: usize = 1_000;
/// Words and conditions of a query.
pub const MOST_CLAUSES: usize = 64;
/// Brackets within brackets.
pub const DEEPEST: usize = 16;
/// Characters before a `*`: fewer would match most of the dictionary.
pub const SHORTEST_PREFIX: usize = 2;

/// A query as a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Words side by side: all are wanted, but any may do when nothing has all.
    All(Vec<Node>),
    /// Joined by a written `AND`.
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// `+word`: wanted even when the others are relaxed.
    Must(Box<Node>),
    Leaf(Leaf),
}

/// One condition, in a field or anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    pub target: Target,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// As typed between blanks: may hold several syllables (`PM2.5`) or none (`&`).
    Word(String),
    Phrase(String),
    Prefix(String),
    /// Inclusive bounds, `None` for open; numbers as the field keeps them.
    Range(Option<i64>, Option<i64>),
    /// `*`: the field has a value; anywhere: every record.
    Present,
}

/// How the words were read to find what is returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// All words; a word typed with accents means that word (or the same written without any).
    #[default]
    AsTyped,
    /// All words, accents ignored: nothing matched them as typed.
    WithoutAccents,
    /// Keystrokes decoded: `luwar` read as `lửa`.
    Keystrokes,
    /// Two syllables that were typed as one word: `vietnam` read as `viet nam`.
    Separated,
    /// Some of the words: nothing had all of them.
    AnyWord,
}

impl Node {
    /// The tree of an empty query: every record.
    pub fn everything() -> Self {
        Self::Leaf(Leaf {
            target: Target::Anywhere,
            kind: Kind::Present,
        })
    }

    /// Calls `see` on every leaf; `wanted` is false below a NOT.
    pub(crate) fn walk<'a>(&'a self, wanted: bool, see: &mut dyn FnMut(&'a Leaf, bool)) {
        match self {
            Self::All(nodes) | Self::And(nodes) | Self::Or(nodes) => {
                for node in nodes {
                    node.walk(wanted, see);
                }
            }
            Self::Not(node) => node.walk(!wanted, see),
            Self::Must(node) => node.walk(wanted, see),
            Self::Leaf(leaf) => see(leaf, wanted),
        }
    }

    /// The same tree with plain words replaced.
    pub(crate) fn map_words(&self, change: &dyn Fn(&str) -> String) -> Self {
        let each = |nodes: &[Self]| nodes.iter().map(|n| n.map_words(change)).collect();
        match self {
            Self::All(nodes) => Self::All(each(nodes)),
            Self::And(nodes) => Self::And(each(nodes)),
            Self::Or(nodes) => Self::Or(each(nodes)),
            Self::Not(node) => Self::Not(Box::new(node.map_words(change))),
            Self::Must(node) => Self::Must(Box::new(node.map_words(change))),
            Self::Leaf(Leaf {
                target,
                kind: Kind::Word(word),
            }) if target.is_text() => Self::Leaf(Leaf {
                target: *target,
                kind: Kind::Word(change(word)),
            }),
            Self::Leaf(leaf) => Self::Leaf(leaf.clone()),
        }
    }

    /// True for a query without any condition.
    pub fn is_everything(&self) -> bool {
        match self {
            Self::All(nodes) => nodes.is_empty(),
            node => *node == Self::everything(),
        }
    }

    /// Syllables of plain words that must match, in order.
    pub(crate) fn word_syllables(&self) -> Vec<Syllable> {
        let mut found = Vec::new();
        self.walk(true, &mut |leaf, wanted| {
            if let (true, true, Kind::Word(word)) = (wanted, leaf.target.is_text(), &leaf.kind) {
                found.extend(vietnamese::syllables(word));
            }
        });
        found
    }
}
