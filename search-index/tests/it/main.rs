//! Tests of the search index through its public doors, on real folders.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod analyzer;
mod facets;
mod finding;
mod lifecycle;
mod queries;
mod relevance;
mod shelf;
