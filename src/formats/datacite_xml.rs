//! DataCite 4.6 as XML (kernel-4, valid by `metadata.xsd`): for `oai_datacite` and the export.
//!
//! Written from the JSON attributes, element by element in the order of the documentation.

use serde_json::Value;

use super::{datacite_json, record::Record, xml::Xml};
use crate::ids::Doi;

pub fn render(record: &Record) -> String {
    let mut x = Xml::new();
    resource(&mut x, record);
    x.finish()
}

/// In the envelope of `oai_datacite` 1.1. The repository's symbol is its DOI prefix as long as no
/// registrar has given it another.
pub fn enveloped(record: &Record) -> String {
    let mut x = Xml::new();
    x.open(
        "oai_datacite",
        &[
            ("xmlns", "http://schema.datacite.org/oai/oai-1.1/"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            (
                "xsi:schemaLocation",
                "http://schema.datacite.org/oai/oai-1.1/ http://schema.datacite.org/oai/oai-1.1/oai.xsd",
            ),
        ],
    );
    x.text("schemaVersion", &[], "4.6");
    let symbol = record
        .doi
        .as_ref()
        .map_or(record.repository.as_str(), Doi::prefix);
    x.text("datacentreSymbol", &[], symbol);
    x.open("payload", &[]);
    resource(&mut x, record);
    x.finish()
}

fn resource(x: &mut Xml, record: &Record) {
    let v = &datacite_json::render(record);
    x.open(
        "resource",
        &[
            ("xmlns", "http://datacite.org/schema/kernel-4"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            (
                "xsi:schemaLocation",
                "http://datacite.org/schema/kernel-4 https://schema.datacite.org/meta/kernel-4.6/metadata.xsd",
            ),
        ],
    );
    match v["doi"].as_str() {
        Some(doi) => x.text("identifier", &[("identifierType", "DOI")], doi),
        None => x.text(
            "identifier",
            &[("identifierType", "URL")],
            &record.landing_url(),
        ),
    }
    x.group("creators", list(v, "creators"), |x, c| {
        agent(x, c, "creator", "creatorName");
    });
    x.group("titles", list(v, "titles"), |x, t| {
        x.text(
            "title",
            &[("titleType", s(t, "titleType")), ("xml:lang", s(t, "lang"))],
            s(t, "title"),
        );
    });
    x.text("publisher", &[], s(&v["publisher"], "name"));
    x.text("publicationYear", &[], s(v, "publicationYear"));
    let general = s(&v["types"], "resourceTypeGeneral");
    let kind = s(&v["types"], "resourceType");
    x.text(
        "resourceType",
        &[("resourceTypeGeneral", general)],
        if kind.is_empty() { general } else { kind },
    );
    x.group("subjects", list(v, "subjects"), |x, t| {
        let attributes = [
            ("subjectScheme", s(t, "subjectScheme")),
            ("schemeURI", s(t, "schemeUri")),
            ("valueURI", s(t, "valueUri")),
            ("classificationCode", s(t, "classificationCode")),
            ("xml:lang", s(t, "lang")),
        ];
        x.text("subject", &attributes, s(t, "subject"));
    });
    x.group("contributors", list(v, "contributors"), |x, c| {
        agent(x, c, "contributor", "contributorName");
    });
    x.group("dates", list(v, "dates"), |x, d| {
        let attributes = [
            ("dateType", s(d, "dateType")),
            ("dateInformation", s(d, "dateInformation")),
        ];
        x.text("date", &attributes, s(d, "date"));
    });
    x.text("language", &[], s(v, "language"));
    x.group(
        "alternateIdentifiers",
        list(v, "alternateIdentifiers"),
        |x, i| {
            let attributes = [("alternateIdentifierType", s(i, "alternateIdentifierType"))];
            x.text(
                "alternateIdentifier",
                &attributes,
                s(i, "alternateIdentifier"),
            );
        },
    );
    x.group(
        "relatedIdentifiers",
        list(v, "relatedIdentifiers"),
        |x, r| {
            let attributes = [
                ("relatedIdentifierType", s(r, "relatedIdentifierType")),
                ("relationType", s(r, "relationType")),
                ("resourceTypeGeneral", s(r, "resourceTypeGeneral")),
            ];
            x.text("relatedIdentifier", &attributes, s(r, "relatedIdentifier"));
        },
    );
    x.group("sizes", list(v, "sizes"), |x, t| {
        x.text("size", &[], t.as_str().unwrap_or_default());
    });
    x.group("formats", list(v, "formats"), |x, t| {
        x.text("format", &[], t.as_str().unwrap_or_default());
    });
    x.text("version", &[], s(v, "version"));
    x.group("rightsList", list(v, "rightsList"), |x, r| {
        let attributes = [
            ("rightsURI", s(r, "rightsUri")),
            ("rightsIdentifier", s(r, "rightsIdentifier")),
            ("rightsIdentifierScheme", s(r, "rightsIdentifierScheme")),
            ("schemeURI", s(r, "schemeUri")),
            ("xml:lang", s(r, "lang")),
        ];
        x.text("rights", &attributes, s(r, "rights"));
    });
    x.group("descriptions", list(v, "descriptions"), |x, d| {
        let attributes = [
            ("descriptionType", s(d, "descriptionType")),
            ("xml:lang", s(d, "lang")),
        ];
        x.text("description", &attributes, s(d, "description"));
    });
    x.group("geoLocations", list(v, "geoLocations"), location);
    x.group("fundingReferences", list(v, "fundingReferences"), |x, f| {
        x.open("fundingReference", &[]);
        x.text("funderName", &[], s(f, "funderName"));
        x.text(
            "funderIdentifier",
            &[
                ("funderIdentifierType", s(f, "funderIdentifierType")),
                ("schemeURI", "https://ror.org"),
            ],
            s(f, "funderIdentifier"),
        );
        x.text(
            "awardNumber",
            &[("awardURI", s(f, "awardUri"))],
            s(f, "awardNumber"),
        );
        x.text("awardTitle", &[], s(f, "awardTitle"));
        x.close();
    });
    x.close();
}

fn list<'a>(v: &'a Value, key: &str) -> &'a [Value] {
    v[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn s<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_default()
}

fn agent(x: &mut Xml, a: &Value, element: &'static str, name: &'static str) {
    x.open(element, &[("contributorType", s(a, "contributorType"))]);
    x.text(name, &[("nameType", s(a, "nameType"))], s(a, "name"));
    x.text("givenName", &[], s(a, "givenName"));
    x.text("familyName", &[], s(a, "familyName"));
    for i in list(a, "nameIdentifiers") {
        let attributes = [
            ("nameIdentifierScheme", s(i, "nameIdentifierScheme")),
            ("schemeURI", s(i, "schemeUri")),
        ];
        x.text("nameIdentifier", &attributes, s(i, "nameIdentifier"));
    }
    for h in list(a, "affiliation") {
        let attributes = [
            ("affiliationIdentifier", s(h, "affiliationIdentifier")),
            (
                "affiliationIdentifierScheme",
                s(h, "affiliationIdentifierScheme"),
            ),
            ("schemeURI", s(h, "schemeUri")),
        ];
        x.text("affiliation", &attributes, s(h, "name"));
    }
    x.close();
}

fn location(x: &mut Xml, place: &Value) {
    x.open("geoLocation", &[]);
    x.text("geoLocationPlace", &[], s(place, "geoLocationPlace"));
    if let Some(point) = place.get("geoLocationPoint") {
        corner(x, "geoLocationPoint", point);
    }
    if let Some(Value::Object(sides)) = place.get("geoLocationBox") {
        x.open("geoLocationBox", &[]);
        for name in [
            "westBoundLongitude",
            "eastBoundLongitude",
            "southBoundLatitude",
            "northBoundLatitude",
        ] {
            if let Some(degrees) = sides.get(name) {
                x.text(name, &[], &degrees.to_string());
            }
        }
        x.close();
    }
    x.group(
        "geoLocationPolygon",
        list(place, "geoLocationPolygon"),
        |x, p| {
            corner(x, "polygonPoint", &p["polygonPoint"]);
        },
    );
    x.close();
}

fn corner(x: &mut Xml, name: &'static str, point: &Value) {
    x.open(name, &[]);
    x.text("pointLongitude", &[], &point["pointLongitude"].to_string());
    x.text("pointLatitude", &[], &point["pointLatitude"].to_string());
    x.close();
}
