//! Names with a grammar: record ids, DOIs, ORCID, ROR, checksums, file keys.
//!
//! Parsed once at the edge, then carried as types, so that no function further in has to ask
//! whether a string is what it says. Not here: rules about what a name refers to (`metadata`,
//! `access`), and anything that touches a disk or a table.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Crockford's alphabet in lower case: no `i`, `l`, `o`, `u`, so an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What was wrong with a name. The code is stable; the edge translates `problem-<code>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
            pub fn into_string(self) -> String {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id! {
    /// The id of a record version or of a concept (parent): `xxxxx-xxxxx`, as InvenioRDM writes it.
    ///
    /// Eight random Crockford digits (40 bits) and two check digits (ISO 7064 mod 97-10 over the
    /// value), so that a mistyped id is not found rather than being somebody else's record.
    RecordId
}

impl RecordId {
    /// Makes an id from 40 random bits; higher bits are ignored.
    pub fn from_random(random: u64) -> Self {
        let value = random & 0xff_ffff_ffff;
        let mut digits: Vec<u8> = (0..8)
            .rev()
            .map(|i| ALPHABET[(value >> (5 * i) & 31) as usize])
            .collect();
        let check = 98 - (value % 97 * 100) % 97;
        digits.push(b'0' + (check / 10) as u8);
        digits.push(b'0' + (check % 10) as u8);
        let text: String = digits.into_iter().map(char::from).collect();
        Self(format!("{}-{}", &text[..5], &text[5..]))
    }
}

impl FromStr for RecordId {
    type Err = Malformed;

    /// Accepts any eleven characters of the shape; the check digits are not enforced, because a
    /// record imported from another repository keeps the id it came with.
    fn from_str(s: &str) -> Result<Self, Malformed> {
        let b = s.as_bytes();
        let ok = b.len() == 11
            && b[5] == b'-'
            && b.iter()
                .enumerate()
                .all(|(i, c)| i == 5 || c.is_ascii_digit() || c.is_ascii_lowercase());
        if ok {
            Ok(Self(s.to_owned()))
        } else {
            Err(Malformed("record-id"))
        }
    }
}

text_id! {
    /// A DOI without resolver or scheme: `10.5072/k3f9a-2bq71`, lower case (DOI Handbook 2.4: case-insensitive).
    Doi
}

impl Doi {
    /// The DOI of a record under this repository's prefix.
    pub fn for_record(prefix: &str, id: &RecordId) -> Self {
        Self(format!("{prefix}/{id}").to_ascii_lowercase())
    }
    /// The part before the slash, `10.5072`.
    pub fn prefix(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
    /// `https://doi.org/10.5072/…`, percent-encoded where a URL needs it.
    pub fn url(&self) -> String {
        let encoded = percent_encoding::utf8_percent_encode(&self.0, DOI_PATH);
        format!("https://doi.org/{encoded}")
    }
}

/// What must be escaped in the path of a DOI link (DOI Handbook 2.5.2.4).
const DOI_PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl FromStr for Doi {
    type Err = Malformed;

    /// Takes `10.x/y`, `doi:10.x/y` and resolver links; the prefix is digits and dots, the suffix printable.
    fn from_str(s: &str) -> Result<Self, Malformed> {
        let lower = s.trim().to_lowercase();
        let mut bare = lower.as_str();
        for head in ["https://", "http://", "dx.doi.org/", "doi.org/", "doi:"] {
            bare = bare.strip_prefix(head).unwrap_or(bare);
        }
        let bare = bare.trim_start();
        let (prefix, suffix) = bare.split_once('/').ok_or(Malformed("doi"))?;
        let registrant = prefix.strip_prefix("10.").ok_or(Malformed("doi"))?;
        let prefix_ok = registrant.len() >= 2
            && registrant
                .split('.')
                .all(|p| !p.is_empty() && p.len() <= 9 && p.bytes().all(|c| c.is_ascii_digit()));
        let suffix_ok =
            !suffix.is_empty() && !suffix.chars().any(|c| c.is_control() || c.is_whitespace());
        if prefix_ok && suffix_ok && bare.len() <= 255 {
            Ok(Self(bare.to_owned()))
        } else {
            Err(Malformed("doi"))
        }
    }
}

text_id! {
    /// An ORCID iD, `0000-0002-1825-0097`, check digit verified (ISO 7064 mod 11-2).
    Orcid
}

impl FromStr for Orcid {
    type Err = Malformed;

    fn from_str(s: &str) -> Result<Self, Malformed> {
        let mut bare = s.trim();
        for head in ["https://", "http://", "orcid.org/"] {
            bare = bare.strip_prefix(head).unwrap_or(bare);
        }
        let bare = bare.to_ascii_uppercase();
        if bare.len() != 19 {
            return Err(Malformed("orcid"));
        }
        let mut total = 0u32;
        for (i, c) in bare.bytes().enumerate() {
            match (i, c) {
                (4 | 9 | 14, b'-') => {}
                (4 | 9 | 14, _) => return Err(Malformed("orcid")),
                (18, _) => {
                    let check = (12 - total % 11) % 11;
                    let expected = if check == 10 {
                        b'X'
                    } else {
                        b'0' + check as u8
                    };
                    if c != expected {
                        return Err(Malformed("orcid-check-digit"));
                    }
                }
                (_, b'0'..=b'9') => total = (total + u32::from(c - b'0')) * 2,
                _ => return Err(Malformed("orcid")),
            }
        }
        Ok(Self(bare))
    }
}

text_id! {
    /// A ROR id without its resolver, `01ggx4157`: a zero, six Crockford digits, two check digits.
    Ror
}

impl FromStr for Ror {
    type Err = Malformed;

    fn from_str(s: &str) -> Result<Self, Malformed> {
        let mut bare = s.trim();
        for head in ["https://", "http://", "ror.org/"] {
            bare = bare.strip_prefix(head).unwrap_or(bare);
        }
        let bare = bare.to_ascii_lowercase();
        let b = bare.as_bytes();
        if b.len() != 9 || b[0] != b'0' {
            return Err(Malformed("ror"));
        }
        let mut value = 0u64;
        for c in &b[1..7] {
            let digit = ALPHABET
                .iter()
                .position(|a| a == c)
                .ok_or(Malformed("ror"))?;
            value = value * 32 + digit as u64;
        }
        let check: u64 = bare[7..].parse().map_err(|_| Malformed("ror"))?;
        if check == 98 - (value * 100) % 97 {
            Ok(Self(bare))
        } else {
            Err(Malformed("ror-check-digit"))
        }
    }
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $code:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            pub fn to_hex(self) -> String {
                use fmt::Write;
                self.0.iter().fold(String::with_capacity($bytes * 2), |mut s, b| {
                    let _ = write!(s, "{b:02x}");
                    s
                })
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }
        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(s: &str) -> Result<Self, Malformed> {
                let b = s.as_bytes();
                if b.len() != $bytes * 2 {
                    return Err(Malformed($code));
                }
                let mut out = [0u8; $bytes];
                for (o, pair) in out.iter_mut().zip(b.chunks_exact(2)) {
                    let high = char::from(pair[0]).to_digit(16).ok_or(Malformed($code))?;
                    let low = char::from(pair[1]).to_digit(16).ok_or(Malformed($code))?;
                    *o = (high * 16 + low) as u8;
                }
                Ok(Self(out))
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.to_hex())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

digest! {
    /// The identity of a file's content.
    Sha256, 32, "sha256"
}
digest! {
    /// Given beside SHA-256 because the InvenioRDM dialect asks for it; never an identity.
    Md5, 16, "md5"
}

text_id! {
    /// The name of a file inside a record: a relative path with `/`, kept byte for byte as the client sent it.
    ///
    /// Refused: empty, over 1,024 bytes, a segment over 255 bytes, absolute, `.` or `..` segments, empty
    /// segments, backslash, NUL and other control characters, and the bidirectional overrides that
    /// make `exe.txt` read as `txt.exe`.
    FileKey
}

impl FileKey {
    /// The last segment, what a browser should save the file as.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
    /// The extension in lower case, without the dot; empty when there is none.
    pub fn extension(&self) -> String {
        match self.file_name().rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() && ext.len() <= 16 => ext.to_lowercase(),
            _ => String::new(),
        }
    }
}

impl FromStr for FileKey {
    type Err = Malformed;

    fn from_str(s: &str) -> Result<Self, Malformed> {
        if s.is_empty() {
            return Err(Malformed("file-key-empty"));
        }
        if s.len() > 1024 || s.split('/').any(|part| part.len() > 255) {
            return Err(Malformed("file-key-too-long"));
        }
        if s.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Malformed("file-key-path"));
        }
        let forbidden = |c: char| {
            c.is_control()
                || c == '\\'
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        };
        if s.chars().any(forbidden) {
            return Err(Malformed("file-key-character"));
        }
        Ok(Self(s.to_owned()))
    }
}

