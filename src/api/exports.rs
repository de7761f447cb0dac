//! Which format a reader of a record wants, and the record in it.

use axum::{
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};

use crate::{
    catalog::{self, Version},
    ctx::Ctx,
    error::{Error, Kind, Problem, Result},
    formats,
    web::accept,
};

/// InvenioRDM's JSON with the words of a page.
pub const LOCALISED: &str = "application/vnd.inveniordm.v1+json";

/// A format a reader may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Json,
    Localised,
    Format(&'static str),
}

impl Wanted {
    pub fn slug(&self) -> &'static str {
        match self {
            Wanted::Json => "json",
            Wanted::Localised => "ui",
            Wanted::Format(slug) => slug,
        }
    }
}

/// The first of the reader's types that we have, by weight; `?format=` beats `Accept`.
pub fn negotiate(headers: &HeaderMap, uri: &Uri) -> Result<Wanted> {
    let asked = uri
        .query()
        .into_iter()
        .flat_map(|q| q.split('&'))
        .find_map(|p| p.strip_prefix("format="));
    if let Some(slug) = asked.filter(|s| *s != "json") {
        return formats::list()
            .iter()
            .find(|f| f.slug == slug)
            .map(|f| Wanted::Format(f.slug))
            .ok_or_else(|| Error::not_found(Kind::Format, slug));
    }
    if !headers.contains_key(header::ACCEPT) {
        return Ok(Wanted::Json);
    }
    accept::media_types(headers)
        .iter()
        .find_map(|kind| match kind.as_str() {
            "*/*" | "application/*" | "application/json" => Some(Wanted::Json),
            LOCALISED => Some(Wanted::Localised),
            other => formats::list()
                .iter()
                .find(|f| f.mimetypes.contains(&other))
                .map(|f| Wanted::Format(f.slug)),
        })
        .ok_or_else(|| Error::BadRequest(Problem::new("not-acceptable", "")))
}

/// A version in a format, ready to be sent.
pub async fn render(ctx: &Ctx, version: &Version, slug: &str) -> Result<Response> {
    let described = catalog::describe(ctx, version).await?;
    let (mimetype, text) =
        formats::render(slug, &described).ok_or_else(|| Error::not_found(Kind::Format, slug))?;
    Ok(([(header::CONTENT_TYPE, mimetype)], text).into_response())
}
