//! The object store: the bytes of uploads and of the archive, in a folder or in a bucket.
//!
//! Two spaces, never mixed:
//!
//! * **staging**: uploads that belong to drafts, each under a name (a random token of the caller);
//! * **the archive tree**: what was published, under [`ContentPath`]s. Only `archive` knows what the
//!   paths mean (OCFL); this module knows how bytes become durable.
//!
//! # Contract (what every variant promises; `conformance` runs it on each)
//!
//! 1. [`Receiver::finish`] returns only when every byte and the name would survive a power cut. A name
//!    whose `finish` never returned may be there after a crash with any content, or not: the caller
//!    trusts only names it recorded after `finish`.
//! 2. A receiver dropped before `finish` leaves nothing under its name. Two receivers of one name never
//!    mix bytes: the last to finish wins. Starting again never changes bytes that were linked into the archive.
//! 3. Digests are of the bytes as they arrived. Memory for one upload is constant (about 3 MiB in a folder,
//!    three parts, 24 MiB, in a bucket), and no thread waits for a slow client.
//! 4. [`Objects::read`] gives exactly the bytes of the range or ends with an error; never fewer in silence.
//! 5. [`Objects::commit`] makes a folder of the archive tree appear whole or not at all, and only then
//!    replaces the head files, in the order given. On a store without rename the entries are written in
//!    the order given (runs of staged ones several at a time), so a reader must take the last one as the
//!    sign that the others are there, and the note as the word that something is under way.
//! 6. A failed `fsync` is never tried again: that upload or commit failed.
//! 7. A full disk is [`Error::Full`], and what had been written for it is removed.
//!
//! An enum and not a trait object: there are two variants in a lifetime, and a reader can follow the call. What
//! the bucket does is boxed, because its futures are large and would make those of the folder as large.

pub mod folder;
mod hashers;
mod lane;
mod lock;
mod path;
mod resume;
pub mod s3;

#[cfg(test)]
mod conformance;

use std::{io, ops::Range, path::Path, time::SystemTime};

use bytes::Bytes;
use futures::{FutureExt, stream::BoxStream};

pub use self::{
    lock::{Lock, Locks},
    path::ContentPath,
    resume::{PartPlan, PartReceiver, Progress, ReceivedPart},
};
use crate::{
    error::{Error, Result},
    ids::{Md5, Sha256},
};

/// Bytes of a range, in order. An item that is an error is the last.
pub type Reading = BoxStream<'static, io::Result<Bytes>>;

/// Where the bytes are. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Objects {
    Folder(folder::Folder),
    S3(s3::Bucket),
}

/// An upload under way.
#[derive(Debug)]
pub enum Receiver {
    Folder(folder::Receiver),
    S3(s3::Receiver),
}

/// What arrived, durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    pub md5: Md5,
    /// As a zip names it (ISO 3309): known now, so that a record can be sent as one zip without reading it twice.
    pub crc32: u32,
}

/// A folder of the archive tree that is to appear, and the files that make it count.
#[derive(Debug)]
pub struct Commit {
    /// The new folder; nothing may be there yet.
    pub folder: ContentPath,
    /// Its files, relative to it, in the order a store without rename must write them.
    pub entries: Vec<Entry>,
    /// Files outside of the folder that are replaced after it is there, each atomically, in this order.
    pub heads: Vec<(ContentPath, Bytes)>,
    /// Durable before the folder appears and there until [`Objects::forget`]: what a crash interrupted.
    pub note: Option<Note>,
}

/// A few bytes that say what was going on; see [`Commit::note`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// As the name of an upload. A second note of one name takes the place of the first.
    pub name: String,
    pub text: String,
}

/// A file of a commit.
#[derive(Debug)]
pub struct Entry {
    /// Relative to the commit's folder.
    pub path: ContentPath,
    pub source: EntrySource,
}

#[derive(Debug)]
pub enum EntrySource {
    /// A finished upload. It stays in staging too, until the caller discards it, and costs no copy where
    /// the store can link. A size that differs is refused; where bytes are copied, so is another digest.
    Staged {
        name: String,
        size: u64,
        sha256: Sha256,
    },
    Bytes(Bytes),
}

/// A name in a folder of the archive tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    pub name: String,
    pub kind: ListedKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListedKind {
    Folder,
    /// With its size in bytes.
    File(u64),
    /// A link, a socket: nothing that Kho writes.
    Other,
}