/// An account's number. The dialect writes it as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_ids_have_their_shape_and_round_trip() {
        for random in [0, 1, 97, 0xff_ffff_ffff, 0x1234_5678_9abc] {
            let id = RecordId::from_random(random);
            assert_eq!(id.as_str().parse::<RecordId>(), Ok(id.clone()));
            assert_eq!(id.as_str().len(), 11);
        }
        for bad in [
            "",
            "k3f9a2bq71",
            "k3f9a-2bq7",
            "K3F9A-2BQ71",
            "k3f9a-2bq7é",
            "../..-/etc/",
        ] {
            assert!(bad.parse::<RecordId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn dois_are_read_in_every_usual_form() {
        for form in [
            "10.5072/K3F9A-2bq71",
            "doi:10.5072/k3f9a-2bq71",
            "https://doi.org/10.5072/k3f9a-2bq71",
            "http://dx.doi.org/10.5072/k3f9a-2bq71",
        ] {
            assert_eq!(form.parse::<Doi>().unwrap().as_str(), "10.5072/k3f9a-2bq71");
        }
        for bad in [
            "",
            "10.5072",
            "10.5072/",
            "11.5072/x",
            "10.ab/x",
            "10.5072/a b",
        ] {
            assert!(bad.parse::<Doi>().is_err(), "{bad}");
        }
    }

    #[test]
    fn check_digits_are_checked() {
        assert!("0000-0002-1825-0097".parse::<Orcid>().is_ok());
        assert!(
            "https://orcid.org/0000-0002-9079-593X"
                .parse::<Orcid>()
                .is_ok()
        );
        assert_eq!(
            "0000-0002-1825-0098".parse::<Orcid>(),
            Err(Malformed("orcid-check-digit"))
        );
        assert!("01ggx4157".parse::<Ror>().is_ok());
        assert!("https://ror.org/02feahw73".parse::<Ror>().is_ok());
        assert_eq!(
            "01ggx4158".parse::<Ror>(),
            Err(Malformed("ror-check-digit"))
        );
    }

    #[test]
    fn file_keys_cannot_leave_their_record() {
        for good in ["a.csv", "tài liệu/đọc tôi.txt", "..a", "a..b/c", ".hidden"] {
            assert!(good.parse::<FileKey>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "./a",
            "a\\b",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
        ] {
            assert!(bad.parse::<FileKey>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(256).parse::<FileKey>().is_err());
        assert_eq!("d/Data.CSV".parse::<FileKey>().unwrap().extension(), "csv");
    }
}
