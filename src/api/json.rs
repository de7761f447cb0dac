//! Drafts, records and files in the dialect's JSON.

use serde_json::{Map, Value, json};

use crate::{
    api::links,
    catalog::{Concept, PublishedFile, Version},
    ctx::{Ctx, moment},
    deposit::{Draft, File, FileStatus},
    ids::{Md5, Sha256},
    metadata,
    text::timestamp,
    web::problem,
};

fn time(micros: i64) -> String {
    timestamp(moment(micros))
}

/// `pids.doi` of a DOI of ours or from elsewhere.
fn pids(doi: Option<&str>, provider: Option<&str>) -> Value {
    match doi {
        None => json!({}),
        Some(doi) if provider == Some("external") => {
            json!({"doi": {"identifier": doi, "provider": "external"}})
        }
        Some(doi) => {
            json!({"doi": {"identifier": doi, "provider": "datacite", "client": "datacite"}})
        }
    }
}

/// The `parent` of both: the concept.
fn concept(row: &Concept, manages: bool) -> Value {
    let communities: Vec<&str> = row.communities.split_whitespace().collect();
    let mut access = json!({
        "owned_by": {"user": row.owner_id.to_string()},
        "settings": {
            "allow_user_requests": false, "allow_guest_requests": false,
            "accept_conditions_text": null, "secret_link_expiration": 0,
        },
    });
    if manages {
        access["grants"] = json!([]);
        access["links"] = json!([]);
    }
    json!({
        "id": row.id,
        "pids": pids(row.doi.as_deref(), None),
        "communities": if communities.is_empty() { json!({}) } else { json!({"ids": communities}) },
        "access": access,
    })
}

/// A draft, with everything that is still wrong as `errors`.
pub fn draft(ctx: &Ctx, draft: &Draft) -> Value {
    let row = &draft.row;
    let entries: Map<String, Value> = draft
        .files
        .iter()
        .map(|f| {
            (
                f.key.clone(),
                record_entry(ctx, &row.id, "/draft", &entry(f)),
            )
        })
        .collect();
    let status = match (row.published, row.version_index) {
        (true, _) => "published",
        (false, 1) => "draft",
        (false, _) => "new_version_draft",
    };
    let mut out = json!({
        "id": row.id,
        "created": time(row.created),
        "updated": time(row.updated),
        "expires_at": null,
        "revision_id": row.revision,
        "is_draft": true,
        "is_published": row.published,
        "status": status,
        "versions": {
            "index": row.version_index,
            "is_latest": row.published && draft.parent.latest.as_deref() == Some(row.id.as_str()),
            "is_latest_draft": true,
        },
        "access": draft.access.dump(row.files_enabled, ctx.today()),
        "pids": pids(row.doi.as_deref(), row.doi_provider.as_deref()),
        "parent": concept(&draft.parent, true),
        "metadata": as_typed(draft),
        "custom_fields": serde_json::from_str::<Value>(&row.custom_fields).unwrap_or_default(),
        "files": {
            "enabled": row.files_enabled,
            "order": [],
            "count": draft.weight.files,
            "total_bytes": draft.weight.bytes,
            "default_preview": row.default_preview,
            "entries": entries,
        },
        "media_files": {"enabled": false, "order": [], "count": 0, "total_bytes": 0, "entries": {}},
        "links": links::draft(ctx, &row.id, row.published),
    });
    let warnings = draft.checklist.warnings();
    if !draft.problems.is_empty() {
        out["errors"] = problem::errors(&draft.problems, ctx.locale);
    }
    if !warnings.is_empty() {
        out["warnings"] = problem::errors(&warnings, ctx.locale);
    }
    out
}

/// What was typed, with what could be understood put in place of it: nothing that was sent is lost.
fn as_typed(draft: &Draft) -> Value {
    let mut out = draft.raw.clone();
    if !out.is_object() {
        out = json!({});
    }
    if let (Value::Object(typed), Value::Object(read)) = (&mut out, metadata::dump(&draft.metadata))
    {
        for (name, value) in read {
            let at = format!("metadata.{name}");
            let wrong = draft.problems.iter().any(|p| {
                p.path == at
                    || p.path
                        .strip_prefix(&at)
                        .is_some_and(|rest| rest.starts_with('.'))
            });
            if !wrong {
                typed.insert(name, value);
            }
        }
    }
    out
}

