//! The `links` of the dialect: every URL a client may follow next, made from the base URL and never from
//! the Host header.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::ctx::Ctx;

/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A file key in a URL: one segment, its slashes escaped.
pub fn key(key: &str) -> String {
    utf8_percent_encode(key, SEGMENT).to_string()
}

/// `links` both kinds have.
fn common(base: &str, id: &str, at: &str) -> Value {
    let api = format!("{base}/api/records/{id}");
    json!({
        "self": format!("{api}{at}"),
        "files": format!("{api}{at}/files"),
        "versions": format!("{api}/versions"),
    })
}

/// Links of a draft.
pub fn draft(ctx: &Ctx, id: &str, published: bool) -> Value {
    let base = &ctx.env.config.base_url;
    let api = format!("{base}/api/records/{id}");
    let mut links = common(base, id, "/draft");
    links["self_html"] = format!("{base}/uploads/{id}").into();
    links["preview_html"] = format!("{base}/uploads/{id}/publish").into();
    links["publish"] = format!("{api}/draft/actions/publish").into();
    links["reserve_doi"] = format!("{api}/draft/pids/doi").into();
    if published {
        links["record"] = api.into();
        links["record_html"] = format!("{base}/records/{id}").into();
    }
    links
}

/// Links of a published version.
pub fn record(
    ctx: &Ctx,
    id: &str,
    parent: &str,
    doi: Option<&str>,
    parent_doi: Option<&str>,
) -> Value {
    let base = &ctx.env.config.base_url;
    let api = format!("{base}/api/records/{id}");
    let mut links = common(base, id, "");
    links["archive"] = format!("{api}/files-archive").into();
    links["self_html"] = format!("{base}/records/{id}").into();
    links["draft"] = format!("{api}/draft").into();
    links["latest"] = format!("{api}/versions/latest").into();
    links["latest_html"] = format!("{base}/records/{parent}").into();
    links["parent"] = format!("{base}/api/records/{parent}").into();
    links["parent_html"] = format!("{base}/records/{parent}").into();
    for (name, value) in [("doi", doi), ("parent_doi", parent_doi)] {
        if let Some(value) = value {
            links[name] = format!("https://doi.org/{value}").into();
            links[if name == "doi" {
                "self_doi"
            } else {
                "parent_doi_html"
            }] = format!("{base}/doi/{value}").into();
        }
    }
    links
}

/// Links of a file, of a record or (`/draft`) of a draft.
pub fn file(ctx: &Ctx, id: &str, at: &str, name: &str) -> Value {
    let own = format!(
        "{}/api/records/{id}{at}/files/{}",
        ctx.env.config.base_url,
        key(name)
    );
    let mut links = json!({"self": own, "content": format!("{own}/content")});
    if !at.is_empty() {
        links["commit"] = format!("{own}/commit").into();
    }
    links
}
