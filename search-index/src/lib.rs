//! Full-text search for a bilingual research-data repository, on tantivy.
//!
//! Knows records as plain [`schema::Document`]s and a folder on disk; knows no database, no HTTP
//! and no HTML. Everything here blocks: an async caller wraps calls in `spawn_blocking`.
//!
//! * [`vietnamese`] text → syllables, in an exact and an accent-free form; [`telex`] raw keystrokes
//! * [`english`] the one thing done for English: plurals
//! * [`identifier`] DOI, ORCID and other ids as people paste them
//! * [`schema`] what a record looks like to the index
//! * [`query`] what a person typed → a tree → tantivy; [`request`] all that may be asked and answered
//! * [`facets`] counts beside the results; [`highlight`] where the words stand in a text
//! * [`index`] open, write, commit, search; [`place`] the folder, its stamp, and the swap of a rebuilt one

pub mod dates;
pub mod english;
pub mod error;
pub mod facets;
pub mod highlight;
pub mod identifier;
pub mod index;
pub mod place;
pub mod query;
pub mod request;
pub mod schema;
mod search;
pub mod telex;
pub mod vietnamese;

pub use error::{Error, Result};
pub use facets::{Bucket, Facet};
pub use index::{Batch, Index};
pub use place::Rebuild;
pub use request::{Hit, Request, Response, Scope, Sort, YearRange};
pub use schema::{Document, PUBLIC, Person};
