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

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::Md5 as Md5Hasher;
use rustix::fs::FlockOperation;
use sha2::{
    Sha256 as Sha256Hasher,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use super::{
    super::Progress,
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

/// The hashers of an upload, which can be saved between two requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Hashers {
    pub(super) sha256: Sha256Hasher,
    pub(super) md5: Md5Hasher,
}

impl Hashers {
    /// `1 <SHA-256> <MD5>`: the form, then the states, as Base64.
    pub(super) fn text(&self) -> String {
        let sha256 = BASE64_STANDARD.encode(self.sha256.serialize());
        let md5 = BASE64_STANDARD.encode(self.md5.serialize());
        format!("1 {sha256} {md5}")
    }

    fn read(text: &str) -> Result<Self> {
        let read = || {
            let mut words = text.split(' ');
            let ("1", Some(sha256), Some(md5), None) =
                (words.next()?, words.next(), words.next(), words.next())
            else {
                return None;
            };
            Some(Self {
                sha256: state(sha256)?,
                md5: state(md5)?,
            })
        };
        read().ok_or_else(|| Error::internal("upload", "the state of its hashers does not parse"))
    }
}

fn state<H: SerializableState>(text: &str) -> Option<H> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let state = SerializedState::<H>::try_from(bytes.as_slice()).ok()?;
    H::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    #[test]
    fn hashers_go_on_where_they_were_saved() {
        let whole: Vec<u8> = (0..1000_u32).map(|n| n as u8).collect();
        for cut in [0, 1, 63, 64, 65, 500, 1000] {
            let mut hashers = Hashers::default();
            hashers.sha256.update(&whole[..cut]);
            hashers.md5.update(&whole[..cut]);
            let mut again = Hashers::read(&hashers.text()).unwrap();
            again.sha256.update(&whole[cut..]);
            again.md5.update(&whole[cut..]);
            assert_eq!(again.sha256.finalize(), Sha256Hasher::digest(&whole));
            assert_eq!(again.md5.finalize(), Md5Hasher::digest(&whole));
        }
        for bad in ["", "1", "1 a b", "2 AAAA AAAA", "1 AAAA AAAA x"] {
            assert!(Hashers::read(bad).is_err(), "{bad}");
        }
    }
}
