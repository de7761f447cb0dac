//! The landing page of a record version and the tombstone of a withdrawn one; its files, its formats, and
//! the addresses that lead to it.

mod bytes;
pub mod compose;
pub mod coverage;
mod export;
pub mod files;
mod lead;
mod parties;
mod prose;
pub mod samples;
mod show;
pub mod snippets;
pub mod view;

use axum::{Router, routing::get};

use crate::ctx::Env;

pub(super) use self::show::withdrawn;

pub(super) fn router() -> Router<Env> {
    Router::new()
        .route("/records/{id}", get(show::landing))
        .route("/records/{id}/latest", get(show::latest))
        .route("/records/{id}/export/{slug}", get(export::export))
        .route("/records/{id}/files/{*key}", get(bytes::file))
        .route("/records/{id}/archive", get(bytes::archive))
        .route("/records/{id}/SHA256SUMS", get(bytes::checksums))
        .route("/records/{id}/files.meta4", get(bytes::metalink))
        .route("/records/{id}/files.aria2", get(bytes::aria2))
        .route("/doi/{*doi}", get(lead::doi))
        .route("/oai/{id}", get(lead::oai))
}