impl Objects {
    /// Opens the store in a folder, making what is missing. Blocking: for the start of the program.
    pub fn folder(root: &Path) -> Result<Self> {
        folder::Folder::open(root).map(Self::Folder)
    }

    /// The store in a bucket; `locks` are those of all processes that share it. Asks the bucket for nothing yet.
    pub async fn s3(settings: s3::Settings, locks: Locks) -> Self {
        Self::S3(s3::Bucket::open(settings, locks).await)
    }

    /// Can it do all that is asked of it? Tells what was found, a line each, for `kho doctor`.
    pub async fn examine(&self) -> Result<Vec<String>> {
        match self {
            Self::Folder(f) => f.examine().await,
            Self::S3(b) => b.examine().boxed().await,
        }
    }

    /// Starts an upload. `name`: 1 to 64 of `A-Za-z0-9_-`, a fresh random token for each attempt.
    pub fn receive(&self, name: &str) -> Result<Receiver> {
        check_name(name)?;
        match self {
            Self::Folder(f) => Ok(Receiver::Folder(f.receive(name))),
            Self::S3(b) => Ok(Receiver::S3(b.receive(name))),
        }
    }

    /// The size of a finished upload; `None` when there is none of that name.
    pub async fn staged(&self, name: &str) -> Result<Option<u64>> {
        check_name(name)?;
        match self {
            Self::Folder(f) => f.staged(name).await,
            Self::S3(b) => b.staged(name).boxed().await,
        }
    }

    /// Removes an upload, finished or not, whatever its kind. Not an error when there is none.
    pub async fn discard(&self, name: &str) -> Result<()> {
        check_name(name)?;
        match self {
            Self::Folder(f) => f.discard(name).await,
            Self::S3(b) => b.discard(name).boxed().await,
        }
    }

