//! Uploads that go on over several requests: `.<name>.going`, one file that grows, with the states of the
//! hashers kept by the caller, so that nothing is ever read again.
//!
//! Whoever writes holds a lock on the file. The kernel lets it go when the process dies.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::FlockOperation;

use super::{
    super::{Progress, hashers::Hashers},
    Folder, absent,
    part::{Ending, Part},
    receive::Receiver,
};
use crate::error::{Error, Result};

/// How often a busy upload is tried before its writer is believed to be alive: threads of one that broke
/// off may still be writing their last batches.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(25);

impl Folder {
    pub(in super::super) async fn resume(
        &self,
        name: &str,
        progress: Option<&Progress>,
    ) -> Result<Receiver> {
        let hashers = match progress {
            Some(progress) => Hashers::read(&progress.state)?,
            None => Hashers::default(),
        };
        let size = progress.map(|p| p.size);
        let (folder, token) = (self.clone(), name.to_owned());
        let part = until_free(move || open(&folder, &token, size)).await?;
        Ok(Receiver::going(
            self,
            name,
            part,
            size.unwrap_or(0),
            hashers,
        ))
    }

    pub(super) fn going_at(&self, name: &str) -> PathBuf {
        self.staged_at(&format!(".{name}.going"))
    }
}

/// Tries until `open` gives something; `None` says that somebody else holds it.
pub(super) async fn until_free<T: Send + 'static>(
    open: impl Fn() -> io::Result<Option<T>> + Clone + Send + 'static,
) -> Result<T> {
    for _ in 0..TRIES {
        if let Some(opened) = super::blocking("upload", open.clone()).await? {
            return Ok(opened);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::conflict("upload-busy"))
}

/// `size`: what is durable of it, or nothing when it is new.
fn open(folder: &Folder, name: &str, size: Option<u64>) -> io::Result<Option<Part>> {
    let path = folder.going_at(name);
    if let Some(size) = size {
        take_back(&folder.staged_at(name), &path, size)?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(size.is_none())
        .truncate(false)
        .open(&path)?;
    if !claim(&file, &path, FlockOperation::NonBlockingLockExclusive)? {
        return Ok(None);
    }
    let kept = size.unwrap_or(0);
    if file.metadata()?.len() < kept {
        let short = format!("{} is shorter than what was durable", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, short));
    }
    file.set_len(kept)?;
    (&file).seek(SeekFrom::Start(kept))?;
    let ending = Ending::Cut {
        kept,
        unnamed: size.is_none(),
    };
    Ok(Some(Part::new(path, file, ending)))
}

/// An upload whose `finish` was interrupted after it had got its name, and before anybody took note.
fn take_back(finished: &Path, going: &Path, size: u64) -> io::Result<()> {
    match std::fs::metadata(finished) {
        // With a second link it is part of the archive, and never written again.
        Ok(meta) if meta.nlink() == 1 && meta.len() >= size && !going.try_exists()? => {
            match std::fs::rename(finished, going) {
                Err(e) if !absent(&e) => Err(e),
                _ => Ok(()),
            }
        }
        Err(e) if !absent(&e) => Err(e),
        _ => Ok(()),
    }
}

/// Locks an open file and makes sure that its path still means it. False: somebody else has it.
pub(super) fn claim(file: &File, path: &Path, how: FlockOperation) -> io::Result<bool> {
    match rustix::fs::flock(file, how) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => return Ok(false),
        Err(e) => return Err(e.into()),
    }
    match std::fs::metadata(path) {
        Ok(now) => {
            let ours = file.metadata()?;
            Ok((now.dev(), now.ino()) == (ours.dev(), ours.ino()))
        }
        Err(e) if absent(&e) => Ok(false),
        Err(e) => Err(e),
    }
}
