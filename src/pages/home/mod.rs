//! The first page, and the page that says what this place is.

mod about;
mod show;
pub mod view;

use axum::{Router, routing::get};

use crate::ctx::Env;

/// The first page of a language with a slash at its end.
pub(super) fn with_slash() -> Router<Env> {
    Router::new()
        .route("/vi/", get(show::home))
        .route("/en/", get(show::home))
}

pub(super) fn router() -> Router<Env> {
    Router::new()
        .route("/", get(show::home))
        .route("/about", get(about::about))
}
