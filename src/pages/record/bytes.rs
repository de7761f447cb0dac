//! `/records/{id}/files/{key}` and `/records/{id}/SHA256SUMS`: the bytes, and how to check them.

use std::fmt::Write;

use axum::{body::Body, extract::Path, http::header, response::Response};

use super::show::{id, to_record};
use crate::{
    access,
    catalog::{self, Found, Version},
    error::{Error, Kind, Result},
    files,
    ids::FileKey,
    pages::shell::{self, Visit},
    web::download::{self, Disposition},
};

/// Files read at a time for the list of checksums.
const STEP: u64 = 5_000;

/// `GET /records/{id}/files/{key}`: shown where a browser may show it, saved with `?download=1`.
pub async fn file(visit: Visit, Path((text, key)): Path<(String, String)>) -> Response {
    let result = send(&visit, &text, &key).await;
    visit.finish(result).await
}

async fn send(visit: &Visit, text: &str, key: &str) -> Result<Response> {
    let ctx = visit.ctx();
    let key: FileKey = key.parse().map_err(|_| Error::not_found(Kind::File, key))?;
    let version = match catalog::find(ctx, &id(text)?).await? {
        Found::Concept { latest } => {
            let path = visit
                .path
                .find("/files/")
                .map_or("", |at| &visit.path[at..]);
            return Ok(to_record(visit, &latest, path));
        }
        Found::Version(version) => version,
    };
    let file = files::open_file(ctx, &version.loaded, &key).await?;
    let wanted = match visit.parameter("download").as_deref() {
        Some("0") | None => Disposition::Inline,
        Some(_) => Disposition::Attachment,
    };
    download::send(ctx, &visit.method, &visit.headers, &file, wanted).await
}

/// `GET /records/{id}/SHA256SUMS`: every file in the form that `sha256sum -c` reads.
pub async fn checksums(visit: Visit, Path(text): Path<String>) -> Response {
    let result = sums(&visit, &text).await;
    visit.finish(result).await
}

async fn sums(visit: &Visit, text: &str) -> Result<Response> {
    let ctx = visit.ctx();
    let version: Box<Version> = match catalog::find(ctx, &id(text)?).await? {
        Found::Concept { latest } => return Ok(to_record(visit, &latest, "/SHA256SUMS")),
        Found::Version(version) => version,
    };
    if !version.files_open {
        return Err(match ctx.person() {
            Some(_) => Error::Forbidden,
            None => Error::Unauthenticated,
        });
    }
    let mut out = String::new();
    for page in 1..=catalog::last_files_page(&version, STEP) {
        for file in catalog::files(ctx, &version, page, STEP).await? {
            // A key holds neither a line end nor a backslash, so no line needs escaping.
            let _ = writeln!(out, "{}  {}", file.sha256, file.key);
        }
    }
    let mut response = Response::new(Body::from(out));
    shell::put(
        &mut response,
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    shell::put(
        &mut response,
        header::CONTENT_DISPOSITION,
        "inline; filename=\"SHA256SUMS\"",
    );
    let cache = if access::files_are_public(&version.access, ctx) {
        "public, max-age=0, must-revalidate"
    } else {
        "private, no-store"
    };
    shell::put(&mut response, header::CACHE_CONTROL, cache);
    Ok(response)
}
