//! What is found, in which order, and with which words marked.

use search_index::query::Reading;
use search_index::{Document, Error, Person, Request, Scope, Sort};

use crate::shelf::{Shelf, ids, person, request, titled};

fn penguins(index: u64, latest: bool) -> Document {
    Document {
        parent_id: "pen-guin".to_owned(),
        version_index: index,
        is_latest: latest,
        doi: Some(format!("10.5072/Peng{index}-abcde")),
        concept_doi: Some("10.5072/pen-guin".to_owned()),
        ..titled(&format!("peng{index}-abcde"), "Palmer penguins")
    }
}

#[test]
fn accents_typed_mean_that_word_and_no_accents_mean_any() {
    let shelf = Shelf::with(&[
        titled("rice", "Năng suất lúa"),
        titled("silk", "Tơ và lụa"),
        titled("plain", "Nang suat lua vu mua"),
    ]);
    let typed = shelf.search("lúa");
    assert_eq!(ids(&typed), ["rice", "plain"]);
    assert_eq!(typed.reading, Reading::AsTyped);
    assert_eq!(shelf.search("lua").total, 3);
    let nowhere = shelf.search("lủa tờ");
    assert_eq!(ids(&nowhere), ["silk"]);
    assert_eq!(nowhere.reading, Reading::WithoutAccents);
}

#[test]
fn words_are_all_wanted_until_nothing_has_all() {
    let shelf = Shelf::with(&[titled("a", "sea temperature"), titled("b", "air humidity")]);
    assert_eq!(shelf.ids("sea temperature"), ["a"]);
    let relaxed = shelf.search("sea humidity");
    assert_eq!((relaxed.total, relaxed.reading), (2, Reading::AnyWord));
    assert_eq!(shelf.search("sea AND humidity").total, 0);
    assert_eq!(shelf.ids("+sea humidity"), ["a"]);
}

#[test]
fn keystrokes_are_decoded_when_the_words_are_unknown() {
    let shelf = Shelf::with(&[titled("fire", "Cháy rừng"), titled("z", "Khác")]);
    let found = shelf.search("rungwf chays");
    assert_eq!(ids(&found), ["fire"]);
    assert_eq!(found.reading, Reading::Keystrokes);
    assert_eq!(found.read_as.as_deref(), Some("rừng cháy"));
}

#[test]
fn syllables_written_together_are_taken_apart_when_the_word_is_nowhere() {
    let shelf = Shelf::with(&[
        titled("people", "Dân số Việt Nam"),
        titled("city", "Giao thông Hà Nội"),
        titled("fruit", "Mango exports"),
        titled("man", "Man go"),
    ]);
    let found = shelf.search("Vietnam");
    assert_eq!(ids(&found), ["people"]);
    assert_eq!(found.reading, Reading::Separated);
    assert_eq!(found.read_as.as_deref(), Some("viet nam"));
    assert_eq!(shelf.ids("giao thong hanoi"), ["city"]);
    assert_eq!(
        shelf.ids("mango"),
        ["fruit"],
        "a word that is there is that word"
    );
    assert_eq!(shelf.search("zzyzx").total, 0);
}

#[test]
fn a_doi_is_found_however_it_is_pasted() {
    let shelf = Shelf::with(&[
        penguins(1, false),
        penguins(2, true),
        titled("cites", "About 10.5072/peng2-abcde"),
    ]);
    for typed in [
        "10.5072/peng2-abcde",
        "\"10.5072/peng2-abcde\"",
        "https://doi.org/10.5072/PENG2-abcde",
        "doi:10.5072/peng2-abcde",
        "doi:\"10.5072/peng2-abcde\"",
        "pids.doi.identifier:\"10.5072/peng2-abcde\"",
        "pids.doi.identifier:10.5072\\/peng2\\-abcde",
        "id:peng2-abcde",
        "peng2-abcde",
    ] {
        assert_eq!(
            shelf.ids(typed).first().map(String::as_str),
            Some("peng2-abcde"),
            "{typed}"
        );
    }
    // The DOI of an old version is that version; the DOI of all versions is the latest.
    assert_eq!(shelf.ids("10.5072/peng1-abcde"), ["peng1-abcde"]);
    assert_eq!(shelf.ids("doi:10.5072/peng1-abcde"), ["peng1-abcde"]);
    assert_eq!(shelf.ids("10.5072/pen-guin"), ["peng2-abcde"]);
    assert_eq!(shelf.search("10.5072/absent").total, 0);
}

