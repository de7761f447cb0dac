//! DataCite 4.6 as the attributes of its REST API: what is sent to register a DOI, and the export.
//!
//! The XML is written from this, so that the two cannot disagree.

use serde_json::{Map, Value, json};

use super::record::Record;
use crate::{
    metadata::{
        geometry::Geometry,
        html, identifiers,
        model::{Agent, AgentKind, Funding, Location, Rights, Subject, Texts},
        vocabulary::{self, Vocabulary},
    },
    text::Locale,
};

/// Polygons with more corners are given as their box.
const MAX_CORNERS: usize = 1_000;

/// The attributes of a version.
pub fn render(record: &Record) -> Value {
    let m = &record.metadata;
    let main = m.main_language().map(vocabulary::bcp47);
    let mut out = Map::new();
    if let Some(doi) = &record.doi {
        out.insert("doi".into(), doi.as_str().into());
    }
    let mut put = |key: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert(key.into(), value);
        }
    };
    put("url", record.landing_url().into());
    put(
        "schemaVersion",
        "http://datacite.org/schema/kernel-4".into(),
    );
    put(
        "types",
        json!({
            "resourceTypeGeneral": record.type_as("datacite", "Other"),
            "resourceType": record.resource_type().map_or("", |e| e.en),
        }),
    );
    put(
        "creators",
        m.creators.iter().map(|a| agent(a, None)).collect(),
    );
    put(
        "contributors",
        m.contributors
            .iter()
            .map(|a| agent(a, Some("Other")))
            .collect(),
    );
    put("titles", titles(record, main));
    put("publisher", json!({"name": record.publisher()}));
    put("publicationYear", format!("{:04}", record.year()).into());
    put("subjects", m.subjects.iter().flat_map(subject).collect());
    put("dates", dates(record));
    put("language", main.map_or(Value::Null, Value::from));
    put("alternateIdentifiers", alternates(record));
    put("relatedIdentifiers", related(record));
    put("sizes", sizes(record));
    put("formats", formats(record));
    put("version", record.version().map_or(Value::Null, Value::from));
    put("rightsList", rights(record));
    put("descriptions", descriptions(record, main));
    put(
        "geoLocations",
        m.locations.iter().filter_map(location).collect(),
    );
    put("fundingReferences", m.funding.iter().map(funding).collect());
    Value::Object(out)
}

/// An object of the pairs that have a value.
fn object(pairs: &[(&str, Option<&str>)]) -> Value {
    pairs
        .iter()
        .filter_map(|(k, v)| Some(((*k).to_owned(), Value::from((*v)?))))
        .collect::<Map<_, _>>()
        .into()
}

fn agent(agent: &Agent, contributor: Option<&str>) -> Value {
    let who = &agent.person_or_org;
    let name = who.name();
    let personal = who.kind == AgentKind::Personal;
    let mut out = object(&[
        ("name", Some(&name)),
        (
            "nameType",
            Some(if personal {
                "Personal"
            } else {
                "Organizational"
            }),
        ),
        ("givenName", who.given_name.as_deref()),
        ("familyName", who.family_name.as_deref()),
    ]);
    if let Some(otherwise) = contributor {
        let role = agent
            .role
            .as_ref()
            .and_then(|r| vocabulary::get(Vocabulary::ContributorsRoles, &r.id))
            .and_then(|e| e.prop("datacite"));
        out["contributorType"] = role.unwrap_or(otherwise).into();
    }
    let ids: Vec<Value> = who
        .identifiers
        .iter()
        .map(|i| name_identifier(&i.scheme, &i.identifier))
        .collect();
    if !ids.is_empty() {
        out["nameIdentifiers"] = ids.into();
    }
    let homes: Vec<Value> = agent
        .affiliations
        .iter()
        .filter(|a| !a.label(Locale::En).is_empty())
        .map(|a| {
            let id = a.id.as_ref().map(|id| format!("https://ror.org/{id}"));
            object(&[
                ("name", Some(a.label(Locale::En))),
                ("affiliationIdentifier", id.as_deref()),
                ("affiliationIdentifierScheme", id.as_ref().map(|_| "ROR")),
                ("schemeUri", id.as_ref().map(|_| "https://ror.org")),
            ])
        })
        .collect();
    if !homes.is_empty() {
        out["affiliation"] = homes.into();
    }
    out
}

fn name_identifier(scheme: &str, identifier: &str) -> Value {
    let (name, uri) = match scheme {
        "orcid" => ("ORCID", Some("https://orcid.org")),
        "ror" => ("ROR", Some("https://ror.org")),
        "isni" => ("ISNI", Some("https://isni.org")),
        "gnd" => ("GND", Some("https://d-nb.info/gnd")),
        "grid" => ("GRID", Some("https://www.grid.ac")),
        other => (other, None),
    };
    let link = identifiers::url(scheme, identifier);
    object(&[
        (
            "nameIdentifier",
            Some(link.as_deref().unwrap_or(identifier)),
        ),
        ("nameIdentifierScheme", Some(name)),
        ("schemeUri", uri),
    ])
}

