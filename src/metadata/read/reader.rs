//! The hands of `read`: one place to be tolerant, bounded and exact about where something is wrong.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{MAX_DESCRIPTION, MAX_LINE, MAX_LIST, MAX_PROBLEMS};
use crate::{
    error::Problem,
    ids::Malformed,
    metadata::{
        html,
        model::{Ref, Texts},
        vocabulary::{self, Vocabulary},
    },
};

/// A place in the document, written out only when something is wrong there.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'a> {
    Root(&'static str),
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl<'a> At<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> At<'a> {
        At::Key(self, key)
    }
    pub(super) fn index(&'a self, index: usize) -> At<'a> {
        At::Index(self, index)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Root(name) => f.write_str(name),
            At::Key(parent, key) => write!(f, "{parent}.{}", shorten(key)),
            At::Index(parent, i) => write!(f, "{parent}.{i}"),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn report(&mut self, problem: Problem) {
        // What is too much must be seen even after a thousand smaller things.
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        } else if super::is_too_much(&problem) {
            self.problems.truncate(MAX_PROBLEMS - 1);
            self.problems.insert(0, problem);
        }
    }
    pub(super) fn wrong(&mut self, code: &'static str, at: &At<'_>) {
        self.report(Problem::new(code, at.to_string()));
    }
    /// Wrong, and what was found there.
    pub(super) fn wrong_value(&mut self, code: &'static str, at: &At<'_>, found: &str) {
        self.report(Problem::new(code, at.to_string()).with("value", shorten(found)));
    }

    /// An object whose fields are among `known`; each other field is a problem, and ignored.
    pub(super) fn object<'v>(
        &mut self,
        value: &'v Value,
        at: &At<'_>,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        match value {
            Value::Null => None,
            Value::Object(map) => {
                for key in map.keys().filter(|k| !known.contains(&k.as_str())) {
                    self.wrong_value("unknown-field", &at.key(key), key);
                }
                Some(map)
            }
            _ => {
                self.wrong("not-an-object", at);
                None
            }
        }
    }

    /// Each entry of a list that can be read.
    pub(super) fn list<T>(
        &mut self,
        value: &Value,
        at: &At<'_>,
        mut each: impl FnMut(&mut Self, &Value, &At<'_>) -> Option<T>,
    ) -> Vec<T> {
        match value {
            Value::Null => Vec::new(),
            Value::Array(list) if list.len() > MAX_LIST => {
                self.report(Problem::new("too-many", at.to_string()).with("limit", MAX_LIST));
                Vec::new()
            }
            Value::Array(list) => list
                .iter()
                .enumerate()
                .filter_map(|(i, v)| each(self, v, &at.index(i)))
                .collect(),
            _ => {
                self.wrong("not-a-list", at);
                Vec::new()
            }
        }
    }

    /// Text of at most `limit` bytes, in NFC, trimmed, without control characters; nothing when empty.
    pub(super) fn text(&mut self, value: &Value, at: &At<'_>, limit: usize) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(s) if s.len() > limit => {
                self.report(Problem::new("too-long", at.to_string()).with("limit", limit));
                None
            }
            Value::String(s) => Some(tidy(s)).filter(|s| !s.is_empty()),
            _ => {
                self.wrong("not-text", at);
                None
            }
        }
    }
    /// A name, a keyword, a place.
    pub(super) fn line(&mut self, value: &Value, at: &At<'_>) -> Option<String> {
        self.text(value, at, MAX_LINE)
    }
    /// Sanitised HTML.
    pub(super) fn html(&mut self, value: &Value, at: &At<'_>) -> Option<String> {
        self.text(value, at, MAX_DESCRIPTION)
            .map(|s| html::sanitize(&s))
            .filter(|s| !s.is_empty())
    }
    /// A value with a grammar.
    pub(super) fn parsed<T: FromStr<Err = Malformed>>(
        &mut self,
        value: &Value,
        at: &At<'_>,
    ) -> Option<T> {
        let text = self.line(value, at)?;
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(Malformed(code)) => {
                self.wrong_value(code, at, &text);
                None
            }
        }
    }

    /// The `id` of `{"id": "…"}`; its title and the like are the server's.
    pub(super) fn id(&mut self, value: &Value, at: &At<'_>) -> Option<String> {
        let map = match value {
            Value::Null => return None,
            Value::Object(map) => map,
            _ => {
                self.wrong("not-an-object", at);
                return None;
            }
        };
        let id = self.line(map.get("id").unwrap_or(&Value::Null), &at.key("id"));
        if id.is_none() && map.get("id").is_none_or(Value::is_null) {
            self.wrong("missing-id", at);
        }
        id
    }
    /// A term of a vocabulary, whatever the case of its id.
    pub(super) fn term(
        &mut self,
        value: &Value,
        at: &At<'_>,
        vocabulary: Vocabulary,
    ) -> Option<Ref> {
        let id = self.id(value, at)?;
        let entry = vocabulary::get(vocabulary, &id)
            .or_else(|| vocabulary::get(vocabulary, &id.to_lowercase()));
        if entry.is_none() {
            self.wrong_value(vocabulary.unknown(), at, &id);
        }
        entry.map(|e| Ref::new(e.id))
    }
    /// A language by its three-letter code; the two-letter one is understood.
    pub(super) fn language(&mut self, value: &Value, at: &At<'_>) -> Option<Ref> {
        let id = self.id(value, at)?;
        let entry = vocabulary::language(&id);
        if entry.is_none() {
            self.wrong_value(Vocabulary::Languages.unknown(), at, &id);
        }
        entry.map(|e| Ref::new(e.id))
    }
    /// `{"en": "…", "vi": "…"}`
    pub(super) fn texts(&mut self, value: &Value, at: &At<'_>, limit: usize) -> Texts {
        let map = match value {
            Value::Null => return Texts::new(),
            Value::Object(map) if map.len() <= 100 => map,
            Value::Object(_) => {
                self.report(Problem::new("too-many", at.to_string()).with("limit", 100));
                return Texts::new();
            }
            _ => {
                self.wrong("not-an-object", at);
                return Texts::new();
            }
        };
        let mut texts = Texts::new();
        for (key, value) in map {
            let at = at.key(key);
            if vocabulary::language(key).is_none() {
                self.wrong_value(Vocabulary::Languages.unknown(), &at, key);
            } else if let Some(text) = self.text(value, &at, limit) {
                texts.insert(key.clone(), text);
            }
        }
        texts
    }
}

