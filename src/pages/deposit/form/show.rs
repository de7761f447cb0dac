//! From stored metadata to what the controls show. Reads the JSON as it was sent and not the typed
//! metadata, so that a wrong value is shown to whoever must mend it.

use serde_json::Value;

use super::{
    Related, SHOWN, Values,
    prose::{line, to_text},
};
use crate::{
    metadata::{self, vocabulary},
    pages::deposit::view::{Bilingual, CreatorRow, FundingRow},
    text::Locale,
};

/// Where the two languages of a text are stored: the main one in a field of its own, the other in a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub main: &'static str,
    pub list: &'static str,
    /// The text in an entry of the list.
    pub key: &'static str,
    /// The type a new entry gets.
    pub kind: &'static str,
    /// Types that count as a translation; an entry without a type does when this says so.
    pub kinds: &'static [&'static str],
    pub untyped: bool,
    pub html: bool,
}

pub(super) const TITLE: Place = Place {
    main: "title",
    list: "additional_titles",
    key: "title",
    kind: "translated-title",
    kinds: &["translated-title"],
    untyped: false,
    html: false,
};

pub(super) const DESCRIPTION: Place = Place {
    main: "description",
    list: "additional_descriptions",
    key: "description",
    kind: "abstract",
    kinds: &["abstract", "other"],
    untyped: true,
    html: true,
};

/// The values of all controls for stored metadata.
pub fn show(raw: &Value) -> Values {
    let main = main_locale(raw);
    let both = |place: Place| Bilingual {
        vi: said(raw, place, Locale::Vi, main),
        en: said(raw, place, Locale::En, main),
    };
    Values {
        title: both(TITLE),
        description: both(DESCRIPTION),
        creators: list(raw, "creators")
            .iter()
            .take(SHOWN)
            .map(creator)
            .collect(),
        resource_type: line(text(&raw["resource_type"]["id"])),
        publication_date: line(text(&raw["publication_date"])),
        licence: licence_at(raw).map_or(String::new(), |n| line(text(&raw["rights"][n]["id"]))),
        keywords: list(raw, "subjects")
            .iter()
            .filter(|s| is_keyword(s))
            .map(|s| line(text(&s["subject"])))
            .collect::<Vec<_>>()
            .join("\n"),
        languages: list(raw, "languages").iter().map(language).collect(),
        publisher: line(text(&raw["publisher"])),
        version: line(text(&raw["version"])),
        related: list(raw, "related_identifiers")
            .iter()
            .take(SHOWN)
            .map(related)
            .collect(),
        funding: list(raw, "funding")
            .iter()
            .take(SHOWN)
            .map(funding)
            .collect(),
    }
}

/// The language of `title` and `description`, when it is one that the page has controls for. Where nothing
/// tells, a translation does: what it is not, the main one is.
pub fn main_locale(raw: &Value) -> Option<Locale> {
    let typed = metadata::read(raw).0;
    match typed.main_language() {
        Some(code) => Locale::ALL.into_iter().find(|l| l.iso639_3() == code),
        None if translation(raw, TITLE, Locale::En).is_some() => Some(Locale::Vi),
        None => Some(Locale::En),
    }
}

/// What is stored of a text in a language, as it is stored.
pub(super) fn stored(
    raw: &Value,
    place: Place,
    locale: Locale,
    main: Option<Locale>,
) -> Option<&str> {
    if main == Some(locale) {
        raw[place.main].as_str()
    } else {
        let n = translation(raw, place, locale)?;
        raw[place.list][n][place.key].as_str()
    }
}

fn said(raw: &Value, place: Place, locale: Locale, main: Option<Locale>) -> String {
    let text = stored(raw, place, locale, main).unwrap_or_default();
    if place.html {
        to_text(text)
    } else {
        line(text)
    }
}

/// The entry of the list that is the translation into a language.
pub(super) fn translation(raw: &Value, place: Place, locale: Locale) -> Option<usize> {
    list(raw, place.list).iter().position(|entry| {
        let fits = match entry["type"]["id"].as_str() {
            Some(kind) => place.kinds.contains(&kind),
            None => place.untyped && entry["type"].is_null(),
        };
        fits && language(&entry["lang"]) == locale.iso639_3()
    })
}

/// The first licence that has an id; those in the depositor's own words stay as they are.
pub(super) fn licence_at(raw: &Value) -> Option<usize> {
    list(raw, "rights").iter().position(|r| r["id"].is_string())
}

pub(super) fn is_keyword(subject: &Value) -> bool {
    subject["id"].is_null() && subject["subject"].is_string()
}

/// `{"id": "vi"}` as `vie`; what is no language stays as it was typed.
pub(super) fn language(term: &Value) -> String {
    let code = text(&term["id"]);
    vocabulary::language(code).map_or_else(|| line(code), |e| e.id.to_owned())
}

pub(super) fn creator(raw: &Value) -> CreatorRow {
    let who = &raw["person_or_org"];
    let organisation = is_organisation(who);
    let name = if organisation { "name" } else { "family_name" };
    let identifier = identifier_at(who).map(|n| &who["identifiers"][n]["identifier"]);
    CreatorRow {
        organisation,
        family_name: line(text(&who[name])),
        given_name: line(text(&who["given_name"])),
        identifier: identifier.map_or(String::new(), |v| line(text(v))),
        affiliation: list(raw, "affiliations")
            .iter()
            .map(|a| line(&organisation_name(a)))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// As `metadata::read` decides where the type is not said.
pub(super) fn is_organisation(who: &Value) -> bool {
    match text(&who["type"]) {
        "organizational" => true,
        "personal" => false,
        _ => !text(&who["name"]).is_empty() && text(&who["family_name"]).is_empty(),
    }
}

/// The identifier that the page shows: an ORCID iD or ROR id, or one of unsaid scheme.
pub(super) fn identifier_at(who: &Value) -> Option<usize> {
    list(who, "identifiers")
        .iter()
        .position(|i| i["scheme"].is_null() || matches!(text(&i["scheme"]), "orcid" | "ror"))
}

/// An affiliation or funder by its name: its own, or that of its ROR id.
pub(super) fn organisation_name(raw: &Value) -> String {
    let name = text(&raw["name"]);
    if !name.is_empty() {
        return name.to_owned();
    }
    let id = text(&raw["id"]);
    vocabulary::organisation(id).map_or_else(|| id.to_owned(), |e| e.en.to_owned())
}

pub(super) fn related(raw: &Value) -> Related {
    Related {
        identifier: line(text(&raw["identifier"])),
        relation: line(text(&raw["relation_type"]["id"])),
    }
}

pub(super) fn funding(raw: &Value) -> FundingRow {
    let award = &raw["award"];
    FundingRow {
        funder: line(&organisation_name(&raw["funder"])),
        award_number: line(text(&award["number"])),
        award_title: award_title_key(award)
            .map_or(String::new(), |key| line(text(&award["title"][&key]))),
    }
}

/// The language in which the page shows an award's title.
pub(super) fn award_title_key(award: &Value) -> Option<String> {
    let titles = award["title"].as_object()?;
    ["vi", "en"]
        .into_iter()
        .find(|k| titles.contains_key(*k))
        .map(ToOwned::to_owned)
        .or_else(|| titles.keys().next().cloned())
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn list<'a>(raw: &'a Value, key: &str) -> &'a [Value] {
    raw[key].as_array().map_or(&[], Vec::as_slice)
}
