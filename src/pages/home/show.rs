//! `/`: the newest records, three numbers, the largest subjects. Counted once for everybody, and again when
//! anything published has changed.

use std::sync::Arc;

use axum::{Extension, http::StatusCode, response::Response};
use search_index::{Facet, Request};

use super::view::Home;
use crate::{
    catalog::{self, search},
    ctx::Ctx,
    error::Result,
    pages::{
        kept::{Kept, Page},
        parts::Link,
        search::{address::Address, hits},
        shell::Visit,
    },
    web::{render::View, shelf::Moment},
};

const NEWEST: u64 = 6;
const SUBJECTS: usize = 12;

/// `GET /`
pub async fn home(visit: Visit, Extension(kept): Extension<Arc<Kept>>) -> Response {
    let result = show(&visit, &kept).await;
    visit.finish(result).await
}

async fn show(visit: &Visit, kept: &Kept) -> Result<Response> {
    if !visit.is_shared() {
        return visit.page(&view(visit.ctx()).await?);
    }
    let moment = Moment::now(visit.ctx()).await?;
    if let Some(page) = kept.get(visit, moment, "home") {
        return Ok(visit.send(StatusCode::OK, &page));
    }
    let view = view(visit.ctx()).await?;
    let page = Page::new(view.html(&visit.chrome())?);
    // While the index is behind, the subjects are those of a moment ago: not worth keeping.
    if visit
        .env()
        .index
        .cursor()
        .is_ok_and(|c| moment.is_indexed(c))
    {
        kept.put(visit, moment, "home", page.clone());
    }
    Ok(visit.send(StatusCode::OK, &page))
}

async fn view(ctx: &Ctx) -> Result<Home> {
    let numbers = catalog::numbers(ctx).await?;
    let newest = catalog::newest(ctx, NEWEST).await?;
    Ok(Home {
        records: numbers.datasets,
        files: numbers.files,
        bytes: numbers.bytes,
        newest: newest.iter().map(|v| hits::plain(v, ctx.locale)).collect(),
        subjects: subjects(ctx).await,
    })
}

/// The subjects with most records.
async fn subjects(ctx: &Ctx) -> Vec<(Link, u64)> {
    let request = Request {
        size: 0,
        facets: vec![Facet::Subject],
        facet_size: 4 * SUBJECTS,
        ..Request::default()
    };
    // A first page without subjects is better than none.
    let Ok(found) = search::search(ctx, request).await else {
        return Vec::new();
    };
    found
        .facets
        .get(&Facet::Subject)
        .into_iter()
        .flatten()
        .filter(|b| !search::is_foreign_subject(&b.value, ctx.locale))
        .take(SUBJECTS)
        .map(|b| {
            let url = Address::default().toggled("subject", &b.value).url();
            (Link::new(b.value.clone(), url), b.count)
        })
        .collect()
}
