//! How the bytes of a file come: at once (`L`), in parts (`M`), or at once with restarts (`Content-Range`).
//!
//! What a client announces of a file, what it is told of one that is under way, the parts, and how far a PUT
//! has come. The three steps themselves are in `files`.

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::{
    api::json as shape,
    ctx::{Ctx, moment},
    deposit::File,
    error::{Error, Problem, Result},
    files::{
        self, NewFile,
        intake::{self, Intake},
        upload::{self, Algorithm, Checksum, Chunk, NewPlan, Plan, Upload},
    },
    ids::{FileKey, RecordId},
    text::{say_problem, timestamp},
    web::{caller::Caller, problem::Told},
};

/// What a client announces: files whose bytes it sends, and files to be fetched from URLs.
#[derive(Debug, Default)]
pub struct Announced {
    pub sent: Vec<(NewFile, Plan)>,
    pub fetched: Vec<(FileKey, String)>,
}

/// Reads the array of an announcement.
pub fn announced(body: Value) -> Result<Announced> {
    let Value::Array(items) = body else {
        return Err(Error::bad_request("json-array"));
    };
    let mut problems = Vec::new();
    let mut new = Announced::default();
    for (i, item) in items.iter().enumerate() {
        let plan = plan(item, i).unwrap_or_else(|problem| {
            problems.push(problem);
            Plan::default()
        });
        match item["key"].as_str().unwrap_or_default().parse::<FileKey>() {
            Ok(key) if item["transfer"]["type"] == "F" => match item["transfer"]["url"].as_str() {
                Some(url) => new.fetched.push((key, url.to_owned())),
                None => problems.push(Problem::new("fetch-url", format!("{i}.transfer.url"))),
            },
            Ok(key) => {
                let metadata = item["metadata"].clone();
                new.sent.push((NewFile { key, metadata }, plan));
            }
            Err(e) => problems.push(Problem::new(e.0, format!("{i}.key"))),
        }
    }
    if problems.is_empty() {
        Ok(new)
    } else {
        Err(Error::Invalid(problems))
    }
}

fn plan(item: &Value, i: usize) -> Result<Plan, Problem> {
    let whole = |value: &Value, path: &str| match value {
        Value::Null => Ok(None),
        value => value
            .as_u64()
            .filter(|n| i64::try_from(*n).is_ok())
            .map(Some)
            .ok_or_else(|| Problem::new("whole-number", format!("{i}.{path}"))),
    };
    let transfer = &item["transfer"];
    let size = whole(&item["size"], "size")?;
    let checksum = match &item["checksum"] {
        Value::Null => None,
        value => Some(
            value
                .as_str()
                .unwrap_or_default()
                .parse()
                .map_err(|_| Problem::new("checksum", format!("{i}.checksum")))?,
        ),
    };
    let parts = match transfer["type"].as_str().unwrap_or("L") {
        // Its own fields are read with the key.
        "F" | "L" => None,
        "M" => {
            let missing = || Problem::new("parts-required", format!("{i}.transfer.parts"));
            let parts = whole(&transfer["parts"], "transfer.parts")?.ok_or_else(missing)?;
            if size.is_none() {
                return Err(Problem::new("size-missing", format!("{i}.size")));
            }
            Some(NewPlan {
                parts: u32::try_from(parts).unwrap_or(u32::MAX),
                part_size: whole(&transfer["part_size"], "transfer.part_size")?,
            })
        }
        other => {
            return Err(Problem::new("transfer", format!("{i}.transfer.type")).with("type", other));
        }
    };
    Ok(Plan {
        size,
        checksum,
        parts,
    })
}

/// A file of a draft, and what is under way for it.
pub async fn entry(ctx: &Ctx, id: &RecordId, file: &File) -> Result<Value> {
    let mut out = shape::file(ctx, id.as_str(), "/draft", &shape::entry(file));
    let key = file
        .key
        .parse()
        .map_err(|_| Error::internal("file", "its key does not parse"))?;
    if let Some(upload) = upload::of_file(ctx, id, &key).await? {
        describe(ctx, &upload, &mut out).await?;
    }
    if let Some(intake) = files::intake::of_file(ctx, id, &key).await? {
        brought(ctx, &intake, &mut out);
    }
    Ok(out)
}

/// The same in a listing: adds to each entry what is under way for it.
pub async fn under_way(ctx: &Ctx, id: &RecordId, entries: &mut [Value]) -> Result<()> {
    for upload in upload::of_draft(ctx, id).await? {
        let entry = entries
            .iter_mut()
            .find(|e| upload.key().is_some_and(|key| e["key"] == key));
        if let Some(entry) = entry {
            describe(ctx, &upload, entry).await?;
        }
    }
    // Where a file is fetched from is not told: the address may hold a secret.
    for intake in files::intake::list(ctx, id).await? {
        let entry = entries.iter_mut().find(|e| e["key"] == intake.key.as_str());
        if let Some(entry) = entry {
            brought(ctx, &intake, entry);
        }
    }
    Ok(())
}

