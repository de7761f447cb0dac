//! Making names and bytes survive a power cut.
//!
//! Many `fsync`s at once, from several threads: a journaling file system carries all that wait together
//! in one commit, so ten small files cost little more than one.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// More threads than this do not merge better.
const THREADS: usize = 16;

/// Makes the names in a folder durable.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes files and folders durable, all or the first error.
pub(super) fn all(files: &[File], folders: &[PathBuf]) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let synced = if let Some(file) = files.get(i) {
                file.sync_all()
            } else if let Some(path) = folders.get(i - files.len()) {
                folder(path)
            } else {
                return;
            };
            if let (Err(e), Ok(mut failed)) = (synced, failed.lock()) {
                failed.get_or_insert(e);
            }
        }
    };
    let count = files.len() + folders.len();
    std::thread::scope(|scope| {
        for _ in 1..count.min(THREADS) {
            scope.spawn(work);
        }
        work();
    });
    match failed.into_inner() {
        Ok(None) => Ok(()),
        Ok(Some(e)) => Err(e),
        Err(_) => Err(io::Error::other("a thread that was syncing panicked")),
    }
}
