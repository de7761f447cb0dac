//! Depositing: start, the task list, a page a task, check and publish. Plain forms; every control's
//! `id` is its name, so that a problem leads to the control that mends it (`controls`).

mod access;
mod answers;
pub mod controls;
mod describe;
mod draft;
mod files;
pub mod form;
mod publish;
pub mod samples;
mod start;
mod tasks;
pub mod view;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use crate::ctx::Env;

pub fn router() -> Router<Env> {
    Router::new()
        .route("/uploads/new", get(start::form).post(start::create))
        .route("/uploads/{id}", get(tasks::list))
        .route("/uploads/{id}/files", get(files::form).post(files::send))
        .route(
            "/uploads/{id}/describe",
            get(describe::form).post(describe::send),
        )
        .route("/uploads/{id}/access", get(access::form).post(access::send))
        .route(
            "/uploads/{id}/publish",
            get(publish::form).post(publish::send),
        )
        .route("/uploads/{id}/doi", post(tasks::reserve_doi))
        .route("/uploads/{id}/doi/release", post(tasks::release_doi))
        .route("/uploads/{id}/discard", post(tasks::discard))
        .route("/records/{id}/edit", post(tasks::edit))
        .route("/records/{id}/versions", post(tasks::new_version))
        // Forms are bounded where they are read (`sent`), files where they are received.
        .layer(DefaultBodyLimit::disable())
}
