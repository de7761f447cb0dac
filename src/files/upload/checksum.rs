//! Checksums that a client declares, of a chunk or of the whole.
//!
//! MD5 and SHA-1 find broken lines and not forgers; Kho's own digest is always SHA-256.

use std::{fmt, str::FromStr};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Problem, Result},
    ids::{self, Malformed},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Sha256,
    Sha1,
    Md5,
}

impl Algorithm {
    pub const ALL: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha1, Algorithm::Md5];

    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha1 => "sha1",
            Algorithm::Md5 => "md5",
        }
    }

    /// Bytes of a digest.
    fn len(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha1 => 20,
            Algorithm::Md5 => 16,
        }
    }
}

/// What the bytes must come to. As text `algorithm:hex`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

impl Checksum {
    /// From the bytes of a digest, if they are as many as it has.
    pub fn new(algorithm: Algorithm, digest: Vec<u8>) -> Option<Self> {
        (digest.len() == algorithm.len()).then_some(Self { algorithm, digest })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Refuses what is not this. `code` is `chunk-checksum`, `part-checksum` or `file-checksum`.
    fn problem(&self, problem: Problem, found: &[u8]) -> Error {
        Error::BadRequest(problem.with("declared", self).with("found", hex(found)))
    }

    /// Refuses bytes of a whole file or part that come to something else. An algorithm that is not made on
    /// receiving is no promise that could be kept.
    pub fn require(&self, sha256: &ids::Sha256, md5: &ids::Md5, problem: Problem) -> Result<()> {
        let found: &[u8] = match self.algorithm {
            Algorithm::Md5 => &md5.0,
            Algorithm::Sha256 | Algorithm::Sha1 => &sha256.0,
        };
        if self.digest == found {
            return Ok(());
        }
        Err(self.problem(problem, found))
    }
}

impl FromStr for Checksum {
    type Err = Malformed;

    /// Of a file, as the dialect has it: `md5:` or `sha256:` and hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed("checksum");
        let (name, digits) = text.split_once(':').ok_or(wrong)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "md5" => Algorithm::Md5,
            _ => return Err(Malformed("checksum")),
        };
        let bytes = digits.as_bytes();
        let (pairs, rest) = bytes.as_chunks::<2>();
        let digest: Option<Vec<u8>> = pairs
            .iter()
            .map(|[a, b]| Some(digit(*a)? << 4 | digit(*b)?))
            .collect();
        digest
            .filter(|_| rest.is_empty())
            .and_then(|digest| Self::new(algorithm, digest))
            .ok_or(Malformed("checksum"))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), hex(&self.digest))
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|d| d as u8)
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Hashes a chunk as it arrives.
#[derive(Debug)]
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha1(Sha1),
    Md5(Md5),
}

impl Hasher {
    pub(super) fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Md5 => Self::Md5(Md5::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(h) => h.update(bytes),
            Self::Sha1(h) => h.update(bytes),
            Self::Md5(h) => h.update(bytes),
        }
    }

    /// Refuses a chunk that came to something else.
    pub(super) fn require(self, declared: &Checksum) -> Result<()> {
        let found = match self {
            Self::Sha256(h) => h.finalize().to_vec(),
            Self::Sha1(h) => h.finalize().to_vec(),
            Self::Md5(h) => h.finalize().to_vec(),
        };
        if found == declared.digest {
            Ok(())
        } else {
            Err(declared.problem(Problem::new("chunk-checksum", ""), &found))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn checksums_are_read_and_written() {
        let text = "md5:0cc175b9c0f1b6a831c399e269772661";
        assert_eq!(text.parse::<Checksum>().unwrap().to_string(), text);
        let text = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(text.parse::<Checksum>().unwrap().to_string(), text);
        for bad in ["", "md5", "md5:", "md5:0cc1", "sha1:00", "crc32:00000000"] {
            assert!(bad.parse::<Checksum>().is_err(), "{bad}");
        }
        let odd = format!("md5:{}é", "0".repeat(31));
        assert!(odd.parse::<Checksum>().is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(text in "\\PC{0,80}") {
            if let Ok(read) = text.parse::<Checksum>() {
                prop_assert_eq!(read.to_string().parse::<Checksum>().ok(), Some(read));
            }
        }
    }
}
