//! The analyzer against its vectors, and what must hold for any text.

use proptest::prelude::*;
use search_index::vietnamese::{canonical, pairs, syllables};
use search_index::{identifier, telex};
use unicode_normalization::UnicodeNormalization;

#[test]
fn every_vector_comes_out_as_written() {
    let vectors = include_str!("../data/vi_analyzer_vectors.tsv");
    let mut checked = 0;
    for line in vectors.lines().skip(1) {
        let [input, form, exact, folded] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {line}");
        };
        let input: String = match form {
            "NFD" => input.nfd().collect(),
            _ => input.to_owned(),
        };
        let found = syllables(&input);
        let words = |get: fn(&search_index::vietnamese::Syllable) -> &String| {
            found
                .iter()
                .map(|s| get(s).as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(words(|s| &s.canonical), exact, "{line}");
        assert_eq!(words(|s| &s.folded), folded, "{line}");
        checked += 1;
    }
    assert!(checked > 100, "only {checked} vectors");
}

#[test]
fn other_scripts_and_odd_characters() {
    let canonical = |text| {
        syllables(text)
            .into_iter()
            .map(|s| s.canonical)
            .collect::<Vec<_>>()
    };
    assert_eq!(canonical("25℃ ﬁeld"), ["25", "c", "field"]);
    assert_eq!(canonical("dữ\u{ad}liệu"), ["dữliệu"]);
    assert_eq!(canonical("数据 abc"), ["数", "据", "abc"]);
    assert_eq!(
        canonical("Straße İzmir ½"),
        ["straße", "i\u{307}zmir", "1", "2"]
    );
    assert_eq!(canonical("\u{301}\u{301}"), Vec::<String>::new());
    assert_eq!(canonical(""), Vec::<String>::new());
    let long = syllables(&"a".repeat(10_000));
    assert_eq!(long[0].canonical.len(), 80);
}

#[test]
fn pairs_join_neighbours_only() {
    assert_eq!(pairs(["a", "b", "c"]), ["a_b", "b_c"]);
    assert!(pairs(["a"]).is_empty());
}

proptest! {
    #[test]
    fn any_text_is_analysed_and_its_ranges_are_its_own(text in any::<String>()) {
        let mut before = 0;
        for s in syllables(&text) {
            prop_assert!(text.get(s.range.clone()).is_some());
            prop_assert!(s.range.start >= before);
            before = s.range.start;
            prop_assert!(!s.canonical.is_empty() && !s.folded.is_empty());
            prop_assert!(!s.canonical.contains(char::is_whitespace));
            prop_assert!(!s.folded.contains(char::is_whitespace));
        }
    }

    #[test]
    fn composed_and_decomposed_text_is_one_text(text in "[a-zđăâêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệ A-ZĐÀÁÝỲỶ]{0,40}") {
        let terms = |text: &str| syllables(text).into_iter().map(|s| (s.canonical, s.folded)).collect::<Vec<_>>();
        let nfd: String = text.nfd().collect();
        prop_assert_eq!(terms(&nfd), terms(&text));
    }

    #[test]
    fn canonical_of_any_word_ignores_its_form(word in "\\w{1,12}") {
        let nfc: String = word.nfc().collect();
        let nfd: String = word.nfd().collect();
        prop_assert_eq!(canonical(&nfd), canonical(&nfc));
    }

    #[test]
    fn canonical_is_settled(word in "[a-zđăâêôơưàáảãạ]{1,8}") {
        let once = canonical(&word);
        prop_assert_eq!(canonical(&once), once);
    }

    #[test]
    fn keystrokes_and_identifiers_never_fail(text in any::<String>(), keys in "[a-z]{0,14}") {
        let _ = telex::decode(&text);
        let _ = telex::decode(&keys);
        let plain = identifier::plain(&text);
        prop_assert!(plain.len() <= text.len() * 20);
    }
}
