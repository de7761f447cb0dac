//! Titles, descriptions, rights, subjects, dates and places.

use serde_json::Value;

use super::{
    MAX_DESCRIPTION, MAX_TITLE,
    reader::{At, Reader},
    works,
};
use crate::{
    ids::Malformed,
    metadata::{
        edtf::EdtfDate,
        geometry::Geometry,
        identifiers,
        model::{AdditionalDescription, AdditionalTitle, Location, OtherDate, Rights, Subject},
        vocabulary::{self, Vocabulary},
    },
};

pub(super) fn title(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<AdditionalTitle> {
    let map = r.object(value, at, &["title", "type", "lang"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let kind = r.term(get("type"), &at.key("type"), Vocabulary::TitleTypes);
    let lang = r.language(get("lang"), &at.key("lang"));
    let title = r.text(get("title"), &at.key("title"), MAX_TITLE)?;
    Some(AdditionalTitle { title, kind, lang })
}

pub(super) fn description(
    r: &mut Reader,
    value: &Value,
    at: &At<'_>,
) -> Option<AdditionalDescription> {
    let map = r.object(value, at, &["description", "type", "lang"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let kind = r.term(get("type"), &at.key("type"), Vocabulary::DescriptionTypes);
    let lang = r.language(get("lang"), &at.key("lang"));
    let description = r.html(get("description"), &at.key("description"))?;
    Some(AdditionalDescription {
        description,
        kind,
        lang,
    })
}

/// A licence comes back with the title that was shown with it: that is not a second licence. Another
/// title, or a link, beside an id is.
pub(super) fn rights(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Rights> {
    let known = ["id", "title", "description", "link", "props", "icon"];
    let map = r.object(value, at, &known)?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    if get("id").is_null() {
        let title = r.texts(get("title"), &at.key("title"), MAX_TITLE);
        let description = r.texts(get("description"), &at.key("description"), MAX_DESCRIPTION);
        let link = r.line(get("link"), &at.key("link")).and_then(|link| {
            let checked = identifiers::link(&link);
            if checked.is_none() {
                r.wrong_value("url", &at.key("link"), &link);
            }
            checked
        });
        if title.is_empty() {
            r.wrong("rights-empty", at);
            return None;
        }
        return Some(Rights::Custom {
            title,
            description,
            link,
        });
    }
    let id = r.term(value, at, Vocabulary::Licenses)?.id;
    let ours = |text: &Value| {
        vocabulary::get(Vocabulary::Licenses, &id)
            .is_some_and(|e| text.as_str().is_some_and(|t| t == e.en || t == e.vi))
    };
    let same_title = match get("title") {
        Value::Null => true,
        Value::Object(titles) => titles.values().all(ours),
        _ => false,
    };
    if !same_title || !get("link").is_null() {
        r.wrong("rights-both", at);
    }
    Some(Rights::Licence { id })
}

pub(super) fn subject(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Subject> {
    let known = ["id", "subject", "scheme", "title", "props"];
    let map = r.object(value, at, &known)?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    if !get("id").is_null() {
        let term = r.term(value, at, Vocabulary::Subjects)?;
        return Some(Subject::Term { id: term.id });
    }
    let subject = r.line(get("subject"), &at.key("subject"));
    if subject.is_none() && get("subject").is_null() {
        r.wrong("subject-empty", at);
    }
    Some(Subject::Keyword { subject: subject? })
}

pub(super) fn date(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<OtherDate> {
    let map = r.object(value, at, &["date", "type", "description"])?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let kind = r.term(get("type"), &at.key("type"), Vocabulary::DateTypes);
    let description = r.line(get("description"), &at.key("description"));
    if get("date").is_null() {
        r.wrong("date-missing", &at.key("date"));
    }
    let date = r.parsed::<EdtfDate>(get("date"), &at.key("date"))?;
    Some(OtherDate {
        date,
        kind,
        description,
    })
}

pub(super) fn locations(r: &mut Reader, value: &Value, at: &At<'_>) -> Vec<Location> {
    match r.object(value, at, &["features", "type"]) {
        Some(map) => r.list(
            map.get("features").unwrap_or(&Value::Null),
            &at.key("features"),
            location,
        ),
        None => Vec::new(),
    }
}

fn location(r: &mut Reader, value: &Value, at: &At<'_>) -> Option<Location> {
    let known = [
        "geometry",
        "place",
        "description",
        "identifiers",
        "type",
        "properties",
        "centroid",
    ];
    let map = r.object(value, at, &known)?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let geometry = match get("geometry") {
        Value::Null => None,
        shape => match Geometry::read(shape) {
            Ok(geometry) => Some(geometry),
            Err(Malformed(code)) => {
                r.wrong(code, &at.key("geometry"));
                None
            }
        },
    };
    let location = Location {
        geometry,
        place: r.line(get("place"), &at.key("place")),
        description: r.text(get("description"), &at.key("description"), MAX_TITLE),
        identifiers: r.list(get("identifiers"), &at.key("identifiers"), |r, v, at| {
            works::identifier_of(r, v, at, "location")
        }),
    };
    (location != Location::default()).then_some(location)
}