/// A published version. `files` are those to be listed; none where the caller may not have them.
pub fn record(ctx: &Ctx, of: &Version, files: &[PublishedFile]) -> Value {
    let row = of.row();
    let parent = of.parent();
    let mut listing = json!({"enabled": row.files_enabled, "order": []});
    if of.files_open {
        let entries: Map<String, Value> = files
            .iter()
            .map(|f| {
                (
                    f.key.clone(),
                    record_entry(ctx, &row.id, "", &published_entry(f)),
                )
            })
            .collect();
        listing["count"] = row.file_count.into();
        listing["total_bytes"] = row.total_bytes.into();
        listing["default_preview"] = json!(row.default_preview);
        listing["entries"] = entries.into();
    }
    let mut pid = pids(row.doi.as_deref(), row.doi_provider.as_deref());
    pid["oai"] =
        json!({"identifier": crate::publish::oai_identifier(ctx, &row.id), "provider": "oai"});
    json!({
        "id": row.id,
        "created": time(row.created),
        "updated": time(row.updated),
        "revision_id": row.revision,
        "is_draft": false,
        "is_published": true,
        "status": "published",
        "versions": {"index": row.version_index, "is_latest": row.is_latest},
        "access": of.access.dump(row.files_enabled, ctx.today()),
        "pids": pid,
        "parent": concept(parent, of.loaded.manages),
        "metadata": metadata::dump(&of.metadata),
        "custom_fields": of.custom_fields,
        "files": listing,
        "media_files": {"enabled": false, "order": [], "count": 0, "total_bytes": 0, "entries": {}},
        "deletion_status": {"is_deleted": false, "status": "P"},
        "links": links::record(ctx, &row.id, &parent.id, row.doi.as_deref(), parent.doi.as_deref()),
    })
}

/// A file as both kinds of listing know it.
pub struct Entry<'a> {
    pub key: &'a str,
    pub completed: bool,
    pub size: Option<u64>,
    pub md5: Option<String>,
    pub sha256: Option<String>,
    pub mimetype: &'a str,
    pub metadata: Value,
    pub times: Option<(i64, i64)>,
}

pub fn entry(f: &File) -> Entry<'_> {
    Entry {
        key: &f.key,
        completed: f.status == FileStatus::Completed,
        size: f.size,
        md5: f.md5.map(Md5::to_hex),
        sha256: f.sha256.map(Sha256::to_hex),
        mimetype: &f.mimetype,
        metadata: f.metadata.clone(),
        times: Some((f.created, f.updated)),
    }
}

pub fn published_entry(f: &PublishedFile) -> Entry<'_> {
    Entry {
        key: &f.key,
        completed: true,
        size: Some(f.size as u64),
        md5: Some(f.md5.clone()),
        sha256: Some(f.sha256.clone()),
        mimetype: &f.mimetype,
        metadata: serde_json::from_str(&f.metadata).unwrap_or_default(),
        times: None,
    }
}

/// An entry of `files.entries` in a record (an object by key).
fn record_entry(ctx: &Ctx, id: &str, at: &str, f: &Entry<'_>) -> Value {
    let ext = f
        .key
        .rsplit('/')
        .next()
        .and_then(|n| n.rsplit_once('.'))
        .map(|(_, e)| e.to_lowercase());
    let mut out = file(ctx, id, at, f);
    out["ext"] = json!(ext.unwrap_or_default());
    out["id"] = json!(f.sha256.as_deref().unwrap_or_default());
    out
}

/// An entry of a file listing (an array), and the answer of every file call.
pub fn file(ctx: &Ctx, id: &str, at: &str, f: &Entry<'_>) -> Value {
    let mut out = json!({
        "key": f.key,
        "status": if f.completed { "completed" } else { "pending" },
        "mimetype": f.mimetype,
        "storage_class": "L",
        "transfer": {"type": "L"},
        "metadata": f.metadata,
        "access": {"hidden": false},
        "links": links::file(ctx, id, at, f.key),
    });
    if let Some(size) = f.size {
        out["size"] = size.into();
    }
    if let Some(md5) = &f.md5 {
        out["checksum"] = format!("md5:{md5}").into();
    }
    if let Some(sha256) = &f.sha256 {
        out["sha256"] = sha256.as_str().into();
    }
    if let Some((created, updated)) = f.times {
        out["created"] = time(created).into();
        out["updated"] = time(updated).into();
    }
    out
}

/// What a listing of files says beside its entries.
pub fn listing(ctx: &Ctx, id: &str, at: &str, enabled: bool) -> Value {
    let base = &ctx.env.config.base_url;
    let own = format!("{base}/api/records/{id}{at}/files");
    if !enabled {
        return json!({"enabled": false, "links": {"self": own}});
    }
    let mut links = json!({ "self": own });
    if at.is_empty() {
        links["archive"] = format!("{own}-archive").into();
    }
    json!({
        "enabled": true,
        "default_preview": null,
        "order": [],
        "entries": [],
        "links": links,
    })
}
