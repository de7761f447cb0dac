//! `/api/records/{id}/files` and `/api/records/{id}/draft/files`: the dialect's three steps (announce,
//! send, confirm), listing, removing, downloading.
//!
//! A key may contain slashes, escaped or not. The verb (`content`, `commit`) is therefore read off the path as
//! it was sent, before anything is unescaped: `a%2Fcontent` is a file, `a/content` is the content of `a`.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{OriginalUri, Path},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    access::{self, Action},
    api::{
        Answer, DONE, answer, body, changing, id, json,
        listing::{self, Asked},
        transfer,
    },
    catalog, deposit,
    error::{Error, Kind, Result},
    files::{self, Incoming},
    ids::{FileKey, RecordId},
    web::{
        caller::Caller,
        download::{self, Disposition},
        whole::{self, Whole},
    },
};

/// Announced files told of in the answer for a draft of very many.
const MOST_TOLD: usize = 1_000;

/// What is asked of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Entry,
    Content,
    Commit,
    Unpack,
    /// A part of one that comes in parts.
    Part(u32),
}

/// The key and the verb of a path below `…/files/`.
fn below_files(path: &str) -> Result<(FileKey, Verb)> {
    let missing = || Error::not_found(Kind::File, "");
    let (_, rest) = path.split_once("/files/").ok_or_else(missing)?;
    let (raw, verb) = match rest.rsplit_once('/') {
        Some((key, "content")) => (key, Verb::Content),
        Some((key, "commit")) => (key, Verb::Commit),
        Some((key, "unpack")) => (key, Verb::Unpack),
        Some((before, number)) if !number.is_empty() => match before.strip_suffix("/content") {
            // From the right, because a key may hold the word.
            Some(key) if number.bytes().all(|b| b.is_ascii_digit()) => {
                (key, Verb::Part(number.parse().unwrap_or(u32::MAX)))
            }
            _ => (rest, Verb::Entry),
        },
        _ => (rest, Verb::Entry),
    };
    let text = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| missing())?;
    let key = text.parse().map_err(|_| missing())?;
    Ok((key, verb))
}

/// The files of a published version: all of them, as they are read; with `page`, `size` or `prefix`, a page.
#[utoipa::path(get, path = "/api/records/{id}/files", tag = "files",
    params(("id" = String, Path), ("page" = Option<u64>, Query), ("size" = Option<u64>, Query, description = "At most 10,000"),
        ("prefix" = Option<String>, Query, description = "What the keys begin with, such as a folder and a slash")),
    responses((status = 200, description = "The listing; of a page with `total`, `links.next` and `links.prev`"), (status = 400),
        (status = 401), (status = 403, description = "The files are restricted"), (status = 404)))]
pub async fn list(
    caller: Caller,
    Path(text): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let asked = answer(&caller, Asked::read(&uri))?;
    let version = answer(&caller, catalog::version(&caller.ctx, &id).await)?;
    if !version.files_open {
        let closed = match caller.ctx.person() {
            Some(_) => Error::Forbidden,
            None => Error::Unauthenticated,
        };
        return answer(&caller, Err(closed));
    }
    let of = listing::Of::Record(Box::new(version));
    answer(&caller, listing::answer(&caller.ctx, of, asked).await)
}

/// Everything of a published version as one zip: files, descriptions, checksums. Whoever may not have the files gets
/// the description and is told.
#[utoipa::path(get, path = "/api/records/{id}/files-archive", tag = "files",
    params(("id" = String, Path), ("Range" = Option<String>, Header), ("If-Range" = Option<String>, Header)),
    responses((status = 200, description = "The zip; its length and its tag are known before"), (status = 206, description = "A part of it"),
        (status = 304), (status = 404), (status = 416), (status = 503, description = "Checksums are being made; come back")))]
pub async fn archive(
    caller: Caller,
    Path(text): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let ctx = &caller.ctx;
    let version = answer(&caller, catalog::version(ctx, &id).await)?;
    let bundle = Arc::new(answer(&caller, catalog::bundle(ctx, &version).await)?);
    let whole = Whole {
        size: bundle.size,
        etag: &bundle.etag,
        public: bundle.public,
        content_type: "application/zip",
        file_name: &bundle.file_name,
    };
    Ok(whole::send(&method, &headers, &whole, |part| {
        Arc::clone(&bundle).read(ctx, part)
    }))
}

/// A file of a published version: its entry, or (`/content`) its bytes.
#[utoipa::path(get, path = "/api/records/{id}/files/{key}/content", tag = "files",
    params(("id" = String, Path), ("key" = String, Path), ("Range" = Option<String>, Header)),
    responses((status = 200, description = "The bytes"), (status = 206, description = "A part of them"), (status = 304),
        (status = 403), (status = 404), (status = 416)))]
