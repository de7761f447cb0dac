//! Identifiers, related works, references and funding.

use serde_json::Value;

use super::{
    MAX_TITLE,
    reader::{At, Reader},
};
use crate::{
    ids::{Malformed, Ror},
    metadata::{
        identifiers,
        model::{Award, Funder, Funding, Identifier, Reference, RelatedIdentifier},
        vocabulary::{self, Vocabulary},
    },
};

/// An identifier of the record itself under another scheme.
pub(super) fn identifier(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Identifier> {
    identifier_of(r, value, at, "record")
}

/// `whose` is the tag of the schemes that fit: `record`, `person` or `location`.
pub(super) fn identifier_of(
    r: &mut Reader,
    value: &Value,
    at: &At<'_>,
    whose: &str,
) -> Option<Identifier> {
    let map = r.object(value, at, &["identifier", "scheme"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let (identifier, scheme) = pair(r, get("identifier"), get("scheme"), at, whose)?;
    Some(Identifier { identifier, scheme })
}

pub(super) fn related(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<RelatedIdentifier> {
    let known = ["identifier", "scheme", "relation_type", "resource_type"];
    let map = r.object(value, at, &known)?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let relation_type = r.term(
        get("relation_type"),
        &at.key("relation_type"),
        Vocabulary::RelationTypes,
    );
    let resource_type = r.term(
        get("resource_type"),
        &at.key("resource_type"),
        Vocabulary::ResourceTypes,
    );
    let (identifier, scheme) = pair(r, get("identifier"), get("scheme"), at, "record")?;
    Some(RelatedIdentifier {
        identifier,
        scheme,
        relation_type,
        resource_type,
    })
}

pub(super) fn reference(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Reference> {
    let map = r.object(value, at, &["reference", "scheme", "identifier"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let reference = r.text(get("reference"), &at.key("reference"), MAX_TITLE);
    if reference.is_none() && get("reference").is_null() {
        r.wrong("reference-empty", at);
    }
    let named = if get("identifier").is_null() {
        None
    } else {
        pair(r, get("identifier"), get("scheme"), at, "")
    };
    let (identifier, scheme) = named.unzip();
    Some(Reference {
        reference: reference?,
        scheme,
        identifier,
    })
}

/// The identifier in its bare form and its scheme, guessed when it was left out.
fn pair(
    r: &mut Reader,
    identifier: &Value,
    scheme: &Value,
    at: &At<'_>,
    whose: &str,
) -> Option<(String, String)> {
    let id_at = at.key("identifier");
    let scheme_at = at.key("scheme");
    let text = r.text(identifier, &id_at, identifiers::MAX_LENGTH);
    if text.is_none()
        && identifier.as_str().is_none_or(|s| s.trim().is_empty())
        && !is_wrong_type(identifier)
    {
        r.wrong("identifier-empty", &id_at);
    }
    let given = r.line(scheme, &scheme_at);
    let text = text?;
    let scheme = if let Some(given) = given.map(|s| s.to_lowercase()) {
        let entry = vocabulary::get(Vocabulary::IdentifierSchemes, &given)
            .filter(|e| whose.is_empty() || e.tagged(whose));
        if entry.is_none() {
            r.wrong_value("unknown-scheme", &scheme_at, &given);
        }
        entry?.id
    } else {
        let guessed = guess(&text, whose);
        if guessed.is_none() {
            r.wrong_value("scheme-missing", &scheme_at, &text);
        }
        guessed?
    };
    match identifiers::normalize(scheme, &text) {
        Ok(bare) => Some((bare, scheme.to_owned())),
        Err(Malformed(code)) => {
            r.wrong_value(code, &id_at, &text);
            None
        }
    }
}

fn is_wrong_type(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::String(_))
}

fn guess(text: &str, whose: &str) -> Option<&'static str> {
    match whose {
        "person" => ["orcid", "ror", "isni"]
            .into_iter()
            .find(|s| identifiers::normalize(s, text).is_ok()),
        "location" => identifiers::normalize("wikidata", text)
            .is_ok()
            .then_some("wikidata"),
        _ => identifiers::detect(text),
    }
}

pub(super) fn funding(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Funding> {
    let map = r.object(value, at, &["funder", "award"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let funder = funder(r, get("funder"), &at.key("funder"));
    let award = award(r, get("award"), &at.key("award"));
    if funder.is_none() && get("funder").is_null() {
        r.wrong("funder-empty", &at.key("funder"));
    }
    Some(Funding {
        funder: funder?,
        award,
    })
}

fn funder(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Funder> {
    let map = r.object(
        value,
        at,
        &["id", "name", "title", "country", "identifiers"],
    )?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let id = r.parsed::<Ror>(get("id"), &at.key("id"));
    let name = r.line(get("name"), &at.key("name"));
    if id.is_none() && name.is_none() {
        if get("id").is_null() {
            r.wrong("funder-empty", at);
        }
        return None;
    }
    let name = id
        .as_ref()
        .and_then(|id| vocabulary::organisation(id.as_str()))
        .map_or(name, |entry| Some(entry.en.to_owned()));
    Some(Funder { id, name })
}

fn award(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Award> {
    let known = [
        "id",
        "title",
        "number",
        "identifiers",
        "acronym",
        "program",
        "funder",
        "subjects",
    ];
    let map = r.object(value, at, &known)?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let award = Award {
        id: r.line(get("id"), &at.key("id")),
        title: r.texts(get("title"), &at.key("title"), MAX_TITLE),
        number: r.line(get("number"), &at.key("number")),
        identifiers: r.list(get("identifiers"), &at.key("identifiers"), identifier),
    };
    if award == Award::default() {
        r.wrong("award-empty", at);
        return None;
    }
    Some(award)
}
