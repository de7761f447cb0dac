//! Listings of files: all of them, sent as they are read; or, when asked, a page of them, or those below a folder.
//!
//! The dialect's clients ask for everything at once, so that is the default; a hundred thousand entries then pass
//! through a page of rows at a time and never stand in memory together.

use axum::{
    body::Body,
    http::{Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    api::{json, links, transfer},
    catalog::{self, Version},
    ctx::Ctx,
    deposit,
    error::{Error, Problem, Result},
    ids::RecordId,
};

/// Entries made together.
const STEP: u64 = 500;
/// Entries of a page, unless asked otherwise, and at most.
const PAGE: u64 = 1_000;
const MOST: u64 = 10_000;

/// Whose files are listed. That the caller may see them was asked before.
#[derive(Debug, Clone)]
pub enum Of {
    Record(Box<Version>),
    Draft { id: RecordId, enabled: bool },
}

/// What a client asked of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    All,
    Page {
        prefix: String,
        page: u64,
        size: u64,
    },
}

impl Asked {
    /// Reads `?page=`, `?size=` and `?prefix=`; without any of them, all is asked.
    pub fn read(uri: &Uri) -> Result<Self> {
        let wrong = |name: &str| {
            Error::BadRequest(Problem::new("listing-parameter", "").with("name", name))
        };
        let (mut prefix, mut page, mut size) = (None, None, None);
        for pair in uri.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let number = || value.parse::<u64>().ok().filter(|n| *n > 0);
            match name {
                "page" => page = Some(number().ok_or_else(|| wrong("page"))?),
                "size" => size = Some(number().ok_or_else(|| wrong("size"))?.min(MOST)),
                "prefix" => {
                    let plus = value.replace('+', " ");
                    let text = percent_decode_str(&plus).decode_utf8();
                    prefix = Some(text.map_err(|_| wrong("prefix"))?.into_owned());
                }
                _ => {}
            }
        }
        if prefix.is_none() && page.is_none() && size.is_none() {
            return Ok(Self::All);
        }
        Ok(Self::Page {
            prefix: prefix.unwrap_or_default(),
            page: page.unwrap_or(1),
            size: size.unwrap_or(PAGE),
        })
    }
}

impl Of {
    fn id(&self) -> &str {
        match self {
            Of::Record(version) => &version.row().id,
            Of::Draft { id, .. } => id.as_str(),
        }
    }

    fn at(&self) -> &'static str {
        match self {
            Of::Record(_) => "",
            Of::Draft { .. } => "/draft",
        }
    }

    fn enabled(&self) -> bool {
        match self {
            Of::Record(version) => version.row().files_enabled,
            Of::Draft { enabled, .. } => *enabled,
        }
    }

    /// The entries after a key, and the last of their keys.
    async fn after(&self, ctx: &Ctx, after: &str) -> Result<Vec<(String, Value)>> {
        match self {
            Of::Record(version) => {
                let rows = catalog::files_after(ctx, version, after, STEP).await?;
                let entry = |f| json::file(ctx, self.id(), "", &json::published_entry(f));
                Ok(rows.iter().map(|f| (f.key.clone(), entry(f))).collect())
            }
            Of::Draft { id, .. } => {
                let files = deposit::files_after(ctx, id, after, STEP).await?;
                let entry = |f| json::file(ctx, self.id(), "/draft", &json::entry(f));
                let mut entries: Vec<Value> = files.iter().map(entry).collect();
                transfer::under_way(ctx, id, &mut entries).await?;
                Ok(files.into_iter().map(|f| f.key).zip(entries).collect())
            }
        }
    }
}

/// The listing that was asked for.
pub async fn answer(ctx: &Ctx, of: Of, asked: Asked) -> Result<Response> {
    match asked {
        Asked::All => Ok(all(ctx, of)),
        Asked::Page { prefix, page, size } => some(ctx, &of, &prefix, page, size).await,
    }
}

async fn some(ctx: &Ctx, of: &Of, prefix: &str, page: u64, size: u64) -> Result<Response> {
    let mut out = json::listing(ctx, of.id(), of.at(), of.enabled());
    if of.enabled() {
        let (entries, total): (Vec<Value>, u64) = match of {
            Of::Record(version) => {
                let (rows, total) = catalog::files_page(ctx, version, prefix, page, size).await?;
                let entry = |f| json::file(ctx, of.id(), "", &json::published_entry(f));
                (rows.iter().map(entry).collect(), total)
            }
            Of::Draft { id, .. } => {
                let (files, total) = deposit::files_page(ctx, id, prefix, page, size).await?;
                let entry = |f| json::file(ctx, of.id(), "/draft", &json::entry(f));
                let mut entries: Vec<Value> = files.iter().map(entry).collect();
                transfer::under_way(ctx, id, &mut entries).await?;
                (entries, total)
            }
        };
        out["entries"] = entries.into();
        out["total"] = total.into();
        let own = out["links"]["self"].as_str().unwrap_or_default().to_owned();
        let address = |n: u64| {
            let prefix = links::key(prefix);
            format!("{own}?page={n}&size={size}&prefix={prefix}")
        };
        if page > 1 {
            out["links"]["prev"] = address(page - 1).into();
        }
        if page.saturating_mul(size) < total {
            out["links"]["next"] = address(page + 1).into();
        }
    }
    Ok(axum::Json(out).into_response())
}

/// Everything, as it is read. An error in the middle ends the connection, so that a half is never taken for a whole.
fn all(ctx: &Ctx, of: Of) -> Response {
    let frame = json::listing(ctx, of.id(), of.at(), of.enabled()).to_string();
    let body = match frame.split_once("\"entries\":[]") {
        None => Body::from(frame),
        Some((before, after)) => {
            let begin = Bytes::from(format!("{before}\"entries\":["));
            let end = Bytes::from(format!("]{after}"));
            let walk = (ctx.clone(), of, String::new());
            let entries = stream::try_unfold(walk, async |(ctx, of, after)| {
                let entries = of.after(&ctx, &after).await?;
                let Some((last, _)) = entries.last() else {
                    return Ok::<_, Error>(None);
                };
                let last = last.clone();
                let mut text = String::new();
                for (_, entry) in &entries {
                    if !(after.is_empty() && text.is_empty()) {
                        text.push(',');
                    }
                    text.push_str(&entry.to_string());
                }
                Ok(Some((Bytes::from(text), (ctx, of, last))))
            });
            let begin = stream::iter([Ok(begin)]);
            let end = stream::iter([Ok(end)]);
            Body::from_stream(begin.chain(entries).chain(end))
        }
    };
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_whole_unless_a_part_is_asked_for() {
        let asked = |query: &str| Asked::read(&format!("/x?{query}").parse().unwrap());
        assert_eq!(asked("").unwrap(), Asked::All);
        assert_eq!(asked("sort=key").unwrap(), Asked::All);
        let page = |prefix: &str, page, size| Asked::Page {
            prefix: prefix.to_owned(),
            page,
            size,
        };
        assert_eq!(asked("page=3").unwrap(), page("", 3, 1_000));
        assert_eq!(asked("size=99999999").unwrap(), page("", 1, 10_000));
        assert_eq!(
            asked("prefix=%C4%91o%20m/&size=5").unwrap(),
            page("đo m/", 1, 5)
        );
        for bad in ["page=0", "page=x", "size=-1", "size=", "prefix=%ff"] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }
}
