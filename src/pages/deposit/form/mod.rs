//! The page "describe" as values: what metadata look like in it (`show`), and what it makes of metadata
//! (`write`). Pure functions over the dialect's JSON as it is stored.
//!
//! Invariant: a control that still says what it showed changes nothing. What the page does not show (roles,
//! contributors, places, second identifiers …) therefore comes back exactly as it was, and so does what
//! somebody typed that is not valid yet.

mod prose;
mod rows;
mod show;
#[cfg(test)]
mod tests;
mod write;

pub use self::{
    show::{main_locale, show},
    write::write,
};

use std::collections::BTreeMap;

use super::view::{Bilingual, CreatorRow, FundingRow};
use crate::{
    metadata::vocabulary::{self, Vocabulary},
    text::Locale,
};

/// Rows of a list that the page shows; those after them stay as they are.
pub const SHOWN: usize = 200;

/// What the controls say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    pub title: Bilingual,
    pub description: Bilingual,
    pub creators: Vec<CreatorRow>,
    pub resource_type: String,
    pub publication_date: String,
    pub licence: String,
    /// One a line.
    pub keywords: String,
    /// ISO 639-3, or what stood there.
    pub languages: Vec<String>,
    pub publisher: String,
    pub version: String,
    pub related: Vec<Related>,
    pub funding: Vec<FundingRow>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    pub identifier: String,
    /// Of the vocabulary of relations; empty: not chosen.
    pub relation: String,
}

/// What a button beside a row asks for; `n` counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Add(List),
    Remove(List, usize),
    Up(List, usize),
    Down(List, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Creators,
    Related,
    Funding,
}

impl List {
    pub const ALL: [List; 3] = [List::Creators, List::Related, List::Funding];

    pub fn code(self) -> &'static str {
        match self {
            List::Creators => "creators",
            List::Related => "related",
            List::Funding => "funding",
        }
    }
    /// The control of a row that is filled in first.
    pub fn first_control(self, n: usize) -> String {
        let field = match self {
            List::Creators => "family_name",
            List::Related => "relation",
            List::Funding => "funder",
        };
        format!("{}.{n}.{field}", self.code())
    }
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.code() == code)
    }
}

impl Move {
    /// Of the value of a button: `add.creators`, `up.related.2`.
    pub fn from_code(code: &str) -> Option<Self> {
        let mut parts = code.split('.');
        let (verb, list) = (parts.next()?, List::from_code(parts.next()?)?);
        let n: Option<usize> = parts
            .next()
            .and_then(|n| n.parse().ok())
            .filter(|n| *n < SHOWN);
        match verb {
            "add" => Some(Move::Add(list)),
            "remove" => Some(Move::Remove(list, n?)),
            "up" => Some(Move::Up(list, n?)),
            "down" => Some(Move::Down(list, n?)),
            _ => None,
        }
    }
    pub fn list(self) -> List {
        match self {
            Move::Add(list) | Move::Remove(list, _) | Move::Up(list, _) | Move::Down(list, _) => {
                list
            }
        }
    }
}

/// Reads what a browser sent. Unknown names are ignored, rows beyond `SHOWN` too.
pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Values {
    let mut values = Values::default();
    let mut creators: BTreeMap<usize, CreatorRow> = BTreeMap::new();
    let mut related: BTreeMap<usize, Related> = BTreeMap::new();
    let mut funding: BTreeMap<usize, FundingRow> = BTreeMap::new();
    for (name, sent) in pairs {
        let text = prose::lines(sent);
        match name {
            "title.vi" => values.title.vi = text,
            "title.en" => values.title.en = text,
            "description.vi" => values.description.vi = text,
            "description.en" => values.description.en = text,
            "resource_type" => values.resource_type = text,
            "publication_date" => values.publication_date = text,
            "licence" => values.licence = text,
            "keywords" => values.keywords = text,
            "languages" => values.languages.push(text),
            "publisher" => values.publisher = text,
            "version" => values.version = text,
            _ => {
                let mut parts = name.splitn(3, '.');
                let (list, n, field) = (parts.next(), parts.next(), parts.next());
                let Some(n) = n.and_then(|n| n.parse().ok()).filter(|n| *n < SHOWN) else {
                    continue;
                };
                match list {
                    Some("creators") => creator(creators.entry(n).or_default(), field, text),
                    Some("related") => work(related.entry(n).or_default(), field, text),
                    Some("funding") => grant(funding.entry(n).or_default(), field, text),
                    _ => {}
                }
            }
        }
    }
    values.creators = creators.into_values().collect();
    values.related = related.into_values().collect();
    values.funding = funding.into_values().collect();
    values
}

