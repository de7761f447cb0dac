//! The archive: every published record as an OCFL 1.1 object, readable in fifty years with a text editor.
//!
//! One object per concept record (`urn:kho:<parent id>`), one OCFL version per published version: its
//! `record.json`, further metadata files, and `files/<key>`. A file that did not change is stored once
//! (forward delta). The database says which versions are published; what the archive has beyond that was
//! left by a crash and is rolled back. `docs/adr/0003-ocfl-archive.md` says why it is as it is.
//!
//! Invariants:
//! * the folder of a version is never changed once it is there; it goes only by rollback, and only while
//!   the database does not list it;
//! * whoever writes holds the object's lock, from before reading the head in the database until after
//!   its transaction ([`Archive::lock`]).
//!
//! A withdrawal is a further OCFL version whose state has a tombstone beside what was there
//! (`withdrawn/<record>.json`); erasing bytes that the law wants gone will be a separate, loud
//! operation that rewrites the object. Nothing here stands in the way of it.
//!
//! Not here: the database, what a record's metadata mean, who may read what.

mod hash;
pub mod inventory;
pub mod layout;
pub mod pace;
pub mod path;
pub mod read;
pub mod recover;
mod validate;
pub mod verify;
pub mod walk;
pub mod write;

#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;

pub use self::{
    hash::sha256,
    inventory::{Inventory, User},
    pace::Pace,
    path::{LogicalPath, ObjectPath, VersionNum},
    read::VersionState,
    verify::{Damage, Depth, Finding, Inspection},
    write::{NewFile, NewVersion, Source, Writer, WrittenVersion},
};
use crate::{
    error::{Error, Result},
    ids::RecordId,
    store::object::{Commit, ContentPath, Entry, EntrySource, Objects},
};

/// The archive in an object store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    objects: Objects,
}

/// The identifier of an OCFL object, a URI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(String);

impl ObjectId {
    /// The object of a concept record and all its versions.
    pub fn of_parent(parent: &RecordId) -> Self {
        Self(format!("urn:kho:{parent}"))
    }

    /// As an inventory has it; anything but empty (OCFL 3.5.1).
    pub fn from_inventory(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The concept record, when this is an object of ours.
    pub fn parent(&self) -> Option<RecordId> {
        self.0.strip_prefix("urn:kho:")?.parse().ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Archive {
    /// Opens the archive, writing the storage root's declaration when there is none.
    pub async fn open(objects: Objects) -> Result<Self> {
        let declaration = parse_path(layout::ROOT_DECLARATION)?;
        if !objects.exists(&declaration).await? {
            let empty = objects.list_top().await?.is_empty();
            if !empty && !objects.exists(&parse_path(layout::ROOT_LAYOUT)?).await? {
                // Something else lives here; declaring it an OCFL root would make it ours.
                return Err(Error::internal("archive", "not empty and not an OCFL root"));
            }
            Self::write_root(&objects).await?;
        }
        Ok(Self { objects })
    }

    /// The declaration is written last, so that a crash before it means "not yet a root" and starts again.
    async fn write_root(objects: &Objects) -> Result<()> {
        let mut heads = Vec::new();
        for (path, text) in layout::ROOT_FILES {
            let path = parse_path(path)?;
            if let Some(folder) = path.parent() {
                let name = path.as_str().rsplit('/').next().unwrap_or_default();
                if objects.list(&folder).await?.is_empty() {
                    let source = EntrySource::Bytes(Bytes::from_static(text.as_bytes()));
                    let entries = vec![Entry {
                        path: parse_path(name)?,
                        source,
                    }];
                    let commit = Commit {
                        folder,
                        entries,
                        heads: Vec::new(),
                        note: None,
                    };
                    objects.commit(commit).await?;
                }
            } else {
                heads.push((path, Bytes::from_static(text.as_bytes())));
            }
        }
        objects.replace(heads).await
    }

    /// Is it there? For `/readyz`.
    pub async fn check(&self) -> Result<()> {
        let declaration = parse_path(layout::ROOT_DECLARATION)?;
        if self.objects.exists(&declaration).await? {
            Ok(())
        } else {
            Err(Error::Unavailable("the archive is not there".to_owned()))
        }
    }

    /// The store below, for staging and for reading content by its path.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }
}

/// A path that Kho put together itself.
fn parse_path(path: &str) -> Result<ContentPath> {
    path.parse()
        .map_err(|e| Error::internal("archive path", format!("{path:?}: {e}")))
}
