//! `/records/{id}/files/{key}`, `/records/{id}/archive` and the lists beside them: the bytes, and how to fetch and
//! check them all.

use std::sync::Arc;

use axum::{body::Body, extract::Path, http::header, response::Response};

use super::show::{id, to_record};
use crate::{
    access,
    catalog::{self, Found, Version},
    error::{Error, Kind, Result},
    files,
    formats::manifest::Form,
    ids::FileKey,
    pages::shell::{self, Visit},
    web::{
        download::{self, Disposition},
        whole::{self, Whole},
    },
};

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

/// `GET /records/{id}/archive`: everything as one zip, resumable.
pub async fn archive(visit: Visit, Path(text): Path<String>) -> Response {
    let result = zip(&visit, &text).await;
    visit.finish(result).await
}

async fn zip(visit: &Visit, text: &str) -> Result<Response> {
    let ctx = visit.ctx();
    let version: Box<Version> = match catalog::find(ctx, &id(text)?).await? {
        Found::Concept { latest } => return Ok(to_record(visit, &latest, "/archive")),
        Found::Version(version) => version,
    };
    let bundle = Arc::new(catalog::bundle(ctx, &version).await?);
    let whole = Whole {
        size: bundle.size,
        etag: &bundle.etag,
        public: bundle.public,
        content_type: "application/zip",
        file_name: &bundle.file_name,
    };
    Ok(whole::send(&visit.method, &visit.headers, &whole, |part| {
        Arc::clone(&bundle).read(ctx, part)
    }))
}

/// `GET /records/{id}/SHA256SUMS`: every file in the form that `sha256sum -c` reads.
pub async fn checksums(visit: Visit, Path(text): Path<String>) -> Response {
    let result = list(&visit, &text, Form::Sums).await;
    visit.finish(result).await
}

/// `GET /records/{id}/files.meta4`: every file as a Metalink.
pub async fn metalink(visit: Visit, Path(text): Path<String>) -> Response {
    let result = list(&visit, &text, Form::Metalink).await;
    visit.finish(result).await
}

/// `GET /records/{id}/files.aria2`: every file as aria2 takes them with `-i`.
pub async fn aria2(visit: Visit, Path(text): Path<String>) -> Response {
    let result = list(&visit, &text, Form::Aria2).await;
    visit.finish(result).await
}

async fn list(visit: &Visit, text: &str, form: Form) -> Result<Response> {
    let ctx = visit.ctx();
    let name = form.file_name();
    let version: Box<Version> = match catalog::find(ctx, &id(text)?).await? {
        Found::Concept { latest } => return Ok(to_record(visit, &latest, &format!("/{name}"))),
        Found::Version(version) => version,
    };
    let mut response = Response::new(Body::from_stream(catalog::manifest(ctx, &version, form)));
    shell::put(&mut response, header::CONTENT_TYPE, form.mimetype());
    shell::put(
        &mut response,
        header::CONTENT_DISPOSITION,
        &format!("inline; filename=\"{name}\""),
    );
    let cache = if access::files_are_public(&version.access, ctx) {
        "public, max-age=0, must-revalidate"
    } else {
        "private, no-store"
    };
    shell::put(&mut response, header::CACHE_CONTROL, cache);
    Ok(response)
}
