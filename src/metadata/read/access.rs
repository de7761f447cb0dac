//! The `access` section.

use chrono::NaiveDate;
use serde_json::Value;

use super::reader::{At, Reader};
use crate::{
    error::Problem,
    metadata::access::{Access, Embargo, Visibility},
};

/// The `access` section and everything wrong with it. What cannot be read as a visibility becomes
/// `restricted`: a mistake may hide, it may not reveal.
pub fn read_access(value: &Value) -> (Access, Vec<Problem>) {
    let mut r = Reader::default();
    let at = At::Root("access");
    let mut access = Access::default();
    if let Some(map) = r.object(value, &at, &["record", "files", "embargo", "status"]) {
        let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
        access = Access {
            record: visibility(&mut r, get("record"), &at.key("record")),
            files: visibility(&mut r, get("files"), &at.key("files")),
            embargo: embargo(&mut r, get("embargo"), &at.key("embargo")),
        };
    } else if !value.is_null() {
        access.record = Visibility::Restricted;
        access.files = Visibility::Restricted;
    }
    (access, r.problems)
}

fn visibility(r: &mut Reader, value: &Value, at: &At<'_>) -> Visibility {
    match value {
        Value::Null => Visibility::Public,
        Value::String(s) if s == "public" => Visibility::Public,
        Value::String(s) if s == "restricted" => Visibility::Restricted,
        Value::String(s) => {
            r.wrong_value("visibility", at, s);
            Visibility::Restricted
        }
        _ => {
            r.wrong("not-text", at);
            Visibility::Restricted
        }
    }
}

fn embargo(r: &mut Reader, value: &Value, at: &At<'_>) -> Embargo {
    let Some(map) = r.object(value, at, &["active", "until", "reason"]) else {
        return Embargo::default();
    };
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let active = match get("active") {
        Value::Null => false,
        Value::Bool(active) => *active,
        _ => {
            r.wrong("not-a-boolean", &at.key("active"));
            false
        }
    };
    let until = r.line(get("until"), &at.key("until")).and_then(|text| {
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10);
        if day.is_none() {
            r.wrong_value("day", &at.key("until"), &text);
        }
        day
    });
    Embargo {
        active,
        until,
        reason: r.line(get("reason"), &at.key("reason")),
    }
}
