//! `/about`: what this place promises, and how machines use it.

use axum::response::Response;

use crate::{
    catalog,
    error::Result,
    formats,
    pages::{account::view::About, parts::Link, shell::Visit},
};

/// DataCite's prefix for tests.
const TEST_PREFIX: &str = "10.5072";

/// `GET /about`
pub async fn about(visit: Visit) -> Response {
    let result = show(&visit).await;
    visit.finish(result).await
}

async fn show(visit: &Visit) -> Result<Response> {
    let config = &visit.env().config;
    let newest = catalog::recent(visit.ctx(), 1).await?;
    visit.page(&About {
        admin_email: Some(config.admin_email.clone()).filter(|e| !e.is_empty()),
        doi_prefix: config.doi_prefix.clone(),
        test_doi: config.doi_prefix == TEST_PREFIX,
        max_files: config.max_files,
        max_bytes: config.max_file_size,
        formats: formats::list()
            .iter()
            .map(|f| Link::new(f.label(visit.locale()), f.slug))
            .collect(),
        example: newest.first().map(|r| r.id.clone()),
    })
}
