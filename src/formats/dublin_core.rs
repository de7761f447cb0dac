//! Simple Dublin Core (`oai_dc`): fifteen fields that every harvester understands.
//!
//! Identifiers are global (links), since a bare number means nothing elsewhere; access is said in the
//! terms of the OpenAIRE guidelines.

use super::{datacite_json::best, record::Record, xml::Xml};
use crate::metadata::{
    html, identifiers,
    model::{Rights, Subject},
    vocabulary::{self, Vocabulary},
};
use crate::text::Locale;

pub fn render(record: &Record) -> String {
    let m = &record.metadata;
    let mut x = Xml::new();
    x.open(
        "oai_dc:dc",
        &[
            ("xmlns:oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/"),
            ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            (
                "xsi:schemaLocation",
                "http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
            ),
        ],
    );
    for title in m.titles() {
        x.text(
            "dc:title",
            &[("xml:lang", title.bcp47().unwrap_or_default())],
            title.text,
        );
    }
    for agent in &m.creators {
        x.text("dc:creator", &[], &agent.person_or_org.name());
    }
    for subject in &m.subjects {
        match subject {
            Subject::Keyword { subject } => x.text("dc:subject", &[], subject),
            Subject::Term { id } => {
                for locale in Locale::ALL {
                    let label = vocabulary::label(Vocabulary::Subjects, id, locale);
                    x.text("dc:subject", &[("xml:lang", locale.code())], label);
                }
            }
        }
    }
    for said in m.descriptions() {
        let lang = said.bcp47().unwrap_or_default();
        x.text(
            "dc:description",
            &[("xml:lang", lang)],
            &html::plain_text(said.text),
        );
    }
    x.text("dc:publisher", &[], record.publisher());
    for agent in &m.contributors {
        x.text("dc:contributor", &[], &agent.person_or_org.name());
    }
    if let Some(date) = &m.publication_date {
        x.text("dc:date", &[], date.as_str());
    }
    let embargo = record.access.effective(record.updated.date_naive()).embargo;
    if let Some(until) = embargo.until.filter(|_| embargo.active) {
        x.text(
            "dc:date",
            &[],
            &format!("info:eu-repo/date/embargoEnd/{until}"),
        );
    }
    if let Some(kind) = record.resource_type() {
        x.text("dc:type", &[], kind.prop("datacite").unwrap_or(kind.en));
        if let Some(term) = kind.prop("eurepo") {
            x.text("dc:type", &[], &format!("info:eu-repo/semantics/{term}"));
        }
        if let Some(term) = kind.prop("coar") {
            x.text(
                "dc:type",
                &[],
                &format!("http://purl.org/coar/resource_type/{term}"),
            );
        }
    }
    let mut formats: Vec<&str> = record.files.iter().map(|f| f.mimetype.as_str()).collect();
    formats.extend(m.formats.iter().map(String::as_str));
    formats.sort_unstable();
    formats.dedup();
    for format in formats {
        x.text("dc:format", &[], format);
    }
    x.text("dc:identifier", &[], &record.doi_url().unwrap_or_default());
    x.text("dc:identifier", &[], &record.landing_url());
    for i in &m.identifiers {
        x.text(
            "dc:identifier",
            &[],
            &identifiers::url(&i.scheme, &i.identifier).unwrap_or_default(),
        );
    }
    for language in &m.languages {
        x.text("dc:language", &[], &language.id);
    }
    for related in record.related() {
        x.text("dc:relation", &[], &related.url().unwrap_or_default());
    }
    for place in m.locations.iter().filter_map(|l| l.place.as_deref()) {
        x.text("dc:coverage", &[], place);
    }
    for date in m
        .dates
        .iter()
        .filter(|d| d.kind.as_ref().is_some_and(|k| k.id == "coverage"))
    {
        x.text("dc:coverage", &[], date.date.as_str());
    }
    x.text("dc:rights", &[], record.access_status().eurepo());
    for rights in &m.rights {
        match rights {
            Rights::Licence { id } => {
                if let Some(licence) = vocabulary::get(Vocabulary::Licenses, id) {
                    x.text("dc:rights", &[], licence.en);
                    x.text("dc:rights", &[], licence.prop("url").unwrap_or_default());
                }
            }
            Rights::Custom { title, link, .. } => {
                if let Some((text, lang)) = best(title) {
                    x.text("dc:rights", &[("xml:lang", lang)], text);
                }
                x.text("dc:rights", &[], link.as_deref().unwrap_or_default());
            }
        }
    }
    x.finish()
}
