//! After a crash: back to what the database says was published.
//!
//! The archive is written before the database's transaction, so a crash can leave a version that nobody
//! published. A note in the store, durable before the version appears and forgotten after the transaction,
//! says which objects to look at, so that a start costs nothing when nothing was interrupted.

use super::{
    Archive, ObjectId, VersionNum,
    inventory::{INVENTORY, MAX_BYTES},
    layout, parse_path,
    write::note_name,
};
use crate::{
    error::{Error, Result},
    store::object::{ContentPath, ListedKind, Note},
};

impl Archive {
    /// Rolls back every write that was interrupted, and returns how many there were.
    /// `published` tells the version of an object that the database has published last, 0 for none; it is
    /// asked while the object is locked, so that it waits for a write that another process is about to finish.
    pub async fn recover<F>(&self, mut published: impl FnMut(ObjectId) -> F) -> Result<usize>
    where
        F: Future<Output = Result<u32>>,
    {
        let notes = self.objects.notes().await?;
        let count = notes.len();
        for note in notes {
            let Some((_, id)) = read_note(&note) else {
                // Torn by a power cut before it was synced: then nothing of its version appeared either.
                self.objects.forget(&note.name).await?;
                continue;
            };
            let mut writer = self.lock(&id).await?;
            let head = published(id.clone()).await?;
            // A process that finished while this one waited has forgotten its note.
            if self.objects.note(&note.name).await?.is_some() {
                writer.rollback(head).await?;
            }
        }
        Ok(count)
    }

    /// The version of an object that is being written, or was when a crash came.
    pub(super) async fn unfinished(&self, id: &ObjectId) -> Result<Option<VersionNum>> {
        let note = self.objects.note(&note_name(id)).await?;
        Ok(note.as_ref().and_then(read_note).map(|(num, _)| num))
    }

    /// Is the object in this folder being written for the first time? On a store without rename it is there
    /// bit by bit, and without its inventory until the end.
    pub(super) async fn appears(&self, root: &ContentPath) -> Result<bool> {
        for note in self.objects.notes().await? {
            if let Some((num, id)) = read_note(&note)
                && num.number() == 1
                && layout::object_root(&id)? == *root
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes sure that the object stands exactly at `expected_head`.
    pub(super) async fn settle(&self, id: &ObjectId, expected_head: u32) -> Result<()> {
        let root = layout::object_root(id)?;
        let stands = match self.inventory_at(&root).await? {
            None => expected_head == 0,
            Some((inventory, holds)) => holds && inventory.head.number() == expected_head,
        };
        if stands && self.versions_beyond(&root, expected_head).await?.is_empty() {
            return Ok(());
        }
        self.rollback_locked(id, expected_head).await
    }

    /// First the head goes back, then the folder beyond it goes: whatever the head names is always there.
    ///
    /// Removes exactly the version that a note says is unfinished. Anything else beyond the head is a
    /// published version of which this database does not know (restored from an old backup, say), and stays.
    pub(super) async fn rollback_locked(&self, id: &ObjectId, to_head: u32) -> Result<()> {
        let root = layout::object_root(id)?;
        let beyond = self.versions_beyond(&root, to_head).await?;
        let unfinished = self.unfinished(id).await?;
        if beyond.iter().any(|num| Some(*num) != unfinished) {
            return Err(Error::conflict("archive-head"));
        }
        if to_head == 0 {
            return match unfinished {
                Some(_) => self.objects.remove(&root).await,
                None => Ok(()),
            };
        }
        let stands = match self.inventory_at(&root).await? {
            None => return Err(Error::conflict("archive-head")),
            Some((inventory, _)) if inventory.head.number() < to_head => {
                return Err(Error::conflict("archive-head"));
            }
            Some((inventory, holds)) => holds && inventory.head.number() == to_head,
        };
        if !stands {
            self.restore_head(id, &root, to_head).await?;
        }
        for num in beyond {
            self.objects
                .remove(&below(&root, &num.to_string())?)
                .await?;
        }
        Ok(())
    }

    /// The inventory of a version, from its own folder to the object's.
    async fn restore_head(&self, id: &ObjectId, root: &ContentPath, head: u32) -> Result<()> {
        let folder = below(root, &VersionNum::new(head).to_string())?;
        let damaged = || Error::internal("archive", format!("{id}: no sound inventory of v{head}"));
        let (inventory, true) = self.inventory_at(&folder).await?.ok_or_else(damaged)? else {
            return Err(damaged());
        };
        if inventory.id != *id || inventory.head.number() != head {
            return Err(damaged());
        }
        let mut files = Vec::new();
        for name in [INVENTORY.to_owned(), inventory.algorithm.sidecar()] {
            let bytes = self.objects.get(&below(&folder, &name)?, MAX_BYTES).await?;
            files.push((below(root, &name)?, bytes.ok_or_else(damaged)?));
        }
        self.objects.replace(files).await
    }

    async fn versions_beyond(&self, root: &ContentPath, head: u32) -> Result<Vec<VersionNum>> {
        let listed = self.objects.list(root).await?;
        let folders = listed.iter().filter(|l| l.kind == ListedKind::Folder);
        let versions = folders.filter_map(|l| l.name.parse::<VersionNum>().ok());
        Ok(versions.filter(|v| v.number() > head).collect())
    }
}

/// What a note says: the version that is being written, and the object.
pub(super) fn note_text(num: VersionNum, id: &ObjectId) -> String {
    format!("{num} {id}")
}

fn read_note(note: &Note) -> Option<(VersionNum, ObjectId)> {
    let (num, id) = note.text.split_once(' ')?;
    let id = ObjectId::from_inventory(id);
    (note.name == note_name(&id)).then_some((num.parse().ok()?, id))
}

fn below(folder: &ContentPath, name: &str) -> Result<ContentPath> {
    parse_path(&format!("{folder}/{name}"))
}
