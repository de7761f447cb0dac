//! Inventory, description and rows of one concept, held against each other.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::Finding;
use crate::{
    access,
    archive::{Inventory, ObjectPath, VersionNum},
    ctx::Ctx,
    error::Result,
    publish::{
        history::{self, Told, ToldRecord},
        snapshot::SnapshotFile,
    },
    store::{
        object::ContentPath,
        table::{
            deposit::parent,
            record::{record, record_file, record_revision},
        },
    },
};

/// Rows of files read at a time.
const STEP: u64 = 2_000;

/// Content path → the newest version that has the file.
pub(super) fn owners(
    records: &[record::Model],
    inventory: &Inventory,
    root: &ContentPath,
) -> HashMap<String, String> {
    let mut owners = HashMap::new();
    for row in records {
        let num = VersionNum::new(row.archive_version as u32);
        let Some(version) = inventory.versions.get(&num) else {
            continue;
        };
        for digest in version.state.keys() {
            for path in inventory.manifest.get(digest).into_iter().flatten() {
                owners.insert(format!("{root}/{path}"), row.id.clone());
            }
        }
    }
    owners
}

/// All that differs between what the object tells and what the rows say.
pub(super) async fn compare(
    ctx: &Ctx,
    parent: &parent::Model,
    records: &[record::Model],
    root: &ContentPath,
    inventory: &Inventory,
    sizes: &HashMap<ObjectPath, u64>,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let head = i64::from(inventory.head.number());
    if parent.archive_head != head {
        let told = format!(
            "the archive is at v{head}, the database at v{}",
            parent.archive_head
        );
        findings.push(Finding::new("head-differs", &parent.id, root, told));
    }
    let (told, unclear) = history::tell(ctx, root, inventory).await?;
    for one in unclear {
        findings.push(Finding::new(one.code, &parent.id, one.path, one.detail));
    }
    let Some(told) = told else {
        return Ok(findings);
    };
    concept(parent, &told, root, &mut findings);
    let mut rows: BTreeMap<&str, &record::Model> =
        records.iter().map(|r| (r.id.as_str(), r)).collect();
    for version in &told.records {
        let id = version.row.id.as_str();
        let Some(row) = rows.remove(id) else {
            let told = format!("version {} has no row", version.row.version_index);
            findings.push(Finding::new("row-missing", id, root, told));
            continue;
        };
        described(ctx, row, version, root, &mut findings);
        revisions(ctx, version, root, &mut findings).await?;
        files(ctx, version, root, inventory, sizes, &mut findings).await?;
    }
    for row in rows.into_values() {
        let told = "the archive has no such version";
        findings.push(Finding::new("row-surplus", &row.id, root, told));
    }
    Ok(findings)
}

fn concept(parent: &parent::Model, told: &Told, root: &ContentPath, findings: &mut Vec<Finding>) {
    let pairs = [
        ("doi", parent.doi.as_deref(), told.parent.doi.as_deref()),
        (
            "latest",
            parent.latest.as_deref(),
            told.parent.latest.as_deref(),
        ),
        (
            "communities",
            Some(parent.communities.as_str()),
            Some(told.parent.communities.as_str()),
        ),
    ];
    for (field, row, archive) in pairs {
        if row != archive {
            let detail = format!("{field} is {row:?}, in the archive {archive:?}");
            findings.push(Finding::new("row-differs", &parent.id, root, detail));
        }
    }
}

/// A version's row and its description. The texts of JSON columns are compared by what they mean.
fn described(
    ctx: &Ctx,
    row: &record::Model,
    version: &ToldRecord,
    root: &ContentPath,
    findings: &mut Vec<Finding>,
) {
    let told = &version.row;
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let today = ctx.today();
    let access = |text: &str| access::parse(text).effective(today);
    let stone = |text: &Option<String>| {
        let mut stone = json(text.as_deref().unwrap_or("null"));
        // Numbers of accounts belong to a database.
        if let Some(fields) = stone.as_object_mut() {
            fields.remove("removed_by");
        }
        stone
    };
    let checks = [
        ("parent", row.parent_id == told.parent_id),
        ("version", row.version_index == told.version_index),
        ("revision", row.revision == told.revision),
        (
            "archive version",
            row.archive_version == told.archive_version,
        ),
        ("metadata", json(&row.metadata) == json(&told.metadata)),
        ("access", access(&row.access) == access(&told.access)),
        (
            "custom fields",
            json(&row.custom_fields) == json(&told.custom_fields),
        ),
        ("DOI", row.doi == told.doi),
        ("title", row.title == told.title),
        ("files_enabled", row.files_enabled == told.files_enabled),
        ("preview", row.default_preview == told.default_preview),
        ("number of files", row.file_count == told.file_count),
        ("number of bytes", row.total_bytes == told.total_bytes),
        (
            "withdrawal",
            stone(&row.withdrawn) == stone(&told.withdrawn),
        ),
    ];
    for (field, same) in checks {
        if !same {
            let detail = format!("the row has another {field} than the archive");
            findings.push(Finding::new("row-differs", &row.id, root, detail));
        }
    }
}

