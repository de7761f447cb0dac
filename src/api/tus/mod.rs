//! `/api/uploads`: tus 1.0 (<https://tus.io/protocols/resumable-upload>), with creation, creation-with-upload,
//! creation-defer-length, checksum, termination, expiration and concatenation.
//!
//! `Upload-Metadata` names the draft (`record`) and the file (`key`, or `filename`). With its last byte the file
//! is confirmed in the draft. Not here: how bytes are kept (`files::upload`).

mod headers;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;

use self::headers::{Concat, VERSION, number, text};
use crate::{
    ctx::{Env, moment},
    error::{Error, Kind, Problem, Result},
    files::upload::{self, Chunk, NewUpload, Shape, Upload},
    ids::{FileKey, RecordId},
    web::{caller::Caller, problem::Told},
};

const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration,concatenation";
const ALGORITHMS: &str = "sha256,sha1,md5";
const CHUNK: &str = "application/offset+octet-stream";

/// What the server can do.
#[utoipa::path(options, path = "/api/uploads", tag = "uploads",
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm")))]
pub async fn options(State(env): State<Env>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let set = response.headers_mut();
    set.insert("tus-resumable", HeaderValue::from_static(VERSION));
    set.insert("tus-version", HeaderValue::from_static(VERSION));
    set.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    set.insert(
        "tus-checksum-algorithm",
        HeaderValue::from_static(ALGORITHMS),
    );
    set.insert("tus-max-size", env.config.max_file_size.into());
    response
}

/// Begins an upload (with its first bytes, if there are any), or puts partial ones together.
#[utoipa::path(post, path = "/api/uploads", tag = "uploads",
    params(("Tus-Resumable" = String, Header), ("Upload-Length" = Option<u64>, Header), ("Upload-Defer-Length" = Option<u8>, Header),
        ("Upload-Metadata" = String, Header, description = "record, key; values in Base64"), ("Upload-Concat" = Option<String>, Header),
        ("Upload-Checksum" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 201, description = "Location, Upload-Expires; Upload-Offset when bytes came along"), (status = 400), (status = 401),
        (status = 404, description = "No such draft, or not yours"), (status = 409, description = "Somebody is uploading this file now"),
        (status = 412, description = "Another version of tus"), (status = 413), (status = 415), (status = 460, description = "Checksum mismatch")))]
pub async fn create(caller: Caller, headers: HeaderMap, body: Body) -> Response {
    let made = creation(&caller, &headers, body).await;
    finish(&caller, made)
}

async fn creation(caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Response> {
    speaks(headers)?;
    caller.check_header(headers)?;
    caller.ctx.require_person()?;
    let ctx = &caller.ctx;
    let sent = text(headers, "upload-metadata")?.unwrap_or_default();
    let said = headers::metadata(sent)?;
    let missing = |name| Error::BadRequest(Problem::new("upload-metadata", "").with("name", name));
    let draft: RecordId = said
        .get("record")
        .and_then(|record| record.parse().ok())
        .ok_or_else(|| missing("record"))?;
    let concat = text(headers, "upload-concat")?
        .map(headers::concat)
        .transpose()?;
    let key = match &concat {
        Some(Concat::Partial) => None,
        _ => Some(key(&said)?),
    };
    let checksum = said
        .get("checksum")
        .map(|text| text.parse())
        .transpose()
        .map_err(|e| Error::malformed("checksum", e))?;
    let length = number(headers, "upload-length")?;
    let deferred = text(headers, "upload-defer-length")?;
    let is_final = matches!(concat, Some(Concat::Final(_)));
    match (is_final, length, deferred) {
        (true, None, None) | (false, Some(_), None) | (false, None, Some("1")) => {}
        _ => return Err(Error::bad_request("upload-length-missing")),
    }
    let new = NewUpload {
        draft,
        key,
        size: length,
        checksum,
        metadata: (!sent.is_empty()).then(|| sent.to_owned()),
        sources: is_final
            .then(|| text(headers, "upload-concat"))
            .transpose()?
            .flatten()
            .map(ToOwned::to_owned),
    };
    let comes = content_type(headers)? == Some(CHUNK);
    let mut made = match concat {
        Some(Concat::Final(partial)) => upload::concatenate(ctx, new, &partial).await?,
        _ => upload::begin(ctx, new).await?,
    };
    // An empty file is whole as soon as it is there.
    if comes || made.size() == Some(0) {
        let chunk = chunk(headers, 0, body)?;
        made = match upload::append(ctx, &made, chunk).await {
            Ok(now) => now,
            Err(e) => {
                // The client never hears of it.
                upload::abandon(ctx, &made).await?;
                return Err(e);
            }
        };
    }
    let at = format!("{}/api/uploads/{}", ctx.env.config.base_url, made.id());
    let mut response = StatusCode::CREATED.into_response();
    let set = response.headers_mut();
    set.insert(header::LOCATION, value(&at)?);
    set.insert("upload-expires", expires(&made)?);
    if comes || made.done() {
        set.insert("upload-offset", made.arrived().into());
    }
    Ok(response)
}

/// How far an upload has come.
#[utoipa::path(head, path = "/api/uploads/{id}", tag = "uploads", params(("id" = String, Path), ("Tus-Resumable" = String, Header)),
    responses((status = 200, description = "Upload-Offset, Upload-Length or Upload-Defer-Length, Upload-Metadata, Upload-Expires, Upload-Concat"),
        (status = 401), (status = 404), (status = 410, description = "Given up after a long time without progress"), (status = 412)))]