fn creator(row: &mut CreatorRow, field: Option<&str>, text: String) {
    match field {
        Some("kind") => row.organisation = text == "organizational",
        Some("family_name") => row.family_name = text,
        Some("given_name") => row.given_name = text,
        Some("identifier") => row.identifier = text,
        Some("affiliation") => row.affiliation = text,
        _ => {}
    }
}

fn work(row: &mut Related, field: Option<&str>, text: String) {
    match field {
        Some("identifier") => row.identifier = text,
        Some("relation") => row.relation = text,
        _ => {}
    }
}

fn grant(row: &mut FundingRow, field: Option<&str>, text: String) {
    match field {
        Some("funder") => row.funder = text,
        Some("award_number") => row.award_number = text,
        Some("award_title") => row.award_title = text,
        _ => {}
    }
}

/// A row nobody has written anything into.
pub(super) trait Blank {
    fn is_blank(&self) -> bool;
}

fn blank(texts: &[&str]) -> bool {
    texts.iter().all(|t| t.trim().is_empty())
}

impl Blank for CreatorRow {
    fn is_blank(&self) -> bool {
        blank(&[
            &self.family_name,
            &self.given_name,
            &self.identifier,
            &self.affiliation,
        ])
    }
}

impl Blank for Related {
    fn is_blank(&self) -> bool {
        blank(&[&self.identifier, &self.relation])
    }
}

impl Blank for FundingRow {
    fn is_blank(&self) -> bool {
        blank(&[&self.funder, &self.award_number, &self.award_title])
    }
}

/// Controls that say something else than `saved`, with what is saved in the reader's words: for whoever was
/// overtaken. Lists are compared whole.
pub fn differences(saved: &Values, typed: &Values, locale: Locale) -> Vec<(String, String)> {
    let (saved, typed) = (words(saved, locale), words(typed, locale));
    saved
        .into_iter()
        .zip(typed)
        .filter(|((_, saved), (_, typed))| saved != typed)
        .map(|((_, saved), (control, _))| (control, saved))
        .collect()
}

/// What each part of the page says, always the same parts in the same order; ids by their names.
fn words(v: &Values, locale: Locale) -> Vec<(String, String)> {
    let term = |vocabulary, id: &str| vocabulary::label(vocabulary, id, locale).to_owned();
    let first = |list: List, rows: usize| {
        if rows == 0 {
            list.code().to_owned()
        } else {
            list.first_control(0)
        }
    };
    let mut languages = v.languages.clone();
    languages.sort();
    let languages = languages.iter().map(|l| term(Vocabulary::Languages, l));
    let related = v.related.iter().map(|r| {
        let relation = term(Vocabulary::RelationTypes, &r.relation);
        format!("{relation} {}", r.identifier.trim())
    });
    let funding = v.funding.iter().map(|f| {
        let parts = [&f.funder, &f.award_number, &f.award_title];
        parts.map(|s| s.trim()).join(" ")
    });
    let parts = [
        ("title.vi".to_owned(), v.title.vi.clone()),
        ("title.en".to_owned(), v.title.en.clone()),
        ("description.vi".to_owned(), v.description.vi.clone()),
        ("description.en".to_owned(), v.description.en.clone()),
        (
            List::Creators.first_control(0),
            joined(v.creators.iter().map(person)),
        ),
        (
            "resource_type".to_owned(),
            term(Vocabulary::ResourceTypes, &v.resource_type),
        ),
        ("publication_date".to_owned(), v.publication_date.clone()),
        ("licence".to_owned(), term(Vocabulary::Licenses, &v.licence)),
        (
            "keywords".to_owned(),
            joined(v.keywords.lines().map(ToOwned::to_owned)),
        ),
        ("languages".to_owned(), joined(languages)),
        ("publisher".to_owned(), v.publisher.clone()),
        ("version".to_owned(), v.version.clone()),
        (first(List::Related, v.related.len()), joined(related)),
        (first(List::Funding, v.funding.len()), joined(funding)),
    ];
    parts
        .into_iter()
        .map(|(control, text)| (control, text.trim().to_owned()))
        .collect()
}

fn person(c: &CreatorRow) -> String {
    let parts = [&c.family_name, &c.given_name, &c.identifier, &c.affiliation];
    let said: Vec<&str> = parts
        .iter()
        .map(|s| s.trim())
        .filter(|s| !s.is_empty())
        .collect();
    said.join(", ")
}

fn joined(all: impl Iterator<Item = String>) -> String {
    let said: Vec<String> = all
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect();
    said.join("; ")
}