/// While Kho fetches a file, nobody else brings its bytes.
pub async fn refuse_fetched(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<()> {
    match files::intake::of_file(ctx, id, key).await? {
        Some(Intake {
            kind: intake::Kind::Fetch,
            state: intake::State::Waiting | intake::State::Running,
            ..
        }) => Err(Error::bad_request("transfer-fetch")),
        _ => Ok(()),
    }
}

fn brought(ctx: &Ctx, intake: &Intake, out: &mut Value) {
    let told = json!({
        "state": intake.state.name(),
        "received": intake.received,
        "size": intake.total,
        "error": intake.problem.as_ref().map(|p| say_problem(ctx.locale, p)),
        "code": intake.problem.as_ref().map(|p| p.code),
    });
    match intake.kind {
        intake::Kind::Unpack => out["unpack"] = told,
        intake::Kind::Fetch if intake.state == intake::State::Done => {}
        intake::Kind::Fetch => {
            if intake.state == intake::State::Failed {
                out["status"] = "failed".into();
            }
            out["transfer"] = told;
            out["transfer"]["type"] = "F".into();
            if let Some(links) = out["links"].as_object_mut() {
                links.remove("content");
                links.remove("commit");
            }
        }
    }
}

async fn describe(ctx: &Ctx, upload: &Upload, out: &mut Value) -> Result<()> {
    let Some(plan) = upload.plan() else {
        return Ok(());
    };
    let own = out["links"]["self"].as_str().unwrap_or_default().to_owned();
    let until = timestamp(moment(upload.expires()));
    let parts: Vec<Value> = upload::links(ctx, upload)
        .await?
        .into_iter()
        .map(|link| {
            let number = link.number;
            let url = link
                .url
                .unwrap_or_else(|| format!("{own}/content/{number}"));
            json!({"part": number, "url": url, "expiration": until})
        })
        .collect();
    let received: Vec<Value> = upload::received(ctx, upload)
        .await?
        .into_iter()
        .map(|(number, size, _)| json!({"part": number, "size": size}))
        .collect();
    out["size"] = plan.size.into();
    out["transfer"] = json!({"type": "M", "parts": plan.count(), "part_size": plan.part_size});
    out["received_parts"] = received.into();
    out["links"]["parts"] = parts.into();
    if let Some(links) = out["links"].as_object_mut() {
        links.remove("content");
    }
    Ok(())
}

/// Takes a part.
pub async fn part(
    caller: &Caller,
    id: &RecordId,
    key: &FileKey,
    number: u32,
    headers: &HeaderMap,
    sent: Body,
) -> Result<Response> {
    let checksum = checksum(headers)?;
    let length = length(headers);
    let got = upload::receive_part(
        &caller.ctx,
        id,
        key,
        number,
        stream(sent),
        length,
        checksum.as_ref(),
    )
    .await?;
    let md5 = got.md5.to_hex();
    let body = json!({
        "part": number,
        "size": got.size,
        "checksum": format!("md5:{md5}"),
        "sha256": got.sha256.to_hex(),
    });
    let mut response = Json(body).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{md5}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// What a client says of the bytes of a part: `Content-Digest` (RFC 9530, SHA-256) or `Content-MD5`.
fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or_default());
    let read = |algorithm, encoded: &str, name: &str| {
        BASE64_STANDARD
            .decode(encoded)
            .ok()
            .and_then(|digest| Checksum::new(algorithm, digest))
            .ok_or_else(|| Error::BadRequest(Problem::new("header", "").with("name", name)))
    };
    if let Some(value) = text("content-digest") {
        let sha256 = value
            .split(',')
            .find_map(|item| item.trim().strip_prefix("sha-256=:")?.strip_suffix(':'));
        // One in another algorithm only is nothing that could be held against the bytes.
        if let Some(encoded) = sha256 {
            return read(Algorithm::Sha256, encoded, "Content-Digest").map(Some);
        }
    }
    text("content-md5")
        .map(|encoded| read(Algorithm::Md5, encoded, "Content-MD5"))
        .transpose()
}

/// `Content-Range` of a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentRange {
    /// `bytes first-last/total`: these bytes come.
    Piece { start: u64, end: u64, total: u64 },
    /// `bytes */total`: how far is it?
    Question { total: u64 },
}

/// Reads `Content-Range` (RFC 9110 section 14.4); the total must be known.
pub fn content_range(headers: &HeaderMap) -> Result<Option<ContentRange>> {
    let Some(value) = headers.get(header::CONTENT_RANGE) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(read_content_range)
        .map(Some)
        .ok_or_else(|| Error::BadRequest(Problem::new("header", "").with("name", "Content-Range")))
}

fn read_content_range(text: &str) -> Option<ContentRange> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let n: u64 = digits.then(|| text.parse().ok()).flatten()?;
        i64::try_from(n).is_ok().then_some(n)
    };
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let total = number(total)?;
    if range == "*" {
        return Some(ContentRange::Question { total });
    }
    let (first, last) = range.split_once('-')?;
    let (start, last) = (number(first)?, number(last)?);
    (start <= last && last < total).then_some(ContentRange::Piece {
        start,
        end: last + 1,
        total,
    })
}

