//! One rich record through every format; the XML by the schemas of the standards where they are at hand.

use std::{fs, path::Path, process::Command};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::*;
use crate::{
    metadata::{access::Visibility, read},
    text::has,
};

/// A folder with the schemas of the standards (`datacite/xsd/kernel-4.6/metadata.xsd`,
/// `oai-pmh/oai_dc.xsd`), which are not ours to ship. Without it the tests that need them are skipped.
const STANDARDS: &str = "KHO_TEST_STANDARDS";

/// A record that tries to break out of every format.
fn nasty() -> Record {
    let text = "]]><x a=\"1\">&amp; \u{b}\u{ffff} {\\} $1_2% #~^\n\"'\u{202e} </resource> 𝄞";
    let (metadata, _) = read(&json!({
        "title": text, "publisher": text, "version": text, "resource_type": {"id": "software"},
        "publication_date": "2020-01/2021",
        "creators": [{"person_or_org": {"type": "personal", "family_name": text, "given_name": text},
            "affiliations": [{"name": text}]},
            {"person_or_org": {"type": "organizational", "name": text}}],
        "description": format!("<p>{text}</p>"), "copyright": text,
        "subjects": [{"subject": text}], "sizes": [text, text], "formats": [text, text],
        "rights": [{"title": {"vi": text}}],
        "identifiers": [{"scheme": "other", "identifier": "a<b>&\"c"}],
        "related_identifiers": [{"scheme": "urn", "identifier": "urn:a<b&", "relation_type": {"id": "cites"}}],
        "funding": [{"funder": {"name": text}, "award": {"number": text, "title": {"en": text}}}],
        "references": [{"reference": text}],
        "locations": {"features": [{"place": text}]},
    }));
    Record {
        metadata,
        doi: None,
        parent_doi: None,
        other_versions: Vec::new(),
        version_index: 1,
        ..sample()
    }
}

fn embargoed() -> Record {
    let mut record = sample();
    record.access.files = Visibility::Restricted;
    record.access.embargo.active = true;
    record.access.embargo.until = NaiveDate::from_ymd_opt(2027, 1, 1);
    record
}

fn valid(schema: &str, xml: &str) {
    let Some(folder) = std::env::var_os(STANDARDS) else {
        eprintln!("skipped: {STANDARDS} names no folder with {schema}");
        return;
    };
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: xmllint is not installed");
        return;
    }
    let schema = Path::new(&folder).join(schema);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.xml");
    fs::write(&file, xml).unwrap();
    let out = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .args([&schema, &file])
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}\n{xml}",
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
fn every_format_is_named_and_made() {
    for format in list() {
        let (mimetype, text) = render(format.slug, &sample()).unwrap();
        assert_eq!(mimetype, format.mimetype());
        assert!(
            text.contains("Độ mặn nước sông Cửu Long"),
            "{}: {text}",
            format.slug
        );
        assert!(render(format.slug, &nasty()).unwrap().1.len() > 100);
        for locale in Locale::ALL {
            assert!(has(locale, format.label_key), "{}", format.slug);
        }
        if mimetype.ends_with("json") {
            serde_json::from_str::<Value>(&text).unwrap();
        }
    }
    assert_eq!(render("docx", &sample()), None);
}

#[test]
fn datacite_xml_is_valid_by_its_schema() {
    for record in [sample(), nasty(), embargoed()] {
        valid(
            "datacite/xsd/kernel-4.6/metadata.xsd",
            &datacite_xml::render(&record),
        );
    }
    let item = oai_datacite(&sample());
    assert!(
        item.starts_with("<oai_datacite ") && item.contains("<datacentreSymbol>10.5072<"),
        "{item}"
    );
    valid(
        "datacite/oai-1.1/oai.xsd",
        &datacite_xml::enveloped(&nasty()),
    );
}

