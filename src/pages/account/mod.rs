//! The person who is signed in, and how one becomes that: sign-in, set-up, own records, tokens.

mod limit;
mod login;
mod records;
pub mod samples;
mod setup;
mod tokens;
pub mod view;

use std::sync::Arc;

use axum::{
    Extension, Router,
    routing::{get, post},
};

use crate::ctx::Env;

pub fn router() -> Router<Env> {
    Router::new()
        .route("/login", get(login::form).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/setup", get(setup::form).post(setup::accept))
        .route("/me/records", get(records::list))
        .route("/me/tokens", get(tokens::list).post(tokens::create))
        .route("/me/tokens/{id}/revoke", post(tokens::revoke))
        .layer(Extension(Arc::new(limit::Limits::default())))
}
