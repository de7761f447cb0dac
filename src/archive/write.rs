//! Writing a version: plan the inventory, then let the store make it appear whole.
//!
//! A new object is one folder that appears with everything in it. A further version is its folder first, then
//! the object's inventory, then the inventory's sidecar. Until the last step a reader sees the old head.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{
    Archive, Inventory, LogicalPath, ObjectId, ObjectPath, User, VersionNum,
    inventory::{Algorithm, INVENTORY, Spec, Version},
    layout, parse_path, path,
    read::sidecar_digest,
    recover, validate,
};
use crate::{
    error::{Error, Problem, Result},
    ids::{Md5, Sha256},
    store::object::{Commit, ContentPath, Entry, EntrySource, Lock, Note},
};

/// What a version is to hold: all of it, also what did not change (OCFL versions are snapshots).
#[derive(Debug)]
pub struct NewVersion {
    pub files: Vec<NewFile>,
    pub message: String,
    pub user: User,
    pub created: DateTime<Utc>,
}

#[derive(Debug)]
pub struct NewFile {
    pub logical: LogicalPath,
    pub source: Source,
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// Kept in the inventory's fixity block.
    pub md5: Option<Md5>,
}

/// Where a file's bytes come from. Content that the object already has is not stored again, whatever is said here.
#[derive(Debug)]
pub enum Source {
    /// A finished upload; it stays in staging until the caller discards it.
    Staged(String),
    Bytes(Bytes),
    /// An earlier version of this object has it.
    Existing,
}

impl NewFile {
    /// A file that is made here, such as `record.json`.
    pub fn of_bytes(logical: LogicalPath, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            logical,
            sha256: Sha256(Sha256Hasher::digest(&bytes).into()),
            size: bytes.len() as u64,
            source: Source::Bytes(bytes),
            md5: None,
        }
    }
}

/// A version that is in the archive, and not yet published: that is the database's to say.
#[derive(Debug)]
pub struct WrittenVersion {
    pub version: u32,
    /// SHA-256 of the object's `inventory.json` as it is with this version.
    pub inventory_sha256: Sha256,
    /// Where each file's bytes are, for [`Archive::open_file`].
    pub content: BTreeMap<LogicalPath, ContentPath>,
}

/// The right to change one object, held until dropped.
#[derive(Debug)]
pub struct Writer {
    archive: Archive,
    id: ObjectId,
    lock: Lock,
}

impl Archive {
    /// Waits for the right to change an object; across processes on one folder too.
    ///
    /// Take it before reading the head from the database, and keep it until the transaction is through: an
    /// unfinished version beyond the head that is then given is taken for the leftover of a crash and removed.
    /// Hold one at a time, since objects share locks.
    pub async fn lock(&self, id: &ObjectId) -> Result<Writer> {
        Ok(Writer {
            archive: self.clone(),
            id: id.clone(),
            lock: self.objects.lock(layout::digest(id).0[0]).await?,
        })
    }
}

impl Writer {
    pub fn object(&self) -> &ObjectId {
        &self.id
    }

    /// Writes version `expected_head + 1`. `expected_head` is the version that the database has published last,
    /// 0 for none. Durable on return; call [`Writer::done`] after the database's transaction.
    ///
    /// A leftover of an earlier try is removed first. Another head is `Conflict("archive-head")`: nothing is
    /// removed that was not noted as unfinished.
    pub async fn write(
        &mut self,
        expected_head: u32,
        version: NewVersion,
    ) -> Result<WrittenVersion> {
        self.archive.settle(&self.id, expected_head).await?;
        let root = layout::object_root(&self.id)?;
        let before = if expected_head == 0 {
            None
        } else {
            self.archive
                .inventory_at(&root)
                .await?
                .map(|(inventory, _)| inventory)
        };
        let id = self.id.clone();
        // Sorting and serializing a hundred thousand files is not for a thread that serves requests.
        let plan = tokio::task::spawn_blocking(move || plan(id, before, version, &root));
        let (commit, written) = plan.await.map_err(|e| Error::internal("archive", e))??;
        self.archive.objects.commit(commit).await?;
        // A lock that a database lent may have been lost on the way; then another process may be writing too.
        self.lock.check().await?;
        Ok(written)
    }

    /// Removes the version beyond `to_head`, the version that the database has published last (0: the whole
    /// object). Only one that was written and not yet [`done`](Writer::done); else `Conflict("archive-head")`.
    pub async fn rollback(&mut self, to_head: u32) -> Result<()> {
        self.archive.rollback_locked(&self.id, to_head).await?;
        self.archive.objects.forget(&note_name(&self.id)).await
    }

    /// The database lists the version now: nothing is left to recover.
    pub async fn done(self) -> Result<()> {
        self.archive.objects.forget(&note_name(&self.id)).await
    }
}

pub(super) fn note_name(id: &ObjectId) -> String {
    layout::digest(id).to_hex()
}

