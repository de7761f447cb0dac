//! OAI-PMH 2.0 at `/oai2d`.

use axum::Router;

use crate::ctx::Env;

pub fn router() -> Router<Env> {
    Router::new()
}
