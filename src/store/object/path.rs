//! A place in the archive tree. Not a file key: what a depositor called a file is `ids::FileKey`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::ids::Malformed;

/// Where a file (or folder) of the archive stands, relative to the root of the archive, with `/`:
/// `3f2/a81/0cc/3f2a810cc…/v1/content/files/penguins.csv`.
///
/// Never empty, absolute or leading out: no `.`, `..` or empty segments, no NUL, no backslash, a segment at
/// most 255 bytes, the whole at most 3,072 (so that with the folder of the store it stays under `PATH_MAX`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ContentPath(String);

/// Bytes of a whole path.
pub const MAX_PATH: usize = 3072;
/// Bytes of one segment, on ext4, XFS, APFS and NTFS alike.
pub const MAX_SEGMENT: usize = 255;

impl ContentPath {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A place below this one.
    pub fn join(&self, below: &str) -> Result<Self, Malformed> {
        format!("{}/{below}", self.0).parse()
    }

    /// The folder this stands in; `None` at the top of the archive.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.to_owned()))
    }
}

impl FromStr for ContentPath {
    type Err = Malformed;

    fn from_str(s: &str) -> Result<Self, Malformed> {
        let segment_ok = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= MAX_SEGMENT;
        if s.len() <= MAX_PATH && !s.contains(['\0', '\\']) && s.split('/').all(segment_ok) {
            Ok(Self(s.to_owned()))
        } else {
            Err(Malformed("content-path"))
        }
    }
}

impl fmt::Display for ContentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ContentPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ContentPath {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_paths_stay_inside() {
        for good in ["a", "a/b.csv", "số liệu/đo.csv", "..a/b..", "a b"] {
            assert!(good.parse::<ContentPath>().is_ok(), "{good}");
        }
        let long = "x".repeat(256);
        for bad in [
            "", "/a", "a/", "a//b", "../a", "a/./b", "a\0", "a\\b", &long,
        ] {
            assert!(bad.parse::<ContentPath>().is_err(), "{bad:?}");
        }
        let path: ContentPath = "a/b".parse().unwrap();
        assert!(path.join("../c").is_err());
        assert_eq!(path.parent().unwrap().as_str(), "a");
        assert_eq!(path.parent().unwrap().parent(), None);
    }
}
