//! `/ledger/…`: the log as C2SP `tlog-tiles` serves it, for anybody's program; and the proofs that a server computes:
//! receipts of versions, consistency of two checkpoints, which witnesses follow.

use axum::{
    Json,
    body::Bytes,
    extract::{OriginalUri, Path, Query, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::{Answer, DONE, answer, id},
    ctx::Env,
    error::{Error, Kind, Problem},
    ledger::{self, note, tiles::TileName},
    web::caller::Caller,
};

/// A tile never changes under its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The newest signed checkpoint (C2SP `tlog-checkpoint`), with the cosignatures of witnesses.
#[utoipa::path(get, path = "/ledger/checkpoint", tag = "ledger",
    responses((status = 200, description = "A signed note"), (status = 503)))]
pub async fn checkpoint(caller: Caller) -> Answer<Response> {
    let note = answer(&caller, ledger::checkpoint(&caller.ctx.env).await)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=2"),
    ];
    Ok((headers, note).into_response())
}

/// A tile of hashes or a bundle of entries (C2SP `tlog-tiles`): `0/x001/234.p/5`, `entries/000`.
#[utoipa::path(get, path = "/ledger/tile/{path}", tag = "ledger", params(("path" = String, Path)),
    responses((status = 200, description = "Hashes, or length-prefixed entries"), (status = 404)))]
pub async fn tile(caller: Caller, Path(path): Path<String>) -> Answer<Response> {
    let name = TileName::parse(&path).ok_or_else(|| Error::not_found(Kind::Page, ""));
    let name = answer(&caller, name)?;
    let bytes = answer(&caller, ledger::tile(&caller.ctx.env, &name).await)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, FOR_EVER),
    ];
    Ok((headers, bytes).into_response())
}

/// Takes the cosignature of a witness that this log is configured with: the text of one of its checkpoints, a blank
/// line, the witness's signature line. The signature is all the permission that is asked.
#[utoipa::path(post, path = "/ledger/add-cosignature", tag = "ledger", request_body = String,
    responses((status = 204, description = "Taken"), (status = 400), (status = 413)))]
pub async fn add_cosignature(caller: Caller, body: Bytes) -> Answer<axum::http::StatusCode> {
    if body.len() > note::MOST_BYTES {
        let problem = Problem::new("too-many", "").with("limit", note::MOST_BYTES);
        return answer(&caller, Err(Error::TooLarge(problem)));
    }
    answer(
        &caller,
        ledger::add_cosignature(&caller.ctx.env, &body).await,
    )?;
    Ok(DONE)
}

/// The receipt of a version: its entries with inclusion proofs to the newest checkpoint. `?download=1` as a file.
#[utoipa::path(get, path = "/api/records/{id}/ledger", tag = "ledger", params(("id" = String, Path)),
    responses((status = 200, description = "The receipt"), (status = 404), (status = 503)))]
pub async fn receipt(
    caller: Caller,
    Path(text): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let receipt = answer(&caller, ledger::receipt(&caller.ctx, &id).await)?;
    let mut response = Json(receipt).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let as_file = uri
        .query()
        .is_some_and(|q| q.split('&').any(|p| p == "download=1"));
    let name = format!("attachment; filename=\"{id}.receipt.json\"");
    if let (true, Ok(value)) = (as_file, HeaderValue::from_str(&name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Sizes of two trees.
#[derive(Debug, Deserialize)]
pub struct Sizes {
    from: u64,
    to: Option<u64>,
}

/// The proof that the tree of `to` entries (the newest checkpoint's if not said) begins with that of `from`.
#[utoipa::path(get, path = "/api/ledger/consistency", tag = "ledger",
    params(("from" = u64, Query), ("to" = Option<u64>, Query)),
    responses((status = 200, description = "Hashes in base64, in the order of RFC 9162"), (status = 400)))]
pub async fn consistency(
    caller: Caller,
    sizes: Result<Query<Sizes>, axum::extract::rejection::QueryRejection>,
) -> Answer<Json<Value>> {
    let sizes =
        sizes.map_err(|_| Error::BadRequest(Problem::new("ledger-size", "").with("size", "?")));
    let Query(Sizes { from, to }) = answer(&caller, sizes)?;
    let env = &caller.ctx.env;
    let (to, proof) = answer(&caller, ledger::consistency(env, from, to).await)?;
    let root = answer(&caller, ledger::root_of(env, to).await)?;
    let first = answer(&caller, ledger::root_of(env, from).await)?;
    Ok(Json(json!({
        "from": from,
        "from_root": ledger::receipt::encode(&first.0),
        "to": to,
        "to_root": ledger::receipt::encode(&root.0),
        "proof": proof.iter().map(|h| ledger::receipt::encode(&h.0)).collect::<Vec<_>>(),
    })))
}

/// The log's name and key, and the witnesses whose cosignatures it takes, with how far each has followed.
#[utoipa::path(get, path = "/api/ledger/witnesses", tag = "ledger",
    responses((status = 200, description = "The log and its witnesses")))]
pub async fn witnesses(caller: Caller, State(env): State<Env>) -> Answer<Response> {
    let found = answer(&caller, ledger::witnesses(&env).await)?;
    let witnesses: Vec<Value> = found
        .iter()
        .map(|w| {
            json!({
                "name": w.witness.name(),
                "vkey": w.witness.to_string(),
                "size": w.newest.map(|(size, _)| size),
                "cosigned": w.newest.and_then(|(_, at)| chrono::DateTime::from_timestamp(at, 0)),
            })
        })
        .collect();
    let body = json!({
        "origin": answer(&caller, ledger::origin(&env).await)?,
        "vkey": answer(&caller, ledger::verifier(&env).await)?,
        "witnesses": witnesses,
    });
    let fresh: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=2");
    Ok(([fresh], Json(body)).into_response())
}
