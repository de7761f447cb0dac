//! An upload into the staging folder: three lanes (disk, SHA-256, MD5) fed in batches.
//!
//! Batches of about a megabyte, because handing work to another thread costs some tens of microseconds.
//! A small upload never gets that far: it is hashed and written in one go by `finish`.

use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use md5::Md5 as Md5Hasher;
use sha2::{Digest, Sha256 as Sha256Hasher};
use tokio::task::JoinHandle;

use super::{
    super::{Received, lane::Lane},
    Folder, sync,
};
use crate::{
    error::{Error, Result},
    ids::{Md5, Sha256},
};

/// Bytes handed over at once.
const BATCH: usize = 1 << 20;
/// Chunks under this are copied together: a client may send one byte at a time, and each chunk costs a handle.
const COALESCE: usize = 16 << 10;
/// Below this one thread does everything.
const SMALL: u64 = 64 << 10;
/// Written but unsynced bytes after which the kernel is asked to write them out, so that the last
/// `fsync` finds little to do.
const FLUSH_EVERY: u64 = 32 << 20;

#[derive(Debug)]
pub struct Receiver {
    folder: Folder,
    name: String,
    size: u64,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    tail: BytesMut,
    lanes: Option<Lanes>,
}

#[derive(Debug)]
struct Lanes {
    disk: Lane<Part>,
    sha256: Lane<Sha256Hasher>,
    md5: Lane<Md5Hasher>,
    flush: Option<JoinHandle<io::Result<()>>>,
    unflushed: u64,
}

/// The temporary file. Removed when dropped, unless it got its name.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: Option<Arc<File>>,
    error: Option<io::Error>,
    named: bool,
}

impl Folder {
    pub(in super::super) fn receive(&self, name: &str) -> Receiver {
        Receiver {
            folder: self.clone(),
            name: name.to_owned(),
            size: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            tail: BytesMut::new(),
            lanes: None,
        }
    }
}

impl Receiver {
    pub(in super::super) fn size(&self) -> u64 {
        self.size
    }

    pub(in super::super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.size += bytes.len() as u64;
        self.batch_bytes += bytes.len();
        if bytes.len() < COALESCE {
            self.tail.extend_from_slice(&bytes);
        } else {
            self.end_tail();
            self.batch.push(bytes);
        }
        if self.batch_bytes >= BATCH {
            self.hand_over().await?;
        }
        Ok(())
    }

    pub(in super::super) async fn finish(mut self) -> Result<Received> {
        if self.lanes.is_none() && self.size < SMALL {
            return self.finish_small().await;
        }
        self.hand_over().await?;
        let Some(mut lanes) = self.lanes.take() else {
            return Err(Error::internal("upload", "no lanes"));
        };
        let part = lanes.disk.take().await?;
        if let Some(flush) = lanes.flush.take() {
            // The kernel tells an error of writing out once; the flush may be the one it told.
            let flushed = flush.await.map_err(|e| Error::internal("upload", e))?;
            flushed.map_err(|e| Error::io("upload", &e))?;
        }
        let (folder, name) = (self.folder.clone(), self.name.clone());
        let saving = super::blocking("upload", move || part.publish(&folder, &name));
        // The digests of the last batch may still be on their way while the disk syncs.
        let (saved, sha256, md5) = tokio::join!(saving, lanes.sha256.take(), lanes.md5.take());
        saved?;
        Ok(Received {
            size: self.size,
            sha256: Sha256(sha256?.finalize().into()),
            md5: Md5(md5?.finalize().into()),
        })
    }

