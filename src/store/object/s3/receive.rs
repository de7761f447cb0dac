//! An upload into the bucket: parts are cut from the bytes as they arrive and sent while the next arrive.
//!
//! At most two parts are on their way while a third fills, so memory is three parts (24 MiB) whatever the
//! size of the file; the parts of a very large file of unknown length grow, and go one at a time. A body that
//! fits into one part is one request at the end.

use std::{fmt, sync::Arc};

use bytes::{Bytes, BytesMut};
use md5::Md5 as Md5Hasher;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    super::{
        Received,
        hashers::{Hashers, Sums, hash},
        lane::{Batch, Lane},
    },
    Bucket, Sizes,
    multipart::{MOST_PARTS, Part},
};
use crate::error::{Error, Result};

/// Parts on their way at once, while they are small.
const ON_THE_WAY: u32 = 2;
/// Parts over this go one at a time.
const BIG_PART: u64 = 16 << 20;
/// How parts grow when nobody said how long the file is: a part is at least this share of what was sent. With
/// 1,200, some 9,600 parts hold 5 TiB, also when the first 2,000 are as small as a server takes them.
const GROWTH: u64 = 1_200;
/// Parts below the usual size that rests may leave behind.
pub(super) const SMALL_PARTS: u32 = 2_000;

pub struct Receiver {
    pub(super) bucket: Bucket,
    pub(super) name: String,
    /// Of all bytes, also those that came in earlier requests.
    pub(super) size: u64,
    /// How long the file will be, as far as the client said.
    expected: Option<u64>,
    /// What of it is in parts.
    pub(super) sent: u64,
    /// The part that fills.
    pub(super) buffer: BytesMut,
    pub(super) upload: Option<Upload>,
    sending: JoinSet<Result<Part>>,
    room: Arc<Semaphore>,
    /// Of all that is in parts.
    pub(super) digests: Digests,
    /// Bytes of a write that was given up are lost, and the upload with them.
    torn: bool,
    /// Each part has its SHA-256 with it, else its MD5: see `resume`.
    pub(super) checked: bool,
    /// What earlier requests left behind, to be removed when it counts for nothing any more.
    pub(super) leftover: Vec<String>,
}

/// The multipart upload behind it.
#[derive(Debug)]
pub(super) struct Upload {
    pub id: String,
    /// The highest number that a part has; those on their way included.
    pub last: u32,
    /// The numbers of the parts that earlier requests sent, first and last of each run.
    pub earlier: Vec<(u32, u32)>,
    /// What the server acknowledged of them, see `resume`.
    pub chain: String,
    pub parts: Vec<Part>,
    /// Begun here, and nobody else knows of it yet.
    pub ours: bool,
}

/// Both digests, on lanes as soon as there is enough to do.
pub(super) enum Digests {
    Resting(Hashers),
    Running {
        sha256: Lane<Sums>,
        md5: Lane<Md5Hasher>,
    },
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("upload", &self.upload)
            .finish_non_exhaustive()
    }
}

impl Bucket {
    pub(in super::super) fn receive(&self, name: &str) -> Receiver {
        Receiver {
            bucket: self.clone(),
            name: name.to_owned(),
            size: 0,
            expected: None,
            sent: 0,
            buffer: BytesMut::new(),
            upload: None,
            sending: JoinSet::new(),
            room: Arc::new(Semaphore::new(ON_THE_WAY as usize)),
            digests: Digests::Resting(Hashers::default()),
            torn: false,
            checked: true,
            leftover: Vec::new(),
        }
    }
}

impl Receiver {
    pub(in super::super) fn size(&self) -> u64 {
        self.size
    }

    pub(in super::super) fn expect(&mut self, size: u64) {
        self.expected = Some(size);
    }

