//! An upload into the staging folder: three lanes (disk, SHA-256, MD5) fed in batches.
//!
//! Batches of half a megabyte, because handing work to another thread costs some tens of microseconds.
//! A small upload never gets that far: it is hashed and written in one go by `finish`.

use std::{fs::File, sync::Arc};

use bytes::{Bytes, BytesMut};
use md5::Md5 as Md5Hasher;
use tokio::{sync::Semaphore, task::JoinHandle};

use super::{
    super::{
        Progress, Received,
        hashers::{Hashers, Sums, hash},
        lane::{Batch, Lane},
    },
    Folder,
    part::{Failure, Part},
};
use crate::error::{Error, Result};

/// Bytes handed over at once.
const BATCH: usize = 512 << 10;
/// Batches between the fastest lane and the slowest.
const ON_THE_WAY: usize = 6;
/// Chunks under this are copied together: a client may send one byte at a time, and each chunk costs a handle.
const COALESCE: usize = 16 << 10;
/// Below this one thread does everything.
const SMALL: u64 = 64 << 10;
/// Written but unsynced bytes after which the kernel is asked to write them out, so that the last
/// `fsync` finds little to do.
const FLUSH_EVERY: u64 = 32 << 20;

/// What happens to the file when all bytes are in it.
type End = fn(Part, &Folder, &str) -> std::io::Result<Part>;

#[derive(Debug)]
pub struct Receiver {
    folder: Folder,
    name: String,
    size: u64,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    tail: BytesMut,
    /// Where it goes, if that was opened already.
    part: Option<Part>,
    /// Of what was there before.
    hashers: Hashers,
    lanes: Option<Lanes>,
    /// A hand-over was begun and not ended: its bytes are lost, and the upload with them.
    torn: bool,
}

#[derive(Debug)]
struct Lanes {
    room: Arc<Semaphore>,
    failure: Arc<Failure>,
    file: Arc<File>,
    disk: Lane<Part>,
    sha256: Lane<Sums>,
    md5: Lane<Md5Hasher>,
    flush: Option<JoinHandle<()>>,
    unflushed: u64,
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
            part: None,
            hashers: Hashers::default(),
            lanes: None,
            torn: false,
        }
    }
}

impl Receiver {
    /// Goes on after `size` bytes, which went through the hashers already.
    pub(super) fn going(
        folder: &Folder,
        name: &str,
        part: Part,
        size: u64,
        hashers: Hashers,
    ) -> Self {
        Self {
            size,
            part: Some(part),
            hashers,
            ..folder.receive(name)
        }
    }

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

    pub(in super::super) async fn finish(self) -> Result<Received> {
        let (_, size, hashers) = self.close(Part::publish).await?;
        Ok(hashers.end(size))
    }

    pub(in super::super) async fn pause(self) -> Result<Progress> {
        let (_, size, hashers) = self.close(Part::pause).await?;
        Ok(Progress {
            size,
            state: hashers.text(),
        })
    }

    /// Writes and hashes what is left, and ends the file as `end` says.
    pub(super) async fn close(mut self, end: End) -> Result<(Part, u64, Hashers)> {
        if self.lanes.is_none() && (self.batch_bytes as u64) < SMALL {
            return self.close_small(end).await;
        }
        self.hand_over().await?;
        let Some(mut lanes) = self.lanes.take() else {
            return Err(Error::internal("upload", "no lanes"));
        };
        if let Some(flush) = lanes.flush.take() {
            flush.await.map_err(|e| Error::internal("upload", e))?;
        }
        let (folder, name) = (self.folder.clone(), self.name.clone());
        let disk = lanes.disk;
        let saving = async move {
            let part = disk.finish().await?;
            super::blocking("upload", move || end(part, &folder, &name)).await
        };
        // The digests of the last batches are made while the disk syncs.
        let (saved, sha256, md5) = tokio::join!(saving, lanes.sha256.finish(), lanes.md5.finish());
        let hashers = Hashers {
            sha256: sha256?,
            md5: md5?,
        };
        Ok((saved?, self.size, hashers))
    }

    /// All on one thread: for a few kilobytes every hand-over would cost more than the work.
    async fn close_small(mut self, end: End) -> Result<(Part, u64, Hashers)> {
        self.end_tail();
        let (folder, name, size) = (self.folder, self.name, self.size);
        let (batch, part, mut hashers) = (self.batch, self.part, self.hashers);
        super::blocking("upload", move || {
            let mut part = match part {
                Some(part) => part,
                None => Part::create(&folder, &name)?,
            };
            part.try_write(&batch)?;
            hash(&mut hashers.sha256, &batch);
            hash(&mut hashers.md5, &batch);
            Ok((end(part, &folder, &name)?, size, hashers))
        })
        .await
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.batch.push(self.tail.split().freeze());
        }
    }

    /// Gives the batch to the three lanes; waits while too much is on its way.
    async fn hand_over(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.torn, true) {
            return Err(Error::internal("upload", "went on after it had failed"));
        }
        self.end_tail();
        let written = self.batch_bytes as u64;
        self.batch_bytes = 0;
        let bytes = std::mem::take(&mut self.batch);
        let lanes = match &mut self.lanes {
            Some(lanes) => lanes,
            none => {
                let part = match self.part.take() {
                    Some(part) => part,
                    None => create(&self.folder, &self.name).await?,
                };
                none.insert(Lanes::start(part, std::mem::take(&mut self.hashers)))
            }
        };
        let room = Arc::clone(&lanes.room).acquire_owned().await;
        let batch = Arc::new(Batch {
            bytes,
            _permit: room.map_err(|e| Error::internal("upload", e))?,
        });
        lanes.failure.check().map_err(|e| Error::io("upload", &e))?;
        lanes.disk.push(Arc::clone(&batch));
        lanes.sha256.push(Arc::clone(&batch));
        lanes.md5.push(batch);
        lanes.unflushed += written;
        if lanes.unflushed >= FLUSH_EVERY {
            lanes.flush();
        }
        self.torn = false;
        Ok(())
    }
}

impl Lanes {
    fn start(part: Part, hashers: Hashers) -> Self {
        Self {
            room: Arc::new(Semaphore::new(ON_THE_WAY)),
            failure: part.failure(),
            file: part.file(),
            disk: Lane::new(part, Part::write),
            sha256: Lane::new(hashers.sha256, hash),
            md5: Lane::new(hashers.md5, hash),
            flush: None,
            unflushed: 0,
        }
    }

    /// Asks the kernel to write out what is there, one request at a time, while writing goes on. The kernel
    /// tells an error of writing out only once, so what it tells here is kept.
    fn flush(&mut self) {
        if self.flush.as_ref().is_none_or(JoinHandle::is_finished) {
            self.unflushed = 0;
            let (file, failure) = (Arc::clone(&self.file), Arc::clone(&self.failure));
            let flush = move || failure.keep(file.sync_data());
            self.flush = Some(tokio::task::spawn_blocking(flush));
        }
    }
}

async fn create(folder: &Folder, name: &str) -> Result<Part> {
    let (folder, name) = (folder.clone(), name.to_owned());
    super::blocking("upload", move || Part::create(&folder, &name)).await
}
