//! Finding a term by the beginning of any of its words, in either language, with or without marks.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{Entry, Vocabulary, table};
use crate::text::Locale;

/// Longer questions are cut: nobody types more than that into a suggestion box.
const MAX_QUERY: usize = 200;

/// The terms whose names contain every word of `q` as the beginning of a word, best first: the code itself,
/// labels starting with it, shorter labels; where the vocabulary has an order of use, that order. An empty `q` lists.
pub fn search(
    vocabulary: Vocabulary,
    q: &str,
    locale: Locale,
    limit: usize,
) -> Vec<&'static Entry> {
    let folded: String = fold(q).chars().take(MAX_QUERY).collect();
    let words: Vec<&str> = words(&folded).collect();
    let table = table(vocabulary);
    let mut found: Vec<(bool, usize, usize)> = table
        .folded
        .iter()
        .enumerate()
        .filter(|(_, hay)| {
            words
                .iter()
                .all(|w| hay.split(' ').any(|h| h.starts_with(w)))
        })
        .map(|(i, _)| {
            let entry = &table.entries[i];
            if words.is_empty() {
                return (false, 0, i);
            }
            let code = [Some(entry.id), entry.prop("alpha2")].contains(&Some(q.trim()));
            if is_ranked(vocabulary) {
                return (!code, 0, i);
            }
            let label = fold(entry.label(locale));
            let starts = label.starts_with(folded.trim());
            (!code && !starts, label.len(), i)
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .take(limit)
        .map(|(_, _, i)| &table.entries[i])
        .collect()
}

/// Whose own order already says what is used most.
fn is_ranked(vocabulary: Vocabulary) -> bool {
    matches!(vocabulary, Vocabulary::Languages | Vocabulary::Licenses)
}

pub(super) fn haystack(entry: &Entry) -> String {
    let mut text = format!("{} {} {}", entry.id, entry.en, entry.vi);
    for column in ["acronym", "aliases", "alpha2", "spdx", "code"] {
        if let Some(value) = entry.prop(column) {
            text.push(' ');
            text.push_str(value);
        }
    }
    let folded = fold(&text);
    words(&folded).collect::<Vec<_>>().join(" ")
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !(c.is_alphanumeric() || c == '.'))
        .filter(|w| !w.is_empty())
}

/// Lower case without marks: `Đặng` → `dang`.
pub fn fold(s: &str) -> String {
    s.nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(vocabulary: Vocabulary, q: &str) -> Vec<&'static str> {
        search(vocabulary, q, Locale::Vi, 5)
            .into_iter()
            .map(|e| e.id)
            .collect()
    }

    #[test]
    fn terms_are_found_in_both_languages_with_or_without_marks() {
        assert_eq!(ids(Vocabulary::ResourceTypes, "bo du lieu"), ["dataset"]);
        assert_eq!(ids(Vocabulary::ResourceTypes, "Bộ dữ liệu"), ["dataset"]);
        assert_eq!(ids(Vocabulary::ResourceTypes, "datas"), ["dataset"]);
        assert_eq!(ids(Vocabulary::Languages, "tieng viet")[0], "vie");
        assert_eq!(ids(Vocabulary::Languages, "vi")[0], "vie");
        assert_eq!(ids(Vocabulary::Licenses, "cc-by-4.0")[0], "cc-by-4.0");
        assert_eq!(ids(Vocabulary::Licenses, "ghi cong 4.0")[0], "cc-by-4.0");
        assert_eq!(ids(Vocabulary::Affiliations, "CERN"), ["01ggx4157"]);
        assert!(ids(Vocabulary::Languages, "zzzzzz").is_empty());
        assert_eq!(
            search(Vocabulary::Languages, "", Locale::En, 2)[1].id,
            "eng"
        );
    }
}
