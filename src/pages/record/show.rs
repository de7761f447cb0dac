//! `/records/{id}`: the landing page, or the record in the format that was asked for.
//!
//! Five queries: the version, its concept, all versions, the first files, its place in the ledger; of many files
//! three more, for one level of their folders. What everybody sees alike is
//! kept (`pages::kept`) until anything published changes.

use std::sync::Arc;

use axum::{
    Extension,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    compose::{self, Loaded},
    export,
    view::Files,
};
use crate::{
    catalog::{self, Found, Version},
    error::{Error, Kind, Result},
    files::{Of, level as level_of},
    formats,
    ids::{FileKey, RecordId},
    ledger,
    pages::{
        kept::{Kept, Page},
        shell::{self, Visit},
    },
    web::{accept, render::View, shelf::Moment},
};

/// `GET /records/{id}`
pub async fn landing(
    visit: Visit,
    Path(text): Path<String>,
    Extension(kept): Extension<Arc<Kept>>,
) -> Response {
    let result = show(&visit, &text, &kept).await;
    visit.finish(result).await
}

/// `GET /records/{id}/latest`: to the newest version.
pub async fn latest(visit: Visit, Path(text): Path<String>) -> Response {
    let result = newest(&visit, &text).await;
    visit.finish(result).await
}

/// The id in a path; whatever cannot be one is not found, and said as it was typed.
pub(super) fn id(text: &str) -> Result<RecordId> {
    text.parse()
        .map_err(|_| Error::not_found(Kind::Record, text))
}

/// To a record under the language this address has.
pub(super) fn to_record(visit: &Visit, id: &RecordId, rest: &str) -> Response {
    let query = if visit.query.is_empty() {
        String::new()
    } else {
        format!("?{}", visit.query)
    };
    let to = visit.here(&format!("/records/{id}{rest}{query}"));
    shell::redirect(StatusCode::FOUND, &to)
}

async fn newest(visit: &Visit, text: &str) -> Result<Response> {
    let ctx = visit.ctx();
    let id = match catalog::find(ctx, &id(text)?).await? {
        Found::Concept { latest } => latest,
        Found::Version(version) => match &version.parent().latest {
            Some(latest) => id(latest)?,
            None => id(text)?,
        },
    };
    Ok(to_record(visit, &id, ""))
}

async fn show(visit: &Visit, text: &str, kept: &Kept) -> Result<Response> {
    let id = id(text)?;
    match wanted(visit)? {
        Wanted::Page => page(visit, &id, kept).await,
        Wanted::Api => {
            // Where it is found must exist for this reader before anybody is sent there.
            let version = catalog::resolve(visit.ctx(), &id).await?;
            let base = &visit.env().config.base_url;
            let to = format!("{base}/api/records/{}", version.row().id);
            let mut response = shell::redirect(StatusCode::SEE_OTHER, &to);
            shell::put(&mut response, header::VARY, "Accept");
            Ok(response)
        }
        Wanted::Format(slug) => match catalog::find(visit.ctx(), &id).await? {
            Found::Concept { latest } => Ok(to_record(visit, &latest, "")),
            Found::Version(version) => export::send(visit, &version, slug).await,
        },
    }
}

