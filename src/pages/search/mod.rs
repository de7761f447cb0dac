//! The search page: its address is its whole state.

pub mod address;
pub mod hits;
pub mod samples;
mod show;
pub mod view;

use axum::{Router, routing::get};

use crate::ctx::Env;

pub(super) fn router() -> Router<Env> {
    Router::new().route("/search", get(show::page))
}
