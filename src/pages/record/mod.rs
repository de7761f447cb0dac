//! The landing page of a record version, and the tombstone of a withdrawn one.

pub mod coverage;
pub mod files;
pub mod samples;
pub mod snippets;
pub mod view;
