//! Pages that everybody sees alike, kept on a shelf of `web` until anything published changes.
//!
//! Invariant: a kept page is given only to those for whom `Visit::is_shared` holds.

use axum::http::HeaderValue;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    ids,
    pages::shell::Visit,
    web::{
        render::Theme,
        shelf::{Moment, Shelf},
    },
};

/// A page without the headers that depend on the request.
#[derive(Debug, Clone)]
pub struct Page {
    pub html: Bytes,
    /// The `Link` header.
    pub links: Option<HeaderValue>,
    /// Quoted, of `html`; sent weak, because the same page may travel compressed.
    pub etag: String,
}

impl Page {
    pub fn new(html: String) -> Self {
        let digest = Sha256::digest(&html);
        let tag = ids::Sha256(digest.into()).to_hex();
        let tag = &tag[..20];
        Self {
            etag: format!("\"{tag}\""),
            html: html.into(),
            links: None,
        }
    }
}

/// The pages kept.
#[derive(Debug, Default)]
pub struct Kept(Shelf<Page>);

impl Kept {
    pub fn get(&self, visit: &Visit, moment: Moment, name: &str) -> Option<Page> {
        self.0.get(moment, &full(visit, name))
    }

    /// Keeps a page that was made from what was read after `moment` was asked for.
    pub fn put(&self, visit: &Visit, moment: Moment, name: &str, page: Page) {
        let weight = page.html.len();
        self.0.put(moment, &full(visit, name), page, weight);
    }
}

/// Everything of a request that a shared page shows.
fn full(visit: &Visit, name: &str) -> String {
    let theme = visit.theme();
    let colours = if theme == Theme::Auto {
        ""
    } else {
        theme.code()
    };
    format!(
        "{name} {} {colours} {}?{}",
        visit.locale().code(),
        visit.path,
        visit.query
    )
}