fn titles(record: &Record, main: Option<&str>) -> Value {
    let mut all = vec![object(&[("title", Some(record.title())), ("lang", main)])];
    for t in &record.metadata.additional_titles {
        let kind = t
            .kind
            .as_ref()
            .and_then(|k| vocabulary::get(Vocabulary::TitleTypes, &k.id))
            .and_then(|e| e.prop("datacite"))
            .unwrap_or("Other");
        let lang = t.lang.as_ref().map(|l| vocabulary::bcp47(&l.id));
        all.push(object(&[
            ("title", Some(&t.title)),
            ("titleType", Some(kind)),
            ("lang", lang),
        ]));
    }
    all.dedup();
    all.into()
}

/// A term is said in both languages; nobody says which one a keyword is in.
fn subject(subject: &Subject) -> Vec<Value> {
    match subject {
        Subject::Keyword { subject } => vec![object(&[("subject", Some(subject))])],
        Subject::Term { id } => {
            let Some(entry) = vocabulary::get(Vocabulary::Subjects, id) else {
                return Vec::new();
            };
            Locale::ALL
                .iter()
                .map(|l| {
                    object(&[
                        ("subject", Some(entry.label(*l))),
                        (
                            "subjectScheme",
                            Some("Fields of Science and Technology (FOS)"),
                        ),
                        (
                            "schemeUri",
                            Some("http://www.oecd.org/science/inno/38235147.pdf"),
                        ),
                        ("valueUri", Some(entry.id)),
                        ("classificationCode", entry.prop("code")),
                        ("lang", Some(l.code())),
                    ])
                })
                .collect()
        }
    }
}

fn dates(record: &Record) -> Value {
    let m = &record.metadata;
    let mut all: Vec<Value> = Vec::new();
    if let Some(date) = &m.publication_date {
        all.push(json!({"date": date, "dateType": "Issued"}));
    }
    let embargo = record.access.effective(record.updated.date_naive()).embargo;
    if let Some(until) = embargo.until.filter(|_| embargo.active) {
        all.push(json!({"date": until, "dateType": "Available"}));
    }
    for d in &m.dates {
        let kind = d
            .kind
            .as_ref()
            .and_then(|k| vocabulary::get(Vocabulary::DateTypes, &k.id))
            .and_then(|e| e.prop("datacite"));
        let date = object(&[
            ("date", Some(d.date.as_str())),
            ("dateType", Some(kind.unwrap_or("Other"))),
            ("dateInformation", d.description.as_deref()),
        ]);
        if !all.contains(&date) {
            all.push(date);
        }
    }
    all.into()
}

