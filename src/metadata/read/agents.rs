//! Creators and contributors.

use serde_json::Value;

use super::{
    reader::{At, Reader},
    works,
};
use crate::{
    ids::Ror,
    metadata::{
        model::{Affiliation, Agent, AgentKind, PersonOrOrg},
        vocabulary::{self, Vocabulary},
    },
};

pub(super) fn agent(
    r: &mut Reader,
    value: &Value,
    at: &At<'_>,
    roles: Vocabulary,
) -> Option<Agent> {
    let map = r.object(value, at, &["person_or_org", "role", "affiliations"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    Some(Agent {
        person_or_org: person_or_org(r, get("person_or_org"), &at.key("person_or_org")),
        role: r.term(get("role"), &at.key("role"), roles),
        affiliations: r.list(get("affiliations"), &at.key("affiliations"), affiliation),
    })
}

/// A person's `name` is computed and an organisation's `family_name` meaningless: both are ignored.
fn person_or_org(r: &mut Reader, value: &Value, at: &At<'_>) -> PersonOrOrg {
    let known = ["type", "name", "family_name", "given_name", "identifiers"];
    let Some(map) = r.object(value, at, &known) else {
        return PersonOrOrg::default();
    };
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let named = |key: &str| get(key).as_str().is_some_and(|s| !s.trim().is_empty());
    let kind = match get("type") {
        Value::String(s) if s == "personal" => AgentKind::Personal,
        Value::String(s) if s == "organizational" => AgentKind::Organizational,
        other => {
            if let Value::String(s) = other {
                r.wrong_value("agent-type", &at.key("type"), s);
            } else if !other.is_null() {
                r.wrong("not-text", &at.key("type"));
            }
            if named("name") && !named("family_name") {
                AgentKind::Organizational
            } else {
                AgentKind::Personal
            }
        }
    };
    let personal = kind == AgentKind::Personal;
    PersonOrOrg {
        kind,
        family_name: if personal {
            r.line(get("family_name"), &at.key("family_name"))
        } else {
            None
        },
        given_name: if personal {
            r.line(get("given_name"), &at.key("given_name"))
        } else {
            None
        },
        organisation: if personal {
            None
        } else {
            r.line(get("name"), &at.key("name"))
        },
        identifiers: r.list(get("identifiers"), &at.key("identifiers"), |r, v, at| {
            works::identifier_of(r, v, at, "person")
        }),
    }
}

/// An organisation of the vocabulary has the name it has there, so that the archive holds it too.
fn affiliation(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Affiliation> {
    let map = r.object(
        value,
        at,
        &["id", "name", "identifiers", "acronym", "title"],
    )?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let id = r.parsed::<Ror>(get("id"), &at.key("id"));
    let name = r.line(get("name"), &at.key("name"));
    if id.is_none() && name.is_none() {
        if get("id").is_null() {
            r.wrong("affiliation-empty", at);
        }
        return None;
    }
    let name = id
        .as_ref()
        .and_then(|id| vocabulary::organisation(id.as_str()))
        .map_or(name, |entry| Some(entry.en.to_owned()));
    Some(Affiliation { id, name })
}
