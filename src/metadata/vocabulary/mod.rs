//! The controlled vocabularies of the dialect, each entry named in both languages.
//!
//! One tab-separated file a vocabulary, beside this one: `id`, `en`, `vi`, then its own columns; `vi` is
//! left empty where a name is the same in both (a licence's proper name, a language without a
//! settled Vietnamese one). `README.md` says where each came from. Read once, on first use.

mod search;

use std::{collections::HashMap, sync::LazyLock};

pub use search::{fold, search};

use crate::text::Locale;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vocabulary {
    ResourceTypes,
    Licenses,
    Languages,
    CreatorsRoles,
    ContributorsRoles,
    DateTypes,
    TitleTypes,
    DescriptionTypes,
    RelationTypes,
    RemovalReasons,
    CommunityTypes,
    Subjects,
    Affiliations,
    Funders,
    IdentifierSchemes,
}

impl Vocabulary {
    pub const ALL: [Vocabulary; 15] = [
        Vocabulary::ResourceTypes,
        Vocabulary::Licenses,
        Vocabulary::Languages,
        Vocabulary::CreatorsRoles,
        Vocabulary::ContributorsRoles,
        Vocabulary::DateTypes,
        Vocabulary::TitleTypes,
        Vocabulary::DescriptionTypes,
        Vocabulary::RelationTypes,
        Vocabulary::RemovalReasons,
        Vocabulary::CommunityTypes,
        Vocabulary::Subjects,
        Vocabulary::Affiliations,
        Vocabulary::Funders,
        Vocabulary::IdentifierSchemes,
    ];

    /// The dialect's name: `/api/vocabularies/<slug>` (the last four have paths of their own there).
    pub fn slug(self) -> &'static str {
        match self {
            Vocabulary::ResourceTypes => "resourcetypes",
            Vocabulary::Licenses => "licenses",
            Vocabulary::Languages => "languages",
            Vocabulary::CreatorsRoles => "creatorsroles",
            Vocabulary::ContributorsRoles => "contributorsroles",
            Vocabulary::DateTypes => "datetypes",
            Vocabulary::TitleTypes => "titletypes",
            Vocabulary::DescriptionTypes => "descriptiontypes",
            Vocabulary::RelationTypes => "relationtypes",
            Vocabulary::RemovalReasons => "removalreasons",
            Vocabulary::CommunityTypes => "communitytypes",
            Vocabulary::Subjects => "subjects",
            Vocabulary::Affiliations => "affiliations",
            Vocabulary::Funders => "funders",
            Vocabulary::IdentifierSchemes => "identifierschemes",
        }
    }
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.slug() == slug)
    }
    /// The code of the problem that an id is not in it.
    pub fn unknown(self) -> &'static str {
        match self {
            Vocabulary::ResourceTypes => "unknown-resource-type",
            Vocabulary::Licenses => "unknown-licence",
            Vocabulary::Languages => "unknown-language",
            Vocabulary::CreatorsRoles | Vocabulary::ContributorsRoles => "unknown-role",
            Vocabulary::DateTypes => "unknown-date-type",
            Vocabulary::TitleTypes => "unknown-title-type",
            Vocabulary::DescriptionTypes => "unknown-description-type",
            Vocabulary::RelationTypes => "unknown-relation-type",
            Vocabulary::RemovalReasons => "unknown-removal-reason",
            Vocabulary::CommunityTypes => "unknown-community-type",
            Vocabulary::Subjects => "unknown-subject",
            Vocabulary::Affiliations => "unknown-affiliation",
            Vocabulary::Funders => "unknown-funder",
            Vocabulary::IdentifierSchemes => "unknown-scheme",
        }
    }
    fn source(self) -> &'static str {
        match self {
            Vocabulary::ResourceTypes => include_str!("resource_types.tsv"),
            Vocabulary::Licenses => include_str!("licenses.tsv"),
            Vocabulary::Languages => include_str!("languages.tsv"),
            Vocabulary::CreatorsRoles | Vocabulary::ContributorsRoles => include_str!("roles.tsv"),
            Vocabulary::DateTypes => include_str!("date_types.tsv"),
            Vocabulary::TitleTypes => include_str!("title_types.tsv"),
            Vocabulary::DescriptionTypes => include_str!("description_types.tsv"),
            Vocabulary::RelationTypes => include_str!("relation_types.tsv"),
            Vocabulary::RemovalReasons => include_str!("removal_reasons.tsv"),
            Vocabulary::CommunityTypes => include_str!("community_types.tsv"),
            Vocabulary::Subjects => include_str!("subjects.tsv"),
            Vocabulary::Affiliations => include_str!("affiliations.tsv"),
            Vocabulary::Funders => include_str!("funders.tsv"),
            Vocabulary::IdentifierSchemes => include_str!("identifier_schemes.tsv"),
        }
    }
}

/// One term.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub id: &'static str,
    pub en: &'static str,
    pub vi: &'static str,
    columns: &'static str,
    row: &'static str,
}

impl Entry {
    pub fn label(&self, locale: Locale) -> &'static str {
        match locale {
            Locale::Vi => self.vi,
            Locale::En => self.en,
        }
    }
    /// The value of a column of its own (`datacite`, `url`, `alpha2` …), when it is not empty.
    pub fn prop(&self, name: &str) -> Option<&'static str> {
        let at = self.columns.split('\t').position(|c| c == name)?;
        self.row.split('\t').nth(at).filter(|v| !v.is_empty())
    }
    /// Is it marked so? (`recommended`, `depositable`, `data` …)
    pub fn tagged(&self, tag: &str) -> bool {
        self.prop("tags")
            .is_some_and(|tags| tags.split(' ').any(|t| t == tag))
    }
}

