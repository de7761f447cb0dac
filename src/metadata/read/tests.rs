//! What `read` takes, what it names, what it refuses; and that any JSON at all is answered.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::metadata::{dump, model::*};

fn codes(value: &Value) -> Vec<(&'static str, String)> {
    read(value)
        .1
        .into_iter()
        .map(|p| (p.code, p.path))
        .collect()
}

fn full() -> Value {
    serde_json::from_str(include_str!("full.json")).unwrap()
}

#[test]
fn everything_of_the_model_is_read_without_a_problem() {
    let (m, problems) = read(&full());
    assert_eq!(problems, []);
    assert_eq!(
        m.creators[0].person_or_org.orcid(),
        Some("0000-0002-1825-0097")
    );
    assert_eq!(
        m.locations[0].geometry.as_ref().unwrap().point(),
        Some((105.85, 21.03))
    );
    assert_eq!(
        m.funding[0].award.as_ref().unwrap().number.as_deref(),
        Some("105.08-2025.12")
    );
    assert_eq!(m.related_identifiers[0].scheme, "doi");
}

#[test]
fn what_was_read_can_be_sent_back() {
    let (m, _) = read(&full());
    let (again, problems) = read(&serde_json::to_value(&m).unwrap());
    assert_eq!((again, problems), (m.clone(), vec![]));
    let (again, problems) = read(&dump(&m));
    assert_eq!((again, problems), (m, vec![]));
}

#[test]
fn the_read_shape_names_things() {
    let value = dump(&read(&full()).0);
    assert_eq!(
        value["resource_type"]["title"],
        json!({"en": "Dataset", "vi": "Bộ dữ liệu"})
    );
    assert_eq!(
        value["creators"][0]["person_or_org"]["name"],
        "Trần, Minh Anh"
    );
    assert_eq!(
        value["creators"][0]["affiliations"][0]["name"],
        "European Organization for Nuclear Research"
    );
    assert_eq!(
        value["rights"][0]["props"]["url"],
        "https://creativecommons.org/licenses/by/4.0/"
    );
    assert_eq!(value["languages"][0]["title"]["vi"], "Tiếng Việt");
}

#[test]
fn each_wrong_thing_is_named_with_its_place() {
    let wrong = json!({
        "title": 7, "nonsense": true, "publication_date": "14/02/2026", "resource_type": {"id": "datasett"},
        "languages": [{"id": "xx"}, {"id": "vie"}], "rights": [{"id": "cc-by-9"}, {"title": {"en": "x"}, "id": "mit"}],
        "creators": [
            {"person_or_org": {"type": "personal", "family_name": "A",
                "identifiers": [{"scheme": "orcid", "identifier": "0000-0002-1825-0098"}]},
             "role": {"id": "boss"}, "affiliations": [{"id": "01ggx4158"}]},
            "someone"],
        "identifiers": [{"scheme": "isbn", "identifier": "1"}, {"identifier": "who knows"}],
        "related_identifiers": "none", "subjects": [{}], "version": "v".repeat(192),
    });
    let found = codes(&wrong);
    for (code, path) in [
        ("not-text", "metadata.title"),
        ("unknown-field", "metadata.nonsense"),
        ("date", "metadata.publication_date"),
        ("unknown-resource-type", "metadata.resource_type"),
        ("unknown-language", "metadata.languages.0"),
        ("unknown-licence", "metadata.rights.0"),
        ("rights-both", "metadata.rights.1"),
        (
            "orcid-check-digit",
            "metadata.creators.0.person_or_org.identifiers.0.identifier",
        ),
        ("unknown-role", "metadata.creators.0.role"),
        ("ror-check-digit", "metadata.creators.0.affiliations.0.id"),
        ("not-an-object", "metadata.creators.1"),
        ("isbn", "metadata.identifiers.0.identifier"),
        ("scheme-missing", "metadata.identifiers.1.scheme"),
        ("not-a-list", "metadata.related_identifiers"),
        ("subject-empty", "metadata.subjects.0"),
        ("too-long", "metadata.version"),
    ] {
        assert!(
            found.contains(&(code, path.to_owned())),
            "{code} at {path} in {found:#?}"
        );
    }
    assert_eq!(found.len(), 16, "{found:#?}");
    let (m, _) = read(&wrong);
    assert_eq!(m.languages, [Ref::new("vie")]);
    assert_eq!(
        m.creators[0].person_or_org.family_name.as_deref(),
        Some("A")
    );
}