    pub(in super::super) async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        if std::mem::replace(&mut self.torn, true) {
            return Err(Error::internal("upload", "went on after it had failed"));
        }
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = self.next_part().saturating_sub(self.buffer.len() as u64);
            if room == 0 {
                self.send_part().await?;
                continue;
            }
            let piece = bytes.split_to(bytes.len().min(room as usize));
            self.buffer.extend_from_slice(&piece);
        }
        self.torn = false;
        Ok(())
    }

    pub(in super::super) async fn finish(mut self) -> Result<Received> {
        self.refuse_torn()?;
        let key = self.bucket.staged_at(&self.name);
        if self.upload.is_none() {
            let bytes = self.buffer.split().freeze();
            let hashers = self.hash_rest(bytes.clone()).await?;
            let received = hashers.end(self.size);
            self.bucket.put_known(&key, bytes, received.sha256).await?;
            self.bucket.tidy(&self.leftover).await;
            return Ok(received);
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        self.settle().await?;
        let hashers = self.digests().await?;
        let (bucket, size) = (self.bucket.clone(), self.size);
        let Some(upload) = &mut self.upload else {
            return Err(Error::internal("upload", "no parts"));
        };
        let mut parts = bucket.earlier_parts(&key, upload).await?;
        parts.append(&mut upload.parts);
        bucket.complete(&key, &upload.id, &parts, size).await?;
        self.upload = None;
        bucket.tidy(&self.leftover).await;
        Ok(hashers.end(size))
    }

    pub(super) fn refuse_torn(&self) -> Result<()> {
        if self.torn {
            return Err(Error::internal("upload", "went on after it had failed"));
        }
        Ok(())
    }

    /// How long the part that fills is to be.
    fn next_part(&self) -> u64 {
        let parts = self.upload.as_ref().map_or(0, |upload| upload.last);
        part_size(self.bucket.0.sizes, self.sent, parts, self.expected)
    }

    /// Sends the bytes that have gathered; waits while too many are on their way.
    pub(super) async fn send_part(&mut self) -> Result<()> {
        let key = self.bucket.staged_at(&self.name);
        if self.upload.is_none() {
            self.upload = Some(Upload {
                id: self.bucket.begin(&key, self.checked).await?,
                last: 0,
                earlier: Vec::new(),
                chain: String::new(),
                parts: Vec::new(),
                ours: true,
            });
        }
        let permits = if self.buffer.len() as u64 > BIG_PART {
            ON_THE_WAY
        } else {
            1
        };
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await;
        let permit = room.map_err(|e| Error::internal("upload", e))?;
        let Some(upload) = &mut self.upload else {
            return Err(Error::internal("upload", "no parts"));
        };
        // What failed is told here, and not after gigabytes more.
        while let Some(sent) = self.sending.try_join_next() {
            upload.parts.push(joined(sent)?);
        }
        let number = upload.last + 1;
        if number > MOST_PARTS {
            return Err(Error::internal("upload", "more parts than one may have"));
        }
        upload.last = number;
        let bytes = self.buffer.split().freeze();
        self.sent += bytes.len() as u64;
        // The lanes and the request share the permit: whoever is last lets the next part begin.
        let batch = Arc::new(Batch {
            bytes: vec![bytes.clone()],
            _permit: permit,
        });
        self.digests.push(&batch);
        let (bucket, id, checked) = (self.bucket.clone(), upload.id.clone(), self.checked);
        self.sending.spawn(async move {
            let sent = bucket.send_part(&key, &id, number, bytes, checked).await;
            drop(batch);
            sent
        });
        Ok(())
    }

    /// Waits until all parts are there.
    pub(super) async fn settle(&mut self) -> Result<()> {
        while let Some(sent) = self.sending.join_next().await {
            let part = joined(sent)?;
            if let Some(upload) = &mut self.upload {
                upload.parts.push(part);
            }
        }
        if let Some(upload) = &mut self.upload {
            upload.parts.sort_by_key(|part| part.number);
        }
        Ok(())
    }

    /// The hashers after all parts.
    pub(super) async fn digests(&mut self) -> Result<Hashers> {
        match std::mem::replace(&mut self.digests, Digests::Resting(Hashers::default())) {
            Digests::Resting(hashers) => Ok(hashers),
            Digests::Running { sha256, md5 } => {
                let (sha256, md5) = tokio::join!(sha256.finish(), md5.finish());
                Ok(Hashers {
                    sha256: sha256?,
                    md5: md5?,
                })
            }
        }
    }

    async fn hash_rest(&mut self, bytes: Bytes) -> Result<Hashers> {
        let mut hashers = self.digests().await?;
        let work = move || {
            hash(&mut hashers.sha256, std::slice::from_ref(&bytes));
            hash(&mut hashers.md5, &[bytes]);
            hashers
        };
        let hashed = tokio::task::spawn_blocking(work);
        hashed.await.map_err(|e| Error::internal("upload", e))
    }
}