/// The inventory after the new version, and what the store must do for it.
fn plan(
    id: ObjectId,
    before: Option<Inventory>,
    new: NewVersion,
    root: &ContentPath,
) -> Result<(Commit, WrittenVersion)> {
    let mut inventory = before.unwrap_or_else(|| Inventory {
        id: id.clone(),
        spec: Spec::V1_1,
        algorithm: Algorithm::Sha256,
        head: VersionNum::new(1),
        content_directory: "content".into(),
        manifest: BTreeMap::new(),
        versions: BTreeMap::new(),
        fixity: BTreeMap::new(),
    });
    let num = VersionNum::new(inventory.versions.len() as u32 + 1);
    inventory.head = num;
    refuse_clashes(&new.files)?;

    let mut files = new.files;
    files.sort_by(|a, b| a.logical.cmp(&b.logical));
    let (mut entries, mut state) = (Vec::new(), BTreeMap::<String, Vec<LogicalPath>>::new());
    let mut taken = path::Taken::default();
    let mut content = BTreeMap::new();
    for file in files {
        let digest = file.sha256.to_hex();
        let stands = if let Some(stands) = inventory.content_of(&digest) {
            stands.clone()
        } else {
            let name = format!("content/{}", path::content_name(&file.logical, &mut taken));
            let stands = object_path(&format!("{num}/{name}"))?;
            entries.push(Entry {
                path: parse_path(&name)?,
                source: entry_source(file.source, file.size, file.sha256, &id)?,
            });
            inventory
                .manifest
                .insert(digest.clone(), vec![stands.clone()]);
            if let Some(md5) = file.md5 {
                let block = inventory.fixity.entry("md5".into()).or_default();
                block.entry(md5.to_hex()).or_default().push(stands.clone());
            }
            stands
        };
        let full = root.join(stands.as_str());
        let full = full.map_err(|e| Error::internal("archive path", e))?;
        content.insert(file.logical.clone(), full);
        state.entry(digest).or_default().push(file.logical);
    }
    let version = Version {
        created: new.created.fixed_offset(),
        message: Some(new.message),
        user: Some(new.user),
        state,
    };
    inventory.versions.insert(num, version);
    let (commit, inventory_sha256) = commit(&inventory, num, root, entries)?;
    let written = WrittenVersion {
        version: num.number(),
        inventory_sha256,
        content,
    };
    Ok((commit, written))
}

/// Entries are relative to the version's folder; a first version brings the object around it. Gives the SHA-256 of
/// the inventory too.
fn commit(
    inventory: &Inventory,
    num: VersionNum,
    root: &ContentPath,
    entries: Vec<Entry>,
) -> Result<(Commit, Sha256)> {
    let (bytes, line) = inventory.to_files()?;
    // The sidecar has it already, unless the object is one of SHA-512 that came from elsewhere.
    let digest = sidecar_digest(&line)
        .and_then(|d| d.parse().ok())
        .unwrap_or_else(|| Sha256(Sha256Hasher::digest(&bytes).into()));
    let sidecar = inventory.algorithm.sidecar();
    let small = |path: &str, bytes: &Bytes| {
        Ok::<_, Error>(Entry {
            path: parse_path(path)?,
            source: EntrySource::Bytes(bytes.clone()),
        })
    };
    let below = |name: &str| parse_path(&format!("{root}/{name}"));
    let mut all = entries;
    all.push(small(INVENTORY, &bytes)?);
    all.push(small(&sidecar, &line)?);
    let note = Some(Note {
        name: note_name(&inventory.id),
        text: recover::note_text(num, &inventory.id),
    });
    if num.number() > 1 {
        let commit = Commit {
            folder: below(&num.to_string())?,
            entries: all,
            heads: vec![(below(INVENTORY)?, bytes), (below(&sidecar)?, line)],
            note,
        };
        return Ok((commit, digest));
    }
    for entry in &mut all {
        entry.path = parse_path(&format!("{num}/{}", entry.path))?;
    }
    let declaration = Bytes::from_static(layout::OBJECT_DECLARATION_TEXT.as_bytes());
    all.push(small(layout::OBJECT_DECLARATION, &declaration)?);
    all.push(small(&sidecar, &line)?);
    all.push(small(INVENTORY, &bytes)?);
    let commit = Commit {
        folder: root.clone(),
        entries: all,
        heads: Vec::new(),
        note,
    };
    Ok((commit, digest))
}

fn entry_source(source: Source, size: u64, sha256: Sha256, id: &ObjectId) -> Result<EntrySource> {
    match source {
        Source::Staged(name) => Ok(EntrySource::Staged { name, size, sha256 }),
        Source::Bytes(bytes) => {
            let found = Sha256(Sha256Hasher::digest(&bytes).into());
            if found == sha256 && bytes.len() as u64 == size {
                Ok(EntrySource::Bytes(bytes))
            } else {
                Err(Error::internal(
                    "archive",
                    format!("{id}: bytes are not {sha256}"),
                ))
            }
        }
        Source::Existing => Err(Error::internal("archive", format!("{id} has no {sha256}"))),
    }
}

/// A path twice, or as file and folder, cannot be in one version (OCFL E095).
fn refuse_clashes(files: &[NewFile]) -> Result<()> {
    if files.is_empty() {
        return Err(Error::internal("archive", "a version without files"));
    }
    let names: HashSet<&str> = files.iter().map(|f| f.logical.as_str()).collect();
    if names.len() < files.len() {
        return Err(Error::invalid("file-key-twice", "files"));
    }
    match validate::file_and_folder(&names) {
        Some(path) => {
            let problem = Problem::new("file-key-folder", "files").with("path", path);
            Err(Error::Invalid(vec![problem]))
        }
        None => Ok(()),
    }
}

fn object_path(path: &str) -> Result<ObjectPath> {
    path.parse()
        .map_err(|e| Error::internal("archive path", format!("{path:?}: {e}")))
}
