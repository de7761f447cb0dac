//! `/records/{id}/export/{slug}`: a record in a format of others.

use axum::{
    body::Body,
    extract::Path,
    http::{StatusCode, header},
    response::Response,
};

use super::show::{id, to_record};
use crate::{
    catalog::{self, Found, Version},
    ctx::Actor,
    error::{Error, Kind, Result},
    formats,
    metadata::access::Visibility,
    pages::shell::{self, Visit},
    web::conditional::names_etag,
};

/// `GET /records/{id}/export/{slug}`
pub async fn export(visit: Visit, Path((text, slug)): Path<(String, String)>) -> Response {
    let result = find(&visit, &text, &slug).await;
    visit.finish(result).await
}

async fn find(visit: &Visit, text: &str, slug: &str) -> Result<Response> {
    let found = catalog::find(visit.ctx(), &id(text)?).await?;
    let version = match found {
        Found::Concept { latest } => {
            return Ok(to_record(visit, &latest, &format!("/export/{slug}")));
        }
        Found::Version(version) => version,
    };
    let format = formats::find(slug).ok_or_else(|| Error::not_found(Kind::Format, slug))?;
    send(visit, &version, format.slug).await
}

/// A version in a format; 304 for whoever has this revision of it.
pub(super) async fn send(visit: &Visit, version: &Version, slug: &str) -> Result<Response> {
    let missing = || Error::not_found(Kind::Format, slug);
    let format = formats::find(slug).ok_or_else(missing)?;
    // Other versions of the concept are part of most formats, so the concept's last change counts too.
    let etag = format!(
        "\"{}-{}-{slug}\"",
        version.row().revision,
        version.parent().updated
    );
    let mut response = Response::new(Body::empty());
    shell::put(&mut response, header::ETAG, &format!("W/{etag}"));
    let shared =
        visit.ctx().actor == Actor::Anonymous && version.access.record == Visibility::Public;
    let cache = if shared {
        "public, max-age=0, must-revalidate"
    } else {
        "private, no-store"
    };
    shell::put(&mut response, header::CACHE_CONTROL, cache);
    shell::put(&mut response, header::VARY, "Accept, Cookie, Authorization");
    if names_etag(&visit.headers, &header::IF_NONE_MATCH, &etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let record = catalog::describe(visit.ctx(), version).await?;
    let (mimetype, text) = formats::render(slug, &record).ok_or_else(missing)?;
    shell::put(
        &mut response,
        header::CONTENT_TYPE,
        &format!("{mimetype}; charset=utf-8"),
    );
    shell::put(
        &mut response,
        header::CONTENT_DISPOSITION,
        &format!("inline; filename=\"{}.{}\"", record.id, format.extension),
    );
    *response.body_mut() = Body::from(text);
    Ok(response)
}