pub async fn read(
    caller: Caller,
    Path(at): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    let id = id(&caller, &at.0)?;
    let ctx = &caller.ctx;
    let (key, verb) = answer(&caller, below_files(uri.path()))?;
    let loaded = access::load_record(ctx, ctx.env.db.read(), &id, Action::Read).await;
    let loaded = answer(&caller, loaded)?;
    let file = answer(&caller, files::open_file(ctx, &loaded, &key).await)?;
    if verb == Verb::Content {
        return answer(
            &caller,
            download::send(ctx, &method, &headers, &file, Disposition::Attachment).await,
        );
    }
    let entry = json::Entry {
        key: file.key.as_str(),
        completed: true,
        size: Some(file.size),
        md5: Some(file.md5.to_hex()),
        sha256: Some(file.sha256.to_hex()),
        mimetype: &file.mimetype,
        metadata: Value::Object(serde_json::Map::new()),
        times: None,
    };
    Ok(Json(json::file(ctx, id.as_str(), "", &entry)).into_response())
}

/// The files of a draft: all of them, as they are read; with `page`, `size` or `prefix`, a page.
#[utoipa::path(get, path = "/api/records/{id}/draft/files", tag = "files",
    params(("id" = String, Path), ("page" = Option<u64>, Query), ("size" = Option<u64>, Query, description = "At most 10,000"),
        ("prefix" = Option<String>, Query, description = "What the keys begin with, such as a folder and a slash")),
    responses((status = 200, description = "The listing; of a page with `total`, `links.next` and `links.prev`"), (status = 400),
        (status = 401), (status = 404)))]
pub async fn list_draft(
    caller: Caller,
    Path(text): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Answer<Response> {
    let id = id(&caller, &text)?;
    let asked = answer(&caller, Asked::read(&uri))?;
    answer(&caller, listed(&caller, &id, asked).await)
}

async fn listed(caller: &Caller, id: &RecordId, asked: Asked) -> Result<Response> {
    let ctx = &caller.ctx;
    let draft = access::load_draft(ctx, ctx.env.db.read(), id, Action::Read).await?;
    let of = listing::Of::Draft {
        id: id.clone(),
        enabled: draft.draft.files_enabled,
    };
    listing::answer(ctx, of, asked).await
}

/// What an announcement is answered with: all files of the draft, as the dialect has it; when they are so many that
/// announcing one by one would list them all each time, the announced ones.
async fn announced_listing(
    caller: &Caller,
    id: &RecordId,
    keys: &[FileKey],
    count: u64,
) -> Result<Response> {
    let ctx = &caller.ctx;
    if count <= deposit::FIRST {
        return listed(caller, id, Asked::All).await;
    }
    let mut out = json::listing(ctx, id.as_str(), "/draft", true);
    let mut entries = Vec::new();
    for key in keys.iter().take(MOST_TOLD) {
        if let Some(file) = deposit::file(ctx, id, key.as_str()).await? {
            entries.push(json::file(ctx, id.as_str(), "/draft", &json::entry(&file)));
        }
    }
    transfer::under_way(ctx, id, &mut entries).await?;
    out["entries"] = entries.into();
    out["total"] = count.into();
    Ok(Json(out).into_response())
}

/// Announces files: an array of `{"key"}`, with `size`, `checksum` (`md5:…`, `sha256:…`) and
/// `transfer: {"type": "M", "parts", "part_size"}` where the client knows them; `transfer: {"type": "F", "url"}` has
/// Kho fetch the file. The answer lists all files of the draft; in a draft of more than 1,000, the first 1,000 of the
/// announced ones.
#[utoipa::path(post, path = "/api/records/{id}/draft/files", tag = "files", request_body = serde_json::Value,
    params(("id" = String, Path)),
    responses((status = 201, description = "All files of the draft"), (status = 400, description = "A key is refused or taken, or there are too many"),
        (status = 401), (status = 404), (status = 409, description = "The files of a published version do not change")))]
pub async fn start(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    sent: Bytes,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    let new = body::parse(&headers, &sent).and_then(transfer::announced);
    let new = answer(&caller, new)?;
    let sent = new.sent.iter().map(|(file, _)| file.key.clone());
    let fetched = new.fetched.iter().map(|(key, _)| key.clone());
    let keys: Vec<FileKey> = sent.chain(fetched).take(MOST_TOLD).collect();
    let announced = files::upload::announce(&caller.ctx, &id, new.sent).await;
    let mut count = answer(&caller, announced)?;
    for (key, url) in new.fetched {
        let asked = files::intake::fetch(&caller.ctx, &id, &key, &url).await;
        answer(&caller, asked)?;
        count += 1;
    }
    let listing = answer(&caller, announced_listing(&caller, &id, &keys, count).await)?;
    Ok((StatusCode::CREATED, listing).into_response())
}