async fn revisions(
    ctx: &Ctx,
    version: &ToldRecord,
    root: &ContentPath,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let id = &version.row.id;
    let rows = record_revision::Entity::find()
        .filter(record_revision::COLUMN.record_id.eq(id.as_str()))
        .all(ctx.env.db.read())
        .await?;
    let known: BTreeMap<i64, i64> = rows
        .into_iter()
        .map(|r| (r.revision, r.archive_version))
        .collect();
    for said in &version.revisions {
        let num = i64::from(said.version.number());
        if known.get(&said.revision) != Some(&num) {
            let detail = format!("revision {} of v{num} has no row", said.revision);
            findings.push(Finding::new("revision-missing", id, root, detail));
        }
    }
    Ok(())
}

/// What the archive says of a file of a version.
struct Expected {
    content: String,
    sha256: String,
    size: i64,
    md5: String,
}

/// The files of a version: description ↔ inventory ↔ bytes on the disk ↔ rows.
async fn files(
    ctx: &Ctx,
    version: &ToldRecord,
    root: &ContentPath,
    inventory: &Inventory,
    sizes: &HashMap<ObjectPath, u64>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let id = version.row.id.as_str();
    let Some(newest) = version.revisions.last() else {
        return Ok(());
    };
    let read = history::snapshot(&ctx.env.archive, root, inventory, newest.version).await?;
    let Ok(snapshot) = read else {
        // Said already by `history::tell`.
        return Ok(());
    };
    let mut expected = expect(
        id,
        snapshot.files,
        root,
        inventory,
        newest.version,
        sizes,
        findings,
    );
    let mut after = String::new();
    loop {
        let rows = record_file::Entity::find()
            .filter(record_file::COLUMN.record_id.eq(id))
            .filter(record_file::COLUMN.key.gt(after.as_str()))
            .order_by_asc(record_file::Column::Key)
            .limit(STEP)
            .all(ctx.env.db.read())
            .await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.key);
        for row in rows {
            let Some(said) = expected.remove(&row.key) else {
                let told = format!("the archive's version has no file {:?}", row.key);
                findings.push(Finding::new("file-row-surplus", id, &row.content, told));
                continue;
            };
            let checks = [
                ("size", row.size == said.size),
                ("sha256", row.sha256 == said.sha256),
                ("md5", row.md5 == said.md5),
                ("place", row.content == said.content),
            ];
            for (field, same) in checks {
                if !same {
                    let told = format!("{:?}: the row has another {field}", row.key);
                    findings.push(Finding::new("file-row-differs", id, &said.content, told));
                }
            }
        }
    }
    for (key, said) in expected {
        let told = format!("{key:?} has no row");
        findings.push(Finding::new("file-row-missing", id, said.content, told));
    }
    Ok(())
}

/// What the description and the inventory say of the files of a version, where they agree; where they do
/// not is found.
fn expect(
    id: &str,
    described: Vec<SnapshotFile>,
    root: &ContentPath,
    inventory: &Inventory,
    num: VersionNum,
    sizes: &HashMap<ObjectPath, u64>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, Expected> {
    let at = format!("{root}/{num}");
    let mut listed: HashMap<&str, &str> = HashMap::new();
    if let Some(version) = inventory.versions.get(&num) {
        for (digest, paths) in &version.state {
            for key in paths
                .iter()
                .filter_map(|p| p.as_str().strip_prefix("files/"))
            {
                listed.insert(key, digest);
            }
        }
    }
    let mut expected = BTreeMap::new();
    for file in described {
        let content = match listed.remove(file.key.as_str()) {
            Some(digest) if digest.eq_ignore_ascii_case(&file.sha256) => {
                inventory.content_of(digest)
            }
            Some(_) => {
                let told = format!("{:?}: inventory and description differ", file.key);
                findings.push(Finding::new("description-differs", id, &at, told));
                continue;
            }
            None => None,
        };
        let Some(content) = content else {
            let told = format!("{:?} is described and not in the inventory", file.key);
            findings.push(Finding::new("description-differs", id, &at, told));
            continue;
        };
        let full = format!("{root}/{content}");
        if let Some(&size) = sizes.get(content)
            && size != file.size as u64
        {
            let code = if size < file.size as u64 {
                "content-truncated"
            } else {
                "content-grown"
            };
            let told = format!(
                "{:?} has {size} bytes, {} were written",
                file.key, file.size
            );
            findings.push(Finding::new(code, id, &full, told));
        }
        let said = Expected {
            content: full,
            sha256: file.sha256,
            size: file.size,
            md5: file.md5,
        };
        expected.insert(file.key, said);
    }
    for key in listed.into_keys() {
        let told = format!("{key:?} is in the inventory and not described");
        findings.push(Finding::new("description-differs", id, &at, told));
    }
    expected
}