#[test]
fn dublin_core_is_valid_by_its_schema() {
    for record in [sample(), nasty(), embargoed()] {
        valid("oai-pmh/oai_dc.xsd", &dublin_core::render(&record));
    }
    let xml = oai_dc(&embargoed());
    for part in [
        "<oai_dc:dc ",
        "<dc:identifier>https://doi.org/10.5072/",
        "<dc:title xml:lang=\"en\">Salinity of the Mekong",
        "info:eu-repo/semantics/embargoedAccess",
        "info:eu-repo/date/embargoEnd/2027-01-01",
        "<dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
}

#[test]
fn datacite_json_says_versions_people_and_money() {
    let v = datacite_json::render(&sample());
    let doi = sample().doi.unwrap();
    assert_eq!(v["doi"], doi.as_str());
    assert_eq!(
        v["creators"][0]["nameIdentifiers"][0]["nameIdentifier"],
        "https://orcid.org/0000-0002-1825-0097"
    );
    assert_eq!(
        v["creators"][0]["affiliation"][0]["affiliationIdentifier"],
        "https://ror.org/0071qz696"
    );
    assert_eq!(v["types"]["resourceTypeGeneral"], "Dataset");
    let relations: Vec<&str> = v["relatedIdentifiers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["relationType"].as_str().unwrap())
        .collect();
    assert_eq!(
        relations,
        [
            "IsSupplementTo",
            "References",
            "IsRequiredBy",
            "IsVersionOf",
            "IsNewVersionOf",
            "IsPreviousVersionOf"
        ]
    );
    assert_eq!(v["fundingReferences"][0]["awardNumber"], "105.08-2025.12");
    let concept = datacite_json::render(&sample().as_concept());
    assert_eq!(concept["doi"], sample().parent_doi.unwrap().as_str());
    assert_eq!(
        concept["url"],
        format!("https://kho.example/records/{}", sample().parent)
    );
    let versions = concept["relatedIdentifiers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["relationType"] == "HasVersion")
        .count();
    assert_eq!(versions, 3);
}

#[test]
fn json_ld_names_downloads_with_their_checksums() {
    let v = json_ld::render(&sample());
    assert_eq!(v["@type"], "Dataset");
    assert_eq!(
        v["alternateName"][0],
        json!({"@language": "en", "@value": "Salinity of the Mekong Delta rivers 2015–2025"})
    );
    assert_eq!(v["creator"][0]["name"], "Đặng Thị Ngọc Trâm");
    assert_eq!(
        v["creator"][0]["@id"],
        "https://orcid.org/0000-0002-1825-0097"
    );
    assert_eq!(v["distribution"].as_array().unwrap().len(), 3);
    assert_eq!(v["distribution"][0]["sha256"], format!("{:064x}", 1));
    let url = v["distribution"][1]["contentUrl"].as_str().unwrap();
    assert!(
        url.ends_with("/files/t%C3%A0i%20li%E1%BB%87u/%C4%91%E1%BB%8Dc%20t%C3%B4i.txt"),
        "{url}"
    );
    assert_eq!(
        v["license"][0],
        "https://creativecommons.org/licenses/by/4.0/"
    );
    let held = json_ld::render(&embargoed());
    assert_eq!(
        (held.get("distribution"), &held["isAccessibleForFree"]),
        (None, &json!(false))
    );
    let script = json_ld::script(&nasty());
    assert!(!script.contains(['<', '>', '&']));
    assert_eq!(
        serde_json::from_str::<Value>(&script).unwrap(),
        json_ld::embedded(&nasty())
    );
    let mut many = sample();
    many.files = vec![many.files[0].clone(); 500];
    assert_eq!(
        json_ld::embedded(&many)["distribution"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
}

#[test]
fn citations_read_well_in_both_languages() {
    let record = sample();
    let doi = record.doi_url().unwrap();
    assert_eq!(
        citation::cite(&record, Locale::En).text(),
        format!(
            "Đặng T. N. T., Nguyễn H. C., Đài Khí tượng Thủy văn <Nam Bộ> (2026). \
             Độ mặn nước sông Cửu Long 2015–2025 (Version 2) [Dataset]. Kho. {doi}"
        )
    );
    assert_eq!(
        citation::cite(&record, Locale::Vi).about,
        "(Phiên bản 2) [Bộ dữ liệu]"
    );
    let mut crowd = record.clone();
    crowd.metadata.version = Some("v1.2".to_owned());
    crowd.metadata.creators = vec![record.metadata.creators[0].clone(); 30];
    let cited = citation::cite(&crowd, Locale::En);
    assert!(cited.authors.ends_with(", … Đặng T. N. T."));
    assert_eq!(cited.authors.matches("Đặng").count(), 20);
    assert!(cited.about.starts_with("(Version 1.2)"));
}

#[test]
fn reference_managers_get_their_fields() {
    let bib = bibtex::render(&sample());
    for part in [
        "@dataset{dang_2026_",
        "author    = {Đặng, Thị Ngọc Trâm and Nguyễn, Hữu Cường and {Đài Khí tượng Thủy văn <Nam Bộ>}}",
        "title     = {{Độ mặn nước sông Cửu Long 2015–2025}}",
        "month     = mar,",
    ] {
        assert!(bib.contains(part), "{part} in {bib}");
    }
    let nasty_bib = bibtex::render(&nasty())
        .replace("\\{", "")
        .replace("\\}", "");
    assert_eq!(
        nasty_bib.matches('{').count(),
        nasty_bib.matches('}').count(),
        "{nasty_bib}"
    );

    let ris = ris::render(&sample());
    assert!(
        ris.starts_with("TY  - DATA\r\nAU  - Đặng, Thị Ngọc Trâm\r\n"),
        "{ris}"
    );
    assert!(ris.contains("DA  - 2026/03/12\r\n") && ris.ends_with("ER  - \r\n"));
    let shape = |l: &str| l.get(2..6) == Some("  - ");
    assert!(ris::render(&nasty()).split_terminator("\r\n").all(shape));

    let csl = csl::render(&sample());
    assert_eq!(csl["type"], "dataset");
    assert_eq!(
        csl["author"][0],
        json!({"family": "Đặng", "given": "Thị Ngọc Trâm"})
    );
    assert_eq!(csl["issued"]["date-parts"][0], json!([2026, 3, 12]));
}

#[test]
fn signposts_lead_there_and_back() {
    let record = sample();
    let header = signposting::header(&record);
    for part in [
        "<https://orcid.org/0000-0002-1825-0097>; rel=\"author\"",
        "rel=\"cite-as\"",
        "<https://creativecommons.org/licenses/by/4.0/>; rel=\"license\"",
        "rel=\"linkset\"; type=\"application/linkset+json\"",
        "rel=\"item\"; type=\"text/csv\"",
        "<https://schema.org/AboutPage>; rel=\"type\"",
    ] {
        assert!(header.contains(part), "{part} in {header}");
    }
    assert!(header.is_ascii() && !header.contains(['\r', '\n']));
    let set = signposting::linkset(&record);
    let contexts = set["linkset"].as_array().unwrap();
    // Each file, and the zip of them all.
    assert_eq!(contexts.len(), 2 + list().len() + record.files.len());
    assert_eq!(contexts[0]["item"].as_array().unwrap().len(), 4);
    assert!(
        contexts
            .iter()
            .any(|c| c["collection"][0]["href"] == record.landing_url().as_str())
    );
    let held = signposting::header(&embargoed());
    assert!(!held.contains("rel=\"item\""));
    let mut many = sample();
    many.files = vec![many.files[0].clone(); 5_000];
    let header = signposting::header(&many);
    assert!(header.len() < 4_000);
    assert!(header.contains("/archive>; rel=\"item\"; type=\"application/zip\""));
}
