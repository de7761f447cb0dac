//! CSL-JSON 1.0: one item, as DOI content negotiation gives it.

use serde_json::{Map, Value, json};

use super::record::Record;
use crate::metadata::{
    html,
    model::{Agent, AgentKind, Subject},
    vocabulary::{self, Vocabulary},
};
use crate::text::Locale;

pub fn render(record: &Record) -> Value {
    let m = &record.metadata;
    let mut item = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            item.insert(key.to_owned(), value);
        }
    };
    put("id", Some(record.cite_url().into()));
    put("type", Some(record.type_as("csl", "document").into()));
    put("title", Some(record.title().into()));
    put("author", names(&m.creators));
    let editors: Vec<Agent> = m
        .contributors
        .iter()
        .filter(|c| c.role.as_ref().is_some_and(|r| r.id == "editor"))
        .cloned()
        .collect();
    put("editor", names(&editors));
    put("issued", Some(json!({"date-parts": [record.date_parts()]})));
    put("publisher", Some(record.publisher().into()));
    put("version", record.version().map(Value::from));
    put("DOI", record.doi.as_ref().map(|d| d.as_str().into()));
    put("URL", Some(record.cite_url().into()));
    put(
        "abstract",
        m.description.as_deref().map(|d| html::plain_text(d).into()),
    );
    put(
        "language",
        m.main_language().map(|l| vocabulary::bcp47(l).into()),
    );
    let keywords: Vec<&str> = m
        .subjects
        .iter()
        .map(|s| match s {
            Subject::Keyword { subject } => subject.as_str(),
            Subject::Term { id } => vocabulary::label(Vocabulary::Subjects, id, Locale::En),
        })
        .collect();
    put(
        "keyword",
        (!keywords.is_empty()).then(|| keywords.join(", ").into()),
    );
    Value::Object(item)
}

fn names(agents: &[Agent]) -> Option<Value> {
    let names: Vec<Value> = agents
        .iter()
        .map(|a| {
            let who = &a.person_or_org;
            match (who.kind, &who.family_name, &who.given_name) {
                (AgentKind::Personal, Some(family), Some(given)) => {
                    json!({"family": family, "given": given})
                }
                _ => json!({"literal": who.name()}),
            }
        })
        .collect();
    (!names.is_empty()).then(|| names.into())
}
