//! What a leaf says: one event in the life of a version, as canonical JSON (RFC 8785). Pure.
//!
//! No personal data: names of things and digests. Of a version whose very existence is not public, the leaf is
//! sealed: it holds a digest of the entry and 32 random bytes, which only those who may see the version are given.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256 as Hasher};

use crate::ids::Sha256;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A version was published.
    Publish,
    /// Its description was corrected; its files are the same.
    Revise,
    /// It was taken out of view.
    Withdraw,
    /// And put back.
    Restore,
}

impl Event {
    pub fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Revise => "revise",
            Self::Withdraw => "withdraw",
            Self::Restore => "restore",
        }
    }
}

/// An entry. The fields stand in the order of their names, as RFC 8785 sorts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version of the archive object after the event.
    pub archive_version: i64,
    /// The record id of the concept.
    pub concept: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doi: Option<String>,
    pub event: Event,
    /// SHA-256 of the version's `SHA256SUMS`: a line `<sha256>  <name>` for each file, sorted by the bytes of the name.
    pub files_sha256: Sha256,
    /// The shape of entries.
    pub format: u32,
    /// SHA-256 of `inventory.json` of that version of the archive object (`v<archive_version>/inventory.json`).
    pub inventory_sha256: Sha256,
    /// Written down after the fact: the store is older than its ledger.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
    /// SHA-256 of the description (the `metadata` of a receipt, to the byte).
    pub metadata_sha256: Sha256,
    /// The record id of the version.
    pub record: String,
    /// SHA-256 of its `record.json` in the archive.
    pub record_json_sha256: Sha256,
    /// The revision of its description.
    pub revision: i64,
    /// When it happened, ISO 8601, UTC.
    pub time: String,
    /// The version's number among those of its concept.
    pub version: i64,
}

/// The only shape so far.
pub const FORMAT: u32 = 1;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Entry {
    /// The canonical bytes, as text.
    pub fn canonical(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Reads what `canonical` wrote; none when it is anything else, to the byte.
    pub fn parse(text: &str) -> Option<Self> {
        let entry: Self = serde_json::from_str(text).ok()?;
        (entry.canonical().ok()? == text && entry.format == FORMAT).then_some(entry)
    }
}

/// Random bytes that seal an entry.
pub type Salt = [u8; 32];

/// The bytes of a leaf.
pub fn leaf(entry: &str, salt: Option<&Salt>) -> Vec<u8> {
    match salt {
        None => entry.as_bytes().to_vec(),
        Some(salt) => {
            let mut hasher = Hasher::new();
            hasher.update(salt);
            hasher.update(entry.as_bytes());
            let sealed = Sha256(hasher.finalize().into());
            format!("{{\"format\":{FORMAT},\"sealed\":\"{sealed}\"}}").into_bytes()
        }
    }
}

/// SHA-256 of the list of a version's files, as `Entry::files_sha256` has it.
pub fn files_digest<'a>(files: impl IntoIterator<Item = (&'a str, Sha256)>) -> Sha256 {
    let mut files: Vec<(&str, Sha256)> = files.into_iter().collect();
    files.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    let mut hasher = Hasher::new();
    for (name, digest) in files {
        hasher.update(digest.to_hex());
        hasher.update("  ");
        hasher.update(name);
        hasher.update("\n");
    }
    Sha256(hasher.finalize().into())
}

/// SHA-256 of some text.
pub fn digest(bytes: impl AsRef<[u8]>) -> Sha256 {
    Sha256(Hasher::digest(bytes).into())
}

/// Appends a leaf to an entry bundle of C2SP `tlog-tiles`: its length in two bytes, big-endian, then itself.
/// False when it is too long for that.
pub fn bundle(out: &mut Vec<u8>, leaf: &[u8]) -> bool {
    let Ok(length) = u16::try_from(leaf.len()) else {
        return false;
    };
    out.extend(length.to_be_bytes());
    out.extend(leaf);
    true
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::ledger) fn sample() -> Entry {
        Entry {
            archive_version: 1,
            concept: "aaaaa-aaa11".to_owned(),
            doi: Some("10.5072/bbbbb-bbb22".to_owned()),
            event: Event::Publish,
            files_sha256: files_digest([("b.csv", digest("b")), ("a.csv", digest("a"))]),
            format: FORMAT,
            inventory_sha256: digest("inventory"),
            late: false,
            metadata_sha256: digest("{}"),
            record: "bbbbb-bbb22".to_owned(),
            record_json_sha256: digest("record"),
            revision: 3,
            time: "2026-11-24T08:00:00Z".to_owned(),
            version: 1,
        }
    }

    #[test]
    fn entries_are_canonical_json() {
        let text = sample().canonical().unwrap();
        assert_eq!(Entry::parse(&text), Some(sample()));
        // Sorted names, no white space: what a parser that sorts writes again.
        let value: std::collections::BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        for other in [
            text.replace("\"format\":1", "\"format\": 1"),
            text.replace("\"format\":1", "\"format\":2"),
            text.replace(
                "{\"archive_version\":1,",
                "{\"archive_version\":1,\"also\":1,",
            ),
            text.replace("\"late\"", "\"Late\"")
                .replace("publish", "erase"),
            text.replace("\"inventory", "\"late\":false,\"inventory"),
        ] {
            assert_eq!(Entry::parse(&other), None, "{other}");
        }
        let late = Entry {
            late: true,
            doi: None,
            ..sample()
        };
        assert_eq!(Entry::parse(&late.canonical().unwrap()), Some(late));
    }

    #[test]
    fn the_list_of_files_is_that_of_sha256sum() {
        let lines = format!("{}  a.csv\n{}  b.csv\n", digest("a"), digest("b"));
        assert_eq!(sample().files_sha256, digest(lines));
    }

    #[test]
    fn a_sealed_leaf_tells_nothing() {
        let text = sample().canonical().unwrap();
        let sealed = String::from_utf8(leaf(&text, Some(&[7; 32]))).unwrap();
        assert!(!sealed.contains("bbbbb") && !sealed.contains("5072"));
        assert_ne!(leaf(&text, Some(&[8; 32])), sealed.as_bytes());
        assert_eq!(leaf(&text, None), text.as_bytes());
        let mut out = Vec::new();
        assert!(bundle(&mut out, b"abc"));
        assert_eq!(out, b"\0\x03abc");
        assert!(!bundle(&mut out, &vec![0; 70_000]));
    }
}