/// A PUT with `Content-Range`: goes on with the file, or tells how far it is.
pub async fn piece(
    caller: &Caller,
    id: &RecordId,
    key: &FileKey,
    range: ContentRange,
    headers: &HeaderMap,
    sent: Body,
) -> Result<Response> {
    let ctx = &caller.ctx;
    match range {
        ContentRange::Question { total } => match upload::how_far(ctx, id, key, total).await? {
            None => whole(ctx, id, key).await,
            Some(arrived) => Ok(so_far(StatusCode::PERMANENT_REDIRECT, arrived)),
        },
        ContentRange::Piece { start, end, total } => {
            if length(headers) != Some(end - start) {
                let problem = Problem::new("header", "").with("name", "Content-Length");
                return Err(Error::BadRequest(problem));
            }
            if start > 0 {
                let arrived = upload::how_far(ctx, id, key, total).await?.unwrap_or(total);
                if arrived != start {
                    return Ok(elsewhere(caller, arrived));
                }
            }
            let going = upload::put(ctx, id, key, total).await?;
            let chunk = Chunk {
                offset: start,
                body: stream(sent),
                length: Some(end - start),
                checksum: None,
            };
            match upload::append(ctx, &going, chunk).await {
                Ok(now) if now.done() => whole(ctx, id, key).await,
                Ok(now) => Ok(so_far(StatusCode::ACCEPTED, now.arrived())),
                Err(Error::Conflict(p)) if p.code == "upload-offset" => {
                    Ok(elsewhere(caller, going.arrived()))
                }
                Err(e) => Err(e),
            }
        }
    }
}

async fn whole(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<Response> {
    let file = files::entry(ctx, id, key).await?;
    Ok(Json(entry(ctx, id, &file).await?).into_response())
}

/// `Range: bytes=0-<last>` tells what is there; without one, nothing is.
fn so_far(status: StatusCode, arrived: u64) -> Response {
    let mut response = status.into_response();
    tell(response.headers_mut(), arrived);
    response
}

fn elsewhere(caller: &Caller, arrived: u64) -> Response {
    let problem = Problem::new("upload-offset", "").with("offset", arrived);
    let error = Error::Conflict(problem);
    let locale = caller.ctx.locale;
    let mut response = Told { error, locale }.into_response();
    tell(response.headers_mut(), arrived);
    response
}

fn tell(headers: &mut HeaderMap, arrived: u64) {
    headers.insert("upload-offset", arrived.into());
    if let Some(last) = arrived.checked_sub(1)
        && let Ok(range) = HeaderValue::from_str(&format!("bytes=0-{last}"))
    {
        headers.insert(header::RANGE, range);
    }
}

/// What the client said it would send, in bytes.
pub fn length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse().ok())
}

/// A body, as the capabilities take it.
pub fn stream(sent: Body) -> impl Stream<Item = Result<Bytes>> + Unpin + Send + 'static {
    sent.into_data_stream()
        .map(|part| part.map_err(|_| Error::bad_request("upload-cut-off")))
        .boxed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(
            read_content_range("bytes 0-9/100"),
            Some(ContentRange::Piece {
                start: 0,
                end: 10,
                total: 100
            })
        );
        assert_eq!(
            read_content_range("bytes */100"),
            Some(ContentRange::Question { total: 100 })
        );
        for bad in [
            "",
            "bytes",
            "bytes 0-9",
            "bytes 0-9/*",
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes -9/100",
            "bytes 0-/100",
            "items 0-9/100",
            "bytes 0-9/100 ",
            "bytes +0-9/100",
            "bytes */*",
            "bytes 0-9/99999999999999999999",
        ] {
            assert_eq!(read_content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn announcements_are_read_and_every_fault_is_told() {
        let read = announced(json!([
            {"key": "a"},
            {"key": "b", "size": 25, "checksum": "md5:0cc175b9c0f1b6a831c399e269772661",
             "transfer": {"type": "M", "parts": 3, "part_size": 10}},
        ]));
        let read = read.unwrap().sent;
        assert!(read[0].1.parts.is_none() && read[0].1.size.is_none());
        assert_eq!(read[1].1.parts.unwrap().parts, 3);
        let faults = announced(json!([
            {"key": ""}, {"key": "a", "size": -1}, {"key": "a", "size": 1.5}, {"key": "a", "checksum": "x"},
            {"key": "a", "transfer": {"type": "Q"}}, {"key": "a", "transfer": {"type": "M", "parts": 2}},
            {"key": "a", "size": 2, "transfer": {"type": "M"}},
        ]));
        let Err(Error::Invalid(problems)) = faults else {
            panic!("taken");
        };
        let codes: Vec<&str> = problems.iter().map(|p| p.code).collect();
        let expected = [
            "file-key-empty",
            "whole-number",
            "whole-number",
            "checksum",
            "transfer",
            "size-missing",
            "parts-required",
        ];
        assert_eq!(codes, expected);
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(text in "(bytes )?[0-9*/+ -]{0,40}|\\PC{0,60}") {
            if let Some(ContentRange::Piece { start, end, total }) = read_content_range(&text) {
                prop_assert!(start < end && end <= total);
            }
        }
    }
}
