//! What of a version goes into the archive: its files under their own names, and `record.json`, from
//! which everything else can be made again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    archive::{LogicalPath, NewFile, Source, WrittenVersion},
    ctx::moment,
    deposit::Draft,
    error::{Error, Result},
    ids::{FileKey, Md5, Sha256},
    store::table::{deposit::draft_file, record::record_file},
    text::timestamp,
};

/// `record.json` of a version: all that `kho rebuild` needs beside the files. Times are ISO 8601.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// The shape of this document; raised when a reader must know.
    pub format: u32,
    pub id: String,
    pub parent: String,
    pub version_index: i64,
    pub revision: i64,
    pub owner: SnapshotOwner,
    pub doi: Option<String>,
    pub doi_provider: Option<String>,
    pub parent_doi: Option<String>,
    pub communities: Vec<String>,
    pub created: String,
    pub published: String,
    /// When this document was written: the publication, or the correction. Absent in early documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// Who wrote it; nobody where the program itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SnapshotOwner>,
    pub metadata: Value,
    pub access: Value,
    pub custom_fields: Value,
    pub files_enabled: bool,
    pub default_preview: Option<String>,
    pub files: Vec<SnapshotFile>,
}

/// Whose it is, by something that outlives account numbers; and the number, so that a rebuilt database
/// can use it again and links to the owner stay what they were.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SnapshotOwner {
    pub email: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SnapshotFile {
    pub key: String,
    pub size: i64,
    pub sha256: String,
    pub md5: String,
    pub mimetype: String,
    pub metadata: Value,
}

/// A file of a draft that is complete, as publishing needs it.
pub(super) struct ReadyFile {
    pub row: draft_file::Model,
    pub size: i64,
    pub sha256: Sha256,
    pub md5: Md5,
}

/// The files of a draft with all that a completed one must have.
pub(super) fn ready(rows: Vec<draft_file::Model>) -> Result<Vec<ReadyFile>> {
    rows.into_iter()
        .map(|row| {
            let broken = || Error::internal("a completed file lacks its digest", &row.key);
            Ok(ReadyFile {
                size: row.size.ok_or_else(broken)?,
                sha256: row
                    .sha256
                    .as_deref()
                    .and_then(|s| s.parse().ok())
                    .ok_or_else(broken)?,
                md5: row
                    .md5
                    .as_deref()
                    .and_then(|s| s.parse().ok())
                    .ok_or_else(broken)?,
                row,
            })
        })
        .collect()
}

/// Where a file of a version stands in its archive object.
pub(super) fn logical(key: &str) -> Result<LogicalPath> {
    let key: FileKey = key
        .parse()
        .map_err(|e| Error::internal("a stored key does not parse", e))?;
    format!("files/{key}")
        .parse()
        .map_err(|e| Error::internal("a key is no logical path", e))
}

/// The document for a draft that becomes (or corrects) a version. `dois`: the version's, the concept's;
/// `times`: of the publication and of this document.
pub(super) fn document(
    draft: &Draft,
    owner: SnapshotOwner,
    dois: (Option<String>, Option<String>),
    files: &[ReadyFile],
    (published, recorded): (i64, i64),
) -> Result<Snapshot> {
    let (row, parent) = (&draft.row, &draft.parent);
    let json = |e| Error::internal("a snapshot does not serialise", e);
    Ok(Snapshot {
        format: 1,
        id: row.id.clone(),
        parent: parent.id.clone(),
        version_index: row.version_index,
        revision: row.revision,
        owner,
        doi: dois.0,
        doi_provider: row.doi_provider.clone(),
        parent_doi: dois.1,
        communities: parent
            .communities
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect(),
        created: timestamp(moment(row.created)),
        published: timestamp(moment(published)),
        recorded: Some(timestamp(moment(recorded))),
        by: None,
        metadata: serde_json::to_value(&draft.metadata).map_err(json)?,
        access: serde_json::to_value(&draft.access).map_err(json)?,
        custom_fields: serde_json::from_str(&row.custom_fields).unwrap_or_default(),
        files_enabled: row.files_enabled,
        default_preview: row.default_preview.clone(),
        files: files
            .iter()
            .map(|f| SnapshotFile {
                key: f.row.key.clone(),
                size: f.size,
                sha256: f.sha256.to_hex(),
                md5: f.md5.to_hex(),
                mimetype: f.row.mimetype.clone(),
                metadata: serde_json::from_str(&f.row.metadata).unwrap_or_default(),
            })
            .collect(),
    })
}

/// The files of an archive version: `record.json` first, then the data.
pub(super) fn archive_files(snapshot: &Snapshot, files: &[ReadyFile]) -> Result<Vec<NewFile>> {
    let text = serde_json::to_vec_pretty(snapshot)
        .map_err(|e| Error::internal("a snapshot does not serialise", e))?;
    let name = "record.json"
        .parse()
        .map_err(|e| Error::internal("record.json", e))?;
    let mut out = vec![NewFile::of_bytes(name, text)];
    for file in files {
        out.push(NewFile {
            logical: logical(&file.row.key)?,
            sha256: file.sha256,
            size: file.size as u64,
            md5: Some(file.md5),
            source: match &file.row.staged {
                Some(name) => Source::Staged(name.clone()),
                None => Source::Existing,
            },
        });
    }
    Ok(out)
}

/// The rows of a new version's files, at the places where the archive put them.
pub(super) fn file_rows(
    record: &str,
    files: Vec<ReadyFile>,
    written: &WrittenVersion,
) -> Result<Vec<record_file::ActiveModel>> {
    files
        .into_iter()
        .map(|f| {
            let place = written
                .content
                .get(&logical(&f.row.key)?)
                .ok_or_else(|| Error::internal("the archive did not place", &f.row.key))?;
            Ok(record_file::Model {
                record_id: record.to_owned(),
                key: f.row.key,
                size: f.size,
                sha256: f.sha256.to_hex(),
                md5: f.md5.to_hex(),
                mimetype: f.row.mimetype,
                content: place.to_string(),
                metadata: f.row.metadata,
            }
            .into())
        })
        .collect()
}