#[test]
fn an_orcid_finds_the_work_of_its_owner() {
    let author = Person {
        identifiers: vec!["0000-0002-1825-0097".to_owned()],
        affiliations: vec!["Đại học Cần Thơ".to_owned()],
        ..person("Nguyễn Thị Ánh Tuyết")
    };
    let shelf = Shelf::with(&[
        Document {
            creators: vec![author],
            ..titled("hers", "Đất phèn")
        },
        titled("his", "Đất hiếm"),
    ]);
    for typed in [
        "0000-0002-1825-0097",
        "https://orcid.org/0000-0002-1825-0097",
        "orcid:0000-0002-1825-0097",
        "creator:\"Nguyen Thi Anh Tuyet\"",
        "metadata.creators.person_or_org.name:Tuyết",
        "metadata.creators.affiliations.name:\"Can Tho\"",
        "tuyet can tho",
    ] {
        assert_eq!(shelf.ids(typed), ["hers"], "{typed}");
    }
}

#[test]
fn old_versions_are_found_only_when_asked_for() {
    let shelf = Shelf::with(&[penguins(1, false), penguins(2, false), penguins(3, true)]);
    assert_eq!(shelf.ids("penguin"), ["peng3-abcde"]);
    let all = Request {
        all_versions: true,
        ..request("penguins")
    };
    assert_eq!(shelf.index.search(&all).unwrap().total, 3);
    let of_one = Request {
        scope: Scope {
            parent_id: Some("pen-guin".to_owned()),
            ..Scope::default()
        },
        sort: Sort::Version,
        ..request("")
    };
    let found = shelf.index.search(&of_one).unwrap();
    assert_eq!(ids(&found), ["peng3-abcde", "peng2-abcde", "peng1-abcde"]);
}

#[test]
fn only_readers_find_what_is_not_public() {
    let hidden = Document {
        readers: vec!["user:7".to_owned()],
        ..titled("hidden", "salt")
    };
    let nobody = Document {
        readers: vec![],
        ..titled("nobody", "salt")
    };
    let shelf = Shelf::with(&[titled("open", "salt"), hidden, nobody]);
    let as_reader = |keys: &[&str], all| {
        let request = Request {
            reader_keys: keys.iter().map(|k| (*k).to_owned()).collect(),
            all_readers: all,
            ..request("salt")
        };
        shelf.index.search(&request).unwrap().total
    };
    assert_eq!(as_reader(&[], false), 1);
    assert_eq!(as_reader(&["user:8"], false), 1);
    assert_eq!(as_reader(&["user:7"], false), 2);
    assert_eq!(as_reader(&[], true), 3);
    assert_eq!(shelf.search("id:hidden").total, 0);
}

#[test]
fn a_word_weighs_most_in_the_title_then_subject_then_person_then_description() {
    let pad = "of one two three four five six seven eight nine ten";
    let shelf = Shelf::with(&[
        Document {
            descriptions: vec![format!("coral {pad}")],
            ..titled("description", "A")
        },
        Document {
            creators: vec![person("Coral")],
            ..titled("creator", "A")
        },
        Document {
            subjects: vec!["coral".to_owned()],
            ..titled("subject", "A")
        },
        titled("title", "A coral"),
    ]);
    assert_eq!(
        shelf.ids("coral"),
        ["title", "subject", "creator", "description"]
    );
}

