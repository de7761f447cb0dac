//! Request bodies of JSON, bounded in size and depth, and the parts of one that the dialect names.

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use serde_json::Value;

use crate::{
    deposit::NewDraft,
    error::{Error, Problem, Result},
};

/// Most bytes of a body that is read whole.
pub const MOST: usize = 8 << 20;

/// Most values in a body. Parsed, each costs some hundred bytes, so a bomb of small ones must be refused
/// before it is parsed; a record with 10,000 creators has a third of this.
const MOST_VALUES: usize = 300_000;

/// Reads a body as JSON. serde_json stops at a depth of 128. An empty body is null; a content type may
/// carry parameters, and may be absent.
pub fn parse(headers: &HeaderMap, body: &Bytes) -> Result<Value> {
    if let Some(kind) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
    {
        let essence = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if !body.is_empty() && essence != "application/json" && !essence.ends_with("+json") {
            return Err(Error::BadRequest(
                Problem::new("content-type", "").with("type", essence),
            ));
        }
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let begun = body
        .iter()
        .filter(|b| matches!(b, b',' | b'[' | b'{'))
        .count();
    if begun > MOST_VALUES {
        let problem = Problem::new("too-many", "").with("limit", MOST_VALUES);
        return Err(Error::TooLarge(problem));
    }
    serde_json::from_slice(body)
        .map_err(|e| Error::BadRequest(Problem::new("json", "").with("why", e)))
}

/// Fields a client may send back though only the server sets them: GET, change, PUT must work.
const SERVERS_OWN: &[&str] = &[
    "id",
    "created",
    "updated",
    "expires_at",
    "revision_id",
    "is_draft",
    "is_published",
    "status",
    "versions",
    "parent",
    "links",
    "media_files",
    "errors",
    "stats",
    "deletion_status",
    "ui",
    "expanded",
    "$schema",
    "swh",
    "tombstone",
    "warnings",
];

/// The dialect's draft body. Unknown top-level fields are named, not refused.
pub fn draft(body: Value) -> Result<NewDraft> {
    let mut fields = match body {
        Value::Object(fields) => fields,
        Value::Null => serde_json::Map::new(),
        _ => return Err(Error::bad_request("json-object")),
    };
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let metadata = take("metadata");
    let access = take("access");
    let custom_fields = take("custom_fields");
    let files = take("files");
    let pids = take("pids");
    let doi = pids.get("doi").and_then(|doi| {
        let part = |name: &str| {
            doi.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Some((part("identifier"), part("provider")))
            .filter(|(identifier, _)| !identifier.is_empty())
    });
    let unknown = fields
        .keys()
        .filter(|k| !SERVERS_OWN.contains(&k.as_str()))
        .cloned()
        .collect();
    Ok(NewDraft {
        metadata,
        access,
        custom_fields,
        doi,
        files_enabled: files.get("enabled").and_then(Value::as_bool),
        default_preview: files
            .get("default_preview")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned),
        unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_get_gave_can_be_put_back() {
        let body = serde_json::json!({
            "id": "x", "links": {}, "metadata": {"title": "T"}, "revision_id": 3, "colour": "red",
            "pids": {"doi": {"identifier": "10.1/x", "provider": "external"}}, "files": {"enabled": false},
        });
        let new = draft(body).unwrap();
        assert_eq!(new.unknown, ["colour"]);
        assert_eq!(new.doi, Some(("10.1/x".to_owned(), "external".to_owned())));
        assert_eq!(new.files_enabled, Some(false));
        assert!(draft(Value::from(3)).is_err());
    }

    #[test]
    fn deep_json_is_refused() {
        let deep = "[".repeat(100_000);
        assert!(parse(&HeaderMap::new(), &Bytes::from(deep)).is_err());
    }
}
