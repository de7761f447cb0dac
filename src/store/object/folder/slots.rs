//! Uploads in parts that come in any order and at once: `.<name>.parts/`.
//!
//! ```text
//! bytes      the file to be, sparse; each part is written where it belongs
//! index      a record of 64 bytes for each part that is durable (see [`Record`])
//! lock-<n>   while part n comes in
//! ```
//!
//! The index is locked shared by whoever writes a part, and alone by whoever puts the parts together.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::StreamExt;
use rustix::fs::{FallocateFlags, FlockOperation};
use sha2::{Digest, Sha256 as Sha256Hasher};
use tokio::sync::Semaphore;

use super::{
    super::{
        PartPlan, Received, ReceivedPart,
        hashers::{Hashers, Sums, hash},
        lane::{Batch, Lane},
        resume::missing,
    },
    Folder, absent,
    going::{claim, until_free},
    part::{Ending, Part},
    receive::Receiver,
    staging::{remove_file, remove_folder},
    sync,
};
use crate::{
    error::{Error, Result},
    ids::{Md5, Sha256},
};

/// Chunks between the disk and the slower hasher when a file is read for its digests.
const ON_THE_WAY: usize = 8;

/// A part on its way into its slot.
#[derive(Debug)]
pub struct PartReceiver {
    receiver: Receiver,
    index: Arc<File>,
    number: u32,
}

/// What is held while a part comes in.
#[derive(Debug)]
pub(super) struct Slot {
    range: Range<u64>,
    lock: PathBuf,
    _locked: File,
    _index: Arc<File>,
}

impl Folder {
    pub(in super::super) async fn begin_parts(&self, name: &str, _: PartPlan) -> Result<String> {
        let (folder, at) = (self.clone(), self.parts_at(name));
        super::blocking("upload in parts", move || {
            remove_folder(&at)?;
            std::fs::create_dir(&at)?;
            for file in ["bytes", "index"] {
                File::create(at.join(file))?.sync_all()?;
            }
            sync::folder(&at)?;
            sync::folder(&folder.0.staging)
        })
        .await?;
        Ok(String::new())
    }

    pub(in super::super) async fn receive_part(
        &self,
        name: &str,
        plan: PartPlan,
        number: u32,
    ) -> Result<PartReceiver> {
        let at = self.parts_at(name);
        let range = plan.range(number);
        let (part, index) = until_free(move || open(&at, number, range.clone())).await?;
        Ok(PartReceiver {
            receiver: Receiver::going(self, name, part, 0, Hashers::default()),
            index,
            number,
        })
    }

    pub(in super::super) async fn arrived(
        &self,
        name: &str,
        plan: PartPlan,
    ) -> Result<Vec<(u32, u64, String)>> {
        let at = self.parts_at(name);
        let records = super::blocking("parts of an upload", move || {
            match File::open(at.join("index")) {
                Ok(index) => records(&index, plan),
                Err(e) if absent(&e) => Ok(Vec::new()),
                Err(e) => Err(e),
            }
        })
        .await?;
        Ok(records
            .into_iter()
            .map(|(number, r)| (number, r.size, r.sha256.to_hex()))
            .collect())
    }

    pub(in super::super) async fn complete_parts(
        &self,
        name: &str,
        plan: PartPlan,
        parts: &[(u32, String)],
    ) -> Result<Received> {
        let at = self.parts_at(name);
        let held = {
            let at = at.clone();
            until_free(move || alone(&at)).await?
        };
        // Without an index: it was put together before, and only the answer is missing.
        let relative = match &held {
            Some(index) if at.join("bytes").exists() => {
                check(index, plan, parts).await?;
                format!("staging/.{name}.parts/bytes")
            }
            _ => format!("staging/{name}"),
        };
        let received = self.digest(relative, plan.size).await?;
        let (folder, to) = (self.clone(), self.staged_at(name));
        super::blocking("joining an upload", move || {
            let bytes = at.join("bytes");
            if bytes.exists() {
                let file = OpenOptions::new().write(true).open(&bytes)?;
                std::fs::rename(&bytes, &to)?;
                file.sync_all()?;
            }
            sync::folder(&folder.0.staging)?;
            remove_folder(&at)?;
            drop(held);
            Ok(received)
        })
        .await
    }

