//! Vietnamese and English are equal: what one language can say, the other can, with the same values;
//! and every problem the program can name has its sentence.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use kho::text::{Locale, has, keys};

#[test]
fn both_languages_have_the_same_keys() {
    let [vi, en] = Locale::ALL.map(|l| keys(l).iter().collect::<BTreeSet<_>>());
    assert!(!vi.is_empty(), "no sentence was read");
    let only_vi: Vec<_> = vi.difference(&en).collect();
    let only_en: Vec<_> = en.difference(&vi).collect();
    assert!(
        only_vi.is_empty() && only_en.is_empty(),
        "only in Vietnamese: {only_vi:?}\nonly in English: {only_en:?}"
    );
    for locale in Locale::ALL {
        for pair in keys(locale).windows(2) {
            assert_ne!(pair[0], pair[1], "{} says it twice", locale.code());
        }
        for key in keys(locale) {
            assert!(
                has(locale, key),
                "{key} of {} does not parse",
                locale.code()
            );
        }
    }
}

#[test]
fn both_languages_put_in_the_same_values() {
    let [vi, en] = Locale::ALL.map(variables);
    for (key, in_vi) in &vi {
        let in_en = en.get(key).cloned().unwrap_or_default();
        assert_eq!(*in_vi, in_en, "the values of {key} differ");
    }
}

#[test]
fn every_problem_has_its_sentence() {
    let mut silent = BTreeSet::new();
    let mut seen = 0;
    for (file, text) in files("src", "rs") {
        for made_by in [
            "Problem::new(",
            "Error::invalid(",
            "Error::conflict(",
            "Error::bad_request(",
            "Malformed(",
        ] {
            for (at, _) in text.match_indices(made_by) {
                let argument = text[at + made_by.len()..].trim_start();
                let Some(code) = argument.strip_prefix('"').and_then(|a| a.split('"').next())
                else {
                    continue;
                };
                seen += 1;
                if !has(Locale::Vi, &format!("problem-{code}")) {
                    silent.insert(format!("{file}: {code}"));
                }
            }
        }
    }
    assert!(seen > 0, "no problem was found in the source");
    assert!(
        silent.is_empty(),
        "problems without a sentence: {silent:#?}"
    );
}

/// The values each sentence of a language names: `$name`, attributes and variants included.
fn variables(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for (_, text) in files(&format!("templates/i18n/{}", locale.code()), "ftl") {
        let mut key = None;
        for line in text.lines() {
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                key = line.split_once('=').map(|(k, _)| k.trim().to_owned());
            } else if line.starts_with('#') {
                continue;
            }
            let Some(key) = &key else { continue };
            let named: &mut BTreeSet<String> = found.entry(key.clone()).or_default();
            for piece in line.split('$').skip(1) {
                let end = piece
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
                    .unwrap_or(piece.len());
                named.insert(piece[..end].to_owned());
            }
        }
    }
    found
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut todo = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push((
                    path.display().to_string(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    found
}
