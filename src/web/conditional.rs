//! Conditional requests and byte ranges (RFC 9110 sections 13 and 14), as pure functions of headers.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, header};

/// Does a list of entity tags name this one? Weak comparison; `*` names all.
pub fn names_etag(headers: &HeaderMap, name: &HeaderName, etag: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// The revision of an `If-Match` header, quoted or bare, as InvenioRDM's clients send it. A tag that is no
/// revision of ours matches none: the client holds something else, and must not overwrite this.
pub fn expected_revision(headers: &HeaderMap) -> Option<i64> {
    let value = headers.get(header::IF_MATCH)?;
    let tag = value.to_str().unwrap_or_default().trim();
    let number = tag.trim_start_matches("W/").trim_matches('"');
    (tag != "*").then(|| number.parse().unwrap_or(-1))
}

/// What part of a body was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Whole,
    Part(Range<u64>),
    /// 416: nothing of what was asked is there.
    Nothing,
}

/// Reads `Range` for a body of `size` bytes. A malformed header, another unit, several ranges or an
/// `If-Range` that names another body (or only a date) ask for the whole.
pub fn range(headers: &HeaderMap, size: u64, etag: &str) -> Asked {
    let Some(value) = headers.get(header::RANGE).and_then(|v| v.to_str().ok()) else {
        return Asked::Whole;
    };
    if let Some(condition) = headers.get(header::IF_RANGE)
        && condition.to_str().ok() != Some(etag)
    {
        return Asked::Whole;
    }
    let Some((unit, spec)) = value.split_once('=') else {
        return Asked::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return Asked::Whole;
    }
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Asked::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        // `parse` alone would take a plus sign.
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (
        number(first),
        number(last),
        first.is_empty(),
        last.is_empty(),
    ) {
        (Some(from), Some(to), _, _) if from > to => Asked::Whole,
        (Some(from), _, _, _) if from >= size => Asked::Nothing,
        (Some(from), Some(to), _, _) => Asked::Part(from..to.saturating_add(1).min(size)),
        (Some(from), None, _, true) => Asked::Part(from..size),
        (None, Some(0), true, _) => Asked::Nothing,
        (None, Some(_), true, _) if size == 0 => Asked::Nothing,
        (None, Some(tail), true, _) => Asked::Part(size.saturating_sub(tail)..size),
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, value.parse().unwrap());
        range(&headers, 100, "\"e\"")
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        assert_eq!(asked("bytes=0-9"), Asked::Part(0..10));
        assert_eq!(asked("bytes=90-"), Asked::Part(90..100));
        assert_eq!(asked("bytes=-10"), Asked::Part(90..100));
        assert_eq!(asked("bytes=-1000"), Asked::Part(0..100));
        assert_eq!(asked("bytes=0-0"), Asked::Part(0..1));
        assert_eq!(asked("bytes=50-1000"), Asked::Part(50..100));
        assert_eq!(
            asked("bytes=50-99999999999999999999999"),
            Asked::Part(50..100)
        );
        assert_eq!(asked("bytes=100-"), Asked::Nothing);
        assert_eq!(asked("bytes=-0"), Asked::Nothing);
        for whole in [
            "bytes=5-2",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "x",
        ] {
            assert_eq!(asked(whole), Asked::Whole, "{whole}");
        }
    }

    #[test]
    fn a_changed_body_is_not_continued() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, "bytes=1-2".parse().unwrap());
        headers.insert(header::IF_RANGE, "\"other\"".parse().unwrap());
        assert_eq!(range(&headers, 100, "\"e\""), Asked::Whole);
        headers.insert(header::IF_RANGE, "\"e\"".parse().unwrap());
        assert_eq!(range(&headers, 100, "\"e\""), Asked::Part(1..3));
    }

    #[test]
    fn revisions_come_quoted_and_bare() {
        for value in ["\"7\"", "7", "W/\"7\""] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, value.parse().unwrap());
            assert_eq!(expected_revision(&headers), Some(7));
        }
        for (value, expected) in [("*", None), ("\"abc\"", Some(-1)), ("", Some(-1))] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, value.parse().unwrap());
            assert_eq!(expected_revision(&headers), expected);
        }
    }
}