#[test]
fn every_order() {
    let timed = |id: &str, title: &str, published, updated, views| Document {
        published,
        updated,
        views,
        downloads: 100 - views,
        ..titled(id, title)
    };
    let shelf = Shelf::with(&[
        timed("a", "Đất", 1, 30, 5),
        timed("b", "an toàn", 2, 10, 50),
        timed("c", "Biển", 3, 20, 7),
    ]);
    for (sort, order) in [
        (Sort::Newest, ["c", "b", "a"]),
        (Sort::Oldest, ["a", "b", "c"]),
        (Sort::UpdatedDesc, ["a", "c", "b"]),
        (Sort::UpdatedAsc, ["b", "c", "a"]),
        (Sort::Title, ["b", "c", "a"]),
        (Sort::Mostviewed, ["b", "c", "a"]),
        (Sort::Mostdownloaded, ["a", "c", "b"]),
        (Sort::Bestmatch, ["c", "b", "a"]),
    ] {
        let found = shelf
            .index
            .search(&Request {
                sort,
                ..request("")
            })
            .unwrap();
        assert_eq!(ids(&found), order, "{sort:?}");
        assert_eq!(Sort::from_name(sort.name()), Some(sort));
    }
    let nothing_typed = shelf.search("");
    assert_eq!(nothing_typed.sort, Sort::Newest);
}

#[test]
fn pages_are_bounded_and_do_not_overlap() {
    let many: Vec<Document> = (0..25)
        .map(|n| titled(&format!("r{n:02}"), "rain"))
        .collect();
    let shelf = Shelf::with(&many);
    let mut seen = Vec::new();
    for page in 1..=3 {
        let found = shelf
            .index
            .search(&Request {
                page,
                ..request("rain")
            })
            .unwrap();
        assert_eq!(found.total, 25);
        seen.extend(ids(&found));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    let count_only = shelf
        .index
        .search(&Request {
            size: 0,
            ..request("rain")
        })
        .unwrap();
    assert_eq!((count_only.total, count_only.hits.len()), (25, 0));
    for (page, size) in [(1_001, 10), (2, 10_000), (usize::MAX, 2)] {
        let refused = shelf.index.search(&Request {
            page,
            size,
            ..request("rain")
        });
        assert!(
            matches!(refused, Err(Error::Window { max: 10_000 })),
            "{page} {size}"
        );
    }
}

#[test]
fn hits_are_marked_in_the_text_as_it_was_written() {
    let long = format!(
        "{} Lượng mưa giờ tại trạm. {}",
        "đầu ".repeat(200),
        "cuối ".repeat(200)
    );
    let shelf = Shelf::with(&[Document {
        titles: vec!["Mưa & <b>gió</b>".to_owned(), "Rainfall".to_owned()],
        descriptions: vec![long],
        ..titled("r", "")
    }]);
    let marked = |text: &str| {
        let found = shelf
            .index
            .search(&Request {
                highlight: true,
                ..request(text)
            })
            .unwrap();
        found.hits.into_iter().next().unwrap()
    };
    for typed in ["luong mua", "lượng mưa", "\"lượng mưa\"", "luwowngj muwa"] {
        let hit = marked(typed);
        let snippet = hit.description.unwrap();
        let words: Vec<&str> = snippet
            .hits
            .iter()
            .map(|r| &snippet.text[r.clone()])
            .collect();
        assert_eq!(words, ["Lượng mưa"], "{typed}");
        assert!(snippet.cut_before && snippet.cut_after && snippet.text.len() <= 320);
    }
    let hit = marked("mua");
    assert_eq!(hit.titles[0].hits, vec![0.."Mưa".len()]);
    assert_eq!(hit.titles[0].text, "Mưa & <b>gió</b>");
    assert!(hit.titles[1].hits.is_empty());
    assert_eq!(&hit.titles[1].text, "Rainfall");
    // A word asked for in the title is not marked in the description.
    assert!(marked("title:mưa").description.unwrap().hits.is_empty());
    assert_eq!(marked("rain*").titles[1].hits, vec![0.."Rainfall".len()]);
}

#[test]
fn english_plurals_meet() {
    let shelf = Shelf::with(&[titled("s", "Case studies of images")]);
    assert_eq!(shelf.ids("study image"), ["s"]);
    assert_eq!(shelf.ids("studies*"), ["s"]);
    assert_eq!(shelf.ids("stud*"), ["s"]);
}

#[test]
fn a_document_without_an_id_is_refused() {
    let shelf = Shelf::with(&[]);
    let mut batch = shelf.index.begin().unwrap();
    assert!(matches!(
        batch.upsert(&[titled("", "x")]),
        Err(Error::Document(_))
    ));
}
