//! What of a version goes into the archive: its files under their own names, and `record.json`, from
//! which everything else can be made again.

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::{
    archive::{LogicalPath, NewFile, Source, WrittenVersion},
    ctx::moment,
    deposit::{self, Draft},
    error::{Error, Result},
    ids::{FileKey, Md5, Sha256},
    store::table::{deposit::draft_file, record::record_file},
    text::timestamp,
};

/// `record.json` of a version: all that `kho rebuild` needs beside the files. Times are ISO 8601.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot<F = Vec<SnapshotFile>> {
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
    /// When written, made of the files at hand one after the other.
    pub files: F,
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
    /// Eight hex digits; absent in what an older program wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    pub mimetype: String,
    pub metadata: Value,
}

/// A file of a draft that is complete, as publishing needs it: the one list of them there is, so small.
#[derive(Debug)]
pub(super) struct ReadyFile {
    pub key: String,
    pub size: i64,
    pub sha256: Sha256,
    pub md5: Md5,
    pub crc32: Option<i64>,
    pub mimetype: String,
    pub metadata: String,
    /// Taken when the archive is told where the bytes are.
    pub staged: Option<String>,
}

/// The files as `record.json` has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing<'a>(&'a [ReadyFile]);

impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter().map(|f| SnapshotFile {
            key: f.key.clone(),
            size: f.size,
            sha256: f.sha256.to_hex(),
            md5: f.md5.to_hex(),
            crc32: f.crc32.map(|n| format!("{n:08x}")),
            mimetype: f.mimetype.clone(),
            metadata: serde_json::from_str(&f.metadata).unwrap_or_default(),
        }))
    }
}

/// Rows read together.
const STEP: u64 = 2_000;

/// The files of a draft, with all that a completed one must have.
pub(super) async fn ready(db: &impl ConnectionTrait, draft: &str) -> Result<Vec<ReadyFile>> {
    let (mut out, mut after) = (Vec::new(), String::new());
    loop {
        let rows = deposit::rows_after(db, draft, &after, STEP).await?;
        let Some(last) = rows.last() else {
            return Ok(out);
        };
        after.clone_from(&last.key);
        for row in rows {
            out.push(ready_file(row)?);
        }
    }
}

fn ready_file(row: draft_file::Model) -> Result<ReadyFile> {
    if row.status != "completed" {
        // It was completed a moment ago, when the draft was checked.
        return Err(Error::conflict("changed-while-publishing"));
    }
    let broken = || Error::internal("a completed file lacks its digest", &row.key);
    let sha256 = row.sha256.as_deref().and_then(|s| s.parse().ok());
    let md5 = row.md5.as_deref().and_then(|s| s.parse().ok());
    Ok(ReadyFile {
        size: row.size.ok_or_else(broken)?,
        sha256: sha256.ok_or_else(broken)?,
        md5: md5.ok_or_else(broken)?,
        crc32: row.crc32,
        key: row.key,
        mimetype: row.mimetype,
        metadata: row.metadata,
        staged: row.staged,
    })
}

/// Are the files of a draft still these? Compared a page of rows at a time.
pub(super) async fn unchanged(
    db: &impl ConnectionTrait,
    draft: &str,
    files: &[ReadyFile],
) -> Result<bool> {
    let (mut rest, mut after) = (files, String::new());
    loop {
        let rows = deposit::rows_after(db, draft, &after, STEP).await?;
        let Some(last) = rows.last() else {
            return Ok(rest.is_empty());
        };
        after.clone_from(&last.key);
        let Some((expected, others)) = rest.split_at_checked(rows.len()) else {
            return Ok(false);
        };
        rest = others;
        let same = rows.iter().zip(expected).all(|(row, file)| {
            row.key == file.key
                && row.status == "completed"
                && row.size == Some(file.size)
                && row.sha256.as_deref().and_then(|s| s.parse().ok()) == Some(file.sha256)
                && row.metadata == file.metadata
        });
        if !same {
            return Ok(false);
        }
    }
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
pub(super) fn document<'a>(
    draft: &Draft,
    owner: SnapshotOwner,
    dois: (Option<String>, Option<String>),
    files: &'a [ReadyFile],
    (published, recorded): (i64, i64),
) -> Result<Snapshot<Listing<'a>>> {
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
        files: Listing(files),
    })
}

impl Snapshot<Listing<'_>> {
    /// The same without its files, for what outlives the list of them.
    pub(super) fn without_files(self) -> Snapshot<()> {
        Snapshot {
            format: self.format,
            id: self.id,
            parent: self.parent,
            version_index: self.version_index,
            revision: self.revision,
            owner: self.owner,
            doi: self.doi,
            doi_provider: self.doi_provider,
            parent_doi: self.parent_doi,
            communities: self.communities,
            created: self.created,
            published: self.published,
            recorded: self.recorded,
            by: self.by,
            metadata: self.metadata,
            access: self.access,
            custom_fields: self.custom_fields,
            files_enabled: self.files_enabled,
            default_preview: self.default_preview,
            files: (),
        }
    }

    /// `record.json`
    pub(super) fn text(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self)
            .map_err(|e| Error::internal("a snapshot does not serialise", e))
    }
}

/// The files of an archive version: `record.json` first, then the data.
pub(super) fn archive_files(text: Vec<u8>, files: &mut [ReadyFile]) -> Result<Vec<NewFile>> {
    let name = "record.json"
        .parse()
        .map_err(|e| Error::internal("record.json", e))?;
    let mut out = Vec::with_capacity(files.len() + 1);
    out.push(NewFile::of_bytes(name, text));
    for file in files {
        out.push(NewFile {
            logical: logical(&file.key)?,
            sha256: file.sha256,
            size: file.size as u64,
            md5: Some(file.md5),
            source: match file.staged.take() {
                Some(name) => Source::Staged(name),
                None => Source::Existing,
            },
        });
    }
    Ok(out)
}

/// Bytes that the archive took for this version; what an earlier one has is stored once.
pub(super) fn own_bytes(files: &[ReadyFile], written: &WrittenVersion) -> Result<i64> {
    let folder = format!("/v{}", written.version);
    let mut bytes = 0;
    for file in files {
        let place = written.content.get(&logical(&file.key)?);
        let root = place.and_then(|place| place.as_str().split_once("/content/"));
        if root.is_some_and(|(root, _)| root.ends_with(&folder)) {
            bytes += file.size;
        }
    }
    Ok(bytes)
}

/// The row of a new version's file, at the place where the archive put it.
pub(super) fn file_row(
    record: &str,
    file: ReadyFile,
    written: &WrittenVersion,
) -> Result<record_file::ActiveModel> {
    let place = written
        .content
        .get(&logical(&file.key)?)
        .ok_or_else(|| Error::internal("the archive did not place", &file.key))?;
    Ok(record_file::Model {
        record_id: record.to_owned(),
        size: file.size,
        sha256: file.sha256.to_hex(),
        md5: file.md5.to_hex(),
        crc32: file.crc32,
        mimetype: file.mimetype,
        content: place.to_string(),
        metadata: file.metadata,
        key: file.key,
    }
    .into())
}
