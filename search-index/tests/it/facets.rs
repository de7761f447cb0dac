//! Counts beside the results.

use std::collections::BTreeMap;

use search_index::{Document, Facet, Request, Scope, YearRange};

use crate::shelf::{Shelf, ids, request, titled};

fn shelf() -> Shelf {
    let doc = |id: &str, kind: &str, access: &str, year: &str, language: &str| Document {
        resource_type: kind.to_owned(),
        access_status: access.to_owned(),
        publication_date: Some(year.to_owned()),
        languages: vec![language.to_owned()],
        subjects: vec!["water".to_owned(), "Đất".to_owned(), "water".to_owned()],
        licences: vec!["cc0-1.0".to_owned()],
        file_names: vec!["a.csv".to_owned(), "b.CSV".to_owned(), "README".to_owned()],
        communities: vec![format!("c-{language}")],
        owner: Some(format!("u-{language}")),
        ..titled(id, "river")
    };
    let shelf = Shelf::with(&[
        doc("a", "dataset", "open", "2019", "vie"),
        doc("b", "dataset", "restricted", "2020-04", "eng"),
    ]);
    // A second commit makes a second part: counts must add up across parts.
    shelf.add(
        &[
            doc("c", "publication-article", "open", "2020", "vie"),
            doc("d", "publication", "open", "2021", "vie"),
            Document {
                is_latest: false,
                ..doc("old", "dataset", "open", "2019", "vie")
            },
        ],
        2,
    );
    shelf
}

fn counts(shelf: &Shelf, facet: Facet, request: Request) -> Vec<(String, u64)> {
    let request = Request {
        facets: Facet::ALL.to_vec(),
        ..request
    };
    let found = shelf.index.search(&request).unwrap();
    found.facets[&facet]
        .iter()
        .map(|b| (b.value.clone(), b.count))
        .collect()
}

fn owned(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs
        .iter()
        .map(|(value, count)| ((*value).to_owned(), *count))
        .collect()
}

fn choose(pairs: &[(Facet, &[&str])]) -> BTreeMap<Facet, Vec<String>> {
    pairs
        .iter()
        .map(|(f, values)| (*f, values.iter().map(|v| (*v).to_owned()).collect()))
        .collect()
}

#[test]
fn every_facet_counts_latest_versions_once() {
    let shelf = shelf();
    for (facet, wanted) in [
        (
            Facet::ResourceType,
            owned(&[
                ("dataset", 2),
                ("publication", 2),
                ("publication-article", 1),
            ]),
        ),
        (
            Facet::AccessStatus,
            owned(&[("open", 3), ("restricted", 1)]),
        ),
        (Facet::Subject, owned(&[("water", 4), ("Đất", 4)])),
        (Facet::Licence, owned(&[("cc0-1.0", 4)])),
        (Facet::Year, owned(&[("2021", 1), ("2020", 2), ("2019", 1)])),
        (Facet::Language, owned(&[("vie", 3), ("eng", 1)])),
        (Facet::Community, owned(&[("c-vie", 3), ("c-eng", 1)])),
        (Facet::FileType, owned(&[("csv", 4)])),
    ] {
        assert_eq!(counts(&shelf, facet, request("river")), wanted, "{facet:?}");
        assert_eq!(Facet::from_name(facet.name()), Some(facet));
    }
}

#[test]
fn a_choice_narrows_the_others_but_not_itself() {
    let shelf = shelf();
    let chosen = choose(&[
        (Facet::Language, &["vie"]),
        (Facet::AccessStatus, &["open", "restricted"]),
    ]);
    let narrowed = Request {
        chosen: chosen.clone(),
        ..request("river")
    };
    assert_eq!(
        counts(&shelf, Facet::Language, narrowed.clone()),
        owned(&[("vie", 3), ("eng", 1)])
    );
    assert_eq!(
        counts(&shelf, Facet::AccessStatus, narrowed.clone()),
        owned(&[("open", 3), ("restricted", 0)])
    );
    assert_eq!(
        counts(&shelf, Facet::Year, narrowed.clone()),
        owned(&[("2021", 1), ("2020", 1), ("2019", 1)])
    );
    assert_eq!(shelf.index.search(&narrowed).unwrap().total, 3);
    let parent = Request {
        chosen: choose(&[(Facet::ResourceType, &["publication"])]),
        ..request("")
    };
    let mut found = ids(&shelf.index.search(&parent).unwrap());
    found.sort();
    assert_eq!(found, ["c", "d"]);
}

#[test]
fn years_scope_and_size() {
    let shelf = shelf();
    let years = Request {
        years: YearRange {
            from: Some(2020),
            to: None,
        },
        ..request("")
    };
    assert_eq!(shelf.index.search(&years).unwrap().total, 3);
    assert_eq!(
        counts(&shelf, Facet::Year, years).len(),
        3,
        "the range leaves all years to choose"
    );
    let one_year = Request {
        chosen: choose(&[(Facet::Year, &["2019"])]),
        ..request("")
    };
    assert_eq!(ids(&shelf.index.search(&one_year).unwrap()), ["a"]);
    let scope = Scope {
        community: Some("c-eng".to_owned()),
        ..Scope::default()
    };
    let scoped = Request {
        scope,
        ..request("")
    };
    assert_eq!(
        counts(&shelf, Facet::Language, scoped),
        owned(&[("eng", 1)])
    );
    let mine = Request {
        scope: Scope {
            owner: Some("u-vie".to_owned()),
            ..Scope::default()
        },
        ..request("")
    };
    assert_eq!(shelf.index.search(&mine).unwrap().total, 3);
    let few = Request {
        facet_size: 1,
        chosen: choose(&[(Facet::Language, &["eng"])]),
        ..request("")
    };
    assert_eq!(
        counts(&shelf, Facet::Language, few),
        owned(&[("vie", 3), ("eng", 1)]),
        "a chosen value stays"
    );
}

#[test]
fn a_choice_that_leaves_nothing_does_not_change_how_words_are_read() {
    let shelf = shelf();
    let chosen = choose(&[(Facet::Language, &["fra"])]);
    let found = shelf
        .index
        .search(&Request {
            chosen,
            ..request("river water")
        })
        .unwrap();
    assert_eq!(
        (found.total, found.reading),
        (0, search_index::query::Reading::AsTyped)
    );
}

#[test]
fn the_frequent_values_of_a_large_facet_are_exact_and_a_chosen_one_is_always_counted() {
    let documents: Vec<Document> = (0..600)
        .map(|n| Document {
            subjects: vec![format!("rare {n:03}"), format!("common {}", n % 3)],
            ..titled(&format!("d{n}"), "river")
        })
        .collect();
    let shelf = Shelf::with(&documents);
    let request = Request {
        facet_size: 3,
        chosen: choose(&[(Facet::Subject, &["rare 599"])]),
        ..request("river")
    };
    assert_eq!(shelf.index.search(&request).unwrap().total, 1);
    let wanted = [
        ("common 0", 200),
        ("common 1", 200),
        ("common 2", 200),
        ("rare 599", 1),
    ];
    assert_eq!(counts(&shelf, Facet::Subject, request), owned(&wanted));
}
