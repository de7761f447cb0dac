//! The read shape: the stored metadata, with what a reader needs to show it without look-ups.

use serde_json::{Map, Value, json};

use super::{
    model::Metadata,
    vocabulary::{self, Vocabulary},
};

/// The dialect's `metadata` as it is read: terms with their titles in both languages, computed names,
/// licences with their links. (Names of organisations known by ROR id were filled in when read.)
pub fn dump(metadata: &Metadata) -> Value {
    // Serialising plain structs into a `Value` has no way to fail; an empty object is still JSON.
    let mut value = serde_json::to_value(metadata).unwrap_or_else(|_| json!({}));
    titled(value.get_mut("resource_type"), Vocabulary::ResourceTypes);
    each(&mut value, "languages", |v| {
        titled(Some(v), Vocabulary::Languages);
    });
    each(&mut value, "additional_titles", |v| {
        titled(v.get_mut("type"), Vocabulary::TitleTypes);
        titled(v.get_mut("lang"), Vocabulary::Languages);
    });
    each(&mut value, "additional_descriptions", |v| {
        titled(v.get_mut("type"), Vocabulary::DescriptionTypes);
        titled(v.get_mut("lang"), Vocabulary::Languages);
    });
    each(&mut value, "dates", |v| {
        titled(v.get_mut("type"), Vocabulary::DateTypes);
    });
    each(&mut value, "related_identifiers", |v| {
        titled(v.get_mut("relation_type"), Vocabulary::RelationTypes);
        titled(v.get_mut("resource_type"), Vocabulary::ResourceTypes);
    });
    for (key, agents, roles) in [
        ("creators", &metadata.creators, Vocabulary::CreatorsRoles),
        (
            "contributors",
            &metadata.contributors,
            Vocabulary::ContributorsRoles,
        ),
    ] {
        let mut names = agents.iter().map(|a| a.person_or_org.name());
        each(&mut value, key, |v| {
            let name = names.next().unwrap_or_default();
            if let Some(who) = v.get_mut("person_or_org").filter(|_| !name.is_empty()) {
                who["name"] = Value::String(name);
            }
            titled(v.get_mut("role"), roles);
        });
    }
    each(&mut value, "rights", licence);
    each(&mut value, "subjects", subject);
    value
}

fn each(value: &mut Value, key: &str, f: impl FnMut(&mut Value)) {
    if let Some(Value::Array(list)) = value.get_mut(key) {
        list.iter_mut().for_each(f);
    }
}

fn entry(value: &Value, vocabulary: Vocabulary) -> Option<&'static vocabulary::Entry> {
    vocabulary::get(vocabulary, value.get("id")?.as_str()?)
}

fn titles(entry: &vocabulary::Entry) -> Value {
    json!({"en": entry.en, "vi": entry.vi})
}

/// `{"id": …}` gets its `title`.
fn titled(value: Option<&mut Value>, vocabulary: Vocabulary) {
    if let Some(value) = value
        && let Some(entry) = entry(value, vocabulary)
    {
        value["title"] = titles(entry);
    }
}

fn licence(value: &mut Value) {
    let Some(entry) = entry(value, Vocabulary::Licenses) else {
        return;
    };
    value["title"] = titles(entry);
    if let (Some(en), Some(vi)) = (entry.prop("description_en"), entry.prop("description_vi")) {
        value["description"] = json!({"en": en, "vi": vi});
    }
    let mut props = Map::new();
    if let Some(url) = entry.prop("url") {
        props.insert("url".into(), url.into());
    }
    props.insert("scheme".into(), "spdx".into());
    if entry.prop("osi").is_some() {
        props.insert("osi_approved".into(), "y".into());
    }
    value["props"] = Value::Object(props);
}

fn subject(value: &mut Value) {
    if let Some(entry) = entry(value, Vocabulary::Subjects) {
        value["subject"] = Value::from(entry.en);
        value["scheme"] = Value::from(entry.prop("scheme").unwrap_or_default());
        value["title"] = titles(entry);
    }
}
