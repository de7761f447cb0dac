//! From JSON as a client sent it to typed metadata: what is right is taken, what is wrong is named.
//!
//! A draft is saved even when half of it is wrong, so nothing here fails: each wrong part is left
//! out and becomes a problem with its place. Everything is bounded; a problem that `is_too_much` means
//! the whole should be refused rather than saved without the part. Values that only the server
//! sets (computed names, vocabulary titles) are ignored, so that what was read can be sent back.

mod access;
mod agents;
mod custom;
mod parts;
mod reader;
mod works;

pub use access::read_access;
pub use custom::read_custom_fields;

use serde_json::{Map, Value};

use self::reader::{At, Reader};
use super::{edtf::EdtfDate, html, model::Metadata, vocabulary::Vocabulary};
use crate::error::Problem;

/// Bytes of JSON text and structure in all.
pub const MAX_METADATA: usize = 4_000_000;
/// Entries of any list.
pub const MAX_LIST: usize = 10_000;
/// Bytes of a title.
pub const MAX_TITLE: usize = 10_000;
/// Bytes of a description.
pub const MAX_DESCRIPTION: usize = 200_000;
/// Bytes of a name, a keyword, a place.
pub const MAX_LINE: usize = 2_000;
/// Characters of `version`, as in InvenioRDM.
pub const MAX_VERSION: usize = 191;
/// Problems that are listed; more would help nobody.
pub const MAX_PROBLEMS: usize = 1_000;

const KNOWN: [&str; 23] = [
    "resource_type",
    "title",
    "additional_titles",
    "publication_date",
    "creators",
    "contributors",
    "description",
    "additional_descriptions",
    "rights",
    "copyright",
    "subjects",
    "languages",
    "dates",
    "version",
    "publisher",
    "identifiers",
    "related_identifiers",
    "sizes",
    "formats",
    "locations",
    "funding",
    "references",
    "internal_notes",
];

/// The `metadata` section, and everything wrong with it.
pub fn read(value: &Value) -> (Metadata, Vec<Problem>) {
    let mut r = Reader::default();
    let at = At::Root("metadata");
    if reader::weight(value, MAX_METADATA).is_none() {
        r.report(Problem::new("metadata-too-large", "metadata").with("limit", MAX_METADATA));
        return (Metadata::default(), r.problems);
    }
    let metadata = match r.object(value, &at, &KNOWN) {
        Some(map) => sections(&mut r, map, &at),
        None => Metadata::default(),
    };
    (metadata, r.problems)
}

/// Is it wrong only by being too big? Then nothing of the request should be kept.
pub fn is_too_much(problem: &Problem) -> bool {
    matches!(
        problem.code,
        "metadata-too-large" | "too-long" | "too-many" | "too-deep" | "geometry-too-large"
    )
}

fn sections(r: &mut Reader, map: &Map<String, Value>, root: &At<'_>) -> Metadata {
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let mut metadata = Metadata {
        resource_type: r.term(
            get("resource_type"),
            &root.key("resource_type"),
            Vocabulary::ResourceTypes,
        ),
        title: r.text(get("title"), &root.key("title"), MAX_TITLE),
        additional_titles: r.list(
            get("additional_titles"),
            &root.key("additional_titles"),
            parts::title,
        ),
        publication_date: r
            .parsed::<EdtfDate>(get("publication_date"), &root.key("publication_date")),
        creators: r.list(get("creators"), &root.key("creators"), |r, v, at| {
            agents::agent(r, v, at, Vocabulary::CreatorsRoles)
        }),
        contributors: r.list(
            get("contributors"),
            &root.key("contributors"),
            |r, v, at| agents::agent(r, v, at, Vocabulary::ContributorsRoles),
        ),
        description: r.html(get("description"), &root.key("description")),
        additional_descriptions: r.list(
            get("additional_descriptions"),
            &root.key("additional_descriptions"),
            parts::description,
        ),
        rights: r.list(get("rights"), &root.key("rights"), parts::rights),
        copyright: r
            .text(get("copyright"), &root.key("copyright"), MAX_TITLE)
            .map(|s| html::sanitize(&s)),
        subjects: r.list(get("subjects"), &root.key("subjects"), parts::subject),
        languages: r.list(get("languages"), &root.key("languages"), Reader::language),
        dates: r.list(get("dates"), &root.key("dates"), parts::date),
        version: r.text(get("version"), &root.key("version"), MAX_VERSION * 4),
        publisher: r.text(get("publisher"), &root.key("publisher"), MAX_LINE),
        identifiers: r.list(
            get("identifiers"),
            &root.key("identifiers"),
            works::identifier,
        ),
        related_identifiers: r.list(
            get("related_identifiers"),
            &root.key("related_identifiers"),
            works::related,
        ),
        sizes: r.list(get("sizes"), &root.key("sizes"), Reader::line),
        formats: r.list(get("formats"), &root.key("formats"), Reader::line),
        locations: parts::locations(r, get("locations"), &root.key("locations")),
        funding: r.list(get("funding"), &root.key("funding"), works::funding),
        references: r.list(get("references"), &root.key("references"), works::reference),
    };
    metadata.languages.dedup();
    if let Some(version) = metadata
        .version
        .take_if(|v| v.chars().count() > MAX_VERSION)
    {
        drop(version);
        r.report(
            Problem::new("too-long", root.key("version").to_string()).with("limit", MAX_VERSION),
        );
    }
    metadata
}

#[cfg(test)]
mod tests;
