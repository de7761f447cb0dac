//! `/api/records/{id}`: published versions, in every format.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{OriginalUri, Path},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    api::{Answer, DONE, answer, body, changing, exports, id, json},
    catalog::{self, Found, Version},
    ctx::Actor,
    error::Error,
    ids::RecordId,
    metadata::{
        access::Visibility,
        html::plain_text,
        vocabulary::{self, Vocabulary},
    },
    publish,
    text::Locale,
    web::{
        caller::Caller,
        conditional::names_etag,
        shelf::{Moment, Shelf},
    },
};

/// Files listed in a record's JSON; a version with more lists them all at `/files`.
const MOST_LISTED: u64 = 1_000;

/// A published version as JSON, with its revision as the entity tag.
pub(super) async fn shown(caller: &Caller, status: StatusCode, id: &RecordId) -> Answer<Response> {
    let version = answer(caller, catalog::version(&caller.ctx, id).await)?;
    let etag = etag(&version, "");
    let listed = answer(caller, listed(caller, &version).await)?;
    Ok(with_tag(
        (status, Json(json::record(&caller.ctx, &version, &listed))).into_response(),
        &version,
        &etag,
    ))
}

async fn listed(
    caller: &Caller,
    version: &Version,
) -> crate::error::Result<Vec<catalog::PublishedFile>> {
    if version.files_open {
        catalog::files(&caller.ctx, version, 1, MOST_LISTED).await
    } else {
        Ok(Vec::new())
    }
}

/// Names what is shown in a format: the revision first, as the dialect has it; then what changes without one
/// (withdrawn and restored, no longer the newest, an embargo that ended).
fn etag(version: &Version, format: &str) -> String {
    let row = version.row();
    let newest = if row.is_latest { "latest" } else { "earlier" };
    let status = version.status.code();
    format!(
        "\"{}-{:x}-{newest}-{status}{format}\"",
        row.revision, row.updated
    )
}

/// What a cache may keep of a record: everybody's, but asked again each time.
fn with_tag(mut response: Response, version: &Version, etag: &str) -> Response {
    let public = version.access.record == Visibility::Public && !version.loaded.manages;
    tag(&mut response, public, etag);
    response
}

fn tag(response: &mut Response, public: bool, etag: &str) {
    let cache = if public {
        "public, max-age=0, must-revalidate"
    } else {
        "private, no-store"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Authorization, Cookie, Accept-Language"),
    );
    if let Ok(tag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, tag);
    }
}

/// The records that anybody may see, in the form most ask for, kept ready.
pub type Ready = Shelf<Whole>;

/// A record as it is sent.
#[derive(Debug, Clone)]
pub struct Whole {
    json: Bytes,
    /// Quoted.
    etag: String,
}

/// A published version. A concept's id leads to its newest version. `Accept` chooses the format.
#[utoipa::path(get, path = "/api/records/{id}", tag = "records", params(("id" = String, Path)),
    responses((status = 200, description = "The record, in the format asked for"),
        (status = 302, description = "The id is a concept's; to its newest version"), (status = 304),
        (status = 404), (status = 406), (status = 410, description = "Withdrawn; the tombstone")))]
