//! schema.org as JSON-LD: what Google Dataset Search and other crawlers read in the page's head.
//!
//! `name` and `description` are in the record's own language, the other language beside them with its
//! tag: crawlers expect plain text in the first and understand the second.

use serde_json::{Map, Value, json};

use super::record::Record;
use crate::metadata::{
    html, identifiers,
    model::{Agent, AgentKind, Location, Rights, Subject},
    vocabulary::{self, Vocabulary},
};
use crate::text::Locale;

/// Files named in the head of a page, which must fit the first flight; the export names them all.
const MAX_EMBEDDED: usize = 10;
/// What Google Dataset Search reads of a description.
const MAX_DESCRIPTION: usize = 5_000;

/// Everything, for the export.
pub fn render(record: &Record) -> Value {
    write(record, usize::MAX)
}

/// For the head of the landing page: the first files only, so that the page stays small.
pub fn embedded(record: &Record) -> Value {
    write(record, MAX_EMBEDDED)
}

/// `embedded` as the content of a `<script type="application/ld+json">`: nothing in it can end the element.
pub fn script(record: &Record) -> String {
    embedded(record)
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

fn write(record: &Record, files: usize) -> Value {
    let m = &record.metadata;
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::String(s) => s.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert(key.to_owned(), value);
        }
    };
    put("@context", "https://schema.org/".into());
    put("@type", record.type_as("schema", "CreativeWork").into());
    put("@id", record.cite_url().into());
    put("identifier", own_identifiers(record));
    put("url", record.landing_url().into());
    put("name", record.title().into());
    put(
        "alternateName",
        m.additional_titles
            .iter()
            .map(|t| in_language(&t.title, t.lang.as_ref().map(|l| vocabulary::bcp47(&l.id))))
            .collect(),
    );
    put(
        "inLanguage",
        m.languages
            .iter()
            .map(|l| vocabulary::bcp47(&l.id))
            .collect(),
    );
    put(
        "description",
        m.description
            .as_deref()
            .map_or(Value::Null, |d| shorten(&html::plain_text(d)).into()),
    );
    put(
        "abstract",
        m.descriptions()
            .iter()
            .skip(1)
            .map(|d| in_language(&shorten(&html::plain_text(d.text)), d.bcp47()))
            .collect(),
    );
    put("creator", m.creators.iter().map(agent).collect());
    put("contributor", m.contributors.iter().map(agent).collect());
    put(
        "publisher",
        json!({"@type": "Organization", "name": record.publisher()}),
    );
    put(
        "datePublished",
        m.publication_date
            .as_ref()
            .map_or_else(
                || record.published.format("%Y-%m-%d").to_string(),
                |d| d.start().to_owned(),
            )
            .into(),
    );
    put("dateCreated", record.created.to_rfc3339().into());
    put("dateModified", record.updated.to_rfc3339().into());
    put("version", record.version().map_or(Value::Null, Value::from));
    put("license", licences(record));
    put("keywords", m.subjects.iter().flat_map(keywords).collect());
    put("isAccessibleForFree", record.files_are_open().into());
    put("conditionsOfAccess", record.access_status().eurepo().into());
    put(
        "spatialCoverage",
        m.locations.iter().filter_map(place).collect(),
    );
    put(
        "temporalCoverage",
        m.dates
            .iter()
            .filter(|d| {
                d.kind
                    .as_ref()
                    .is_some_and(|k| matches!(k.id.as_str(), "coverage" | "collected"))
            })
            .map(|d| d.date.as_str())
            .collect(),
    );
    put("funding", m.funding.iter().map(grant).collect());
    relations(record, &mut put);
    put(
        "citation",
        m.references.iter().map(|r| r.reference.as_str()).collect(),
    );
    put(
        "includedInDataCatalog",
        json!({"@type": "DataCatalog", "name": record.repository, "url": format!("{}/", record.base_url)}),
    );
    if record.files_are_open() {
        put(
            "distribution",
            record
                .files
                .iter()
                .take(files)
                .map(|f| download(record, f))
                .collect(),
        );
    }
    Value::Object(out)
}

