//! What may be asked of an index, and what it answers: plain data.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::facets::{Bucket, Facet};
use crate::highlight::Fragment;
use crate::query::Reading;

/// Results that can be paged through.
pub const WINDOW: usize = 10_000;
/// What to look for. The default asks for the newest public records.
#[derive(Debug, Clone)]
pub struct Request {
    /// What a person typed; see [`crate::query::parse()`].
    pub text: String,
    /// Chosen facet values: any of the values, of every facet.
    pub chosen: BTreeMap<Facet, Vec<String>>,
    /// Publication years, as a facet chosen like the others.
    pub years: YearRange,
    /// What the page is about (a community, an account): narrows the counts too.
    pub scope: Scope,
    /// Keys of the reader besides [`crate::PUBLIC`].
    pub reader_keys: Vec<String>,
    /// Finds every record whoever may read it. For the administrator and for tests.
    pub all_readers: bool,
    /// Old versions too.
    pub all_versions: bool,
    pub sort: Sort,
    /// From 1.
    pub page: usize,
    /// Hits a page; 0 to count only.
    pub size: usize,
    /// Facets to count, and how many values of each.
    pub facets: Vec<Facet>,
    pub facet_size: usize,
    /// Whether hits carry texts with the words marked.
    pub highlight: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            text: String::new(),
            chosen: BTreeMap::new(),
            years: YearRange::default(),
            scope: Scope::default(),
            reader_keys: Vec::new(),
            all_readers: false,
            all_versions: false,
            sort: Sort::default(),
            page: 1,
            size: 10,
            facets: Vec::new(),
            facet_size: 20,
            highlight: false,
        }
    }
}

/// First and last year, both included, open where `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct YearRange {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub community: Option<String>,
    pub owner: Option<String>,
    /// The versions of one record; implies all versions.
    pub parent_id: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// By relevance; by newest when nothing was typed.
    #[default]
    Bestmatch,
    Newest,
    Oldest,
    UpdatedDesc,
    UpdatedAsc,
    Title,
    Version,
    Mostviewed,
    Mostdownloaded,
}

impl Sort {
    pub const ALL: [Self; 9] = [
        Self::Bestmatch,
        Self::Newest,
        Self::Oldest,
        Self::UpdatedDesc,
        Self::UpdatedAsc,
        Self::Title,
        Self::Version,
        Self::Mostviewed,
        Self::Mostdownloaded,
    ];

    /// The name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bestmatch => "bestmatch",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::UpdatedDesc => "updated-desc",
            Self::UpdatedAsc => "updated-asc",
            Self::Title => "title",
            Self::Version => "version",
            Self::Mostviewed => "mostviewed",
            Self::Mostdownloaded => "mostdownloaded",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Response {
    pub total: u64,
    pub hits: Vec<Hit>,
    pub facets: BTreeMap<Facet, Vec<Bucket>>,
    /// How the words had to be read to find these; anything but `AsTyped` is worth telling.
    pub reading: Reading,
    /// The query as it was read, when that is not what was typed: `lửa rừng` for `luwar rungwf`.
    pub read_as: Option<String>,
    /// The order used.
    pub sort: Sort,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Hit {
    pub id: String,
    pub parent_id: String,
    /// BM25, only when sorted by it.
    pub score: Option<f32>,
    /// Every title and the description with most hits, when highlighting was asked for.
    pub titles: Vec<Fragment>,
    pub description: Option<Fragment>,
}