impl Digests {
    fn push(&mut self, batch: &Arc<Batch>) {
        if let Self::Resting(hashers) = self {
            let hashers = std::mem::take(hashers);
            *self = Self::Running {
                sha256: Lane::new(hashers.sha256, hash),
                md5: Lane::new(hashers.md5, hash),
            };
        }
        if let Self::Running { sha256, md5 } = self {
            sha256.push(Arc::clone(batch));
            md5.push(Arc::clone(batch));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take().filter(|upload| upload.ours) else {
            return;
        };
        self.sending.abort_all();
        let (bucket, key) = (self.bucket.clone(), self.bucket.staged_at(&self.name));
        // Without a runtime the program ends, and the sweep of the next one finds it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = bucket.abort(&key, &upload.id).await {
                    tracing::warn!(%error, "an upload is left for the sweep");
                }
            });
        }
    }
}

fn joined(sent: Result<Result<Part>, tokio::task::JoinError>) -> Result<Part> {
    sent.map_err(|e| Error::internal("upload", e))?
}

/// How long the next part is to be, after `sent` bytes in `parts` parts, so that all of the file fits into
/// the parts an upload may have.
fn part_size(sizes: Sizes, sent: u64, parts: u32, expected: Option<u64>) -> u64 {
    // A few parts are kept for rests that cut one short.
    let left = u64::from(MOST_PARTS.saturating_sub(parts).saturating_sub(100)).max(1);
    let wanted = match expected {
        Some(all) if all > sent => (all - sent).div_ceil(left),
        _ => sent / GROWTH,
    };
    wanted.next_multiple_of(1 << 20).max(sizes.part)
}

#[cfg(test)]
mod tests {
    use super::{super::SIZES, *};

    const LARGEST: u64 = 5 << 40;

    /// Parts until the file is through, and the largest of them.
    fn cut(size: u64, expected: Option<u64>, mut sent: u64, mut parts: u32) -> (u32, u64) {
        let mut largest = 0;
        while sent < size {
            let part = part_size(SIZES, sent, parts, expected).min(size - sent);
            (sent, parts, largest) = (sent + part, parts + 1, largest.max(part));
        }
        (parts, largest)
    }

    #[test]
    fn five_tebibytes_fit_into_ten_thousand_parts() {
        let rested = (u64::from(SMALL_PARTS) * SIZES.least_part, SMALL_PARTS);
        for (sent, parts) in [(0, 0), rested] {
            assert!(cut(LARGEST, None, sent, parts).0 <= MOST_PARTS);
            let (parts, largest) = cut(LARGEST, Some(LARGEST), sent, parts);
            assert!(parts <= MOST_PARTS && largest < 5 << 30);
        }
        // Who says how long it is gets small parts.
        assert!(cut(100 << 30, Some(100 << 30), 0, 0).1 <= 11 << 20);
        assert_eq!(cut(9 << 30, None, 0, 0).1, 8 << 20);
        // A file that is longer than was said still fits.
        assert!(cut(LARGEST, Some(1 << 30), 0, 0).0 <= MOST_PARTS);
    }
}
