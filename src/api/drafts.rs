//! `/api/records/{id}/draft` and what begins one.

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{
    api::{Answer, DONE, answer, body, changing, id, json, records},
    deposit::{self, Draft, Once},
    error::{Error, Problem},
    ids, publish,
    web::{caller::Caller, conditional},
};

/// A draft with its revision as the entity tag.
fn shown(caller: &Caller, status: StatusCode, draft: &Draft) -> Response {
    let mut response = (status, Json(json::draft(&caller.ctx, draft))).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", draft.row.revision)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    response
}

/// The promise of an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), bound to what was asked.
fn once(caller: &Caller, headers: &HeaderMap, body: &Bytes) -> Answer<Option<Once>> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .unwrap_or_default()
        .trim()
        .trim_matches('"')
        .to_owned();
    if key.is_empty() || key.len() > 255 {
        let problem = Problem::new("idempotency-key", "");
        return answer(caller, Err(Error::BadRequest(problem)));
    }
    let fingerprint = ids::Sha256(Sha256::digest(body).into()).to_hex();
    Ok(Some(Once { key, fingerprint }))
}

/// Begins a deposit. 201 with the draft; what is wrong with it is in `errors`.
#[utoipa::path(post, path = "/api/records", tag = "drafts", request_body = serde_json::Value,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the same draft.")),
    responses((status = 201, description = "The draft, with `errors` for what is still wrong"),
        (status = 400, description = "Not JSON, or a name that cannot be kept"), (status = 401), (status = 413)))]
pub async fn create(caller: Caller, headers: HeaderMap, sent: Bytes) -> Answer<Response> {
    changing(&caller, &headers)?;
    let once = once(&caller, &headers, &sent)?;
    let new = answer(&caller, body::parse(&headers, &sent).and_then(body::draft))?;
    let draft = answer(&caller, deposit::create(&caller.ctx, new, once).await)?;
    Ok(shown(&caller, StatusCode::CREATED, &draft))
}

/// The draft of an id.
#[utoipa::path(get, path = "/api/records/{id}/draft", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, description = "The draft"), (status = 401), (status = 404)))]
pub async fn read(caller: Caller, Path(text): Path<String>) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let draft = answer(&caller, deposit::read(&caller.ctx, &id).await)?;
    Ok(shown(&caller, StatusCode::OK, &draft))
}

/// Replaces a draft whole. With `If-Match`, only at that revision.
#[utoipa::path(put, path = "/api/records/{id}/draft", tag = "drafts", request_body = serde_json::Value,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The revision to replace")),
    responses((status = 200, description = "The draft as saved"), (status = 400), (status = 401), (status = 404),
        (status = 412, description = "Somebody else saved in between")))]
pub async fn replace(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    sent: Bytes,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let expected = conditional::expected_revision(&headers);
    let new = answer(&caller, body::parse(&headers, &sent).and_then(body::draft))?;
    let draft = answer(
        &caller,
        deposit::replace(&caller.ctx, &id, expected, new).await,
    )?;
    Ok(shown(&caller, StatusCode::OK, &draft))
}

/// Opens a published version for correcting its description, or gives the open correction.
#[utoipa::path(post, path = "/api/records/{id}/draft", tag = "drafts", params(("id" = String, Path)),
    responses((status = 201, description = "The draft"), (status = 401), (status = 403), (status = 404)))]
pub async fn edit(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let draft = answer(&caller, deposit::edit_published(&caller.ctx, &id).await)?;
    Ok(shown(&caller, StatusCode::CREATED, &draft))
}

/// Throws a draft away.
#[utoipa::path(delete, path = "/api/records/{id}/draft", tag = "drafts", params(("id" = String, Path)),
    responses((status = 204, description = "Gone"), (status = 401), (status = 404)))]
pub async fn discard(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    answer(&caller, deposit::discard(&caller.ctx, &id).await)?;
    Ok(DONE)
}

/// Publishes a draft. Asking again gives the same record.
#[utoipa::path(post, path = "/api/records/{id}/draft/actions/publish", tag = "drafts", params(("id" = String, Path)),
    responses((status = 202, description = "The published version"), (status = 400, description = "Everything that is missing"),
        (status = 401), (status = 404), (status = 409, description = "It is being published now")))]
pub async fn publish(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let id = answer(&caller, publish::release(&caller.ctx, &id).await)?;
    records::shown(&caller, StatusCode::ACCEPTED, &id).await
}

/// Begins the next version, or gives the one that is begun.
#[utoipa::path(post, path = "/api/records/{id}/versions", tag = "drafts", params(("id" = String, Path)),
    responses((status = 201, description = "The draft of the next version"), (status = 401), (status = 403), (status = 404)))]
pub async fn new_version(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let draft = answer(&caller, deposit::new_version(&caller.ctx, &id).await)?;
    Ok(shown(&caller, StatusCode::CREATED, &draft))
}

/// Reserves the DOI the version will have.
#[utoipa::path(post, path = "/api/records/{id}/draft/pids/doi", tag = "drafts", params(("id" = String, Path)),
    responses((status = 201, description = "The draft with its DOI"), (status = 400, description = "It has one"), (status = 401), (status = 404)))]
pub async fn reserve_doi(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let draft = answer(&caller, deposit::reserve_doi(&caller.ctx, &id).await)?;
    Ok(shown(&caller, StatusCode::CREATED, &draft))
}

/// Lets go of a reserved DOI.
#[utoipa::path(delete, path = "/api/records/{id}/draft/pids/doi", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, description = "The draft without a DOI"), (status = 401), (status = 404)))]
pub async fn release_doi(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let draft = answer(&caller, deposit::release_doi(&caller.ctx, &id).await)?;
    Ok(shown(&caller, StatusCode::OK, &draft))
}
