//! The promises of the whole module: every code and label has its words in both languages.

use std::{collections::BTreeSet, fs, path::Path};

use super::{access::AccessStatus, checklist, vocabulary::Vocabulary, *};
use crate::text::{Locale, has};

/// The codes of problems in our sources: what stands in quotes after one of the words that make one.
fn codes_in(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_in(&path, into);
        }
        if path.extension().is_none_or(|e| e != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for word in ["Malformed", "Problem::new", ".wrong", ".wrong_value"] {
            for rest in source.split(word).skip(1) {
                let argument = rest.strip_prefix('(').map(str::trim_start);
                if let Some(code) = argument.and_then(|a| a.strip_prefix('"')) {
                    into.insert(code.split('"').next().unwrap().to_owned());
                }
            }
        }
    }
}

#[test]
fn every_code_has_its_sentence_in_both_languages() {
    let mut codes = BTreeSet::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    codes_in(&src.join("metadata"), &mut codes);
    codes.extend(Vocabulary::ALL.map(|v| v.unknown().to_owned()));
    // What the identifiers of `ids` may answer when `read` parses them.
    codes.extend(
        [
            "doi",
            "orcid",
            "orcid-check-digit",
            "ror",
            "ror-check-digit",
        ]
        .map(ToOwned::to_owned),
    );
    assert!(codes.len() > 60, "the search found only {codes:?}");
    let missing: Vec<String> = Locale::ALL
        .into_iter()
        .flat_map(|l| codes.iter().map(move |c| (l, format!("problem-{c}"))))
        .filter(|(l, key)| !has(*l, key))
        .map(|(l, key)| format!("{} {key}", l.code()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_label_of_the_checklist_and_of_access_exists() {
    let files = checklist::Files {
        enabled: true,
        count: 0,
        pending: 0,
    };
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    let list = checklist::check(&Metadata::default(), &Access::default(), files, day);
    for locale in Locale::ALL {
        for item in &list.items {
            assert!(
                has(locale, &format!("checklist-{}", item.key)),
                "{}",
                item.key
            );
        }
        for status in AccessStatus::ALL {
            assert!(has(locale, &format!("access-status-{}", status.code())));
        }
    }
}

#[test]
fn each_language_gets_its_title() {
    let (m, _) = read(&serde_json::from_str(include_str!("read/full.json")).unwrap());
    assert_eq!(
        m.title_in(Locale::Vi),
        Some("Chất lượng không khí Hà Nội 2025")
    );
    assert_eq!(m.title_in(Locale::En), Some("Air quality in Hanoi 2025"));
    assert_eq!(m.titles().len(), 2);
    assert_eq!(m.descriptions().len(), 2);
    assert_eq!(
        m.summary(Locale::En).as_deref(),
        Some("Hourly PM2.5 by station.")
    );
    // Vietnamese data described in English: the translation says which language the title is not in.
    let (m, _) = read(
        &serde_json::json!({"title": "A sample", "languages": [{"id": "vie"}],
        "description": "English.", "additional_titles":
            [{"title": "Bản mẫu", "type": {"id": "translated-title"}, "lang": {"id": "vie"}}],
        "additional_descriptions":
            [{"description": "Tiếng Việt.", "type": {"id": "abstract"}, "lang": {"id": "vie"}}]}),
    );
    assert_eq!(m.main_language(), Some("eng"));
    assert_eq!(m.title_in(Locale::En), Some("A sample"));
    assert_eq!(m.description_in(Locale::Vi), Some("Tiếng Việt."));
    let (m, _) = read(&serde_json::json!({"title": "Độ mặn nước sông"}));
    assert_eq!(
        (m.main_language(), m.title_in(Locale::En)),
        (Some("vie"), None)
    );
    assert_eq!(m.title_for(Locale::En).unwrap().bcp47(), Some("vi"));
}
