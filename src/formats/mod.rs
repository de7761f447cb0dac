//! A record in the formats of others: one pure function a file, record in, text out.
//!
//! `Record` is everything a format may say; who fills it (`catalog`) has already decided that the reader
//! may know it. `list` is what export links and content negotiation offer, `render` makes one.
//! Not here: the dialect's own JSON (`metadata::dump`, `api`), and HTTP.

pub mod bibtex;
pub mod citation;
pub mod csl;
pub mod datacite_json;
pub mod datacite_xml;
pub mod dublin_core;
pub mod json_ld;
pub mod manifest;
pub mod record;
pub mod ris;
pub mod sample;
pub mod signposting;
mod xml;
pub mod zip;

pub use record::{FileEntry, Record};
pub use sample::sample;

use crate::text::{Locale, say};

/// A format that a published record can be had in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// As in `/records/{id}/export/{slug}`.
    pub slug: &'static str,
    /// What it is asked for by; served as the first.
    pub mimetypes: &'static [&'static str],
    /// Of a saved file, without the dot.
    pub extension: &'static str,
    /// The key of its name in both languages.
    pub label_key: &'static str,
}

impl Format {
    pub fn label(&self, locale: Locale) -> String {
        say(locale, self.label_key, &[])
    }
    /// What it is served as.
    pub fn mimetype(&self) -> &'static str {
        self.mimetypes.first().copied().unwrap_or("text/plain")
    }
}

const FORMATS: [Format; 7] = [
    Format {
        slug: "bibtex",
        mimetypes: &["application/x-bibtex", "text/x-bibtex"],
        extension: "bib",
        label_key: "format-bibtex",
    },
    Format {
        slug: "ris",
        mimetypes: &["application/x-research-info-systems"],
        extension: "ris",
        label_key: "format-ris",
    },
    Format {
        slug: "csl",
        mimetypes: &["application/vnd.citationstyles.csl+json"],
        extension: "json",
        label_key: "format-csl",
    },
    Format {
        slug: "datacite-json",
        mimetypes: &["application/vnd.datacite.datacite+json"],
        extension: "json",
        label_key: "format-datacite-json",
    },
    Format {
        slug: "datacite-xml",
        mimetypes: &[
            "application/vnd.datacite.datacite+xml",
            "application/x-datacite+xml",
        ],
        extension: "xml",
        label_key: "format-datacite-xml",
    },
    Format {
        slug: "dublincore",
        mimetypes: &["application/x-dc+xml"],
        extension: "xml",
        label_key: "format-dublincore",
    },
    Format {
        slug: "json-ld",
        mimetypes: &["application/ld+json"],
        extension: "jsonld",
        label_key: "format-json-ld",
    },
];

/// Every format, in the order of an export menu.
pub fn list() -> &'static [Format] {
    &FORMATS
}

/// The format of a slug.
pub fn find(slug: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|f| f.slug == slug)
}

/// The record in a format: its media type and its text. Nothing when there is no such format.
pub fn render(slug: &str, record: &Record) -> Option<(&'static str, String)> {
    let text = match slug {
        "bibtex" => bibtex::render(record),
        "ris" => ris::render(record),
        "csl" => pretty(&csl::render(record)),
        "datacite-json" => pretty(&datacite_json::render(record)),
        "datacite-xml" => datacite_xml::render(record),
        "dublincore" => dublin_core::render(record),
        "json-ld" => pretty(&json_ld::render(record)),
        _ => return None,
    };
    find(slug).map(|f| (f.mimetype(), text))
}

/// DataCite XML, as a DOI is registered with.
pub fn datacite_xml(record: &Record) -> String {
    datacite_xml::render(record)
}

/// The `metadata` of an OAI-PMH answer in `oai_dc`: one element, no XML declaration.
pub fn oai_dc(record: &Record) -> String {
    bare(dublin_core::render(record))
}

/// The same in `oai_datacite` (version 1.1): DataCite XML in an envelope that names its version and source.
pub fn oai_datacite(record: &Record) -> String {
    bare(datacite_xml::enveloped(record))
}

/// An element without the XML declaration before it.
fn bare(document: String) -> String {
    match document.split_once("?>\n") {
        Some((_, element)) => element.to_owned(),
        None => document,
    }
}

/// The citation for a reader of this language.
pub fn citation(record: &Record, locale: Locale) -> citation::Citation {
    citation::cite(record, locale)
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests;
