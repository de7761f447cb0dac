//! What the administrator's pages are given.

use serde::Serialize;

/// `/admin/storage`: how things stand.
#[derive(Debug, Clone, Serialize)]
pub struct Storage {
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// Its heading is `storage-section-<name>`.
    pub name: &'static str,
    /// good, warning, alert: `storage-level-<level>`.
    pub level: &'static str,
    pub facts: Vec<Fact>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// Its label is `storage-fact-<name>`.
    pub name: &'static str,
    /// In the reader's language.
    pub value: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The sentence, in the reader's language.
    pub said: String,
    pub about: String,
    pub detail: String,
    /// `2026-11-24 08:00 UTC`; empty: unknown.
    pub at: String,
    /// A job that can be tried again.
    pub job: Option<String>,
}