pub async fn look(caller: Caller, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let told = state(&caller, &id, &headers).await;
    finish(&caller, told)
}

async fn state(caller: &Caller, id: &str, headers: &HeaderMap) -> Result<Response> {
    speaks(headers)?;
    let found = load(caller, id).await?;
    let mut response = StatusCode::OK.into_response();
    let set = response.headers_mut();
    // A concatenation that is not done yet has no offset (section "Concatenation").
    if found.shape() != Shape::Final || found.done() {
        set.insert("upload-offset", found.arrived().into());
    }
    match found.size() {
        Some(size) => set.insert("upload-length", size.into()),
        None => set.insert("upload-defer-length", HeaderValue::from_static("1")),
    };
    if let Some(metadata) = found.metadata() {
        set.insert("upload-metadata", value(metadata)?);
    }
    match (found.shape(), found.sources()) {
        (Shape::Partial, _) => {
            set.insert("upload-concat", HeaderValue::from_static("partial"));
        }
        (_, Some(sources)) => {
            set.insert("upload-concat", value(sources)?);
        }
        _ => {}
    }
    set.insert("upload-expires", expires(&found)?);
    Ok(response)
}

/// Goes on with an upload.
#[utoipa::path(patch, path = "/api/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header), ("Upload-Offset" = u64, Header), ("Upload-Length" = Option<u64>, Header),
        ("Upload-Checksum" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "Upload-Offset, Upload-Expires"), (status = 400), (status = 401), (status = 403, description = "A concatenation takes no bytes"),
        (status = 404), (status = 409, description = "It stands elsewhere"), (status = 410), (status = 412), (status = 413), (status = 415),
        (status = 423, description = "Another request is writing to it"), (status = 460, description = "Checksum mismatch"), (status = 507)))]
pub async fn patch(
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let gone_on = go_on(&caller, &id, &headers, body).await;
    finish(&caller, gone_on)
}

async fn go_on(caller: &Caller, id: &str, headers: &HeaderMap, body: Body) -> Result<Response> {
    speaks(headers)?;
    caller.check_header(headers)?;
    if content_type(headers)? != Some(CHUNK) {
        return Err(Error::bad_request("content-type"));
    }
    let offset = number(headers, "upload-offset")?
        .ok_or_else(|| Error::bad_request("upload-offset-missing"))?;
    let mut found = load(caller, id).await?;
    if found.shape() == Shape::Final {
        return Err(Error::Forbidden);
    }
    if let Some(length) = number(headers, "upload-length")? {
        found = upload::declare(&caller.ctx, &found, length).await?;
    }
    let chunk = chunk(headers, offset, body)?;
    let now = upload::append(&caller.ctx, &found, chunk).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let set = response.headers_mut();
    set.insert("upload-offset", now.arrived().into());
    set.insert("upload-expires", expires(&now)?);
    Ok(response)
}

/// Gives an upload up, with the file that waited for it.
#[utoipa::path(delete, path = "/api/uploads/{id}", tag = "uploads", params(("id" = String, Path), ("Tus-Resumable" = String, Header)),
    responses((status = 204, description = "Gone; a file that was whole stays"), (status = 401), (status = 404), (status = 410), (status = 412), (status = 423)))]
