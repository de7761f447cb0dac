//! Reading an object: which version is the newest, what is in a version, the bytes of a file.

use std::{collections::BTreeMap, ops::Range};

use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{
    Archive, Inventory, LogicalPath, ObjectId, VersionNum,
    inventory::{Algorithm, Fault, INVENTORY, MAX_BYTES, Version},
    layout,
};
use crate::{
    error::{Error, Kind, Result},
    ids::Sha256,
    store::object::{ContentPath, Reading},
};

/// One version of an object.
#[derive(Debug, Clone)]
pub struct VersionState {
    pub num: VersionNum,
    pub version: Version,
    /// Every file with where its bytes are.
    pub files: BTreeMap<LogicalPath, StoredFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub content: ContentPath,
    pub sha256: Sha256,
}

/// What the ledger holds of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 of the version's `inventory.json`.
    pub inventory: Sha256,
    /// SHA-256 of its `record.json`; none where the inventory cannot be read or names none.
    pub record: Option<Sha256>,
}

impl Archive {
    /// The newest version that the object's inventory names; 0 when there is no object. May be ahead of the
    /// database after a crash. Damage is an error.
    pub async fn head(&self, id: &ObjectId) -> Result<u32> {
        let root = layout::object_root(id)?;
        Ok(match self.inventory_at(&root).await? {
            None => 0,
            Some((inventory, _)) => same_object(inventory, id)?.head.number(),
        })
    }

    /// What is in a version. Read from the version's own inventory, which never changes, and checked
    /// against its sidecar.
    pub async fn version(&self, id: &ObjectId, version: u32) -> Result<VersionState> {
        let root = layout::object_root(id)?;
        let num = VersionNum::new(version);
        let folder = root.join(&num.to_string());
        let folder = folder.map_err(|e| Error::internal("archive path", e))?;
        let Some((inventory, sidecar_holds)) = self.inventory_at(&folder).await? else {
            return Err(Error::not_found(Kind::Record, format!("{id} {num}")));
        };
        let inventory = same_object(inventory, id)?;
        if !sidecar_holds || inventory.head != num {
            return Err(Error::internal(
                "archive",
                format!("{id}: inventory of {num} is damaged"),
            ));
        }
        state(&inventory, &root, num)
    }

    /// SHA-256 of the inventory of a version and of its `record.json`; `None` when there is no such inventory.
    /// Nothing else is looked at: a damaged inventory has a digest too, and it is not the one that was entered.
    pub async fn digests(&self, id: &ObjectId, version: u32) -> Result<Option<Digests>> {
        let num = VersionNum::new(version);
        let path = layout::object_root(id)?
            .join(&format!("{num}/{INVENTORY}"))
            .map_err(|e| Error::internal("archive path", e))?;
        let Some(bytes) = self.objects.get(&path, MAX_BYTES).await? else {
            return Ok(None);
        };
        let look = tokio::task::spawn_blocking(move || {
            let inventory = Sha256(Sha256Hasher::digest(&bytes).into());
            let record = Inventory::parse(&bytes).ok().and_then(|found| {
                let version = found.versions.get(&num)?;
                let mut state = version.state.iter();
                let (digest, _) =
                    state.find(|(_, paths)| paths.iter().any(|p| p.as_str() == "record.json"))?;
                digest.parse().ok()
            });
            Digests { inventory, record }
        });
        let digests = look.await.map_err(|e| Error::internal("inventory", e))?;
        Ok(Some(digests))
    }

    /// Bytes of a file, by the path that [`Archive::version`] or a write gave.
    pub async fn open_file(&self, path: &ContentPath, range: Range<u64>) -> Result<Reading> {
        self.objects.read(path, range).await
    }

    /// The inventory in a folder and whether its sidecar agrees; `None` when there is none.
    pub(super) async fn inventory_at(
        &self,
        folder: &ContentPath,
    ) -> Result<Option<(Inventory, bool)>> {
        let path = |name: &str| {
            let path = folder.join(name);
            path.map_err(|e| Error::internal("archive path", e))
        };
        let Some(bytes) = self.objects.get(&path(INVENTORY)?, MAX_BYTES).await? else {
            return Ok(None);
        };
        // Hashing and parsing megabytes is not for a thread that serves requests.
        let parsed = tokio::task::spawn_blocking(move || {
            let inventory = Inventory::parse(&bytes)?;
            let digest = inventory.algorithm.hex(&bytes);
            Ok::<_, Vec<Fault>>((inventory, digest))
        });
        let parsed = parsed.await.map_err(|e| Error::internal("inventory", e))?;
        let (inventory, digest) = parsed.map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            Error::internal(&format!("inventory in {folder}"), faults.join("; "))
        })?;
        let sidecar = self
            .objects
            .get(&path(&inventory.algorithm.sidecar())?, 1024)
            .await?;
        let holds = sidecar.is_some_and(|line| sidecar_digest(&line).as_ref() == Some(&digest));
        Ok(Some((inventory, holds)))
    }
}

/// The digest in a sidecar: `<digest> inventory.json` (OCFL 3.7); `None` when it is not such a line.
pub(super) fn sidecar_digest(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let (digest, name) = line
        .trim_end_matches(['\n', '\r'])
        .split_once([' ', '\t'])?;
    let ok = name.trim_start() == INVENTORY && digest.bytes().all(|b| b.is_ascii_hexdigit());
    ok.then(|| digest.to_ascii_lowercase())
}

fn same_object(inventory: Inventory, id: &ObjectId) -> Result<Inventory> {
    if inventory.id == *id {
        Ok(inventory)
    } else {
        let found = format!("holds {} where {id} belongs", inventory.id);
        Err(Error::internal("archive", found))
    }
}

/// A version of an inventory with full paths.
pub fn state(inventory: &Inventory, root: &ContentPath, num: VersionNum) -> Result<VersionState> {
    let damaged =
        |what: &str| Error::internal("archive", format!("{} {num}: {what}", inventory.id));
    if inventory.algorithm != Algorithm::Sha256 {
        return Err(damaged("not an object of SHA-256"));
    }
    let version = inventory
        .versions
        .get(&num)
        .ok_or_else(|| damaged("no such version"))?;
    let mut files = BTreeMap::new();
    for (digest, paths) in &version.state {
        let content = inventory
            .content_of(digest)
            .ok_or_else(|| damaged("no content"))?;
        let stored = StoredFile {
            content: root
                .join(content.as_str())
                .map_err(|e| Error::internal("archive path", e))?,
            sha256: digest.parse().map_err(|_| damaged("digest"))?,
        };
        for path in paths {
            files.insert(path.clone(), stored.clone());
        }
    }
    Ok(VersionState {
        num,
        version: version.clone(),
        files,
    })
}