pub async fn read(
    caller: Caller,
    Path(text): Path<String>,
    method: Method,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Extension(shelf): Extension<Arc<Ready>>,
) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let accept = answer(&caller, exports::negotiate(&headers, &uri))?;
    // What anybody may see, in the form most ask for, is made once.
    let shared = caller.ctx.actor == Actor::Anonymous && accept == exports::Wanted::Json;
    let moment = if shared {
        let moment = answer(&caller, Moment::now(&caller.ctx).await)?;
        if let Some(record) = shelf.get(moment, id.as_str()) {
            return Ok(ready(&caller, &id, &headers, record));
        }
        Some(moment)
    } else {
        None
    };
    let version = match catalog::find(&caller.ctx, &id).await {
        Ok(Found::Version(version)) => version,
        Ok(Found::Concept { latest }) => {
            let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
            let to = format!(
                "{}/api/records/{latest}{query}",
                caller.ctx.env.config.base_url
            );
            return Ok((StatusCode::FOUND, [(header::LOCATION, to)]).into_response());
        }
        Err(Error::Gone(_)) => return gone(&caller, &id).await,
        Err(e) => return answer(&caller, Err(e)),
    };
    let etag = match &accept {
        exports::Wanted::Json => etag(&version, ""),
        other => etag(&version, &format!("-{}", other.slug())),
    };
    if matches!(method, Method::GET | Method::HEAD)
        && names_etag(&headers, &header::IF_NONE_MATCH, &etag)
    {
        return Ok(with_tag(
            StatusCode::NOT_MODIFIED.into_response(),
            &version,
            &etag,
        ));
    }
    let mut response = match accept {
        exports::Wanted::Json => {
            let files = answer(&caller, listed(&caller, &version).await)?;
            let body = json::record(&caller.ctx, &version, &files).to_string();
            if let Some(moment) = moment {
                let record = Whole {
                    json: Bytes::from(body),
                    etag: etag.clone(),
                };
                shelf.put(moment, id.as_str(), record.clone(), record.json.len());
                return Ok(ready(&caller, &id, &headers, record));
            }
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        exports::Wanted::Localised => {
            let files = answer(&caller, listed(&caller, &version).await)?;
            let mut record = json::record(&caller.ctx, &version, &files);
            record["ui"] = ui(&caller, &version);
            (
                [(header::CONTENT_TYPE, exports::LOCALISED)],
                Json(record).into_response().into_body(),
            )
                .into_response()
        }
        exports::Wanted::Format(slug) => {
            answer(&caller, exports::render(&caller.ctx, &version, slug).await)?
        }
    };
    point_to_linkset(&caller, &id, &mut response);
    Ok(with_tag(response, &version, &etag))
}

/// Where the signposts of a record stand (RFC 9264).
fn point_to_linkset(caller: &Caller, id: &RecordId, response: &mut Response) {
    let linkset = format!(
        "<{}/api/records/{id}>; rel=\"linkset\"; type=\"application/linkset+json\"",
        caller.ctx.env.config.base_url
    );
    if let Ok(value) = HeaderValue::from_str(&linkset) {
        response.headers_mut().insert(header::LINK, value);
    }
}

/// A record that is the same for everybody, or 304 for whoever has it.
fn ready(caller: &Caller, id: &RecordId, headers: &HeaderMap, record: Whole) -> Response {
    let mut response = if names_etag(headers, &header::IF_NONE_MATCH, &record.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], record.json).into_response()
    };
    point_to_linkset(caller, id, &mut response);
    tag(&mut response, true, &record.etag);
    response
}

/// The words a page would show, in the caller's language (`application/vnd.inveniordm.v1+json`).
fn ui(caller: &Caller, version: &Version) -> serde_json::Value {
    let locale = caller.ctx.locale;
    let metadata = &version.metadata;
    let kind = metadata
        .resource_type
        .as_ref()
        .map(|t| t.id.as_str())
        .unwrap_or_default();
    json!({
        "title": metadata.title_for(locale).map(|said| said.text),
        "description_stripped": metadata.description_for(locale).map(|said| plain_text(said.text)),
        "publication_date_l10n_long":
            metadata.publication_date.as_ref().map(|d| crate::text::edtf(locale, &d.to_string())),
        "resource_type": {"id": kind, "title_l10n": vocabulary::label(Vocabulary::ResourceTypes, kind, locale)},
        "access_status": {"id": version.status.code(), "title_l10n": version.status.label(locale)},
        "version": metadata.version.clone().unwrap_or_else(|| format!("v{}", version.row().version_index)),
        "is_draft": false,
    })
}

