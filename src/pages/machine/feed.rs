//! `/feed.atom` (RFC 4287): the fifty newest publications, their titles in every language they have.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::anybody;
use crate::{
    catalog::{self, Version},
    ctx::{Ctx, moment},
    error::{Error, Result},
    metadata::html::plain_text,
    pages::{
        record::compose::shorten,
        shell::{self, Visit},
    },
    text::timestamp,
    web::conditional::names_etag,
};

const NEWEST: u64 = 50;
const SUMMARY: usize = 600;

/// `GET /feed.atom`
pub async fn feed(visit: Visit) -> Response {
    let result = show(&visit).await;
    visit.finish(result).await
}

async fn show(visit: &Visit) -> Result<Response> {
    let ctx = anybody(visit.ctx());
    let day = ctx.today();
    let etag = format!("\"{}-{day}\"", catalog::last_change(&ctx).await?);
    let mut response = Response::new(Body::empty());
    shell::put(&mut response, header::ETAG, &format!("W/{etag}"));
    shell::put(
        &mut response,
        header::CACHE_CONTROL,
        "public, max-age=0, must-revalidate",
    );
    if names_etag(&visit.headers, &header::IF_NONE_MATCH, &etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let newest = catalog::newest(&ctx, NEWEST).await?;
    let text = write(&ctx, &newest).map_err(|e| Error::internal("the feed", e))?;
    shell::put(
        &mut response,
        header::CONTENT_TYPE,
        "application/atom+xml; charset=utf-8",
    );
    *response.body_mut() = Body::from(text);
    Ok(response)
}

type Xml = Writer<Vec<u8>>;

fn write(ctx: &Ctx, newest: &[Version]) -> std::io::Result<Vec<u8>> {
    let config = &ctx.env.config;
    let base = &config.base_url;
    let mut xml: Xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = BytesStart::new("feed").with_attributes([("xmlns", "http://www.w3.org/2005/Atom")]);
    xml.write_event(Event::Start(root))?;
    text(&mut xml, "id", &format!("{base}/feed.atom"))?;
    text(&mut xml, "title", &config.repository_name)?;
    let updated = newest.iter().map(|v| v.row().updated).max().unwrap_or(0);
    text(&mut xml, "updated", &timestamp(moment(updated)))?;
    link(
        &mut xml,
        "self",
        &format!("{base}/feed.atom"),
        "application/atom+xml",
    )?;
    link(&mut xml, "alternate", &format!("{base}/"), "text/html")?;
    author(&mut xml, &config.repository_name)?;
    text(&mut xml, "generator", "Kho")?;
    for version in newest {
        entry(&mut xml, base, version)?;
    }
    xml.write_event(Event::End(BytesEnd::new("feed")))?;
    Ok(xml.into_inner())
}

fn entry(xml: &mut Xml, base: &str, version: &Version) -> std::io::Result<()> {
    let (row, metadata) = (version.row(), &version.metadata);
    let page = format!("{base}/records/{}", row.id);
    xml.write_event(Event::Start(BytesStart::new("entry")))?;
    // The page's address and not the DOI: a record may be given a DOI later, and an id may not change.
    text(xml, "id", &page)?;
    let titles: Vec<&str> = metadata.titles().iter().map(|s| s.text).collect();
    let title = if titles.is_empty() {
        row.title.clone()
    } else {
        titles.join(" / ")
    };
    text(xml, "title", &title)?;
    text(xml, "updated", &timestamp(moment(row.updated)))?;
    text(xml, "published", &timestamp(moment(row.published)))?;
    link(xml, "alternate", &page, "text/html")?;
    for agent in metadata.creators.iter().take(50) {
        author(xml, &agent.person_or_org.spoken())?;
    }
    let summaries: Vec<String> = metadata
        .descriptions()
        .iter()
        .map(|s| shorten(&plain_text(s.text), SUMMARY))
        .filter(|s| !s.is_empty())
        .collect();
    if !summaries.is_empty() {
        text(xml, "summary", &summaries.join("\n\n"))?;
    }
    if let Some(kind) = &metadata.resource_type {
        let category = BytesStart::new("category").with_attributes([("term", kind.id.as_str())]);
        xml.write_event(Event::Empty(category))?;
    }
    xml.write_event(Event::End(BytesEnd::new("entry")))
}

fn author(xml: &mut Xml, name: &str) -> std::io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new("author")))?;
    text(xml, "name", name)?;
    xml.write_event(Event::End(BytesEnd::new("author")))
}

/// An element with text; characters that XML 1.0 has no place for are left out.
fn text(xml: &mut Xml, name: &str, value: &str) -> std::io::Result<()> {
    let clean: String = value
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect();
    xml.write_event(Event::Start(BytesStart::new(name)))?;
    xml.write_event(Event::Text(BytesText::new(&clean)))?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

fn link(xml: &mut Xml, rel: &str, href: &str, kind: &str) -> std::io::Result<()> {
    let link =
        BytesStart::new("link").with_attributes([("rel", rel), ("href", href), ("type", kind)]);
    xml.write_event(Event::Empty(link))
}
