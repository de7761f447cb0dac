//! What can go wrong, in terms a caller can act on: correct the query, rebuild the index, or wait.

use tantivy::TantivyError;
use tantivy::directory::error::LockError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kinds matter more than the text: a door shows [`Error::Query`] to the person who typed,
/// rebuilds on [`Error::Outdated`] and [`Error::Corrupt`], and retries on the others.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The query breaks a rule of the query language or a bound. Worth a 400 and the reason.
    #[error("the search query cannot be used: {0}")]
    Query(#[from] QueryError),
    /// Pages beyond the window are refused: each would cost as much as all before it.
    #[error("only the first {max} results can be paged through; narrow the search")]
    Window { max: usize },
    /// Written by another version of the schema or the analyzer: rebuild from the database.
    #[error("the search index has format {found}, this program needs {expected}; rebuild it")]
    Outdated { found: String, expected: String },
    /// Files missing or unreadable: rebuild from the database.
    #[error("the search index is damaged ({0}); rebuild it")]
    Corrupt(String),
    /// Another process, or another batch of this one, is writing.
    #[error("the search index is being written by someone else; try again")]
    Busy,
    /// The disk said no (full, read-only, gone). Reads may go on; a later write may succeed.
    #[error("the search index could not be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// A document that cannot be indexed, such as one without an id.
    #[error("a document cannot be indexed: {0}")]
    Document(&'static str),
    /// Anything else tantivy reports.
    #[error("the search engine failed: {0}")]
    Engine(String),
}

/// Why a query was refused. Each is a stable, translatable case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("longer than {max} characters")]
    TooLong { max: usize },
    #[error("more than {max} words or conditions")]
    TooManyClauses { max: usize },
    #[error("brackets nested deeper than {max}")]
    TooDeep { max: usize },
    #[error("a word cannot begin with `*`")]
    LeadingWildcard,
    #[error("`*` needs at least {min} characters before it")]
    PrefixTooShort { min: usize },
    #[error("`{0}` is not a field that can be searched")]
    UnknownField(String),
    #[error("`{0}` is not a range; write for example [2020-01-01 TO *]")]
    BadRange(String),
}

impl QueryError {
    /// A code that stays the same when the wording changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::TooManyClauses { .. } => "too_many_clauses",
            Self::TooDeep { .. } => "too_deep",
            Self::LeadingWildcard => "leading_wildcard",
            Self::PrefixTooShort { .. } => "prefix_too_short",
            Self::UnknownField(_) => "unknown_field",
            Self::BadRange(_) => "bad_range",
        }
    }
}

impl Error {
    /// True when only a rebuild helps.
    pub fn wants_rebuild(&self) -> bool {
        matches!(self, Self::Outdated { .. } | Self::Corrupt(_))
    }
}

impl From<TantivyError> for Error {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Busy,
            TantivyError::IoError(io) => Self::Io(std::io::Error::new(io.kind(), io)),
            TantivyError::DataCorruption(_)
            | TantivyError::OpenReadError(_)
            | TantivyError::OpenDirectoryError(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::DeserializeError(_) => Self::Corrupt(error.to_string()),
            other => Self::Engine(other.to_string()),
        }
    }
}
