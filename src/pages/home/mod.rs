//! The first page, and the page that says what this place is.

mod about;
mod show;
pub mod view;

use axum::{Router, routing::get};

use crate::ctx::Env;

pub(super) fn router() -> Router<Env> {
    Router::new()
        .route("/", get(show::home))
        .route("/about", get(about::about))
}
