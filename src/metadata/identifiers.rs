//! Identifiers of works, people and places: which scheme a text is in, its bare form, its link.
//!
//! Check digits are verified where the scheme has them. Not here: whether the thing exists.

use url::Url;

use crate::ids::{Doi, Malformed, Orcid, Ror};

/// Longer is never an identifier.
pub const MAX_LENGTH: usize = 2048;

/// The bare form of an identifier in a scheme of `identifier_schemes.tsv`.
pub fn normalize(scheme: &str, text: &str) -> Result<String, Malformed> {
    let s = text.trim();
    if s.is_empty() || s.len() > MAX_LENGTH || s.chars().any(char::is_control) {
        return Err(Malformed("identifier"));
    }
    match scheme {
        "doi" => s.parse::<Doi>().map(Doi::into_string),
        "orcid" => s.parse::<Orcid>().map(Orcid::into_string),
        "ror" => s.parse::<Ror>().map(Ror::into_string),
        "isni" => isni(s).ok_or(Malformed("isni")),
        "isbn" => isbn(s).ok_or(Malformed("isbn")),
        "issn" | "eissn" | "lissn" => issn(s).ok_or(Malformed("issn")),
        "ean13" => gtin(s, 13).ok_or(Malformed("identifier")),
        "upc" => gtin(s, 12).ok_or(Malformed("identifier")),
        "arxiv" => arxiv(s).ok_or(Malformed("arxiv")),
        "handle" => handle(s).ok_or(Malformed("handle")),
        "pmid" => digits(strip(s, &["pmid:", "https://pubmed.ncbi.nlm.nih.gov/"])),
        "geonames" => digits(strip(
            s,
            &["https://www.geonames.org/", "https://sws.geonames.org/"],
        )),
        "wikidata" => wikidata(s).ok_or(Malformed("identifier")),
        "url" | "purl" | "w3id" => link(s).ok_or(Malformed("url")),
        "urn" | "lsid" if !starts(s, "urn:") => Err(Malformed("urn")),
        "ark" if !s.contains("ark:") => Err(Malformed("identifier")),
        "grid" => grid(s).ok_or(Malformed("identifier")),
        _ => Ok(s.to_owned()),
    }
}

/// The scheme of an identifier given without one, when its form leaves no doubt.
pub fn detect(text: &str) -> Option<&'static str> {
    let s = text.trim();
    let prefixed = [
        ("isbn:", "isbn"),
        ("issn:", "issn"),
        ("pmid:", "pmid"),
        ("urn:lsid:", "lsid"),
        ("urn:", "urn"),
        ("ark:", "ark"),
        ("rrid:", "rrid"),
        ("cstr:", "cstr"),
        ("igsn:", "igsn"),
        ("hdl:", "handle"),
        ("https://hdl.handle.net/", "handle"),
        ("http://hdl.handle.net/", "handle"),
        ("https://w3id.org/", "w3id"),
        ("http://purl.org/", "purl"),
        ("https://purl.org/", "purl"),
        ("https://pubmed.ncbi.nlm.nih.gov/", "pmid"),
        ("https://www.wikidata.org/", "wikidata"),
    ];
    if s.parse::<Doi>().is_ok() {
        return Some("doi");
    }
    if let Some((_, scheme)) = prefixed.into_iter().find(|(p, _)| starts(s, p)) {
        return normalize(scheme, s).is_ok().then_some(scheme);
    }
    for scheme in ["orcid", "arxiv", "url", "isbn", "issn"] {
        if normalize(scheme, s).is_ok() {
            return Some(scheme);
        }
    }
    (starts(s, "https://ror.org/") && s.parse::<Ror>().is_ok()).then_some("ror")
}

/// Where an identifier resolves, when its scheme has a resolver.
pub fn url(scheme: &str, identifier: &str) -> Option<String> {
    let id = identifier;
    Some(match scheme {
        "doi" => id.parse::<Doi>().ok()?.url(),
        "orcid" => format!("https://orcid.org/{id}"),
        "ror" => format!("https://ror.org/{id}"),
        "isni" => format!("https://isni.org/isni/{id}"),
        "gnd" => format!("https://d-nb.info/gnd/{}", encoded(strip(id, &["gnd:"]))),
        "arxiv" => format!("https://arxiv.org/abs/{}", strip(id, &["arxiv:"])),
        "handle" => format!("https://hdl.handle.net/{}", encoded(id)),
        "pmid" => format!("https://pubmed.ncbi.nlm.nih.gov/{id}/"),
        "wikidata" => format!("https://www.wikidata.org/wiki/{id}"),
        "geonames" => format!("https://www.geonames.org/{id}"),
        "issn" | "eissn" | "lissn" => format!("https://portal.issn.org/resource/ISSN/{id}"),
        "ark" if starts(id, "ark:") => format!("https://n2t.net/{}", encoded(id)),
        "urn" if starts(id, "urn:nbn:") => format!("https://nbn-resolving.org/{}", encoded(id)),
        "url" | "purl" | "w3id" | "ark" => link(id)?,
        _ => return None,
    })
}

