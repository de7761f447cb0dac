//! Writes the envelope by joining strings: the payloads are XML already, and parsing them again to write them
//! again is what makes a harvest slow.
//!
//! Invariant: every value that is not one of our own names goes through `escape`.

use std::{borrow::Cow, fmt::Write};

use chrono::{DateTime, SecondsFormat};

use crate::{catalog::Item, oai::request::Fault};

/// Section 3.2. The location of the schema is the standard's own.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\" \
xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
xsi:schemaLocation=\"http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd\">\n";

/// An answer from its beginning to where its verb's element stands.
pub fn head(capacity: usize, date: i64, base_url: &str, attributes: &[(String, String)]) -> String {
    let mut out = String::with_capacity(capacity + 1_024);
    out.push_str(HEAD);
    element(&mut out, "responseDate", &second(date));
    out.push_str("\n<request");
    for (name, value) in attributes {
        let _ = write!(out, " {name}=\"{}\"", escape(value));
    }
    let _ = writeln!(out, ">{}</request>", escape(base_url));
    out
}

/// The end of every answer.
pub fn foot(out: &mut String) {
    out.push_str("\n</OAI-PMH>\n");
}

pub fn fault(out: &mut String, fault: &Fault) {
    let _ = write!(
        out,
        "<error code=\"{}\">{}</error>",
        fault.code.name(),
        escape(&fault.message)
    );
}

/// An element with text in it.
pub fn element(out: &mut String, name: &str, text: &str) {
    let _ = write!(out, "<{name}>{}</{name}>", escape(text));
}

/// `<header>`; `identifiers` is what stands before an id to make it an OAI identifier.
pub fn header(out: &mut String, identifiers: &str, item: &Item) {
    out.push_str(if item.deleted {
        "<header status=\"deleted\">"
    } else {
        "<header>"
    });
    out.push_str("<identifier>");
    out.push_str(&escape(identifiers));
    out.push_str(&escape(&item.id));
    out.push_str("</identifier><datestamp>");
    out.push_str(&second(item.place.stamp));
    out.push_str("</datestamp>");
    for set in item.sets.split_ascii_whitespace() {
        out.push_str("<setSpec>");
        out.push_str(&escape(set));
        out.push_str("</setSpec>");
    }
    out.push_str("</header>");
}

/// `<record>`; a deleted one has a header only (section 2.5.1).
pub fn record(out: &mut String, identifiers: &str, item: &Item) {
    out.push_str("<record>");
    header(out, identifiers, item);
    if !item.deleted {
        out.push_str("<metadata>");
        out.push_str(&item.payload);
        out.push_str("</metadata>");
    }
    out.push_str("</record>\n");
}

/// A second as the protocol writes it.
pub fn second(stamp: i64) -> String {
    DateTime::from_timestamp(stamp, 0)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Text for content and for attributes. What XML 1.0 cannot hold at all becomes U+FFFD.
pub fn escape(text: &str) -> Cow<'_, str> {
    let plain = |c: char| {
        !matches!(c, '<' | '>' | '&' | '"' | '\'' | '\u{fffe}' | '\u{ffff}') && u32::from(c) >= 0x20
    };
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A parser would turn these into spaces where they stand in an attribute.
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if plain(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::{Reader, events::Event};

    use super::*;

    proptest! {
        #[test]
        fn what_is_escaped_is_read_back(text in any::<String>()) {
            let document = format!("<a b=\"{}\"/>", escape(&text));
            let mut reader = Reader::from_str(&document);
            let Event::Empty(element) = reader.read_event().unwrap() else { panic!("{document}") };
            let attribute = element.attributes().next().unwrap().unwrap();
            let expected: String = text
                .chars()
                .map(|c| if u32::from(c) < 0x20 && !"\t\n\r".contains(c) || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c })
                .collect();
            prop_assert_eq!(quick_xml::escape::unescape(&attribute.value).unwrap(), expected);
        }
    }

    #[test]
    fn a_deleted_record_is_its_header() {
        let item = Item {
            id: "k3f9a-2bq71".to_owned(),
            place: crate::catalog::Place {
                stamp: 1_770_076_800,
                seq: 4,
            },
            deleted: true,
            sets: "latest type-dataset".to_owned(),
            payload: String::new(),
        };
        let mut out = String::new();
        record(&mut out, "oai:kho.example:", &item);
        assert_eq!(
            out,
            "<record><header status=\"deleted\"><identifier>oai:kho.example:k3f9a-2bq71</identifier>\
             <datestamp>2026-02-03T00:00:00Z</datestamp><setSpec>latest</setSpec>\
             <setSpec>type-dataset</setSpec></header></record>\n"
        );
    }
}
