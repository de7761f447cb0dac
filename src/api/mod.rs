//! REST in the InvenioRDM dialect, and ours beside it: parse, call a capability, render.
//!
//! One file a resource. Rules are not here: every handler is a call into a capability and a shape for its
//! answer. Where the dialect's documentation and its servers disagree, we answer as the servers do; where
//! they do what the standards forbid (an OAI error with 422), we follow the standard (`docs/guide/api.md`).

mod admin;
pub mod body;
mod drafts;
mod exports;
mod files;
mod json;
mod ledger;
mod links;
mod listing;
mod openapi;
mod quotas;
mod records;
mod refusals;
mod search;
mod tokens;
mod transfer;
mod tus;
mod vocabularies;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};

use crate::{
    ctx::Env,
    error::{Error, Result},
    ids::RecordId,
    web::{caller::Caller, problem::Told},
};

pub use self::openapi::description;

/// An answer or a told error.
type Answer<T> = std::result::Result<T, Told>;

/// The routes below `/api` (and `/ledger`), as they stand in URLs; `docs/guide/api.md` and `tests/it/routes.rs` list them.
pub fn router() -> Router<Env> {
    Router::new()
        .route("/api/records", get(search::records).post(drafts::create))
        .route("/api/records/{id}", get(records::read))
        .route(
            "/api/records/{id}/versions",
            get(records::versions).post(drafts::new_version),
        )
        .route("/api/records/{id}/versions/latest", get(records::latest))
        .route(
            "/api/records/{id}/delete",
            axum::routing::delete(records::withdraw),
        )
        .route("/api/records/{id}/restore", post(records::restore))
        .route("/api/records/{id}/ledger", get(ledger::receipt))
        .route("/api/ledger/consistency", get(ledger::consistency))
        .route("/api/ledger/witnesses", get(ledger::witnesses))
        .route("/ledger/checkpoint", get(ledger::checkpoint))
        .route("/ledger/tile/{*path}", get(ledger::tile))
        .route("/ledger/add-cosignature", post(ledger::add_cosignature))
        .route("/api/records/{id}/files", get(files::list))
        .route("/api/records/{id}/files-archive", get(files::archive))
        .route("/api/records/{id}/files/{*rest}", get(files::read))
        .route(
            "/api/records/{id}/draft",
            get(drafts::read)
                .put(drafts::replace)
                .post(drafts::edit)
                .delete(drafts::discard),
        )
        .route(
            "/api/records/{id}/draft/actions/publish",
            post(drafts::publish),
        )
        .route(
            "/api/records/{id}/draft/actions/files-import",
            post(files::import),
        )
        .route(
            "/api/records/{id}/draft/pids/doi",
            post(drafts::reserve_doi).delete(drafts::release_doi),
        )
        .route(
            "/api/records/{id}/draft/files",
            get(files::list_draft)
                .post(files::start)
                .delete(files::remove_all),
        )
        .route(
            "/api/records/{id}/draft/files/{*rest}",
            get(files::read_draft)
                .put(files::receive)
                .post(files::commit)
                .delete(files::remove),
        )
        .route("/api/records/{id}/draft/quota", get(quotas::of_draft))
        .route("/api/uploads", post(tus::create).options(tus::options))
        .route(
            "/api/uploads/{id}",
            axum::routing::patch(tus::patch)
                .head(tus::look)
                .delete(tus::terminate)
                .post(tus::instead)
                .options(tus::options),
        )
        .route("/api/admin/storage", get(admin::storage))
        .route("/api/user/records", get(search::own))
        .route("/api/user/quota", get(quotas::own))
        .route("/api/quotas", get(quotas::overrides))
        .route(
            "/api/quotas/{scope}/{subject}",
            get(quotas::read).put(quotas::allow).delete(quotas::reset),
        )
        .route("/api/user/tokens", get(tokens::list).post(tokens::create))
        .route(
            "/api/user/tokens/{id}",
            axum::routing::delete(tokens::revoke),
        )
        .route("/api/vocabularies", get(vocabularies::kinds))
        .route("/api/vocabularies/", get(vocabularies::kinds))
        .route("/api/vocabularies/{kind}", get(vocabularies::list))
        .route("/api/vocabularies/{kind}/{*id}", get(vocabularies::read))
        .route("/api/openapi.json", get(openapi::json))
        .route("/api/{*rest}", axum::routing::any(nowhere))
        .layer(axum::Extension(std::sync::Arc::new(
            records::Ready::default(),
        )))
        // Files stream past this limit by themselves; what is read whole is bounded.
        .layer(DefaultBodyLimit::max(body::MOST))
        .layer(axum::middleware::from_fn(refusals::word))
}

async fn nowhere(caller: Caller) -> Told {
    Told {
        error: Error::not_found(crate::error::Kind::Page, ""),
        locale: caller.ctx.locale,
    }
}

/// Turns a capability's result into an answer in the caller's language.
fn answer<T>(caller: &Caller, result: Result<T>) -> Answer<T> {
    result.map_err(|error| Told {
        error,
        locale: caller.ctx.locale,
    })
}

/// The id in a path; whatever cannot be one is not found.
fn id(caller: &Caller, text: &str) -> Answer<RecordId> {
    answer(
        caller,
        text.parse()
            .map_err(|_| Error::not_found(crate::error::Kind::Record, "")),
    )
}

/// For requests that change something: a cookie alone is not enough.
fn changing(caller: &Caller, headers: &HeaderMap) -> Answer<()> {
    answer(caller, caller.check_header(headers))
}

/// 204, the answer of deletions.
const DONE: StatusCode = StatusCode::NO_CONTENT;
