//! The inventory of an object: `inventory.json` (OCFL 3.5) as types, in and out.
//!
//! Reading is strict: what `validate` finds wrong makes the inventory unusable, with every fault named by its
//! code of the OCFL validation list. Digests stay as written, because other programs write upper case.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256 as Sha256Hasher, Sha512 as Sha512Hasher};

use super::{LogicalPath, ObjectId, ObjectPath, VersionNum, validate};
use crate::error::{Error, Result};

pub const INVENTORY: &str = "inventory.json";
/// More than this is not an inventory; 100,000 files in ten versions make about 40 MB.
pub const MAX_BYTES: u64 = 256 << 20;

/// Digest (as written) to the paths that have it.
pub type ByDigest<P> = BTreeMap<String, Vec<P>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    pub id: ObjectId,
    pub spec: Spec,
    pub algorithm: Algorithm,
    pub head: VersionNum,
    /// `content` unless another program chose otherwise.
    pub content_directory: String,
    pub manifest: ByDigest<ObjectPath>,
    pub versions: BTreeMap<VersionNum, Version>,
    /// Further digests by algorithm (`md5`), each with the paths it is for.
    pub fixity: BTreeMap<String, ByDigest<ObjectPath>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub created: DateTime<FixedOffset>,
    pub message: Option<String>,
    pub user: Option<User>,
    pub state: ByDigest<LogicalPath>,
}

/// The version of OCFL that an inventory follows. Kho writes 1.1 and reads both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spec {
    V1_0,
    V1_1,
}

impl Spec {
    /// `type` of an inventory.
    pub fn inventory_type(self) -> &'static str {
        match self {
            Self::V1_0 => "https://ocfl.io/1.0/spec/#inventory",
            Self::V1_1 => "https://ocfl.io/1.1/spec/#inventory",
        }
    }
}

/// Who made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// A URI: `mailto:…`, an ORCID link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What content is named by. Kho writes SHA-256 and reads both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Sha256,
    Sha512,
}

/// One thing wrong with an inventory or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From the OCFL validation codes, `E036`.
    pub code: &'static str,
    pub detail: String,
}

impl Fault {
    pub fn new(code: &'static str, detail: impl fmt::Display) -> Self {
        Self {
            code,
            detail: detail.to_string(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.detail)
    }
}

impl Algorithm {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    pub fn hex(self, bytes: &[u8]) -> String {
        match self {
            Self::Sha256 => hex(&Sha256Hasher::digest(bytes)),
            Self::Sha512 => hex(&Sha512Hasher::digest(bytes)),
        }
    }

    /// The name of the file that holds the inventory's own digest.
    pub fn sidecar(self) -> String {
        format!("{INVENTORY}.{}", self.as_str())
    }
}

pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

impl Inventory {
    /// Reads and validates an inventory; all faults that were found, or the inventory.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let raw: Raw = serde_json::from_slice(bytes).map_err(|e| vec![Fault::new("E034", e)])?;
        validate::inventory(raw)
    }

    /// The files as they are to be written: the inventory and the line of its sidecar.
    pub fn to_files(&self) -> Result<(Bytes, Bytes)> {
        let mut bytes = serde_json::to_vec_pretty(&Written(self))
            .map_err(|e| Error::internal("inventory", e))?;
        bytes.push(b'\n');
        let sidecar = format!("{} {INVENTORY}\n", self.algorithm.hex(&bytes));
        Ok((bytes.into(), sidecar.into()))
    }

    /// Where the content with this digest stands; the first place when there are several.
    pub fn content_of(&self, digest: &str) -> Option<&ObjectPath> {
        self.manifest.get(digest)?.first()
    }
}

/// A JSON object in the order and with the repetitions of the text: a map would hide a repeated key.
#[derive(Debug)]
pub(super) struct Pairs<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> de::Visitor<'de> for Visitor<V> {
            type Value = Pairs<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        d.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

/// As the text has it, before anything was checked. A repeated field is an error of `serde` itself.
#[derive(Debug, Deserialize)]
pub(super) struct Raw {
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub inventory_type: Option<String>,
    #[serde(rename = "digestAlgorithm")]
    pub digest_algorithm: Option<String>,
    pub head: Option<serde_json::Value>,
    #[serde(rename = "contentDirectory")]
    pub content_directory: Option<String>,
    pub manifest: Option<Pairs<Vec<String>>>,
    pub versions: Option<Pairs<RawVersion>>,
    pub fixity: Option<Pairs<Pairs<Vec<String>>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawVersion {
    pub created: Option<serde_json::Value>,
    pub message: Option<serde_json::Value>,
    pub user: Option<serde_json::Value>,
    pub state: Option<Pairs<Vec<String>>>,
}

/// The JSON of an inventory, borrowed: one of a hundred thousand files should not be copied to be written.
struct Written<'a>(&'a Inventory);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let Inventory { versions, .. } = self.0;
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("id", self.0.id.as_str())?;
        map.serialize_entry("type", self.0.spec.inventory_type())?;
        map.serialize_entry("digestAlgorithm", self.0.algorithm.as_str())?;
        map.serialize_entry("head", &self.0.head.to_string())?;
        if self.0.content_directory != "content" {
            map.serialize_entry("contentDirectory", &self.0.content_directory)?;
        }
        if !self.0.fixity.is_empty() {
            map.serialize_entry("fixity", &self.0.fixity)?;
        }
        map.serialize_entry("manifest", &self.0.manifest)?;
        map.serialize_entry("versions", &WrittenVersions(versions))?;
        map.end()
    }
}

struct WrittenVersions<'a>(&'a BTreeMap<VersionNum, Version>);

impl Serialize for WrittenVersions<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(
            self.0
                .iter()
                .map(|(num, version)| (num.to_string(), version)),
        )
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = s.serialize_map(None)?;
        let created = self.created.to_rfc3339_opts(SecondsFormat::Secs, true);
        map.serialize_entry("created", &created)?;
        if let Some(message) = &self.message {
            map.serialize_entry("message", message)?;
        }
        if let Some(user) = &self.user {
            map.serialize_entry("user", user)?;
        }
        map.serialize_entry("state", &self.state)?;
        map.end()
    }
}