/// 410 with the tombstone.
async fn gone(caller: &Caller, id: &RecordId) -> Answer<Response> {
    let (version, stone) = answer(caller, catalog::tombstone(&caller.ctx, id).await)?;
    let label = |l| vocabulary::label(Vocabulary::RemovalReasons, &stone.reason, l);
    let body = json!({
        "status": 410,
        "message": crate::web::problem::message(&Error::Gone(id.to_string()), caller.ctx.locale),
        "tombstone": {
            "removal_reason": {"id": stone.reason, "title": {"en": label(Locale::En), "vi": label(Locale::Vi)}},
            "note": stone.note,
            "removed_by": {"user": stone.removed_by},
            "removal_date": stone.removal_date,
            "citation_text": stone.citation_text,
            "is_visible": true,
        },
        "pids": {"doi": {"identifier": version.row().doi}},
    });
    Ok((StatusCode::GONE, Json(body)).into_response())
}

/// All versions of the concept, newest first, in a search envelope.
#[utoipa::path(get, path = "/api/records/{id}/versions", tag = "records", params(("id" = String, Path)),
    responses((status = 200, description = "The versions"), (status = 404)))]
pub async fn versions(caller: Caller, Path(text): Path<String>) -> Answer<Json<serde_json::Value>> {
    let id = id(&caller, &text)?;
    let version = answer(&caller, catalog::resolve(&caller.ctx, &id).await)?;
    let all = answer(&caller, catalog::versions(&caller.ctx, &version).await)?;
    let hits: Vec<_> = all
        .iter()
        .map(|v| json::record(&caller.ctx, v, &[]))
        .collect();
    let own = format!(
        "{}/api/records/{id}/versions",
        caller.ctx.env.config.base_url
    );
    Ok(Json(json!({
        "hits": {"total": hits.len(), "hits": hits},
        "sortBy": "version",
        "links": {"self": own},
    })))
}

/// To the newest version: 301 with `Location`, and the same in the body.
#[utoipa::path(get, path = "/api/records/{id}/versions/latest", tag = "records", params(("id" = String, Path)),
    responses((status = 301, description = "To the newest version"), (status = 404)))]
pub async fn latest(caller: Caller, Path(text): Path<String>) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let version = answer(&caller, catalog::resolve(&caller.ctx, &id).await)?;
    let latest = version
        .parent()
        .latest
        .clone()
        .unwrap_or_else(|| id.to_string());
    let to = format!("{}/api/records/{latest}", caller.ctx.env.config.base_url);
    let body = json!({"status": 301, "message": "Moved Permanently.", "location": to});
    // Permanent is the dialect's word; where it leads changes with the next version, so nobody keeps it.
    let headers = [
        (header::LOCATION, to),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    Ok((StatusCode::MOVED_PERMANENTLY, headers, Json(body)).into_response())
}

/// Withdraws a version, leaving a tombstone. Administrators only.
#[utoipa::path(delete, path = "/api/records/{id}/delete", tag = "records", request_body = serde_json::Value,
    params(("id" = String, Path)),
    responses((status = 204, description = "Withdrawn"), (status = 400), (status = 401), (status = 403), (status = 404)))]
pub async fn withdraw(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    sent: Bytes,
) -> Answer<StatusCode> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let body = answer(&caller, body::parse(&headers, &sent))?;
    let reason = body["removal_reason"]["id"].as_str().unwrap_or_default();
    let note = body["note"].as_str().unwrap_or_default();
    answer(
        &caller,
        publish::withdraw(&caller.ctx, &id, reason, note).await,
    )?;
    Ok(DONE)
}

/// Puts a withdrawn version back into view. Administrators only.
#[utoipa::path(post, path = "/api/records/{id}/restore", tag = "records", params(("id" = String, Path)),
    responses((status = 200, description = "The record"), (status = 401), (status = 403), (status = 404)))]
pub async fn restore(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    answer(&caller, publish::restore(&caller.ctx, &id).await)?;
    shown(&caller, StatusCode::OK, &id).await
}
