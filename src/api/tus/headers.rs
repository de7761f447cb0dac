//! The headers of tus 1.0, as data. Nothing here knows what an upload is.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use base64::{Engine, prelude::*};

use crate::{
    error::{Error, Problem, Result},
    files::upload::{Algorithm, Checksum},
};

/// The version spoken here.
pub const VERSION: &str = "1.0.0";

/// A header as text; what is not ASCII is as good as malformed.
pub fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>> {
    headers
        .get(name)
        .map(|value| value.to_str().map_err(|_| malformed(name)))
        .transpose()
}

/// A header that is a number of bytes.
pub fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>> {
    text(headers, name)?
        .map(|value| digits(value).ok_or_else(|| malformed(name)))
        .transpose()
}

/// Digits only: no sign, no space, nothing over 63 bits, which is what the tables hold.
pub fn digits(text: &str) -> Option<u64> {
    let only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = only.then(|| text.parse().ok()).flatten()?;
    i64::try_from(number).is_ok().then_some(number)
}

fn malformed(name: &'static str) -> Error {
    Error::BadRequest(Problem::new("header", "").with("name", name))
}

/// `Upload-Metadata`: names, each with a value in Base64 or none.
pub fn metadata(value: &str) -> Result<BTreeMap<String, String>> {
    let wrong = || malformed("Upload-Metadata");
    let mut out = BTreeMap::new();
    for pair in value.split(',') {
        let pair = pair.trim();
        if pair.is_empty() && value.trim().is_empty() {
            continue;
        }
        let (name, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
        if name.is_empty() {
            return Err(wrong());
        }
        let bytes = BASE64_STANDARD
            .decode(encoded.trim())
            .or_else(|_| BASE64_STANDARD_NO_PAD.decode(encoded.trim()))
            .map_err(|_| wrong())?;
        let decoded = String::from_utf8(bytes).map_err(|_| wrong())?;
        if out.insert(name.to_owned(), decoded).is_some() {
            return Err(wrong());
        }
    }
    Ok(out)
}

/// `Upload-Checksum`: an algorithm, a space, the digest in Base64.
pub fn checksum(value: &str) -> Result<Checksum> {
    let (name, encoded) = value
        .split_once(' ')
        .ok_or_else(|| malformed("Upload-Checksum"))?;
    let known = Algorithm::ALL.into_iter().find(|a| a.name() == name);
    let algorithm = known.ok_or_else(|| {
        Error::BadRequest(Problem::new("checksum-algorithm", "").with("name", name))
    })?;
    BASE64_STANDARD
        .decode(encoded)
        .ok()
        .and_then(|digest| Checksum::new(algorithm, digest))
        .ok_or_else(|| malformed("Upload-Checksum"))
}

/// `Upload-Concat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concat {
    Partial,
    /// Of these uploads (their ids), in this order.
    Final(Vec<String>),
}

/// `partial`, or `final;` and the addresses of partial uploads. Most of them: 1000.
pub fn concat(value: &str) -> Result<Concat> {
    let wrong = || malformed("Upload-Concat");
    if value == "partial" {
        return Ok(Concat::Partial);
    }
    let urls = value.strip_prefix("final;").ok_or_else(wrong)?;
    let ids: Option<Vec<String>> = urls
        .split(' ')
        .filter(|url| !url.is_empty())
        .map(|url| {
            let (_, id) = url.rsplit_once("/api/uploads/")?;
            let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
            plain.then(|| id.to_owned())
        })
        .collect();
    ids.filter(|ids| (1..=1000).contains(&ids.len()))
        .map(Concat::Final)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn metadata_is_read() {
        let read = metadata("record azNmOWE=, key c+G7kSBsaeG7h3UuY3N2,flag").unwrap();
        assert_eq!(read["record"], "k3f9a");
        assert_eq!(read["key"], "số liệu.csv");
        assert_eq!(read["flag"], "");
        assert!(metadata("").unwrap().is_empty());
        for bad in [
            ",",
            "a YQ==,",
            "a YQ==,a YQ==",
            "a %%",
            "a /w==",
            "a YQ== YQ==",
        ] {
            assert!(metadata(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn checksums_are_read() {
        let read = checksum("md5 DMF1ucDxtqgxw5niaXcmYQ==").unwrap();
        assert_eq!(read.to_string(), "md5:0cc175b9c0f1b6a831c399e269772661");
        assert!(checksum("sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=").is_ok());
        for bad in [
            "",
            "md5",
            "md5 ",
            "md5 AAAA",
            "crc32 AAAAAA==",
            "MD5 DMF1ucDxtqgxw5niaXcmYQ==",
        ] {
            assert!(checksum(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn concatenations_are_read() {
        assert_eq!(concat("partial").unwrap(), Concat::Partial);
        let read = concat("final;/api/uploads/ab https://x.vn/api/uploads/cd").unwrap();
        assert_eq!(read, Concat::Final(vec!["ab".into(), "cd".into()]));
        for bad in [
            "",
            "final",
            "final;",
            "final; ",
            "Partial",
            "final;/files/a",
            "final;/api/uploads/../x",
        ] {
            assert!(concat(bad).is_err(), "{bad}");
        }
        let many = format!("final;{}", "/api/uploads/a ".repeat(1001));
        assert!(concat(&many).is_err());
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(digits("0"), Some(0));
        assert_eq!(digits("9223372036854775807"), Some(i64::MAX as u64));
        for bad in [
            "",
            "+1",
            "-1",
            " 1",
            "1.0",
            "0x1",
            "9223372036854775808",
            "99999999999999999999",
        ] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_a_parser_panic(text in "\\PC{0,120}") {
            let _ = (metadata(&text), checksum(&text), concat(&text), digits(&text));
        }

        #[test]
        fn what_was_written_is_read(pairs in prop::collection::btree_map("[a-z_-]{1,12}", "\\PC{0,40}", 0..6)) {
            let written: Vec<String> = pairs
                .iter()
                .map(|(name, value)| format!("{name} {}", BASE64_STANDARD.encode(value)))
                .collect();
            prop_assert_eq!(metadata(&written.join(",")).unwrap(), pairs);
        }
    }
}
