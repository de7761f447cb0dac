//! The folder of an index: generations side by side, a pointer to the current one, a stamp in each.
//!
//! ```text
//! <dir>/CURRENT            name of the folder in use, replaced by one rename
//! <dir>/gen-000007/        tantivy's files, and stamp.json: which schema and analyzer wrote them
//! <dir>/rebuild.lock       held while a new generation is written
//! ```
//!
//! A rebuild writes the next generation while the current one serves, then moves the pointer.
//! Whoever has the old one open goes on reading it; its files go when nobody needs them.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::index::{Batch, Generation};
use crate::schema::{Document, SCHEMA_VERSION};
use crate::vietnamese::ANALYZER_VERSION;

const POINTER: &str = "CURRENT";
const STAMP: &str = "stamp.json";
const LOCK: &str = "rebuild.lock";

/// Which code wrote a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    schema: u32,
    analyzer: u32,
}

impl Stamp {
    const OURS: Self = Self {
        schema: SCHEMA_VERSION,
        analyzer: ANALYZER_VERSION,
    };
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "schema {} analyzer {}", self.schema, self.analyzer)
    }
}

/// A new generation being written beside the current one. Dropped before [`Rebuild::finish`], it
/// leaves the current one in place and a folder that the next rebuild clears away.
#[derive(Debug)]
pub struct Rebuild {
    dir: PathBuf,
    name: String,
    batch: Batch,
    _lock: File,
}

impl Rebuild {
    /// Begins in a folder that may hold a good index, a damaged one or none.
    ///
    /// Fails with [`Error::Busy`] while another rebuild of this folder runs.
    pub fn begin(dir: &Path, writer_memory: usize) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let lock = lock(dir)?;
        // A pointer that cannot be read points to nothing worth keeping.
        let current = current(dir).unwrap_or_default();
        clear_except(dir, current.as_deref());
        let name = next_name(dir);
        let generation = Arc::new(create(dir, &name)?);
        Ok(Self {
            dir: dir.to_owned(),
            name,
            batch: Batch::begin(&generation, writer_memory)?,
            _lock: lock,
        })
    }

    pub fn upsert(&mut self, documents: &[Document]) -> Result<()> {
        self.batch.upsert(documents)
    }

    pub fn delete(&mut self, ids: &[String]) {
        self.batch.delete(ids);
    }

    /// Writes everything out and makes it current. `cursor`: up to where the change feed is in it;
    /// an index in service catches up from there.
    pub fn finish(self, cursor: u64) -> Result<()> {
        self.batch.commit_and_merge(cursor)?;
        point_to(&self.dir, &self.name)
    }
}

/// The name of the generation in use, `None` in an empty folder.
pub(crate) fn current(dir: &Path) -> Result<Option<String>> {
    match fs::read_to_string(dir.join(POINTER)) {
        Ok(name) if is_generation(name.trim()) => Ok(Some(name.trim().to_owned())),
        Ok(_) => Err(Error::Corrupt("its pointer names no generation".to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Io(error)),
    }
}

/// Opens a generation that this code wrote.
pub(crate) fn open(dir: &Path, name: &str) -> Result<Generation> {
    let folder = dir.join(name);
    let stamp = fs::read(folder.join(STAMP)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::Corrupt("its stamp is missing".to_owned()),
        _ => Error::Io(error),
    })?;
    let found: Stamp = serde_json::from_slice(&stamp)
        .map_err(|_| Error::Corrupt("its stamp is unreadable".to_owned()))?;
    if found != Stamp::OURS {
        return Err(Error::Outdated {
            found: found.to_string(),
            expected: Stamp::OURS.to_string(),
        });
    }
    Generation::open(name, &folder)
}

/// Makes an empty first generation and points to it.
pub(crate) fn create_first(dir: &Path) -> Result<Generation> {
    fs::create_dir_all(dir)?;
    let _lock = lock(dir)?;
    if let Some(name) = current(dir)? {
        return open(dir, &name);
    }
    clear_except(dir, None);
    let name = next_name(dir);
    let generation = create(dir, &name)?;
    point_to(dir, &name)?;
    Ok(generation)
}

/// Removes generations nobody points to, unless a rebuild is writing one.
pub(crate) fn clear_old(dir: &Path) {
    if let (Ok(_lock), Ok(Some(current))) = (lock(dir), current(dir)) {
        clear_except(dir, Some(&current));
    }
}

fn create(dir: &Path, name: &str) -> Result<Generation> {
    let folder = dir.join(name);
    fs::create_dir(&folder)?;
    let generation = Generation::create(name, &folder)?;
    let stamp = serde_json::to_vec(&Stamp::OURS).map_err(|e| Error::Engine(e.to_string()))?;
    write_synced(&folder.join(STAMP), &stamp)?;
    sync_dir(&folder)?;
    Ok(generation)
}

fn point_to(dir: &Path, name: &str) -> Result<()> {
    let fresh = dir.join(format!("{POINTER}.new"));
    write_synced(&fresh, name.as_bytes())?;
    // The generation's own entry must be on disk before anything points to it.
    sync_dir(dir)?;
    fs::rename(&fresh, dir.join(POINTER))?;
    sync_dir(dir)?;
    Ok(())
}

fn lock(dir: &Path) -> Result<File> {
    let file = File::create(dir.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy),
        Err(TryLockError::Error(error)) => Err(Error::Io(error)),
    }
}

/// Best effort: a folder that cannot be removed costs disk, not correctness.
fn clear_except(dir: &Path, keep: Option<&str>) {
    for name in generations(dir) {
        if Some(name.as_str()) != keep
            && let Err(error) = fs::remove_dir_all(dir.join(&name))
        {
            tracing::warn!(%name, %error, "an old search index could not be removed");
        }
    }
}

fn next_name(dir: &Path) -> String {
    let newest = generations(dir)
        .iter()
        .filter_map(|name| number(name))
        .max();
    let pointed = current(dir).unwrap_or_default().as_deref().and_then(number);
    format!("gen-{:06}", newest.max(pointed).unwrap_or(0) + 1)
}

fn generations(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| is_generation(name)).collect()
}

fn is_generation(name: &str) -> bool {
    number(name).is_some()
}

fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("gen-")?;
    let plain =
        digits.len() >= 6 && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> Result<()> {
    Ok(File::open(dir)?.sync_all()?)
}

#[cfg(not(unix))]
fn sync_dir(_: &Path) -> Result<()> {
    Ok(())
}
