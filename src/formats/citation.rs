//! The citation as a sentence, in the manner of APA:
//! `Đặng T. N. T., Nguyễn H. C. (2026). Title (Version 3) [Dataset]. Publisher. https://doi.org/…`

use super::record::Record;
use crate::{
    metadata::vocabulary::{self, Vocabulary},
    text::{Locale, say},
};

/// Beyond these, the middle is an ellipsis (APA 7, section 9.8).
const MAX_AUTHORS: usize = 20;

/// A citation in its parts, so that a page can set the title in italics and link the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// `Đặng T. N. T., Nguyễn H. C.`; empty when nobody is named.
    pub authors: String,
    /// Four digits.
    pub year: String,
    pub title: String,
    /// `(Version 3) [Dataset]`, in the language asked for; may be empty.
    pub about: String,
    pub publisher: String,
    /// The DOI's link, or the landing page.
    pub url: String,
}

impl Citation {
    /// The whole in one line.
    pub fn text(&self) -> String {
        let (before, title, after) = self.around_title();
        format!("{before}{title}{after}{}", self.url)
    }
    /// What stands before the title, the title, and what stands between it and the link.
    pub fn around_title(&self) -> (String, &str, String) {
        let about = if self.about.is_empty() {
            String::new()
        } else {
            format!(" {}", self.about)
        };
        let stop = if about.is_empty() && self.title.ends_with(['.', '?', '!', '…']) {
            ""
        } else {
            "."
        };
        let before = if self.authors.is_empty() {
            // Without authors the year follows the title; it is kept in front to stay one shape.
            format!("({}). ", self.year)
        } else {
            format!("{} ({}). ", self.authors, self.year)
        };
        let publisher = if self.publisher.is_empty() {
            String::new()
        } else {
            format!(
                " {}{}",
                self.publisher,
                if self.publisher.ends_with('.') {
                    ""
                } else {
                    "."
                }
            )
        };
        (before, &self.title, format!("{about}{stop}{publisher} "))
    }
}

/// The citation for a reader of this language. The title stays in the record's own language: that is
/// what others will look for.
pub fn cite(record: &Record, locale: Locale) -> Citation {
    let m = &record.metadata;
    let version = record
        .version()
        .map(|v| {
            v.strip_prefix(['v', 'V'])
                .filter(|r| r.starts_with(|c: char| c.is_ascii_digit()))
                .unwrap_or(&v)
                .to_owned()
        })
        .map(|v| {
            format!(
                "({})",
                say(locale, "citation-in-version", &[("version", &v)])
            )
        });
    let kind = m.resource_type.as_ref().map(|t| {
        format!(
            "[{}]",
            vocabulary::label(Vocabulary::ResourceTypes, &t.id, locale)
        )
    });
    let names: Vec<String> = m
        .creators
        .iter()
        .map(|a| a.person_or_org.cited())
        .filter(|n| !n.is_empty())
        .collect();
    // An author who publishes their own data is named once (APA 7, section 9.33).
    let publisher = if names.len() == 1 && names[0] == record.publisher() {
        ""
    } else {
        record.publisher()
    };
    Citation {
        authors: join(&names),
        year: format!("{:04}", record.year()),
        title: record.title().to_owned(),
        about: [version, kind]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
        publisher: publisher.to_owned(),
        url: record.cite_url(),
    }
}

fn join(names: &[String]) -> String {
    match names {
        [head @ .., last] if names.len() > MAX_AUTHORS => {
            format!("{}, … {last}", head[..MAX_AUTHORS - 1].join(", "))
        }
        _ => names.join(", "),
    }
}