pub async fn terminate(caller: Caller, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let gone = end(&caller, &id, &headers).await;
    finish(&caller, gone)
}

async fn end(caller: &Caller, id: &str, headers: &HeaderMap) -> Result<Response> {
    speaks(headers)?;
    caller.check_header(headers)?;
    let found = load(caller, id).await?;
    upload::abandon(&caller.ctx, &found).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `X-HTTP-Method-Override`, for clients behind something that knows no PATCH.
pub async fn instead(
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let named = headers
        .get("x-http-method-override")
        .and_then(|v| Method::from_bytes(v.as_bytes()).ok());
    let done = match named {
        Some(Method::PATCH) => go_on(&caller, &id, &headers, body).await,
        Some(Method::DELETE) => end(&caller, &id, &headers).await,
        Some(Method::HEAD) => state(&caller, &id, &headers).await,
        _ => Err(Error::not_found(Kind::Page, "")),
    };
    finish(&caller, done)
}

/// Every answer names the version and is nobody's to keep.
fn finish(caller: &Caller, result: Result<Response>) -> Response {
    let mut response = result.unwrap_or_else(|error| {
        let error = match error {
            Error::Conflict(p) if p.code == "upload-busy" => Error::conflict("upload-locked"),
            other => other,
        };
        let locale = caller.ctx.locale;
        Told { error, locale }.into_response()
    });
    let other_version = response.status() == StatusCode::PRECONDITION_FAILED;
    let set = response.headers_mut();
    set.insert("tus-resumable", HeaderValue::from_static(VERSION));
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if other_version {
        set.insert("tus-version", HeaderValue::from_static(VERSION));
    }
    response
}

fn speaks(headers: &HeaderMap) -> Result<()> {
    if text(headers, "tus-resumable")? == Some(VERSION) {
        Ok(())
    } else {
        Err(Error::bad_request("tus-version"))
    }
}

/// Uploads of the other doors are not to be met here.
async fn load(caller: &Caller, id: &str) -> Result<Upload> {
    let found = upload::load(&caller.ctx, id).await?;
    match found.shape() {
        Shape::Tus | Shape::Partial | Shape::Final => Ok(found),
        Shape::Parts | Shape::Put => Err(Error::not_found(Kind::Upload, id)),
    }
}

/// The name of the file: `key`, or what common clients send.
fn key(said: &std::collections::BTreeMap<String, String>) -> Result<FileKey> {
    let name = ["key", "filename", "name"]
        .into_iter()
        .find_map(|name| said.get(name))
        .ok_or_else(|| {
            Error::BadRequest(Problem::new("upload-metadata", "").with("name", "key"))
        })?;
    name.parse().map_err(|e| Error::malformed("key", e))
}

/// The type of the body, bare; one that announces other bytes than a chunk is refused.
fn content_type(headers: &HeaderMap) -> Result<Option<&str>> {
    let bare = |kind: &'static str, value: &str| {
        value
            .split(';')
            .next()
            .is_some_and(|v| v.trim().eq_ignore_ascii_case(kind))
    };
    match text(headers, "content-type")? {
        Some(value) if bare(CHUNK, value) => Ok(Some(CHUNK)),
        Some(_) if length(headers) > Some(0) => Err(Error::bad_request("content-type")),
        _ => Ok(None),
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    number(headers, "content-length").ok().flatten()
}

fn chunk(
    headers: &HeaderMap,
    offset: u64,
    body: Body,
) -> Result<Chunk<impl futures::Stream<Item = Result<bytes::Bytes>> + Unpin + Send + use<>>> {
    let checksum = text(headers, "upload-checksum")?
        .map(headers::checksum)
        .transpose()?;
    let body = body
        .into_data_stream()
        .map(|part| part.map_err(|_| Error::bad_request("upload-cut-off")))
        .boxed();
    Ok(Chunk {
        offset,
        body,
        length: length(headers),
        checksum,
    })
}

fn expires(of: &Upload) -> Result<HeaderValue> {
    let date = moment(of.expires()).format("%a, %d %b %Y %H:%M:%S GMT");
    value(&date.to_string())
}

fn value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|e| Error::internal("header", e))
}
