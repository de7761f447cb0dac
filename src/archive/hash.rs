//! Digests of a file that is read once: the store reads on while a thread of its own hashes.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::TryStreamExt;
use md5::Md5 as Md5Hasher;
use sha2::{Digest, Sha256 as Sha256Hasher, Sha512 as Sha512Hasher};
use tokio::sync::mpsc;

use super::{inventory::hex, pace::Pace};
use crate::{
    error::{Error, Result},
    store::object::Reading,
};

/// Chunks that wait to be hashed, a quarter of a megabyte each.
const AHEAD: usize = 4;
/// Less than this is hashed where it was read: handing it to another thread would cost more.
const SMALL: u64 = 64 << 10;

/// The digests of what is read, by algorithm, at most as fast as `pace` allows.
pub(crate) async fn digest(
    mut reading: Reading,
    size: u64,
    mut hashes: Hashes,
    pace: &Pace,
) -> Result<BTreeMap<&'static str, String>> {
    let broken = |e: std::io::Error| Error::io("reading", &e);
    if size <= SMALL {
        pace.spend(size).await;
        while let Some(bytes) = reading.try_next().await.map_err(broken)? {
            hashes.update(&bytes);
        }
        return Ok(hashes.finish());
    }
    let (send, mut waiting) = mpsc::channel::<Bytes>(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        while let Some(bytes) = waiting.blocking_recv() {
            hashes.update(&bytes);
        }
        hashes
    });
    while let Some(bytes) = reading.try_next().await.map_err(broken)? {
        pace.spend(bytes.len() as u64).await;
        if send.send(bytes).await.is_err() {
            break;
        }
    }
    drop(send);
    let hashes = work.await.map_err(|e| Error::internal("hashing", e))?;
    Ok(hashes.finish())
}

/// The SHA-256 of what is read, in hex.
pub async fn sha256(reading: Reading, size: u64, pace: &Pace) -> Result<String> {
    let hashes = Hashes::for_algorithms(["sha256"].into_iter());
    let mut found = digest(reading, size, hashes, pace).await?;
    Ok(found.remove("sha256").unwrap_or_default())
}

/// The digests that are asked for, in one pass. Algorithms that Kho does not know are left out.
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    sha256: Option<Sha256Hasher>,
    sha512: Option<Sha512Hasher>,
    md5: Option<Md5Hasher>,
}

impl Hashes {
    pub(crate) fn for_algorithms<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut hashes = Self::default();
        for name in names {
            match name {
                "sha256" => hashes.sha256 = Some(Sha256Hasher::new()),
                "sha512" => hashes.sha512 = Some(Sha512Hasher::new()),
                "md5" => hashes.md5 = Some(Md5Hasher::new()),
                _ => {}
            }
        }
        hashes
    }

    fn update(&mut self, bytes: &[u8]) {
        self.sha256.iter_mut().for_each(|h| h.update(bytes));
        self.sha512.iter_mut().for_each(|h| h.update(bytes));
        self.md5.iter_mut().for_each(|h| h.update(bytes));
    }

    fn finish(self) -> BTreeMap<&'static str, String> {
        let sha256 = self.sha256.map(|h| ("sha256", hex(&h.finalize())));
        let sha512 = self.sha512.map(|h| ("sha512", hex(&h.finalize())));
        let md5 = self.md5.map(|h| ("md5", hex(&h.finalize())));
        [sha256, sha512, md5].into_iter().flatten().collect()
    }
}
