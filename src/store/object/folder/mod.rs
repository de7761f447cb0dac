//! The object store in a folder of a local (or NFS) file system.
//!
//! ```text
//! <root>/staging/<name>            finished uploads; `.<name>.<n>.part` while they come in at once,
//!                                  `.<name>.going` over several requests, `.<name>.parts/` in parts
//! <root>/archive/…                 the archive tree; only ever grows by rename
//! <root>/unfinished/…              commits being written, trees being removed; `lock-xx`
//! ```
//!
//! The three must be on one file system: links and renames go between them.
//! Not here: what the archive's paths mean (`archive`).

mod commit;
mod going;
mod part;
mod read;
mod receive;
mod slots;
mod staging;
mod sync;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use rustix::fs::FlockOperation;

use super::{ContentPath, Listed, ListedKind};
use crate::error::{Error, Result};

pub use self::{receive::Receiver, slots::PartReceiver};

#[derive(Debug, Clone)]
pub struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Held open so that reads resolve from it without walking the path above.
    root: File,
    path: PathBuf,
    staging: PathBuf,
    archive: PathBuf,
    unfinished: PathBuf,
    /// Makes names of temporary files differ within this process; the process id does across processes.
    counter: AtomicU64,
    /// For tests of crashes: how many more steps until the process "dies"; 0 is never.
    #[cfg(test)]
    dies_in: AtomicU64,
}

/// Held while an object of the archive is changed; see [`super::Objects::lock`].
#[derive(Debug)]
pub struct Lock {
    // Closing the file lets the lock go, also when the process is killed.
    _file: File,
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Self> {
        let open = || -> io::Result<Inner> {
            let [staging, archive, unfinished] =
                ["staging", "archive", "unfinished"].map(|name| root.join(name));
            for folder in [&staging, &archive, &unfinished] {
                std::fs::create_dir_all(folder)?;
            }
            let opened = File::open(root)?;
            opened.sync_all()?;
            Ok(Inner {
                root: opened,
                path: root.to_owned(),
                staging,
                archive,
                unfinished,
                counter: AtomicU64::new(0),
                #[cfg(test)]
                dies_in: AtomicU64::new(0),
            })
        };
        open()
            .map(|inner| Self(Arc::new(inner)))
            .map_err(|e| Error::io(&format!("storage folder {}", root.display()), &e))
    }

    pub(super) async fn size(&self, path: &ContentPath) -> Result<Option<u64>> {
        let at = self.at(path);
        blocking(
            &format!("size of {path}"),
            move || match std::fs::symlink_metadata(at) {
                Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
                Ok(_) => Ok(None),
                Err(e) if absent(&e) => Ok(None),
                Err(e) => Err(e),
            },
        )
        .await
    }

    pub(super) async fn get(&self, path: &ContentPath, limit: u64) -> Result<Option<Bytes>> {
        let at = self.at(path);
        blocking(&format!("reading {path}"), move || {
            let file = match File::open(at) {
                Ok(file) => file,
                Err(e) if absent(&e) => return Ok(None),
                Err(e) => return Err(e),
            };
            let meta = file.metadata()?;
            if meta.is_dir() {
                return Ok(None);
            }
            let mut bytes = Vec::with_capacity(meta.len().min(limit) as usize);
            file.take(limit + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "over the limit",
                ));
            }
            Ok(Some(bytes.into()))
        })
        .await
    }

    pub(super) async fn list(&self, folder: &ContentPath) -> Result<Vec<Listed>> {
        self.list_at(self.at(folder)).await
    }

    pub(super) async fn list_top(&self) -> Result<Vec<Listed>> {
        self.list_at(self.0.archive.clone()).await
    }

    async fn list_at(&self, at: PathBuf) -> Result<Vec<Listed>> {
        let what = format!("listing {}", at.display());
        blocking(&what, move || {
            let entries = match std::fs::read_dir(at) {
                Ok(entries) => entries,
                Err(e) if absent(&e) => return Ok(Vec::new()),
                Err(e) => return Err(e),
            };
            let mut listed = Vec::new();
            for entry in entries {
                let entry = entry?;
                let file_type = entry.file_type()?;
                let kind = if file_type.is_dir() {
                    ListedKind::Folder
                } else if file_type.is_file() {
                    ListedKind::File(entry.metadata()?.len())
                } else {
                    ListedKind::Other
                };
                // A name that is not UTF-8 is nothing Kho wrote; it still must show up in a check.
                let name = entry.file_name().to_string_lossy().into_owned();
                listed.push(Listed { name, kind });
            }
            listed.sort();
            Ok(listed)
        })
        .await
    }

    pub(super) async fn lock(&self, stripe: u8) -> Result<Lock> {
        let path = self.0.unfinished.join(format!("lock-{stripe:02x}"));
        let file = blocking("lock file", move || {
            File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
        })
        .await?;
        // Polling instead of a blocking flock: a waiting thread of the pool could be the one that the
        // holder needs to finish. Each open file has its own lock, so this also orders tasks of one process.
        let mut pause = std::time::Duration::from_millis(1);
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(std::time::Duration::from_millis(20));
                }
                Err(e) => return Err(Error::internal("lock", e)),
            }
        }
    }

    /// From the given step of commits and removals on, every step fails and nothing is tidied, as if the
    /// process had been killed. 0: never.
    #[cfg(test)]
    pub(crate) fn die_at_step(&self, step: u64) {
        self.0.dies_in.store(step, Ordering::SeqCst);
    }

    /// Whether the step was reached.
    #[cfg(test)]
    pub(crate) fn died(&self) -> bool {
        self.0.dies_in.load(Ordering::SeqCst) == 1
    }

    fn at(&self, path: &ContentPath) -> PathBuf {
        self.0.archive.join(path.as_str())
    }

    fn staged_at(&self, name: &str) -> PathBuf {
        self.0.staging.join(name)
    }

    /// A number that no other open temporary file of this process has.
    fn number(&self) -> String {
        let n = self.0.counter.fetch_add(1, Ordering::Relaxed);
        format!("{}-{n}", std::process::id())
    }
}

/// Disk work on the pool of blocking threads.
async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(e)) => Err(Error::io(what, &e)),
        Err(e) => Err(Error::internal(what, e)),
    }
}

/// There is no such thing, be it that the last name or a folder before it is missing.
fn absent(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