    pub(super) fn parts_at(&self, name: &str) -> PathBuf {
        self.staged_at(&format!(".{name}.parts"))
    }

    /// Reads a file once, for both digests. A file of another size is damage.
    async fn digest(&self, relative: String, size: u64) -> Result<Received> {
        let path = self.0.path.join(&relative);
        let length = super::blocking(&relative, move || Ok(std::fs::metadata(path)?.len())).await?;
        if length != size {
            let wrong = format!("has {length} bytes, not {size}");
            return Err(Error::internal(&relative, wrong));
        }
        let mut reading = self.read_at(relative, 0..size).await?;
        let sha256 = Lane::new(Sums::default(), hash);
        let md5 = Lane::new(md5::Md5::default(), hash);
        let room = Arc::new(Semaphore::new(ON_THE_WAY));
        while let Some(chunk) = reading.next().await {
            let chunk = chunk.map_err(|e| Error::io("reading an upload", &e))?;
            let permit = Arc::clone(&room).acquire_owned().await;
            let batch = Arc::new(Batch {
                bytes: vec![chunk],
                _permit: permit.map_err(|e| Error::internal("upload", e))?,
            });
            sha256.push(Arc::clone(&batch));
            md5.push(batch);
        }
        let (sha256, md5) = tokio::try_join!(sha256.finish(), md5.finish())?;
        Ok(Hashers { sha256, md5 }.end(size))
    }
}

impl PartReceiver {
    pub(in super::super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.receiver.write(bytes).await
    }

    pub(in super::super) fn size(&self) -> u64 {
        self.receiver.size()
    }

    pub(in super::super) async fn finish(self) -> Result<ReceivedPart> {
        let (index, number) = (self.index, self.number);
        let (part, size, hashers) = self.receiver.close(Part::sync).await?;
        let received = hashers.end(size);
        let record = Record {
            size,
            sha256: received.sha256,
            md5: received.md5,
        };
        super::blocking("part of an upload", move || {
            index.write_all_at(&record.bytes(), place(number))?;
            index.sync_data()?;
            part.done();
            Ok(ReceivedPart {
                size,
                sha256: record.sha256,
                md5: record.md5,
                tag: record.sha256.to_hex(),
            })
        })
        .await
    }
}

impl Slot {
    /// Gives back the room of a part that did not come to its end.
    pub(super) fn punch(&self, file: &File) {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let len = self.range.end - self.range.start;
        // A file system without holes keeps the bytes until the upload ends; they count for nothing.
        let _ = rustix::fs::fallocate(file, flags, self.range.start, len);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // While it is still locked: whoever opened it before finds that it is not the one at the path.
        let _ = remove_file(&self.lock);
    }
}

/// Takes the slot of a part. `None`: another writer has it, or the parts are being put together.
fn open(at: &Path, number: u32, range: Range<u64>) -> io::Result<Option<(Part, Arc<File>)>> {
    let index_at = at.join("index");
    let index = OpenOptions::new().read(true).write(true).open(&index_at)?;
    if !claim(&index, &index_at, FlockOperation::NonBlockingLockShared)? {
        return Ok(None);
    }
    let lock = at.join(format!("lock-{number}"));
    let locked = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock)?;
    if !claim(&locked, &lock, FlockOperation::NonBlockingLockExclusive)? {
        return Ok(None);
    }
    // What was there no longer counts before the first byte of it is overwritten.
    if record(&index, number)?.is_some() {
        index.write_all_at(&[0; RECORD], place(number))?;
        index.sync_data()?;
    }
    let path = at.join("bytes");
    let mut file = OpenOptions::new().write(true).open(&path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let index = Arc::new(index);
    let slot = Slot {
        range,
        lock,
        _locked: locked,
        _index: Arc::clone(&index),
    };
    Ok(Some((Part::new(path, file, Ending::Punch(slot)), index)))
}

