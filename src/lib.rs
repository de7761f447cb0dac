//! Kho, a research-data repository in one program. The table of contents, left to right as modules
//! may import each other (`tests/it/architecture.rs` holds them to it; `docs/ARCHITECTURE.md` explains).

pub mod error;
pub mod ids;
pub mod text;

pub mod config;

pub mod archive;
pub mod formats;
pub mod metadata;
pub mod store;

pub mod web;

pub mod pages;