#[test]
fn what_is_too_much_is_refused() {
    for bomb in [
        json!({"title": "x".repeat(2_000_000)}),
        json!({"creators": vec![json!({}); 100_000]}),
        json!({"subjects": vec![json!({"subject": "x".repeat(1900)}); 9_000]}),
    ] {
        let (_, problems) = read(&bomb);
        assert!(problems.iter().any(is_too_much), "{problems:?}");
    }
    let noisy =
        json!({"references": vec![json!({"a": 1, "b": 2}); 9_000], "title": "x".repeat(20_000)});
    let (_, problems) = read(&noisy);
    assert_eq!(problems.len(), MAX_PROBLEMS);
    assert!(problems.iter().any(is_too_much));
}

#[test]
fn text_is_composed_and_clean() {
    let (m, problems) =
        read(&json!({"title": " Tie\u{302}\u{301}ng\u{0} Vie\u{323}\u{302}t ", "publisher": "  "}));
    assert_eq!(problems, []);
    assert_eq!(m.title.as_deref(), Some("Tiếng Việt"));
    assert_eq!(m.publisher, None);
}

#[test]
fn access_is_read_and_hides_when_in_doubt() {
    let (a, problems) = read_access(&json!({"record": "public", "files": "privat",
        "embargo": {"active": "yes", "until": "soon"}}));
    let found: Vec<_> = problems.iter().map(|p| (p.code, p.path.as_str())).collect();
    assert_eq!(
        found,
        [
            ("visibility", "access.files"),
            ("not-a-boolean", "access.embargo.active"),
            ("day", "access.embargo.until")
        ]
    );
    assert_eq!(a.files, crate::metadata::access::Visibility::Restricted);
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    assert_eq!(read_access(&a.dump(true, day)).1, []);
}

#[test]
fn custom_fields_are_bounded() {
    let (fields, problems) = read_custom_fields(&json!({
        "journal:journal": {"title": "Tạp chí"}, "bad key": 1, "a:deep": nested(20)}));
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["journal:journal"]);
    let mut codes: Vec<_> = problems.iter().map(|p| p.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["custom-field-key", "too-deep"]);
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |v, _| json!([v]))
}

/// Any JSON, with the field names of the model often enough to get inside.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "dataset",
            "vie",
            "cc-by-4.0",
            "orcid",
            "doi",
            "10.1/x",
            "personal",
            "2026/2025",
            "Point"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, |inner| {
        let key = prop_oneof![
            prop::sample::select(
                KNOWN
                    .into_iter()
                    .chain([
                        "id",
                        "type",
                        "person_or_org",
                        "affiliations",
                        "identifier",
                        "scheme",
                        "features",
                        "geometry",
                        "coordinates",
                        "funder",
                        "award",
                        "lang",
                        "date",
                        "role",
                        "link",
                        "record",
                        "embargo"
                    ])
                    .collect::<Vec<_>>()
            )
            .prop_map(ToOwned::to_owned),
            "[a-z.:é]{0,6}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|kv| Value::Object(kv.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_answered_and_what_was_taken_is_stable(value in any_json()) {
        let (m, _) = read(&value);
        let (again, problems) = read(&serde_json::to_value(&m).unwrap());
        prop_assert_eq!(problems, vec![]);
        prop_assert_eq!(&again, &m);
        prop_assert_eq!(read(&dump(&m)).0, m);
        let _ = (read_access(&value), read_custom_fields(&value));
    }
}
