//! Pages that everybody sees alike, kept in memory until anything published changes.
//!
//! Invariant: a kept page is given only to those for whom `Visit::is_shared` holds, and only while the
//! change feed and the day are what they were when it was made: a withdrawal or the end of an embargo
//! is seen at once, on every replica. Not here: anything about a person.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::HeaderValue;
use bytes::Bytes;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::{catalog, ctx::Ctx, error::Result, ids, pages::shell::Visit, web::render::Theme};

/// Bytes of pages kept at most; beyond that all are let go at once, and the wanted ones come back.
const ROOM: usize = 8 << 20;

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

/// What makes a kept page old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    change: i64,
    day: NaiveDate,
}

impl Moment {
    /// Has an index that is at `cursor` of the change feed seen everything?
    pub fn is_indexed(self, cursor: u64) -> bool {
        cursor >= self.change as u64
    }
}

#[derive(Debug, Default)]
pub struct Kept {
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    moment: Option<Moment>,
    pages: HashMap<String, Page>,
    bytes: usize,
}

impl Kept {
    /// Now, as far as public pages can tell. One query.
    pub async fn moment(&self, ctx: &Ctx) -> Result<Moment> {
        Ok(Moment {
            change: catalog::last_change(ctx).await?,
            day: ctx.today(),
        })
    }

    pub fn get(&self, visit: &Visit, moment: Moment, name: &str) -> Option<Page> {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        (shelf.moment == Some(moment))
            .then(|| shelf.pages.get(&full(visit, name)).cloned())
            .flatten()
    }

    /// Keeps a page that was made from what was read after `moment` was asked for.
    pub fn put(&self, visit: &Visit, moment: Moment, name: &str, page: Page) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let key = full(visit, name);
        let size = page.html.len() + key.len() + 512;
        if shelf.moment != Some(moment) || shelf.bytes + size > ROOM {
            // A slower request may come with an older moment; it must not clear what is newer.
            if shelf
                .moment
                .is_some_and(|m| m.change > moment.change || m.day > moment.day)
            {
                return;
            }
            *shelf = Shelf {
                moment: Some(moment),
                ..Shelf::default()
            };
        }
        if shelf.pages.insert(key, page).is_none() {
            shelf.bytes += size;
        }
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
