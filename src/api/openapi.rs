//! The API's own description (OpenAPI 3.1), made from the handlers.

use axum::Json;
use utoipa::OpenApi;

use crate::api::{
    admin, drafts, files, ledger, quotas, records, search, tokens, tus, vocabularies,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kho",
        description = "Deposit, publish, find and download research data. The dialect is InvenioRDM's; \
            errors are `{status, message, errors: [{field, messages, codes}]}` with stable codes."
    ),
    paths(
        search::records, drafts::create, records::read, records::versions, drafts::new_version,
        records::latest, records::withdraw, records::restore, files::list, files::archive, files::read,
        drafts::read, drafts::replace, drafts::edit, drafts::discard, drafts::publish,
        files::import, drafts::reserve_doi, drafts::release_doi, files::list_draft, files::start,
        files::remove_all, files::read_draft, files::receive, files::commit, files::remove,
        tus::options, tus::create, tus::look, tus::patch, tus::terminate,
        admin::storage, search::own, tokens::list, tokens::create, tokens::revoke,
        quotas::own, quotas::of_draft, quotas::overrides, quotas::read, quotas::allow, quotas::reset,
        ledger::receipt, ledger::consistency, ledger::witnesses, ledger::checkpoint, ledger::tile,
        ledger::add_cosignature, vocabularies::kinds, vocabularies::list, vocabularies::read,
    ),
    tags(
        (name = "records", description = "Published versions"),
        (name = "drafts", description = "Versions being written"),
        (name = "files", description = "Files of both"),
        (name = "quotas", description = "How much may be stored, and how much is"),
        (name = "uploads", description = "Uploads that go on after a broken line (tus 1.0)"),
        (name = "ledger", description = "Proofs that what was published did not change"),
        (name = "tokens", description = "Personal access tokens"),
        (name = "admin", description = "Running the site"),
        (name = "vocabularies", description = "The terms metadata is made of"),
    )
)]
struct Description;

/// The description as JSON; also `kho openapi`.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Serves the description.
pub async fn json() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}