fn in_language(text: &str, lang: Option<&str>) -> Value {
    match lang {
        Some(lang) => json!({"@language": lang, "@value": text}),
        None => text.into(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_DESCRIPTION - 1) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn own_identifiers(record: &Record) -> Value {
    let property = |scheme: &str, value: &str, url: Option<String>| {
        let mut p = json!({"@type": "PropertyValue", "propertyID": scheme, "value": value});
        if let Some(url) = url {
            p["url"] = url.into();
        }
        p
    };
    let own = record
        .doi
        .as_ref()
        .map(|d| property("doi", &format!("doi:{d}"), Some(d.url())));
    let others = record.metadata.identifiers.iter().map(|i| {
        property(
            &i.scheme,
            &i.identifier,
            identifiers::url(&i.scheme, &i.identifier),
        )
    });
    own.into_iter().chain(others).collect()
}

fn agent(agent: &Agent) -> Value {
    let who = &agent.person_or_org;
    let mut out = match who.kind {
        AgentKind::Personal => json!({
            "@type": "Person", "name": who.spoken(),
            "familyName": who.family_name, "givenName": who.given_name}),
        AgentKind::Organizational => json!({"@type": "Organization", "name": who.name()}),
    };
    if let Value::Object(fields) = &mut out {
        fields.retain(|_, v| !v.is_null());
    }
    let id = ["orcid", "ror", "isni", "gnd"]
        .iter()
        .find_map(|s| identifiers::url(s, who.identifier(s)?));
    if let Some(id) = id {
        out["@id"] = id.clone().into();
        out["identifier"] = id.into();
    }
    let homes: Vec<Value> = agent
        .affiliations
        .iter()
        .map(|a| {
            let mut home = json!({"@type": "Organization", "name": a.label(Locale::En)});
            if let Some(id) = &a.id {
                home["@id"] = format!("https://ror.org/{id}").into();
            }
            home
        })
        .collect();
    if !homes.is_empty() {
        out["affiliation"] = homes.into();
    }
    out
}

fn licences(record: &Record) -> Value {
    record
        .metadata
        .rights
        .iter()
        .filter_map(|r| match r {
            Rights::Licence { id } => vocabulary::get(Vocabulary::Licenses, id)?
                .prop("url")
                .map(Value::from),
            Rights::Custom { title, link, .. } => {
                let name = super::datacite_json::best(title)?.0;
                Some(match link {
                    Some(link) => json!({"@type": "CreativeWork", "name": name, "url": link}),
                    None => json!({"@type": "CreativeWork", "name": name}),
                })
            }
        })
        .collect()
}

/// A term of a classification in both languages; a keyword as it is.
fn keywords(subject: &Subject) -> Vec<Value> {
    match subject {
        Subject::Keyword { subject } => vec![subject.as_str().into()],
        Subject::Term { id } => vocabulary::get(Vocabulary::Subjects, id)
            .map(|entry| {
                Locale::ALL
                    .iter()
                    .map(|l| {
                        json!({"@type": "DefinedTerm", "name": in_language(entry.label(*l), Some(l.code())),
                            "url": entry.id, "inDefinedTermSet": "http://www.oecd.org/science/inno/38235147.pdf"})
                    })
                    .collect()
            })
            .unwrap_or_default(),
    }
}

fn place(location: &Location) -> Option<Value> {
    let mut out = json!({"@type": "Place"});
    if let Some(name) = &location.place {
        out["name"] = name.as_str().into();
    }
    if let Some(shape) = &location.geometry {
        out["geo"] = match (shape.point(), shape.bounds()) {
            (Some((x, y)), _) => json!({"@type": "GeoCoordinates", "latitude": y, "longitude": x}),
            (None, Some(b)) => json!({"@type": "GeoShape",
                "box": format!("{} {} {} {}", b.south, b.west, b.north, b.east)}),
            (None, None) => return None,
        };
    }
    out.as_object().is_some_and(|o| o.len() > 1).then_some(out)
}

fn grant(funding: &crate::metadata::model::Funding) -> Value {
    let mut funder = json!({"@type": "Organization", "name": funding.funder.label(Locale::En)});
    if let Some(id) = &funding.funder.id {
        funder["@id"] = format!("https://ror.org/{id}").into();
    }
    let mut out = json!({"@type": "Grant", "funder": funder});
    if let Some(award) = &funding.award {
        if let Some(number) = &award.number {
            out["identifier"] = number.as_str().into();
        }
        if let Some((title, _)) = super::datacite_json::best(&award.title) {
            out["name"] = title.into();
        }
    }
    out
}

/// The relations that schema.org has a word for.
fn relations(record: &Record, put: &mut impl FnMut(&str, Value)) {
    let related = record.related();
    for (property, names) in [
        ("isPartOf", &["IsPartOf"][..]),
        ("hasPart", &["HasPart"]),
        ("isBasedOn", &["IsDerivedFrom", "IsTranslationOf"]),
        ("sameAs", &["IsIdenticalTo"]),
        (
            "subjectOf",
            &[
                "IsDescribedBy",
                "IsDocumentedBy",
                "IsCitedBy",
                "IsSupplementTo",
                "IsReferencedBy",
            ],
        ),
        ("exampleOfWork", &["IsVersionOf"]),
    ] {
        let urls: Value = related
            .iter()
            .filter(|r| names.contains(&r.relation))
            .filter_map(|r| Some(json!({"@type": "CreativeWork", "@id": r.url()?})))
            .collect();
        put(property, urls);
    }
}

fn download(record: &Record, file: &super::FileEntry) -> Value {
    json!({
        "@type": "DataDownload",
        "name": file.key,
        "contentUrl": record.file_url(file),
        "encodingFormat": file.mimetype,
        "contentSize": format!("{} B", file.size),
        "sha256": file.sha256,
    })
}