    /// All on one thread: for a few kilobytes every hand-over would cost more than the work.
    async fn finish_small(mut self) -> Result<Received> {
        self.end_tail();
        let (folder, name, size) = (self.folder, self.name, self.size);
        let batch = self.batch;
        super::blocking("upload", move || {
            let mut part = Part::new(&folder, &name);
            part.write(&batch);
            let (mut sha256, mut md5) = (Sha256Hasher::new(), Md5Hasher::new());
            for bytes in &batch {
                sha256.update(bytes);
                md5.update(bytes);
            }
            part.publish(&folder, &name)?;
            Ok(Received {
                size,
                sha256: Sha256(sha256.finalize().into()),
                md5: Md5(md5.finalize().into()),
            })
        })
        .await
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.batch.push(self.tail.split().freeze());
        }
    }

    /// Gives the batch to the three lanes. The slowest lane (MD5) is waited for last, so that the others
    /// are never idle because of it for longer than a batch.
    async fn hand_over(&mut self) -> Result<()> {
        self.end_tail();
        let written = self.batch_bytes as u64;
        self.batch_bytes = 0;
        let batch: Arc<[Bytes]> = std::mem::take(&mut self.batch).into();
        let (folder, name) = (&self.folder, &self.name);
        let lanes = self.lanes.get_or_insert_with(|| Lanes {
            disk: Lane::new(Part::new(folder, name)),
            sha256: Lane::new(Sha256Hasher::new()),
            md5: Lane::new(Md5Hasher::new()),
            flush: None,
            unflushed: 0,
        });

        let part = lanes.disk.take().await?;
        if let Some(e) = &part.error {
            return Err(Error::io("upload", e));
        }
        lanes.unflushed += written;
        if lanes.unflushed >= FLUSH_EVERY {
            lanes.start_flush(part.file.clone()).await?;
        }
        lanes.disk = Lane::new(part);
        let bytes = Arc::clone(&batch);
        lanes.disk.run(move |part| part.write(&bytes)).await?;
        let bytes = Arc::clone(&batch);
        let sha256 = move |hasher: &mut Sha256Hasher| bytes.iter().for_each(|b| hasher.update(b));
        lanes.sha256.run(sha256).await?;
        let md5 = move |hasher: &mut Md5Hasher| batch.iter().for_each(|b| hasher.update(b));
        lanes.md5.run(md5).await
    }
}

impl Lanes {
    /// One at a time; while one runs, writing goes on.
    async fn start_flush(&mut self, file: Option<Arc<File>>) -> Result<()> {
        if let Some(flush) = &self.flush
            && !flush.is_finished()
        {
            return Ok(());
        }
        if let Some(flush) = self.flush.take() {
            let flushed = flush.await.map_err(|e| Error::internal("upload", e))?;
            flushed.map_err(|e| Error::io("upload", &e))?;
        }
        if let Some(file) = file {
            self.unflushed = 0;
            self.flush = Some(tokio::task::spawn_blocking(move || file.sync_data()));
        }
        Ok(())
    }
}

impl Part {
    fn new(folder: &Folder, name: &str) -> Self {
        let path = folder.staged_at(&format!(".{name}.{}.part", folder.number()));
        Self {
            path,
            file: None,
            error: None,
            named: false,
        }
    }

    /// Writes a batch; what goes wrong is kept, because the lane has nobody to tell.
    fn write(&mut self, batch: &[Bytes]) {
        if self.error.is_none()
            && let Err(e) = self.try_write(batch)
        {
            self.error = Some(e);
        }
    }

    fn try_write(&mut self, batch: &[Bytes]) -> io::Result<()> {
        let file = if let Some(file) = &self.file {
            file
        } else {
            // A process id can come again after a crash, so what is there is a leftover, not a rival.
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&self.path)?;
            self.file.insert(Arc::new(file))
        };
        let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|b| IoSlice::new(b)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match (&**file).write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut rest, n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Gives the file its name, then syncs file and folder. The rename goes first, so that one commit of
    /// the file system's journal carries both; the name counts for nobody before this returns.
    fn publish(mut self, folder: &Folder, name: &str) -> io::Result<()> {
        if let Some(e) = self.error.take() {
            return Err(e);
        }
        let Some(file) = self.file.take() else {
            return Err(io::Error::other("nothing was written"));
        };
        let path = folder.staged_at(name);
        std::fs::rename(&self.path, &path)?;
        self.named = true;
        let synced = file
            .sync_all()
            .and_then(|()| sync::folder(&folder.0.staging));
        if synced.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        synced
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.named || self.file.is_none() && self.error.is_none() {
            return;
        }
        let path = std::mem::take(&mut self.path);
        // Freeing gigabytes takes a while; not on a thread that serves requests.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || remove(&path))),
            Err(_) => remove(&path),
        }
    }
}

fn remove(path: &Path) {
    // What stays behind is found by the sweep.
    let _ = std::fs::remove_file(path);
}
