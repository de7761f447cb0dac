//! The folder of a backup: files that appear whole or not at all, read back as streams.
//!
//! Not the object store: a backup must be readable when that store is gone, so it is a plain folder on a disk.
//! Files are not synced one by one; [`Shelf::settle`] makes all of them durable before a backup says that it
//! is there.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256 as Sha256Hasher};
use tokio::sync::mpsc;

use super::object::{ContentPath, Reading};
use crate::{
    error::{Error, Result},
    ids::Sha256,
};

/// Bytes read or written at once.
const CHUNK: usize = 256 << 10;
/// Chunks that wait for the disk.
const AHEAD: usize = 4;
/// The longest line of a table: a record's row with what harvesters are given.
const LONGEST: u64 = 256 << 20;

#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

/// A file as it stands on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Bytes.
    pub size: u64,
    /// Hex.
    pub sha256: String,
}

impl Shelf {
    /// Makes the folder, readable by nobody else: a backup holds what nobody may see.
    pub fn make(root: &Path) -> Result<Self> {
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root);
        made.map_err(|e| Error::io(&root.display().to_string(), &e))?;
        Ok(Self(root.to_owned()))
    }

    /// A folder that is there.
    pub fn open(root: &Path) -> Result<Self> {
        if root.is_dir() {
            Ok(Self(root.to_owned()))
        } else {
            Err(Error::Unavailable(format!(
                "there is no folder {}",
                root.display()
            )))
        }
    }

    /// The size of a file; `None` when there is none.
    pub async fn size(&self, path: &ContentPath) -> Result<Option<u64>> {
        let at = self.at(path);
        blocking(path, move || match fs::symlink_metadata(at) {
            Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    /// A small file whole.
    pub async fn get(&self, path: &ContentPath, limit: u64) -> Result<Option<Bytes>> {
        let at = self.at(path);
        blocking(path, move || {
            let file = match File::open(at) {
                Ok(file) => file,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(e),
            };
            let mut bytes = Vec::new();
            file.take(limit + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Ok(Some(bytes.into()))
        })
        .await
    }

    /// A file as a stream.
    pub async fn read(&self, path: &ContentPath) -> Result<Reading> {
        let at = self.at(path);
        let file = blocking(path, move || File::open(at)).await?;
        let chunks = stream::unfold(Some(file), |file| async move {
            let mut file = file?;
            let work = tokio::task::spawn_blocking(move || {
                let mut buffer = Vec::with_capacity(CHUNK);
                let n = (&mut file).take(CHUNK as u64).read_to_end(&mut buffer)?;
                Ok::<_, io::Error>((n > 0).then_some((Bytes::from(buffer), file)))
            });
            match work.await.unwrap_or_else(|e| Err(io::Error::other(e))) {
                Ok(Some((bytes, file))) => Some((Ok(bytes), Some(file))),
                Ok(None) => None,
                Err(e) => Some((Err(e), None)),
            }
        });
        Ok(chunks.boxed())
    }

    /// Writes a file; with `packed`, as gzip. It takes the place of an earlier one of the name.
    pub async fn put(
        &self,
        path: &ContentPath,
        mut reading: Reading,
        packed: bool,
    ) -> Result<Kept> {
        let (send, mut waiting) = mpsc::channel::<Bytes>(AHEAD);
        let at = self.at(path);
        let (cancel, cancelled) = std::sync::mpsc::channel::<()>();
        let work = tokio::task::spawn_blocking(move || {
            let part = part_of(&at)?;
            let mut out = Out::create(&part, packed)?;
            while let Some(bytes) = waiting.blocking_recv() {
                out.write_all(&bytes)?;
            }
            let kept = out.finish()?;
            if cancelled.try_recv().is_ok() {
                fs::remove_file(&part)?;
                return Ok(kept);
            }
            fs::rename(&part, &at)?;
            Ok::<_, io::Error>(kept)
        });
        let mut broken = None;
        loop {
            match reading.try_next().await {
                Ok(Some(bytes)) => {
                    if send.send(bytes).await.is_err() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(e) => {
                    let _ = cancel.send(());
                    broken = Some(Error::io(path.as_str(), &e));
                    break;
                }
            }
        }
        drop(send);
        let kept = work
            .await
            .map_err(|e| Error::internal("backup", e))?
            .map_err(|e| Error::io(path.as_str(), &e))?;
        match broken {
            Some(e) => Err(e),
            None => Ok(kept),
        }
    }

    pub async fn put_bytes(&self, path: &ContentPath, bytes: Bytes) -> Result<Kept> {
        let reading = stream::iter([Ok(bytes)]).boxed();
        self.put(path, reading, false).await
    }

    /// The lines of a packed file.
    pub fn lines(&self, path: &ContentPath) -> mpsc::Receiver<io::Result<String>> {
        let (send, lines) = mpsc::channel(256);
        let at = self.at(path);
        tokio::task::spawn_blocking(move || {
            let all = || -> io::Result<()> {
                let mut read = BufReader::new(GzDecoder::new(BufReader::new(File::open(at)?)));
                loop {
                    let mut line = String::new();
                    let n = (&mut read).take(LONGEST).read_line(&mut line)?;
                    if n == 0 {
                        return Ok(());
                    }
                    if !line.ends_with('\n') {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    line.pop();
                    if send.blocking_send(Ok(line)).is_err() {
                        return Ok(());
                    }
                }
            };
            if let Err(e) = all() {
                let _ = send.blocking_send(Err(e));
            }
        });
        lines
    }

    /// The names in a folder; empty when there is none.
    pub async fn names(&self, path: &ContentPath) -> Result<Vec<String>> {
        let at = self.at(path);
        blocking(path, move || {
            let entries = match fs::read_dir(at) {
                Ok(entries) => entries,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(e) => return Err(e),
            };
            let mut names = Vec::new();
            for entry in entries {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            Ok(names)
        })
        .await
    }

    /// Removes a file; not an error when there is none.
    pub async fn remove(&self, path: &ContentPath) -> Result<()> {
        let at = self.at(path);
        blocking(path, move || match fs::remove_file(at) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        })
        .await
    }

    /// Makes everything that was written durable.
    pub async fn settle(&self) -> Result<()> {
        let root = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            let folder = File::open(root)?;
            rustix::fs::syncfs(&folder).map_err(io::Error::from)
        });
        done.await
            .map_err(|e| Error::internal("backup", e))?
            .map_err(|e| Error::io("syncing the backup", &e))
    }

    fn at(&self, path: &ContentPath) -> PathBuf {
        self.0.join(path.as_str())
    }
}

/// Where a file is written before it has its name; makes its folder.
fn part_of(at: &Path) -> io::Result<PathBuf> {
    let folder = at.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let name = at.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    // Not longer than the name itself may be.
    let digest = Sha256(Sha256Hasher::digest(name.as_encoded_bytes()).into()).to_hex();
    Ok(folder.join(format!(".{}.part", &digest[..32])))
}

/// A file being written, its digest taken on the way to the disk.
enum Out {
    Plain(Hashed),
    Packed(GzEncoder<Hashed>),
}

struct Hashed {
    file: File,
    hasher: Sha256Hasher,
    size: u64,
}

impl Out {
    fn create(at: &Path, packed: bool) -> io::Result<Self> {
        let mut options = File::options();
        options.create(true).truncate(true).write(true).mode(0o600);
        let hashed = Hashed {
            file: options.open(at)?,
            hasher: Sha256Hasher::new(),
            size: 0,
        };
        Ok(if packed {
            Self::Packed(GzEncoder::new(hashed, Compression::fast()))
        } else {
            Self::Plain(hashed)
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Packed(out) => out.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<Kept> {
        let out = match self {
            Self::Plain(out) => out,
            Self::Packed(out) => out.finish()?,
        };
        Ok(Kept {
            size: out.size,
            sha256: Sha256(out.hasher.finalize().into()).to_hex(),
        })
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

async fn blocking<T: Send + 'static>(
    path: &ContentPath,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::internal("backup", e))?
        .map_err(|e| Error::io(path.as_str(), &e))
}
