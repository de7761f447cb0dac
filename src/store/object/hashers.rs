//! The digests of an upload as they grow, and how they rest between two requests.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use crc32fast::Hasher as Crc32Hasher;
use md5::Md5 as Md5Hasher;
use sha2::{
    Digest, Sha256 as Sha256Hasher,
    digest::{
        Update,
        common::hazmat::{SerializableState, SerializedState},
    },
};

use super::Received;
use crate::{
    error::{Error, Result},
    ids::{Md5, Sha256},
};

/// The hashers of an upload, which can be saved between two requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Hashers {
    pub(super) sha256: Sums,
    pub(super) md5: Md5Hasher,
}

/// What one lane computes: the CRC costs next to nothing beside SHA-256, and MD5 is the slower lane.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    sha256: Sha256Hasher,
    crc32: Crc32Hasher,
}

impl Update for Sums {
    fn update(&mut self, bytes: &[u8]) {
        Update::update(&mut self.sha256, bytes);
        self.crc32.update(bytes);
    }
}

impl Sums {
    pub(super) fn end(self) -> (Sha256, u32) {
        (Sha256(self.sha256.finalize().into()), self.crc32.finalize())
    }
}

impl Hashers {
    /// The digests of `size` bytes.
    pub(super) fn end(self, size: u64) -> Received {
        let (sha256, crc32) = self.sha256.end();
        Received {
            size,
            sha256,
            md5: Md5(self.md5.finalize().into()),
            crc32,
        }
    }

    /// `1 <SHA-256> <MD5> <CRC-32>`: the form, then the states, the first two as Base64, the last in hex.
    pub(super) fn text(&self) -> String {
        let sha256 = BASE64_STANDARD.encode(self.sha256.sha256.serialize());
        let md5 = BASE64_STANDARD.encode(self.md5.serialize());
        let crc32 = self.sha256.crc32.clone().finalize();
        format!("1 {sha256} {md5} {crc32:08x}")
    }

    pub(super) fn read(text: &str) -> Result<Self> {
        let read = || {
            let mut words = text.split(' ');
            if words.next()? != "1" {
                return None;
            }
            let (sha256, md5) = (state(words.next()?)?, state(words.next()?)?);
            let crc32 = u32::from_str_radix(words.next()?, 16).ok()?;
            let crc32 = Crc32Hasher::new_with_initial(crc32);
            words.next().is_none().then_some(Self {
                sha256: Sums { sha256, crc32 },
                md5,
            })
        };
        read().ok_or_else(|| Error::internal("upload", "the state of its hashers does not parse"))
    }
}

/// The work of a lane.
pub(super) fn hash<H: Update>(hasher: &mut H, batch: &[Bytes]) {
    for bytes in batch {
        hasher.update(bytes);
    }
}

fn state<H: SerializableState>(text: &str) -> Option<H> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let state = SerializedState::<H>::try_from(bytes.as_slice()).ok()?;
    H::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashers_go_on_where_they_were_saved() {
        let whole: Vec<u8> = (0..1000_u32).map(|n| n as u8).collect();
        let feed = |hashers: &mut Hashers, bytes: &[u8]| {
            let batch = [Bytes::copy_from_slice(bytes)];
            hash(&mut hashers.sha256, &batch);
            hash(&mut hashers.md5, &batch);
        };
        let mut straight = Hashers::default();
        feed(&mut straight, &whole);
        let straight = straight.end(1000);
        assert_eq!(straight.sha256.0, *Sha256Hasher::digest(&whole));
        assert_eq!(straight.md5.0, *Md5Hasher::digest(&whole));
        assert_eq!(straight.crc32, crc32fast::hash(&whole));
        for cut in [0, 1, 63, 64, 65, 500, 1000] {
            let mut hashers = Hashers::default();
            feed(&mut hashers, &whole[..cut]);
            let mut again = Hashers::read(&hashers.text()).unwrap();
            feed(&mut again, &whole[cut..]);
            assert_eq!(again.end(1000), straight);
        }
        for bad in ["", "1", "1 a b 0", "2 AAAA AAAA 0", "1 AAAA AAAA 0 x"] {
            assert!(Hashers::read(bad).is_err(), "{bad}");
        }
    }
}