/// Locks the index alone; inside, nothing when there is no index any more.
#[expect(
    clippy::option_option,
    reason = "busy, or there with or without an index"
)]
fn alone(at: &Path) -> io::Result<Option<Option<File>>> {
    let path = at.join("index");
    let index = match File::open(&path) {
        Ok(index) => index,
        Err(e) if absent(&e) => return Ok(Some(None)),
        Err(e) => return Err(e),
    };
    let ours = claim(&index, &path, FlockOperation::NonBlockingLockExclusive)?;
    Ok(ours.then_some(Some(index)))
}

/// All parts must be there, and be those the caller means.
async fn check(index: &File, plan: PartPlan, parts: &[(u32, String)]) -> Result<()> {
    let index = index.try_clone().map_err(|e| Error::io("parts", &e))?;
    let have = super::blocking("parts of an upload", move || records(&index, plan)).await?;
    let same = have.len() == parts.len()
        && have.iter().zip(parts).all(|((number, record), (n, tag))| {
            let range = plan.range(*number);
            number == n && record.size == range.end - range.start && record.sha256.to_hex() == *tag
        });
    if same {
        Ok(())
    } else {
        Err(missing(have.len(), plan))
    }
}

const RECORD: usize = 64;

/// 8 bytes of size, SHA-256, MD5, and 8 bytes of the SHA-256 of these, so that half a record is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    size: u64,
    sha256: Sha256,
    md5: Md5,
}

impl Record {
    fn bytes(&self) -> [u8; RECORD] {
        let mut out = [0; RECORD];
        out[..8].copy_from_slice(&self.size.to_le_bytes());
        out[8..40].copy_from_slice(&self.sha256.0);
        out[40..56].copy_from_slice(&self.md5.0);
        let check = Sha256Hasher::digest(&out[..56]);
        out[56..].copy_from_slice(&check[..8]);
        out
    }

    fn read(bytes: &[u8; RECORD]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let (sha256, rest) = rest.split_first_chunk::<32>()?;
        let (md5, _) = rest.split_first_chunk::<16>()?;
        let record = Self {
            size: u64::from_le_bytes(*size),
            sha256: Sha256(*sha256),
            md5: Md5(*md5),
        };
        (record.bytes() == *bytes).then_some(record)
    }
}

fn place(number: u32) -> u64 {
    u64::from(number.saturating_sub(1)) * RECORD as u64
}

fn record(index: &File, number: u32) -> io::Result<Option<Record>> {
    let mut bytes = [0; RECORD];
    match index.read_exact_at(&mut bytes, place(number)) {
        Ok(()) => Ok(Record::read(&bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}

fn records(index: &File, plan: PartPlan) -> io::Result<Vec<(u32, Record)>> {
    let mut all = Vec::new();
    let most = u64::from(plan.count()) * RECORD as u64;
    let mut start = index;
    start.seek(SeekFrom::Start(0))?;
    start.take(most).read_to_end(&mut all)?;
    let (records, _) = all.as_chunks::<RECORD>();
    let numbered = (1..).zip(records);
    Ok(numbered
        .filter_map(|(number, bytes)| Some((number, Record::read(bytes)?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_record_is_none() {
        let record = Record {
            size: 7,
            sha256: Sha256([1; 32]),
            md5: Md5([2; 16]),
        };
        let whole = record.bytes();
        assert_eq!(Record::read(&whole), Some(record));
        assert_eq!(Record::read(&[0; RECORD]), None);
        for cut in 0..RECORD {
            let mut torn = whole;
            torn[cut..].fill(0);
            assert!(Record::read(&torn).is_none_or(|r| r == record));
            assert!(torn == whole || Record::read(&torn).is_none());
        }
    }
}
