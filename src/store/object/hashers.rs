//! The two digests of an upload as they grow, and how they rest between two requests.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use md5::Md5 as Md5Hasher;
use sha2::{
    Digest, Sha256 as Sha256Hasher,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::error::{Error, Result};

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

    pub(super) fn read(text: &str) -> Result<Self> {
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

/// The work of a lane.
pub(super) fn hash<H: Digest>(hasher: &mut H, batch: &[Bytes]) {
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