fn encoded(s: &str) -> String {
    const PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?');
    percent_encoding::utf8_percent_encode(s, PATH).to_string()
}

fn starts(s: &str, prefix: &str) -> bool {
    s.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn strip<'a>(s: &'a str, prefixes: &[&str]) -> &'a str {
    let mut rest = s;
    for p in prefixes {
        if starts(rest, p) {
            rest = rest[p.len()..].trim_start();
        }
    }
    rest
}

fn digits(s: &str) -> Result<String, Malformed> {
    let bare = s.trim_end_matches('/');
    if (1..=12).contains(&bare.len()) && bare.bytes().all(|c| c.is_ascii_digit()) {
        Ok(bare.to_owned())
    } else {
        Err(Malformed("identifier"))
    }
}

/// Only links that a browser may follow: http, https, ftp, with a host.
pub fn link(s: &str) -> Option<String> {
    let url = Url::parse(s.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https" | "ftp") && url.has_host())
        .then(|| s.trim().to_owned())
        .filter(|s| s.len() <= MAX_LENGTH && !s.contains(char::is_whitespace))
}

/// Digits (and a final X) after the prefix, without hyphens and spaces.
fn compact(s: &str, prefixes: &[&str]) -> Option<String> {
    let bare: String = strip(s, prefixes)
        .chars()
        .filter(|c| !matches!(c, '-' | ' ' | '\u{2010}' | '\u{2011}'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let (last, head) = bare.as_bytes().split_last()?;
    (head.iter().all(u8::is_ascii_digit) && (last.is_ascii_digit() || *last == b'X'))
        .then_some(bare)
}

fn value(c: u8) -> u32 {
    if c == b'X' { 10 } else { u32::from(c - b'0') }
}

fn isbn(s: &str) -> Option<String> {
    let bare = compact(s, &["isbn:", "isbn"])?;
    match bare.len() {
        10 => {
            let sum: u32 = bare
                .bytes()
                .zip(1..)
                .map(|(c, i)| value(c) * (11 - i))
                .sum();
            sum.is_multiple_of(11).then_some(bare)
        }
        13 if bare.starts_with("978") || bare.starts_with("979") => gtin(&bare, 13),
        _ => None,
    }
}

/// The check of EAN-13, UPC-A and ISBN-13: weights 3 and 1 from the right.
fn gtin(s: &str, length: usize) -> Option<String> {
    let bare = compact(s, &[])?;
    let sum: u32 = bare
        .bytes()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(c, w)| value(c) * w)
        .sum();
    (bare.len() == length && !bare.ends_with('X') && sum.is_multiple_of(10)).then_some(bare)
}

fn issn(s: &str) -> Option<String> {
    let bare = compact(s, &["issn:", "issn"]).filter(|b| b.len() == 8)?;
    let sum: u32 = bare.bytes().zip(1..).map(|(c, i)| value(c) * (9 - i)).sum();
    sum.is_multiple_of(11)
        .then(|| format!("{}-{}", &bare[..4], &bare[4..]))
}

fn isni(s: &str) -> Option<String> {
    let bare = compact(
        s,
        &["https://isni.org/isni/", "http://isni.org/isni/", "isni:"],
    )?;
    if bare.len() != 16 {
        return None;
    }
    let total = bare.as_bytes()[..15]
        .iter()
        .fold(0u32, |t, c| (t + value(*c)) * 2 % 11);
    ((12 - total) % 11 == value(bare.as_bytes()[15])).then_some(bare)
}

/// `arXiv:2101.00001v2` or `arXiv:math.GT/0309136`.
fn arxiv(s: &str) -> Option<String> {
    let explicit = starts(s, "arxiv:") || s.contains("arxiv.org/");
    let bare = strip(
        s,
        &["https://arxiv.org/abs/", "http://arxiv.org/abs/", "arxiv:"],
    );
    let (main, version) = bare.rsplit_once('v').unwrap_or((bare, "1"));
    if version.is_empty() || !version.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let all_digits = |t: &str| t.bytes().all(|c| c.is_ascii_digit());
    let new = main.split_once('.').is_some_and(|(a, b)| {
        a.len() == 4 && matches!(b.len(), 4 | 5) && all_digits(a) && all_digits(b)
    });
    let old = explicit
        && main.split_once('/').is_some_and(|(a, n)| {
            !a.is_empty()
                && a.bytes()
                    .all(|c| c.is_ascii_alphabetic() || matches!(c, b'-' | b'.'))
                && n.len() == 7
                && all_digits(n)
        });
    (new || old).then(|| format!("arXiv:{bare}"))
}

fn handle(s: &str) -> Option<String> {
    let bare = strip(
        s,
        &["https://hdl.handle.net/", "http://hdl.handle.net/", "hdl:"],
    );
    let (prefix, suffix) = bare.split_once('/')?;
    (!prefix.is_empty()
        && !suffix.is_empty()
        && prefix.bytes().all(|c| c.is_ascii_digit() || c == b'.')
        && !suffix.contains(char::is_whitespace))
    .then(|| bare.to_owned())
}

fn wikidata(s: &str) -> Option<String> {
    let bare = strip(
        s,
        &[
            "https://www.wikidata.org/wiki/",
            "http://www.wikidata.org/entity/",
        ],
    );
    let number = bare.strip_prefix(['Q', 'q'])?;
    digits(number).ok().map(|n| format!("Q{n}"))
}

fn grid(s: &str) -> Option<String> {
    let bare = strip(s, &["https://www.grid.ac/institutes/"]);
    let rest = bare.strip_prefix("grid.")?;
    let (number, tail) = rest.split_once('.')?;
    (number.bytes().all(|c| c.is_ascii_digit())
        && !tail.is_empty()
        && tail.bytes().all(|c| c.is_ascii_alphanumeric()))
    .then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_told_from_their_form() {
        for (text, scheme, bare) in [
            ("10.5281/Zenodo.1234", "doi", "10.5281/zenodo.1234"),
            ("https://doi.org/10.1000/x", "doi", "10.1000/x"),
            ("arXiv:2101.00001v2", "arxiv", "arXiv:2101.00001v2"),
            ("2101.00001", "arxiv", "arXiv:2101.00001"),
            ("978-0-306-40615-7", "isbn", "9780306406157"),
            ("2049-3630", "issn", "2049-3630"),
            (
                "https://example.vn/a?b=c",
                "url",
                "https://example.vn/a?b=c",
            ),
            ("urn:nbn:de:101:1-201", "urn", "urn:nbn:de:101:1-201"),
            ("hdl:2381/12345", "handle", "2381/12345"),
            ("pmid:12345", "pmid", "12345"),
            (
                "https://orcid.org/0000-0002-1825-0097",
                "orcid",
                "0000-0002-1825-0097",
            ),
            ("ark:/13030/tf5p30086k", "ark", "ark:/13030/tf5p30086k"),
        ] {
            assert_eq!(detect(text), Some(scheme), "{text}");
            assert_eq!(normalize(scheme, text).as_deref(), Ok(bare), "{text}");
        }
        for unclear in [
            "",
            "abc",
            "12345",
            "javascript:alert(1)",
            "978-0-306-40615-8",
        ] {
            assert_eq!(detect(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn check_digits_count() {
        assert_eq!(
            normalize("isbn", "0-306-40615-2").as_deref(),
            Ok("0306406152")
        );
        assert_eq!(normalize("isbn", "0-306-40615-3"), Err(Malformed("isbn")));
        assert_eq!(normalize("issn", "2049-3631"), Err(Malformed("issn")));
        assert_eq!(
            normalize("isni", "0000 0001 2156 142X").as_deref(),
            Ok("000000012156142X")
        );
        assert_eq!(
            normalize("isni", "0000000121561420"),
            Err(Malformed("isni"))
        );
        assert_eq!(
            normalize("ean13", "4006381333931").as_deref(),
            Ok("4006381333931")
        );
        assert_eq!(
            normalize("url", "javascript:alert(1)"),
            Err(Malformed("url"))
        );
    }

    #[test]
    fn links_go_to_resolvers() {
        assert_eq!(url("doi", "10.1000/a b"), None);
        assert_eq!(
            url("doi", "10.1000/x").as_deref(),
            Some("https://doi.org/10.1000/x")
        );
        assert_eq!(
            url("handle", "1/a\"b").as_deref(),
            Some("https://hdl.handle.net/1/a%22b")
        );
        assert_eq!(url("url", "javascript:x"), None);
        assert_eq!(url("other", "x"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered_in_every_scheme(s in "(isbn:|urn:|https://orcid.org/)?[0-9X/:. -]{0,20}\\PC{0,4}") {
            let _ = detect(&s);
            for entry in crate::metadata::vocabulary::list(crate::metadata::vocabulary::Vocabulary::IdentifierSchemes) {
                if let Ok(bare) = normalize(entry.id, &s) {
                    proptest::prop_assert_eq!(normalize(entry.id, &bare), Ok(bare));
                }
                let _ = url(entry.id, &s);
            }
        }
    }
}
