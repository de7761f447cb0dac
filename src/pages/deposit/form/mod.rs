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

/// Controls that say something else than `saved`, with what is saved: for whoever was overtaken.
pub fn differences(saved: &Values, typed: &Values) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut compare = |control: &str, saved: &str, typed: &str| {
        if saved.trim() != typed.trim() {
            out.push((control.to_owned(), saved.trim().to_owned()));
        }
    };
    compare("title.vi", &saved.title.vi, &typed.title.vi);
    compare("title.en", &saved.title.en, &typed.title.en);
    compare(
        "description.vi",
        &saved.description.vi,
        &typed.description.vi,
    );
    compare(
        "description.en",
        &saved.description.en,
        &typed.description.en,
    );
    let people = |v: &Values| names(v.creators.iter().map(person));
    compare(
        &List::Creators.first_control(0),
        &people(saved),
        &people(typed),
    );
    compare("resource_type", &saved.resource_type, &typed.resource_type);
    compare(
        "publication_date",
        &saved.publication_date,
        &typed.publication_date,
    );
    compare("licence", &saved.licence, &typed.licence);
    let keywords = |v: &Values| names(v.keywords.lines().map(ToOwned::to_owned));
    compare("keywords", &keywords(saved), &keywords(typed));
    let languages = |v: &Values| {
        let mut all = v.languages.clone();
        all.sort();
        all.join(", ")
    };
    compare("languages", &languages(saved), &languages(typed));
    compare("publisher", &saved.publisher, &typed.publisher);
    compare("version", &saved.version, &typed.version);
    let works = |v: &Values| {
        names(
            v.related
                .iter()
                .map(|r| format!("{} {}", r.relation, r.identifier)),
        )
    };
    compare(&related_control(typed), &works(saved), &works(typed));
    let grants = |v: &Values| {
        names(v.funding.iter().map(|f| {
            [&f.funder, &f.award_number, &f.award_title]
                .map(|s| s.trim())
                .join(" ")
        }))
    };
    compare(&funding_control(typed), &grants(saved), &grants(typed));
    out
}

/// A list without rows has no control to point at; the message then stands in the summary alone.
fn related_control(typed: &Values) -> String {
    if typed.related.is_empty() {
        String::new()
    } else {
        List::Related.first_control(0)
    }
}

fn funding_control(typed: &Values) -> String {
    if typed.funding.is_empty() {
        String::new()
    } else {
        List::Funding.first_control(0)
    }
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

fn names(all: impl Iterator<Item = String>) -> String {
    let said: Vec<String> = all
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect();
    said.join("; ")
}
