//! What a record says about itself: the model, its vocabularies, and the checklist before publishing.
//!
//! Pure functions: no I/O, no clock, no table. JSON goes in through `read` (tolerant, every wrong thing
//! named), typed `Metadata` is what everybody carries, `dump` is the read shape of the dialect,
//! `checklist::check` says what is still missing. How a record becomes somebody else's format
//! is `formats`.

pub mod access;
pub mod bilingual;
pub mod checklist;
mod dump;
pub mod edtf;
pub mod geometry;
pub mod html;
pub mod identifiers;
pub mod model;
mod names;
pub mod read;
pub mod vocabulary;

// The five names that every door needs.
pub use access::Access;
pub use dump::dump;
pub use model::Metadata;
pub use read::{read, read_access, read_custom_fields};

#[cfg(test)]
mod tests;