/// NFC, trimmed, no control characters but line ends and tabs (and no NUL, which no database keeps).
fn tidy(s: &str) -> String {
    let keep = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let clean = s.trim();
    if is_nfc_quick(clean.chars()) == IsNormalized::Yes && clean.chars().all(|c| keep(&c)) {
        clean.to_owned()
    } else {
        clean
            .chars()
            .filter(keep)
            .nfc()
            .collect::<String>()
            .trim()
            .to_owned()
    }
}

/// Enough of a value to recognise it.
pub(super) fn shorten(s: &str) -> String {
    match s.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &s[..end]),
        None => s.to_owned(),
    }
}

/// Roughly the bytes of a document, or nothing when it is over `budget` or nested beyond reason.
pub(super) fn weight(value: &Value, budget: usize) -> Option<usize> {
    fn walk(value: &Value, left: usize, depth: usize) -> Option<usize> {
        if depth > 64 {
            return None;
        }
        let left = left.checked_sub(4)?;
        match value {
            Value::String(s) => left.checked_sub(s.len()),
            Value::Array(list) => list.iter().try_fold(left, |l, v| walk(v, l, depth + 1)),
            Value::Object(map) => map.iter().try_fold(left, |l, (k, v)| {
                walk(v, l.checked_sub(k.len())?, depth + 1)
            }),
            _ => Some(left),
        }
    }
    walk(value, budget, 0).map(|left| budget - left)
}
