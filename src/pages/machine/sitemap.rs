//! `/sitemap.xml` (sitemaps.org 0.9): every newest public version, its two languages as alternates. Up to
//! 50,000 stand in one; beyond that the same address is an index of sitemaps that each begin after an id,
//! so that a page costs the same however far it is.

use std::fmt::Write;

use axum::{body::Body, http::header, response::Response};
use bytes::Bytes;
use futures::stream::BoxStream;

use super::anybody;
use crate::{
    catalog,
    ctx::{Ctx, moment},
    error::Result,
    ids::RecordId,
    pages::shell::{self, Visit},
    text::timestamp,
};

/// Records in one sitemap (the standard's limit of addresses).
const PER_MAP: u64 = 50_000;
/// Rows read at a time: a sitemap is sent as it is read.
const STEP: u64 = 2_000;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `GET /sitemap.xml`, `GET /sitemap.xml?after=`, `GET /sitemap.xml?after=k3f9a-2bq71`
pub async fn sitemap(visit: Visit) -> Response {
    let result = show(&visit).await;
    visit.finish(result).await
}

async fn show(visit: &Visit) -> Result<Response> {
    let ctx = anybody(visit.ctx());
    // Anything that is not an id begins at the beginning.
    let after = visit.parameter("after").map(|text| {
        let id: Option<RecordId> = text.parse().ok();
        id.map(RecordId::into_string).unwrap_or_default()
    });
    let body = if let Some(after) = after {
        addresses(ctx, after)
    } else {
        let marks = catalog::milestones(&ctx, PER_MAP).await?;
        if marks.is_empty() {
            addresses(ctx, String::new())
        } else {
            Body::from(index(&ctx.env.config.base_url, &marks))
        }
    };
    let mut response = Response::new(body);
    shell::put(
        &mut response,
        header::CONTENT_TYPE,
        "application/xml; charset=utf-8",
    );
    shell::put(&mut response, header::CACHE_CONTROL, "public, max-age=600");
    Ok(response)
}

fn index(base: &str, marks: &[String]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    for after in std::iter::once("").chain(marks.iter().map(String::as_str)) {
        let _ = writeln!(
            out,
            "<sitemap><loc>{}/sitemap.xml?after={after}</loc></sitemap>",
            escaped(base)
        );
    }
    out.push_str("</sitemapindex>\n");
    out
}

/// At most `PER_MAP` rows after an id. A row that fails to be read ends the answer early, which the client
/// sees: the length was not announced and the last chunk is missing.
fn addresses(ctx: Ctx, after: String) -> Body {
    let parts: BoxStream<'static, std::io::Result<Bytes>> = Box::pin(async_stream::try_stream! {
        let base = escaped(&ctx.env.config.base_url);
        let mut head = String::from(HEAD);
        head.push_str("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">\n");
        if after.is_empty() {
            let _ = writeln!(head, "<url><loc>{base}/</loc></url>");
        }
        yield Bytes::from(head);
        let mut from = after;
        let mut read = 0;
        while read < PER_MAP {
            let (found, next) = catalog::public_ids(&ctx, &from, STEP).await.map_err(failed)?;
            let mut part = String::with_capacity(found.len() * 420);
            for (id, updated) in found {
                let day = timestamp(moment(updated));
                let _ = write!(part, "<url><loc>{base}/records/{id}</loc><lastmod>{day}</lastmod>");
                for lang in ["vi", "en"] {
                    let _ = write!(part, "<xhtml:link rel=\"alternate\" hreflang=\"{lang}\" href=\"{base}/{lang}/records/{id}\"/>");
                }
                part.push_str("</url>\n");
            }
            yield Bytes::from(part);
            read += STEP;
            match next {
                Some(id) => from = id,
                None => break,
            }
        }
        yield Bytes::from_static(b"</urlset>\n");
    });
    Body::from_stream(parts)
}

fn failed(e: crate::error::Error) -> std::io::Error {
    tracing::error!(error = %e, "a sitemap stopped");
    std::io::Error::other("the sitemap stopped")
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
