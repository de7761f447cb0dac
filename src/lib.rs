//! Kho, a research-data repository in one program. The table of contents, left to right as modules
//! may import each other (`tests/it/architecture.rs` holds them to it; `docs/ARCHITECTURE.md` explains).

pub mod config;
pub mod error;
pub mod ids;
pub mod text;

pub mod archive;
pub mod formats;
pub mod metadata;
pub mod store;

pub mod ctx;
pub mod jobs;

pub mod access;
pub mod deposit;
pub mod files;
pub mod ledger;
pub mod people;
pub mod publish;

pub mod catalog;

pub mod backup;
pub mod fixity;
pub mod rebuild;

pub mod condition;

pub mod web;

pub mod api;
pub mod oai;
pub mod pages;

pub mod site;

pub mod cli;