/// Sends a file's bytes, or (`/content/{n}`) a part of it. They are durable when the answer comes. With
/// `Content-Range: bytes a-b/total` the bytes go on where the last ones ended; `bytes */total` asks how far it is.
#[utoipa::path(put, path = "/api/records/{id}/draft/files/{key}/content", tag = "files",
    params(("id" = String, Path), ("key" = String, Path), ("Content-Range" = Option<String>, Header),
        ("Content-Digest" = Option<String>, Header, description = "Of a part, SHA-256"), ("Content-MD5" = Option<String>, Header, description = "Of a part")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The entry with size and checksums, still pending; of a part its number, size and checksums"),
        (status = 202, description = "More is to come; Range and Upload-Offset tell what is there"),
        (status = 308, description = "Asked how far it is: Range and Upload-Offset tell"),
        (status = 400, description = "Another length or checksum than announced, or the file comes in parts"),
        (status = 401), (status = 404), (status = 409, description = "Completed, busy, or it stands elsewhere (Upload-Offset)"), (status = 413), (status = 507)))]
pub async fn receive(
    caller: Caller,
    Path(at): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    sent: Body,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &at.0)?;
    let (key, verb) = answer(&caller, below_files(uri.path()))?;
    match verb {
        Verb::Content => {}
        Verb::Part(number) => {
            let taken = transfer::part(&caller, &id, &key, number, &headers, sent).await;
            return answer(&caller, taken);
        }
        _ => return answer(&caller, Err(Error::not_found(Kind::Page, ""))),
    }
    answer(
        &caller,
        transfer::refuse_fetched(&caller.ctx, &id, &key).await,
    )?;
    if let Some(range) = answer(&caller, transfer::content_range(&headers))? {
        let taken = transfer::piece(&caller, &id, &key, range, &headers, sent).await;
        return answer(&caller, taken);
    }
    let length = transfer::length(&headers);
    let stream = transfer::stream(sent);
    let received = files::receive(
        &caller.ctx,
        &id,
        &key,
        Incoming {
            body: stream,
            length,
        },
    )
    .await;
    let received = answer(&caller, received)?;
    let mimetype = mime_guess::from_path(key.file_name()).first_or_octet_stream();
    let entry = json::Entry {
        key: key.as_str(),
        completed: false,
        size: Some(received.size),
        md5: Some(received.md5.to_hex()),
        sha256: Some(received.sha256.to_hex()),
        mimetype: mimetype.essence_str(),
        metadata: Value::Object(serde_json::Map::new()),
        times: None,
    };
    Ok(Json(json::file(&caller.ctx, id.as_str(), "/draft", &entry)).into_response())
}

/// Confirms a file; one that comes in parts is put together first. `/unpack` in place of `/commit`: the files in
/// a zip or tar take its place, all or none, as background work that the listing tells of (202).
#[utoipa::path(post, path = "/api/records/{id}/draft/files/{key}/commit", tag = "files",
    params(("id" = String, Path), ("key" = String, Path)),
    responses((status = 200, description = "The completed entry"), (status = 202, description = "It is being unpacked"), (status = 400, description = "Its bytes have not come, or are not those declared"), (status = 401), (status = 404),
        (status = 409, description = "Its parts are being put together: ask again after Retry-After")))]
pub async fn commit(
    caller: Caller,
    Path(at): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &at.0)?;
    let (key, verb) = answer(&caller, below_files(uri.path()))?;
    if verb == Verb::Unpack {
        let asked = files::intake::unpack(&caller.ctx, &id, &key).await;
        answer(&caller, asked)?;
        let file = answer(&caller, files::entry(&caller.ctx, &id, &key).await)?;
        let entry = answer(&caller, transfer::entry(&caller.ctx, &id, &file).await)?;
        return Ok((StatusCode::ACCEPTED, Json(entry)).into_response());
    }
    if verb != Verb::Commit {
        return answer(&caller, Err(Error::not_found(Kind::Page, "")));
    }
    answer(
        &caller,
        transfer::refuse_fetched(&caller.ctx, &id, &key).await,
    )?;
    let file = answer(&caller, files::commit(&caller.ctx, &id, &key).await)?;
    Ok(Json(json::file(
        &caller.ctx,
        id.as_str(),
        "/draft",
        &json::entry(&file),
    ))
    .into_response())
}

