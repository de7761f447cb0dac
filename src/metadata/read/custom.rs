//! `custom_fields`: what an installation or a discipline adds. Kept as JSON, bounded, keys `prefix:name`.

use serde_json::{Map, Value};

use super::reader::{At, Reader, weight};
use crate::error::Problem;

/// Bytes in all.
pub const MAX_CUSTOM: usize = 1_000_000;
const MAX_KEYS: usize = 200;
const MAX_DEPTH: usize = 16;

/// The custom fields whose keys are well formed, and everything wrong with them. Empty values are left out.
pub fn read_custom_fields(value: &Value) -> (Map<String, Value>, Vec<Problem>) {
    let mut r = Reader::default();
    let at = At::Root("custom_fields");
    let mut fields = Map::new();
    match value {
        Value::Null => {}
        Value::Object(_) if weight(value, MAX_CUSTOM).is_none() => {
            r.report(Problem::new("metadata-too-large", "custom_fields").with("limit", MAX_CUSTOM));
        }
        Value::Object(map) if map.len() > MAX_KEYS => {
            r.report(Problem::new("too-many", "custom_fields").with("limit", MAX_KEYS));
        }
        Value::Object(map) => {
            for (key, value) in map {
                if !is_key(key) {
                    r.wrong_value("custom-field-key", &at.key(key), key);
                } else if depth(value) > MAX_DEPTH {
                    r.report(
                        Problem::new("too-deep", at.key(key).to_string()).with("limit", MAX_DEPTH),
                    );
                } else if !value.is_null() {
                    fields.insert(key.clone(), without_nul(value));
                }
            }
        }
        _ => r.wrong("not-an-object", &at),
    }
    (fields, r.problems)
}

fn is_key(key: &str) -> bool {
    let part = |s: &str| {
        (1..=60).contains(&s.len())
            && s.bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
    };
    key.split_once(':').is_some_and(|(a, b)| part(a) && part(b))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// PostgreSQL keeps no NUL in JSON.
fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(s) => Value::String(s.replace('\0', "")),
        Value::Array(list) => Value::Array(list.iter().map(without_nul).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| (k.replace('\0', ""), without_nul(v)))
                .collect(),
        ),
        other => other.clone(),
    }
}
