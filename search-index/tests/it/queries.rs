//! The query language: what it means, what it refuses, and that nothing breaks it.

use proptest::prelude::*;
use search_index::error::QueryError;
use search_index::query::{DEEPEST, parse};
use search_index::{Document, Error};

use crate::shelf::{Shelf, person, request, titled};

fn shelf() -> Shelf {
    Shelf::with(&[
        Document {
            subjects: vec!["Climate".to_owned(), "Rain".to_owned()],
            descriptions: vec!["Hourly PM2.5 and C++ code, what?".to_owned()],
            publication_date: Some("2020-05-01".to_owned()),
            resource_type: "publication-article".to_owned(),
            licences: vec!["cc-by-4.0".to_owned()],
            languages: vec!["eng".to_owned()],
            file_names: vec!["data/rain.CSV".to_owned()],
            created: 1_600_000_000,
            version_index: 2,
            ..titled("rain", "Rainfall in Hanoi")
        },
        Document {
            creators: vec![person("Lê Văn Tám")],
            publication_date: Some("2018/2019".to_owned()),
            publisher: Some("Nhà xuất bản Khoa học".to_owned()),
            size: 5_000,
            created: 1_700_000_000,
            ..titled("salt", "Độ mặn ở Hà Nội")
        },
        titled("wind", "Wind: rain and sun"),
    ])
}

#[test]
fn what_queries_mean() {
    let shelf = shelf();
    for (query, mut wanted) in [
        ("", vec!["rain", "salt", "wind"]),
        ("*", vec!["rain", "salt", "wind"]),
        ("rain", vec!["rain", "wind"]),
        ("rain -hanoi", vec!["wind"]),
        ("rain NOT hanoi", vec!["wind"]),
        ("NOT rain", vec!["salt"]),
        ("-rain -mặn", vec![]),
        ("hanoi OR wind", vec!["rain", "wind"]),
        ("(hanoi OR wind) AND sun", vec!["wind"]),
        ("\"rain and sun\"", vec!["wind"]),
        ("\"sun and rain\"", vec![]),
        ("“rain and sun”", vec!["wind"]),
        ("title:rain", vec!["wind"]),
        ("metadata.title:\"do man\"", vec!["salt"]),
        ("metadata.title:(wind OR hanoi)", vec!["rain", "wind"]),
        ("title:rainf*", vec!["rain"]),
        ("metadata.subjects.subject:climate", vec!["rain"]),
        ("subject:rain", vec!["rain"]),
        ("description:hourly", vec!["rain"]),
        ("publisher:\"nha xuat ban\"", vec!["salt"]),
        ("metadata.creators.person_or_org.name:tám", vec!["salt"]),
        ("creator:rain", vec![]),
        ("filename:rain", vec!["rain"]),
        ("file_type:csv", vec!["rain"]),
        ("metadata.resource_type.id:publication", vec!["rain"]),
        ("resource_type:publication-article", vec!["rain"]),
        ("resource_type:pub*", vec!["rain"]),
        ("metadata.rights.id:CC-BY-4.0", vec!["rain"]),
        ("language:eng", vec!["rain"]),
        ("_exists_:metadata.languages.id", vec!["rain"]),
        ("publisher:*", vec!["salt"]),
        ("metadata.publication_date:[2020-01-01 TO *]", vec!["rain"]),
        ("metadata.publication_date:[* TO 2019]", vec!["salt"]),
        (
            "metadata.publication_date:[2019 TO 2020]",
            vec!["rain", "salt"],
        ),
        ("metadata.publication_date:{2019 TO *]", vec!["rain"]),
        ("publication_date:2020", vec!["rain"]),
        ("publication_date:>=2020-05-02", vec![]),
        ("publication_date:<2020", vec!["salt"]),
        ("publication_date:\"2020-05-01\"", vec!["rain"]),
        ("year:2018", vec!["salt"]),
        ("created:[2023-01-01 TO *]", vec!["salt"]),
        ("versions.index:2", vec!["rain"]),
        ("size:>1000", vec!["salt"]),
        ("rain^3", vec!["rain", "wind"]),
        ("rain~1 sun", vec!["wind"]),
        // Plain text, however it looks.
        ("C++", vec!["rain"]),
        ("PM2.5", vec!["rain"]),
        ("what?", vec!["rain"]),
        ("rain & sun", vec!["wind"]),
        ("rain \"sun", vec!["wind"]),
        ("(rain sun", vec!["wind"]),
        ("rain) sun", vec!["wind"]),
        ("rain AND", vec!["rain", "wind"]),
        ("AND rain", vec!["rain", "wind"]),
        ("rain - sun", vec!["wind"]),
        ("wind: rain", vec!["wind"]),
        ("wind:rain", vec!["wind"]),
        ("rain/sun", vec!["wind"]),
        ("!!! ??? ...", vec!["rain", "salt", "wind"]),
    ] {
        let mut found = shelf.ids(query);
        found.sort();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{query}");
    }
}