enum Wanted {
    Page,
    Api,
    Format(&'static str),
}

/// `?format=` beats `Accept`. Whoever can take nothing we have is given the page, which links everything.
fn wanted(visit: &Visit) -> Result<Wanted> {
    if let Some(slug) = visit.parameter("format") {
        return match (slug.as_str(), formats::find(&slug)) {
            ("html", _) => Ok(Wanted::Page),
            ("json", _) => Ok(Wanted::Api),
            (_, Some(format)) => Ok(Wanted::Format(format.slug)),
            (_, None) => Err(Error::not_found(Kind::Format, slug)),
        };
    }
    let chosen = accept::media_types(&visit.headers)
        .into_iter()
        .find_map(|kind| match kind.as_str() {
            "text/html" | "application/xhtml+xml" | "*/*" | "text/*" => Some(Wanted::Page),
            "application/json"
            | "application/vnd.inveniordm.v1+json"
            | "application/linkset+json" => Some(Wanted::Api),
            other => formats::list()
                .iter()
                .find(|f| f.mimetypes.contains(&other))
                .map(|f| Wanted::Format(f.slug)),
        });
    Ok(chosen.unwrap_or(Wanted::Page))
}

async fn page(visit: &Visit, id: &RecordId, kept: &Kept) -> Result<Response> {
    let part = Part::asked(visit)?;
    if !visit.is_shared() {
        return match load(visit, id, &part).await? {
            Ok(loaded) => Ok(visit.send(StatusCode::OK, &render(visit, &loaded)?)),
            Err(elsewhere) => Ok(elsewhere),
        };
    }
    let moment = Moment::now(visit.ctx()).await?;
    // The part of the files is in the address, which is part of what the page is kept by.
    let name = format!("record {id}");
    if let Some(page) = kept.get(visit, moment, &name) {
        return Ok(visit.send(StatusCode::OK, &page));
    }
    let loaded = match load(visit, id, &part).await? {
        Ok(loaded) => loaded,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = render(visit, &loaded)?;
    kept.put(visit, moment, &name, page.clone());
    Ok(visit.send(StatusCode::OK, &page))
}

/// What of the files is asked for.
struct Part {
    folder: Option<FileKey>,
    page: u64,
}

impl Part {
    fn asked(visit: &Visit) -> Result<Self> {
        let folder = visit.parameter("folder").filter(|f| !f.is_empty());
        let folder = folder.map(|f| f.parse().map_err(|_| Error::not_found(Kind::File, f)));
        let page = visit.parameter("files_page").and_then(|n| n.parse().ok());
        Ok(Self {
            folder: folder.transpose()?,
            page: page.unwrap_or(1),
        })
    }
}

/// Everything the page shows; or, for a concept's id, the way to its newest version.
async fn load(
    visit: &Visit,
    id: &RecordId,
    part: &Part,
) -> Result<std::result::Result<Loaded, Response>> {
    let ctx = visit.ctx();
    let version: Version = match catalog::find(ctx, id).await? {
        Found::Concept { latest } => return Ok(Err(to_record(visit, &latest, ""))),
        Found::Version(version) => *version,
    };
    let versions = catalog::versions(ctx, &version).await?;
    let row = version.row();
    let (mut files, mut level) = (Vec::new(), None);
    if version.files_open && row.file_count > 0 {
        files = catalog::files(ctx, &version, 1, Files::PER_PAGE).await?;
        if part.folder.is_some() || row.file_count as u64 > Files::PER_PAGE {
            let (of, folder) = (Of::Record(&row.id), part.folder.as_ref());
            let found = level_of(ctx, of, folder, part.page, Files::PER_PAGE).await?;
            if let (Some(folder), 0) = (folder, found.count) {
                return Err(Error::not_found(Kind::File, folder));
            }
            level = Some((found, part.folder.clone()));
        }
    }
    let ledger = ledger::first_place(ctx, &row.id).await?;
    Ok(Ok(Loaded {
        version,
        versions,
        files,
        level,
        ledger,
    }))
}

fn render(visit: &Visit, loaded: &Loaded) -> Result<Page> {
    let (view, links) = compose::landing(visit.ctx(), loaded)?;
    let mut page = Page::new(view.html(&visit.chrome())?);
    page.links = HeaderValue::from_str(&links).ok();
    Ok(page)
}

/// 410: what is said where a withdrawn version was.
pub(crate) async fn withdrawn(visit: &Visit, id: &str) -> Result<Response> {
    let ctx = visit.ctx();
    let (version, stone) = catalog::tombstone(ctx, &self::id(id)?).await?;
    let others = catalog::versions(ctx, &version).await?;
    let view = compose::tombstone(ctx, &version, &stone, &others)?;
    visit.page_as(StatusCode::GONE, &view)
}
