//! The three names of OCFL: a version, a logical path, a path inside an object; and how a logical path
//! becomes a content path.
//!
//! Names of files are kept byte for byte as the depositor gave them, in the inventory. On disk a name that
//! some file system would refuse or change gets its digest as its name instead, see [`content_name`].

use std::{collections::HashSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256 as Sha256Hasher};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::ids::{Malformed, Sha256};

/// `v1`, `v2` … or zero-padded `v001` in objects that others wrote (OCFL 3.4); ordered by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNum {
    number: u32,
    /// Digits when zero-padded, else 0.
    width: u8,
}

impl VersionNum {
    /// As Kho writes them, without padding; numbers start at 1.
    pub fn new(number: u32) -> Self {
        Self { number, width: 0 }
    }
    pub fn number(self) -> u32 {
        self.number
    }
    /// Another version of the same object: same padding.
    pub fn sibling(self, number: u32) -> Self {
        Self { number, ..self }
    }
    pub fn width(self) -> u8 {
        self.width
    }
}

impl fmt::Display for VersionNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "v{:0width$}",
            self.number,
            width = usize::from(self.width)
        )
    }
}

impl FromStr for VersionNum {
    type Err = Malformed;

    fn from_str(s: &str) -> Result<Self, Malformed> {
        let bad = Malformed("ocfl-version");
        let digits = s.strip_prefix('v').ok_or(bad)?;
        if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad);
        }
        let number: u32 = digits.parse().map_err(|_| bad)?;
        let padded = digits.starts_with('0');
        let width = if padded { digits.len() as u8 } else { 0 };
        if number == 0 {
            return Err(bad);
        }
        Ok(Self { number, width })
    }
}

macro_rules! ocfl_path {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(s: &str) -> Result<Self, Malformed> {
                let segment_ok = |part: &str| !matches!(part, "" | "." | "..");
                if s.len() <= MAX_LOGICAL && !s.contains('\0') && s.split('/').all(segment_ok) {
                    Ok(Self(s.to_owned()))
                } else {
                    Err(Malformed("ocfl-path"))
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Bytes of a path in an inventory.
const MAX_LOGICAL: usize = 4096;

ocfl_path! {
    /// The name of a file in a version (OCFL 3.5.3.1): `record.json`, `files/số liệu/đo.csv`. Any Unicode.
    LogicalPath
}
ocfl_path! {
    /// Where content stands, relative to its object (OCFL "content path"): `v1/content/files/a.csv`.
    ObjectPath
}

impl LogicalPath {
    /// The logical path of a depositor's file.
    pub fn of_file(key: &crate::ids::FileKey) -> Self {
        // Every file key is a logical path: the grammar of keys is narrower.
        Self(format!("files/{key}"))
    }
}

/// Content whose own name cannot be used stands in this folder under the SHA-256 of its logical path.
const BY_DIGEST: &str = "by-digest";

/// Which names a version has already put on disk, folded as a case-insensitive, normalising file system would.
#[derive(Debug, Default)]
pub struct Taken {
    files: HashSet<String>,
    folders: HashSet<String>,
}

/// The name under `vN/content/` for a logical path: the path itself where every usual file system keeps it
/// apart from the others and unchanged, else `by-digest/<SHA-256 of the path>`.
///
/// Not reversible by itself and does not need to be: the inventory has both names. The name is by digest when
/// a segment is over 255 bytes or the whole over 1,024, ends in a dot or space, is a device name of
/// Windows (`CON`), has a control or one of `<>:"|?*\`, is not in NFC, or differs from another name of this
/// version only by case.
pub fn content_name(logical: &LogicalPath, taken: &mut Taken) -> String {
    let path = logical.as_str();
    let reserved = path == BY_DIGEST || path.starts_with("by-digest/");
    if !reserved && path.len() <= 1024 && is_nfc(path) && path.split('/').all(portable) {
        let folded = fold(path);
        let folders: Vec<String> = folded
            .match_indices('/')
            .map(|(at, _)| folded[..at].to_owned())
            .collect();
        let free = !taken.files.contains(&folded)
            && !taken.folders.contains(&folded)
            && !folders.iter().any(|folder| taken.files.contains(folder));
        if free {
            taken.files.insert(folded);
            taken.folders.extend(folders);
            return path.to_owned();
        }
    }
    let digest = Sha256(Sha256Hasher::digest(path.as_bytes()).into());
    format!("{BY_DIGEST}/{digest}")
}

fn fold(path: &str) -> String {
    path.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn portable(segment: &str) -> bool {
    let forbidden = |c: char| c.is_control() || r#"<>:"|?*\"#.contains(c);
    let stem = segment.split('.').next().unwrap_or_default();
    let device = matches!(
        stem.to_ascii_uppercase().as_bytes(),
        b"CON"
            | b"PRN"
            | b"AUX"
            | b"NUL"
            | [b'C', b'O', b'M', b'0'..=b'9']
            | [b'L', b'P', b'T', b'0'..=b'9']
    );
    segment.len() <= 255
        && !segment.ends_with(['.', ' '])
        && !segment.contains(forbidden)
        && !device
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one_and_may_be_padded() {
        for good in ["v1", "v10", "v001", "v09"] {
            assert_eq!(good.parse::<VersionNum>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "v",
            "v0",
            "v00",
            "1",
            "v1.0",
            "v-1",
            "V1",
            "v9999999999",
        ] {
            assert!(bad.parse::<VersionNum>().is_err(), "{bad}");
        }
        assert!(VersionNum::new(10) > VersionNum::new(9));
    }

    fn name(path: &str, taken: &mut Taken) -> String {
        content_name(&path.parse().unwrap(), taken)
    }

    #[test]
    fn portable_names_are_kept_and_others_go_by_digest() {
        let taken = &mut Taken::default();
        for kept in [
            "record.json",
            "files/số liệu/đo đạc (1).csv",
            "files/…",
            "files/.hidden",
        ] {
            assert_eq!(
                name(kept, taken).as_str() == kept,
                !kept.ends_with('.'),
                "{kept}"
            );
        }
        let long = format!("files/{}", "ệ".repeat(90));
        for moved in [
            "files/CON",
            "files/nul.txt",
            "files/a:b",
            "files/a.",
            "files/a ",
            "files/a\u{1}",
            &long,
            "files/e\u{301}",
            "by-digest/x",
            "by-digest",
        ] {
            let name = name(moved, taken);
            assert!(
                name.starts_with("by-digest/") && name.len() == 74,
                "{moved}: {name}"
            );
        }
    }

    #[test]
    fn names_that_differ_only_by_case_stay_apart() {
        let taken = &mut Taken::default();
        assert_eq!(name("files/Data.csv", taken), "files/Data.csv");
        assert!(name("files/data.CSV", taken).starts_with("by-digest/"));
        assert!(name("Files/data.csv/x", taken).starts_with("by-digest/"));
        assert_eq!(name("Files/x", taken), "Files/x");
        assert!(name("FILES", taken).starts_with("by-digest/"));
    }

    proptest::proptest! {
        #[test]
        fn content_names_are_paths_and_unique(
            paths in proptest::collection::btree_set("[a-cA-C./: ]{1,12}|\\PC{1,40}", 1..30)
        ) {
            let taken = &mut Taken::default();
            let mut names = HashSet::new();
            for path in paths {
                let Ok(logical) = path.parse::<LogicalPath>() else { continue };
                let name = content_name(&logical, taken);
                assert!(name.parse::<crate::store::object::ContentPath>().is_ok(), "{path:?}: {name:?}");
                assert!(names.insert(fold(&name)), "{path:?}: {name:?}");
            }
        }
    }
}
