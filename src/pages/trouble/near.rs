//! What comes near an address that leads nowhere: its words, and the records that hold them.

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use search_index::{Request, Sort};

use crate::{
    catalog::{self, search},
    ctx::Ctx,
    pages::parts::Link,
};

const MOST_WORDS: usize = 8;
const MOST_RECORDS: usize = 5;
/// Words of our own addresses, which say nothing about what was looked for.
const OURS: [&str; 9] = [
    "records",
    "files",
    "doi",
    "api",
    "search",
    "dataset",
    "datasets",
    "html",
    "communities",
];

/// The words of a path: `/records/chat-luong-nuoc.html` is about `chat luong nuoc`.
pub(super) fn words(path: &str) -> String {
    let text = percent_decode_str(path).decode_utf8_lossy();
    let mut out = String::new();
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.chars().count() > 1 && w.chars().count() < 40)
        .filter(|w| !OURS.contains(&w.to_lowercase().as_str()))
        .take(MOST_WORDS)
        .for_each(|w| {
            let gap = if out.is_empty() { "" } else { " " };
            let _ = write!(out, "{gap}{w}");
        });
    out
}

/// Public records with these words, else with the longest of them. A search that fails finds nothing: the
/// page of an error must not fail for it.
pub(super) async fn records(ctx: &Ctx, words: &str) -> Vec<Link> {
    let longest = words.split(' ').max_by_key(|w| w.chars().count());
    for text in [Some(words), longest.filter(|l| *l != words)]
        .into_iter()
        .flatten()
    {
        let request = Request {
            text: text.to_owned(),
            size: MOST_RECORDS,
            sort: Sort::Bestmatch,
            ..Request::default()
        };
        if text.is_empty() {
            return Vec::new();
        }
        let Ok(found) = search::search(ctx, request).await else {
            return Vec::new();
        };
        let ids: Vec<String> = found.hits.into_iter().map(|h| h.id).collect();
        let Ok(versions) = catalog::many(ctx, &ids).await else {
            return Vec::new();
        };
        let links: Vec<Link> = versions
            .iter()
            .map(|v| {
                let said = v.metadata.title_for(ctx.locale);
                let title = said.map_or(v.row().id.as_str(), |s| s.text);
                Link::new(title, format!("/records/{}", v.row().id))
            })
            .collect();
        if !links.is_empty() {
            return links;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_for_its_words() {
        assert_eq!(words("/records/chat-luong-nuoc.html"), "chat luong nuoc");
        assert_eq!(words("/%C4%91%E1%BB%99_m%E1%BA%B7n"), "độ mặn");
        assert_eq!(words("/"), "");
        assert_eq!(words(&"/ab".repeat(100)).split(' ').count(), MOST_WORDS);
    }
}