    /// Removes uploads (finished or not) and halves of commits that nobody touched since `older_than`,
    /// but for those that `keep` claims, if they are finished or can go on (`resume`). Returns how many were removed.
    ///
    /// `older_than` must lie further back than any upload or commit may stand still.
    pub async fn sweep(
        &self,
        older_than: SystemTime,
        keep: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<u64> {
        match self {
            Self::Folder(f) => f.sweep(older_than, keep).await,
            Self::S3(b) => b.sweep(older_than, keep).boxed().await,
        }
    }

    /// Bytes `range` of a file of the archive.
    ///
    /// A file that is missing or shorter than the range asks is damage, [`Error::Internal`]: the caller
    /// has the path and size from a record that was committed after the file.
    pub async fn read(&self, path: &ContentPath, range: Range<u64>) -> Result<Reading> {
        match self {
            Self::Folder(f) => f.read(path, range).await,
            Self::S3(b) => b.read(path, range).boxed().await,
        }
    }

    /// Bytes `range` of a finished upload; otherwise as [`Objects::read`].
    pub async fn read_staged(&self, name: &str, range: Range<u64>) -> Result<Reading> {
        check_name(name)?;
        match self {
            Self::Folder(f) => f.read_staged(name, range).await,
            Self::S3(b) => b.read_staged(name, range).boxed().await,
        }
    }

    /// The size of a file of the archive; `None` when there is no such file.
    pub async fn size(&self, path: &ContentPath) -> Result<Option<u64>> {
        match self {
            Self::Folder(f) => f.size(path).await,
            Self::S3(b) => b.size(path).boxed().await,
        }
    }

    pub async fn exists(&self, path: &ContentPath) -> Result<bool> {
        Ok(self.size(path).await?.is_some())
    }

    /// A small file of the archive whole; `None` when there is none, an error when over `limit` bytes.
    pub async fn get(&self, path: &ContentPath, limit: u64) -> Result<Option<Bytes>> {
        match self {
            Self::Folder(f) => f.get(path, limit).await,
            Self::S3(b) => b.get(path, limit).boxed().await,
        }
    }

    /// What is in a folder of the archive tree, by name; empty when there is no such folder.
    pub async fn list(&self, folder: &ContentPath) -> Result<Vec<Listed>> {
        match self {
            Self::Folder(f) => f.list(folder).await,
            Self::S3(b) => b.list(folder).boxed().await,
        }
    }

    /// What is at the top of the archive tree.
    pub async fn list_top(&self) -> Result<Vec<Listed>> {
        match self {
            Self::Folder(f) => f.list_top().await,
            Self::S3(b) => b.list_top().boxed().await,
        }
    }

    /// See the contract, 5. Nothing of it is there when this fails before the folder appeared; when it fails
    /// after, the folder is there and some heads may be new: the caller rolls back or forward.
    pub async fn commit(&self, commit: Commit) -> Result<()> {
        if let Some(note) = &commit.note {
            check_name(&note.name)?;
        }
        match self {
            Self::Folder(f) => f.commit(commit).await,
            Self::S3(b) => b.commit(commit).boxed().await,
        }
    }

    /// Replaces files of the archive tree, each atomically, in the order given; durable on return.
    pub async fn replace(&self, files: Vec<(ContentPath, Bytes)>) -> Result<()> {
        match self {
            Self::Folder(f) => f.replace(files).await,
            Self::S3(b) => b.replace(files).boxed().await,
        }
    }

    /// Takes a folder out of the archive tree: gone at once and for good, or (on error) still whole. On a store
    /// without rename an error may leave some of it, without the files that stood in the folder itself; asked
    /// again it goes on. Not an error when there is none.
    pub async fn remove(&self, folder: &ContentPath) -> Result<()> {
        match self {
            Self::Folder(f) => f.remove(folder).await,
            Self::S3(b) => b.remove(folder).boxed().await,
        }
    }

    /// Free bytes and all bytes where this is; `None` where nobody can tell.
    pub async fn space(&self) -> Result<Option<(u64, u64)>> {
        match self {
            Self::Folder(f) => f.space().await.map(Some),
            Self::S3(_) => Ok(None),
        }
    }

    /// All notes of commits that nobody forgot.
    pub async fn notes(&self) -> Result<Vec<Note>> {
        match self {
            Self::Folder(f) => f.notes().await,
            Self::S3(b) => b.notes().boxed().await,
        }
    }

    /// The note of that name.
    pub async fn note(&self, name: &str) -> Result<Option<Note>> {
        check_name(name)?;
        match self {
            Self::Folder(f) => f.note(name).await,
            Self::S3(b) => b.note(name).boxed().await,
        }
    }

    /// Removes a note. A crash may bring it back, so that acting on it must be harmless.
    pub async fn forget(&self, name: &str) -> Result<()> {
        check_name(name)?;
        match self {
            Self::Folder(f) => f.forget(name).await,
            Self::S3(b) => b.forget(name).boxed().await,
        }
    }

    /// Waits until nobody else, in this process or another one on the same store, holds `stripe`.
    ///
    /// Holding two at once can wait for ever: a task holds one.
    pub async fn lock(&self, stripe: u8) -> Result<Lock> {
        match self {
            Self::Folder(f) => f.lock(stripe).await,
            Self::S3(b) => b.locks().lock(stripe).await,
        }
    }
}

impl Receiver {
    /// How many bytes there will be, as far as the client said. Only advice: a bucket cuts its parts by it.
    pub fn expect(&mut self, size: u64) {
        match self {
            Self::Folder(_) => {}
            Self::S3(r) => r.expect(size),
        }
    }

    /// Takes the next bytes. Returns when there is room for more, not when they are written.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Folder(r) => r.write(bytes).await,
            Self::S3(r) => r.write(bytes).boxed().await,
        }
    }

    /// How many bytes came so far.
    pub fn size(&self) -> u64 {
        match self {
            Self::Folder(r) => r.size(),
            Self::S3(r) => r.size(),
        }
    }

    /// Makes it durable. With `expected_size`, another length is refused (`upload-length`) and nothing stays.
    pub async fn finish(self, expected_size: Option<u64>) -> Result<Received> {
        if let Some(expected) = expected_size
            && expected != self.size()
        {
            let problem = crate::error::Problem::new("upload-length", "")
                .with("expected", expected)
                .with("received", self.size());
            return Err(Error::BadRequest(problem));
        }
        match self {
            Self::Folder(r) => r.finish().await,
            Self::S3(r) => r.finish().boxed().await,
        }
    }
}

/// Names come from the caller's own generator, so a bad one is a mistake of ours, not of a client.
fn check_name(name: &str) -> Result<()> {
    let ok = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if ok {
        Ok(())
    } else {
        Err(Error::internal("staging name", format!("{name:?}")))
    }
}