struct Table {
    entries: Vec<Entry>,
    by_id: HashMap<&'static str, usize>,
    /// What `search` looks into, a line an entry: labels and names, folded.
    folded: Vec<String>,
}

static TABLES: [LazyLock<Table>; 15] = {
    macro_rules! tables {
        ($($i:literal)*) => { [$(LazyLock::new(|| load(Vocabulary::ALL[$i]))),*] };
    }
    tables!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
};

fn table(vocabulary: Vocabulary) -> &'static Table {
    &TABLES[vocabulary as usize]
}

fn load(vocabulary: Vocabulary) -> Table {
    let (columns, rows) = vocabulary.source().split_once('\n').unwrap_or_default();
    let entries: Vec<Entry> = rows
        .lines()
        .filter_map(|row| {
            let mut cells = row.split('\t');
            let (id, en, vi) = (cells.next()?, cells.next()?, cells.next()?);
            Some(Entry {
                id,
                en,
                vi: if vi.is_empty() { en } else { vi },
                columns,
                row,
            })
        })
        .collect();
    Table {
        by_id: entries.iter().enumerate().map(|(i, e)| (e.id, i)).collect(),
        folded: entries.iter().map(search::haystack).collect(),
        entries,
    }
}

/// The term of an id, exactly as written.
pub fn get(vocabulary: Vocabulary, id: &str) -> Option<&'static Entry> {
    let table = table(vocabulary);
    table.by_id.get(id).map(|i| &table.entries[*i])
}

/// What an id is called; the id itself when it is not in the vocabulary.
pub fn label(vocabulary: Vocabulary, id: &str, locale: Locale) -> &str {
    get(vocabulary, id).map_or(id, |e| e.label(locale))
}

/// All terms, the most used first where the vocabulary says so.
pub fn list(vocabulary: Vocabulary) -> &'static [Entry] {
    &table(vocabulary).entries
}

/// An organisation by its ROR id, among affiliations or funders.
pub fn organisation(ror: &str) -> Option<&'static Entry> {
    get(Vocabulary::Affiliations, ror).or_else(|| get(Vocabulary::Funders, ror))
}

/// A language by its two-letter code (`vi` → `vie`), its three-letter one, or a BCP 47 tag of either.
pub fn language(code: &str) -> Option<&'static Entry> {
    let primary = code.split(['-', '_']).next()?.to_ascii_lowercase();
    match primary.len() {
        2 => list(Vocabulary::Languages)
            .iter()
            .find(|e| e.prop("alpha2") == Some(&primary)),
        _ => get(Vocabulary::Languages, &primary),
    }
}

/// The shortest BCP 47 tag of an ISO 639-3 code: `vie` → `vi`.
pub fn bcp47(iso639_3: &str) -> &str {
    get(Vocabulary::Languages, iso639_3)
        .and_then(|e| e.prop("alpha2"))
        .unwrap_or(iso639_3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_whole() {
        for vocabulary in Vocabulary::ALL {
            let columns = vocabulary.source().lines().next().unwrap();
            assert!(columns.starts_with("id\ten\tvi"), "{vocabulary:?}");
            let entries = list(vocabulary);
            assert!(entries.len() >= 4, "{vocabulary:?}");
            assert_eq!(
                entries.len(),
                table(vocabulary).by_id.len(),
                "{vocabulary:?}"
            );
            for e in entries {
                assert_eq!(
                    e.row.split('\t').count(),
                    columns.split('\t').count(),
                    "{}",
                    e.id
                );
                assert!(!e.en.is_empty() && !e.vi.is_empty(), "{}", e.id);
            }
            assert_eq!(Vocabulary::from_slug(vocabulary.slug()), Some(vocabulary));
            assert_eq!(Vocabulary::ALL[vocabulary as usize], vocabulary);
        }
    }

    #[test]
    fn terms_are_found_and_named() {
        let dataset = get(Vocabulary::ResourceTypes, "dataset").unwrap();
        assert_eq!(dataset.label(Locale::Vi), "Bộ dữ liệu");
        assert_eq!(dataset.prop("datacite"), Some("Dataset"));
        assert!(dataset.tagged("depositable"));
        let by = get(Vocabulary::Licenses, "cc-by-4.0").unwrap();
        assert_eq!(by.prop("spdx"), Some("CC-BY-4.0"));
        assert_eq!(language("vi").unwrap().id, "vie");
        assert_eq!(language("en-GB").unwrap().id, "eng");
        assert_eq!(bcp47("vie"), "vi");
        assert_eq!(bcp47("bdq"), "bdq");
        assert_eq!(label(Vocabulary::Languages, "nope", Locale::En), "nope");
    }

    #[test]
    fn what_people_choose_from_is_translated() {
        for vocabulary in Vocabulary::ALL {
            let names = matches!(
                vocabulary,
                Vocabulary::Languages
                    | Vocabulary::Licenses
                    | Vocabulary::Affiliations
                    | Vocabulary::Funders
                    | Vocabulary::IdentifierSchemes
            );
            for e in list(vocabulary)
                .iter()
                .filter(|e| !names || e.tagged("recommended"))
            {
                let same_word = matches!(e.id, "video");
                assert!(same_word || e.en != e.vi, "{vocabulary:?} {}", e.id);
            }
        }
    }
}