#[test]
fn what_is_refused_says_why() {
    let refused = |query: &str| parse(query).unwrap_err();
    assert_eq!(refused("*rain"), QueryError::LeadingWildcard);
    assert_eq!(refused("title:*rain"), QueryError::LeadingWildcard);
    assert_eq!(refused("a* OR *"), QueryError::PrefixTooShort { min: 2 });
    assert_eq!(
        refused("metadata.nothing:x"),
        QueryError::UnknownField("metadata.nothing".to_owned())
    );
    assert_eq!(
        refused("_exists_:nothing"),
        QueryError::UnknownField("nothing".to_owned())
    );
    assert!(matches!(
        refused("publication_date:[2020 TO"),
        QueryError::BadRange(_)
    ));
    assert!(matches!(
        refused("publication_date:[later TO 2020]"),
        QueryError::BadRange(_)
    ));
    assert!(matches!(
        refused("publication_date:soon"),
        QueryError::BadRange(_)
    ));
    assert!(matches!(refused("title:[a TO b]"), QueryError::BadRange(_)));
    assert_eq!(
        refused(&"x".repeat(1_001)),
        QueryError::TooLong { max: 1_000 }
    );
    assert_eq!(
        refused(&"x ".repeat(65)),
        QueryError::TooManyClauses { max: 64 }
    );
    assert_eq!(
        refused(&"x.".repeat(65)),
        QueryError::TooManyClauses { max: 64 }
    );
    assert_eq!(
        refused(&"(".repeat(DEEPEST + 1)),
        QueryError::TooDeep { max: DEEPEST }
    );
    assert!(parse(&"x ".repeat(64)).is_ok());
    let shelf = Shelf::with(&[]);
    assert!(matches!(
        shelf.index.search(&request("*x")),
        Err(Error::Query(_))
    ));
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn any_mix_of_syntax_parses_or_is_refused(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("("), Just(")"), Just("\""), Just("AND"), Just("OR"), Just("NOT"), Just("-"),
                Just("+"), Just("title:"), Just("metadata.publication_date:"), Just("["), Just("]"),
                Just("{"), Just("2020"), Just(" TO "), Just("*"), Just("ab*"), Just("\\"), Just(" "),
                Just("lúa"), Just("x"), Just("_exists_:"), Just("doi:"), Just("^2"), Just("“"),
                Just("year:"), Just(">"), Just("10.5072/a-1"),
            ],
            0..40,
        )
    ) {
        let _ = parse(&parts.concat());
    }
}

#[test]
fn any_query_that_parses_also_runs() {
    let shelf = shelf();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let parts = proptest::collection::vec(
        proptest::sample::select(vec![
            "(",
            ")",
            "\"",
            " AND ",
            " OR ",
            " NOT ",
            "-",
            "title:",
            "creator:",
            "id:",
            "year:",
            "publication_date:",
            "[2019 TO 2020]",
            ">2019",
            "*",
            "ra*",
            " ",
            "lúa",
            "rain",
            "mawtj",
            "10.5072/a-1",
            "_exists_:",
            "resource_type:",
            "dataset",
            "2020",
            "PM2.5",
            "“hà nội”",
        ]),
        0..16,
    );
    runner
        .run(&parts, |parts| {
            match shelf.index.search(&request(&parts.concat())) {
                Ok(found) => prop_assert!(found.total <= 3),
                Err(error) => prop_assert!(matches!(error, Error::Query(_)), "{error}"),
            }
            Ok(())
        })
        .unwrap();
}
