//! The one error: what went wrong, and nothing about HTTP.
//!
//! Each door renders it (JSON, a page, an OAI-PMH code, a line on stderr). What a person may see is
//! data with a stable code, translated at the edge from `problem-<code>`; what the log sees is the
//! source of `Internal`. Invariant: nothing in the first kind comes from the second.

use std::fmt;

use serde::Serialize;

use crate::ids::Malformed;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing wrong with what was sent: a stable code, where, and the values the sentence needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Kebab-case, stable; `problem-<code>` is the sentence in both languages.
    pub code: &'static str,
    /// Where, in the dialect's dotted form: `metadata.creators.0.person_or_org.family_name`. Empty for the whole.
    pub path: String,
    /// Values that the sentence names.
    pub args: Vec<(&'static str, String)>,
}

impl Problem {
    pub fn new(code: &'static str, path: impl Into<String>) -> Self {
        Self {
            code,
            path: path.into(),
            args: Vec::new(),
        }
    }
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }
}

/// What was looked for and not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Record,
    Draft,
    File,
    Upload,
    Doi,
    Page,
    Token,
    Account,
    Community,
    Vocabulary,
    Format,
}

impl Kind {
    /// The key of the sentence that says so: `missing-<code>`.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Record => "record",
            Kind::Draft => "draft",
            Kind::File => "file",
            Kind::Upload => "upload",
            Kind::Doi => "doi",
            Kind::Page => "page",
            Kind::Token => "token",
            Kind::Account => "account",
            Kind::Community => "community",
            Kind::Vocabulary => "vocabulary",
            Kind::Format => "format",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not there, or the caller may not know that it is.
    #[error("{} {id} not found", kind.code())]
    NotFound { kind: Kind, id: String },
    /// It was here and was withdrawn; the id lets the door show the tombstone.
    #[error("record {0} was withdrawn")]
    Gone(String),
    /// Everything that is wrong with what was sent, at once.
    #[error("invalid: {}", codes(.0))]
    Invalid(Vec<Problem>),
    /// Cannot be read at all (malformed JSON, unknown parameter).
    #[error("bad request: {}", .0.code)]
    BadRequest(Problem),
    /// True now, but may not be later: already published, upload still running, claimed by another.
    #[error("conflict: {}", .0.code)]
    Conflict(Problem),
    /// The caller's copy is stale.
    #[error("the revision is {current}")]
    Stale { current: i64 },
    /// Nobody is signed in and somebody must be.
    #[error("sign-in needed")]
    Unauthenticated,
    /// Somebody is signed in who may not.
    #[error("forbidden")]
    Forbidden,
    #[error("too large: {}", .0.code)]
    TooLarge(Problem),
    #[error("too many requests")]
    TooMany { retry_after: u32 },
    /// The disk or volume is full; what was there is intact.
    #[error("no space left")]
    Full,
    /// Something outside is not answering; trying again is right.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Ours to mend. The text goes to the log, never to the caller.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    pub fn not_found(kind: Kind, id: impl fmt::Display) -> Self {
        Self::NotFound {
            kind,
            id: id.to_string(),
        }
    }
    pub fn conflict(code: &'static str) -> Self {
        Self::Conflict(Problem::new(code, ""))
    }
    pub fn bad_request(code: &'static str) -> Self {
        Self::BadRequest(Problem::new(code, ""))
    }
    pub fn invalid(code: &'static str, path: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(code, path)])
    }
    pub fn internal(context: &str, source: impl fmt::Display) -> Self {
        Self::Internal(format!("{context}: {source}"))
    }
    /// Reads what the operating system said: a full disk is not a bug.
    pub fn io(context: &str, source: &std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            // A disk that had a fault is often left so; it may be mended without us.
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Unavailable(format!("{context}: {source}"))
            }
            _ => Self::Internal(format!("{context}: {source}")),
        }
    }
    /// A malformed name at a place in what was sent.
    pub fn malformed(at: impl Into<String>, what: Malformed) -> Self {
        Self::Invalid(vec![Problem::new(what.0, at)])
    }
}

fn codes(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|p| format!("{} at {}", p.code, p.path))
        .collect::<Vec<_>>()
        .join(", ")
}
