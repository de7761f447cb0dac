//! Pages for administrators.

mod samples;
mod storage;
pub mod view;

use axum::{
    Router,
    routing::{get, post},
};

use crate::ctx::Env;

pub fn router() -> Router<Env> {
    Router::new()
        .route("/admin/storage", get(storage::show))
        .route("/admin/storage/jobs/{id}/retry", post(storage::retry))
}