fn alternates(record: &Record) -> Value {
    let mut all = vec![json!({
        "alternateIdentifier": record.landing_url(), "alternateIdentifierType": "URL"})];
    for i in &record.metadata.identifiers {
        let kind = vocabulary::get(Vocabulary::IdentifierSchemes, &i.scheme)
            .map_or(i.scheme.as_str(), |e| e.en);
        let other = json!({"alternateIdentifier": i.identifier, "alternateIdentifierType": kind});
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all.into()
}

/// Schemes that DataCite does not name are given by their link, or not at all.
fn related(record: &Record) -> Value {
    record
        .related()
        .iter()
        .filter_map(|r| {
            let named = vocabulary::get(Vocabulary::IdentifierSchemes, &r.scheme)
                .and_then(|e| e.prop("datacite"))
                .filter(|k| !matches!(*k, "GRID" | "ISNI" | "ROR" | "Crossref Funder ID"));
            let (kind, identifier) = match named {
                Some(kind) => (kind, r.identifier.clone()),
                None => ("URL", r.url()?),
            };
            Some(object(&[
                ("relationType", Some(r.relation)),
                ("relatedIdentifierType", Some(kind)),
                ("relatedIdentifier", Some(&identifier)),
                ("resourceTypeGeneral", r.general_type),
            ]))
        })
        .collect()
}

fn sizes(record: &Record) -> Value {
    let given = &record.metadata.sizes;
    if !given.is_empty() || record.files.is_empty() {
        return unique(given);
    }
    let count = record.files.len();
    let files = if count == 1 { "file" } else { "files" };
    json!([
        format!("{} bytes", record.total_bytes()),
        format!("{count} {files}")
    ])
}

fn formats(record: &Record) -> Value {
    let given = &record.metadata.formats;
    if given.is_empty() {
        let own: Vec<String> = record.files.iter().map(|f| f.mimetype.clone()).collect();
        unique(&own)
    } else {
        unique(given)
    }
}

fn unique(list: &[String]) -> Value {
    let mut seen = std::collections::BTreeSet::new();
    list.iter()
        .filter(|s| seen.insert(s.as_str()))
        .map(String::as_str)
        .collect()
}

/// A text in English, else in Vietnamese, else in whatever it is in, with its language.
pub(super) fn best(texts: &Texts) -> Option<(&str, &str)> {
    ["en", "eng", "vi", "vie"]
        .iter()
        .find_map(|l| texts.get_key_value(*l))
        .or_else(|| texts.iter().next())
        .map(|(lang, text)| {
            (
                text.as_str(),
                vocabulary::language(lang).map_or("", |e| e.prop("alpha2").unwrap_or(e.id)),
            )
        })
}

/// The licences, and how open it is in OpenAIRE's terms.
fn rights(record: &Record) -> Value {
    let mut all: Vec<Value> = record
        .metadata
        .rights
        .iter()
        .filter_map(|r| match r {
            Rights::Licence { id } => {
                let e = vocabulary::get(Vocabulary::Licenses, id)?;
                Some(object(&[
                    ("rights", Some(e.en)),
                    ("rightsUri", e.prop("url")),
                    ("rightsIdentifier", Some(e.id)),
                    ("rightsIdentifierScheme", Some("SPDX")),
                    ("schemeUri", Some("https://spdx.org/licenses/")),
                    ("lang", Some("en")),
                ]))
            }
            Rights::Custom { title, link, .. } => {
                let (text, lang) = best(title)?;
                Some(object(&[
                    ("rights", Some(text)),
                    ("rightsUri", link.as_deref()),
                    ("lang", Some(lang).filter(|l| !l.is_empty())),
                ]))
            }
        })
        .collect();
    if let Some(text) = &record.metadata.copyright {
        all.push(object(&[("rights", Some(&html::plain_text(text)))]));
    }
    let status = record.access_status();
    all.push(object(&[
        ("rights", Some(&status.label(Locale::En))),
        ("rightsUri", Some(status.eurepo())),
        ("lang", Some("en")),
    ]));
    all.dedup();
    all.into()
}

fn descriptions(record: &Record, main: Option<&str>) -> Value {
    let m = &record.metadata;
    let mut all = Vec::new();
    if let Some(d) = &m.description {
        all.push(object(&[
            ("description", Some(&html::plain_text(d))),
            ("descriptionType", Some("Abstract")),
            ("lang", main),
        ]));
    }
    for d in &m.additional_descriptions {
        let kind = d
            .kind
            .as_ref()
            .and_then(|k| vocabulary::get(Vocabulary::DescriptionTypes, &k.id))
            .and_then(|e| e.prop("datacite"));
        let one = object(&[
            ("description", Some(&html::plain_text(&d.description))),
            ("descriptionType", Some(kind.unwrap_or("Other"))),
            ("lang", d.lang.as_ref().map(|l| vocabulary::bcp47(&l.id))),
        ]);
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.into()
}

fn location(location: &Location) -> Option<Value> {
    let mut out = object(&[("geoLocationPlace", location.place.as_deref())]);
    if let Some(shape) = location.geometry.as_ref() {
        geometry(shape, &mut out);
    }
    out.as_object()
        .is_some_and(|o| !o.is_empty())
        .then_some(out)
}

fn geometry(shape: &Geometry, out: &mut Value) {
    let point = |(x, y): (f64, f64)| json!({"pointLongitude": x, "pointLatitude": y});
    if let Some(p) = shape.point() {
        out["geoLocationPoint"] = point(p);
    } else if let Some(ring) = shape.polygon().filter(|r| r.len() <= MAX_CORNERS) {
        out["geoLocationPolygon"] = ring
            .into_iter()
            .map(|p| json!({"polygonPoint": point(p)}))
            .collect();
    } else if let Some(b) = shape.bounds() {
        out["geoLocationBox"] = json!({
            "westBoundLongitude": b.west, "eastBoundLongitude": b.east,
            "southBoundLatitude": b.south, "northBoundLatitude": b.north,
        });
    }
}

fn funding(funding: &Funding) -> Value {
    let id = funding
        .funder
        .id
        .as_ref()
        .map(|id| format!("https://ror.org/{id}"));
    let name = funding.funder.label(Locale::En);
    let award = funding.award.as_ref();
    let number = award.and_then(|a| {
        a.number
            .as_deref()
            .or_else(|| a.id.as_deref()?.split("::").nth(1))
    });
    let uri = award.and_then(|a| {
        a.identifiers
            .iter()
            .find_map(|i| identifiers::url(&i.scheme, &i.identifier))
    });
    object(&[
        (
            "funderName",
            Some(if name.is_empty() {
                id.as_deref().unwrap_or(":unav")
            } else {
                name
            }),
        ),
        ("funderIdentifier", id.as_deref()),
        ("funderIdentifierType", id.as_ref().map(|_| "ROR")),
        ("awardNumber", number),
        ("awardUri", uri.as_deref()),
        (
            "awardTitle",
            award.and_then(|a| best(&a.title)).map(|(t, _)| t),
        ),
    ])
}