/// A file of a draft: its entry, or (`/content`) its bytes.
#[utoipa::path(get, path = "/api/records/{id}/draft/files/{key}", tag = "files",
    params(("id" = String, Path), ("key" = String, Path)),
    responses((status = 200, description = "The entry, or the bytes"), (status = 401), (status = 404)))]
pub async fn read_draft(
    caller: Caller,
    Path(at): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    let id = id(&caller, &at.0)?;
    let (key, verb) = answer(&caller, below_files(uri.path()))?;
    if verb == Verb::Content {
        let file = answer(
            &caller,
            files::open_draft_file(&caller.ctx, &id, &key).await,
        )?;
        let sent = download::send(
            &caller.ctx,
            &method,
            &headers,
            &file,
            Disposition::Attachment,
        )
        .await;
        return answer(&caller, sent);
    }
    if verb != Verb::Entry {
        return answer(&caller, Err(Error::not_found(Kind::Page, "")));
    }
    let file = answer(&caller, files::entry(&caller.ctx, &id, &key).await)?;
    let entry = answer(&caller, transfer::entry(&caller.ctx, &id, &file).await)?;
    Ok(Json(entry).into_response())
}

/// Removes a file from a draft.
#[utoipa::path(delete, path = "/api/records/{id}/draft/files/{key}", tag = "files",
    params(("id" = String, Path), ("key" = String, Path)),
    responses((status = 204, description = "Removed"), (status = 401), (status = 404), (status = 409)))]
pub async fn remove(
    caller: Caller,
    Path(at): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    changing(&caller, &headers)?;
    let id = id(&caller, &at.0)?;
    let (key, _) = answer(&caller, below_files(uri.path()))?;
    answer(&caller, files::remove(&caller.ctx, &id, &key).await)?;
    Ok(DONE)
}

/// Removes all files of a draft.
#[utoipa::path(delete, path = "/api/records/{id}/draft/files", tag = "files", params(("id" = String, Path)),
    responses((status = 204, description = "Removed"), (status = 401), (status = 404), (status = 409)))]
pub async fn remove_all(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    answer(&caller, files::remove_all(&caller.ctx, &id).await)?;
    Ok(DONE)
}

/// Takes over the files of the previous version.
#[utoipa::path(post, path = "/api/records/{id}/draft/actions/files-import", tag = "files", params(("id" = String, Path)),
    responses((status = 201, description = "All files of the draft"), (status = 401), (status = 404)))]
pub async fn import(
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    changing(&caller, &headers)?;
    let id = id(&caller, &text)?;
    answer(&caller, files::import_previous(&caller.ctx, &id).await)?;
    let listing = answer(&caller, listed(&caller, &id, Asked::All).await)?;
    Ok((StatusCode::CREATED, listing).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(path: &str) -> (String, Verb) {
        let (key, verb) = below_files(path).unwrap();
        (key.into_string(), verb)
    }

    #[test]
    fn keys_and_verbs_are_told_apart() {
        let at = "/api/records/x/draft/files/";
        assert_eq!(
            parsed(&format!("{at}a.csv/content")),
            ("a.csv".into(), Verb::Content)
        );
        assert_eq!(
            parsed(&format!("{at}d%2Fa.csv/commit")),
            ("d/a.csv".into(), Verb::Commit)
        );
        assert_eq!(
            parsed(&format!("{at}d/a.csv/content")),
            ("d/a.csv".into(), Verb::Content)
        );
        assert_eq!(
            parsed(&format!("{at}a%2Fcontent")),
            ("a/content".into(), Verb::Entry)
        );
        assert_eq!(
            parsed(&format!("{at}t%C3%A0i%20li%E1%BB%87u")),
            ("tài liệu".into(), Verb::Entry)
        );
        assert_eq!(
            parsed(&format!("{at}d/a.tif/content/12")),
            ("d/a.tif".into(), Verb::Part(12))
        );
        assert_eq!(
            parsed(&format!("{at}a%2Fcontent%2F12")),
            ("a/content/12".into(), Verb::Entry)
        );
        assert_eq!(
            parsed(&format!("{at}content/1/content/2")),
            ("content/1".into(), Verb::Part(2))
        );
        assert_eq!(
            parsed(&format!("{at}a/content/x")),
            ("a/content/x".into(), Verb::Entry)
        );
        assert!(below_files(&format!("{at}..%2Fx/content")).is_err());
        assert!(below_files(&format!("{at}%ff/content")).is_err());
    }
}
