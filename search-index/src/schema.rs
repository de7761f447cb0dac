//! What a record version looks like to the index: the plain [`Document`] a caller fills, and the
//! tantivy fields it becomes.
//!
//! Free text goes into one field group `any` (so that all words may match anywhere, with one look-up
//! each) where the title is written four times, subjects three, people twice and the rest once: BM25
//! then ranks title > subjects > creators > description. Fields that can be asked for by name
//! (`title:`) have a group of their own.

use serde::{Deserialize, Serialize};
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};

use crate::error::{Error, Result};
use crate::facets::Facet;
use crate::vietnamese::{self, Syllable};
use crate::{dates, identifier};

/// Raise it when a field is added, removed, or filled differently.
pub const SCHEMA_VERSION: u32 = 1;

/// The reader key of a record everyone may see.
pub const PUBLIC: &str = "public";

/// Bytes of one text that are indexed; a longer one is cut at a character.
const LONGEST_TEXT: usize = 200_000;
/// Bytes of one text that are kept for snippets.
const LONGEST_KEPT: usize = 8_000;
/// Values of one kind (subjects, files, people) that are indexed.
const MOST_VALUES: usize = 2_000;
/// Bytes of one facet value.
const LONGEST_VALUE: usize = 256;

/// One version of a record, as plain data. Empty fields are simply not searchable.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// Id of this version; the key of [`crate::Batch::upsert`] and [`crate::Batch::delete`].
    pub id: String,
    /// Id all versions share.
    pub parent_id: String,
    /// 1 for the first version.
    pub version_index: u64,
    /// Only the latest version is found unless a request asks for all.
    pub is_latest: bool,
    /// Who may find it: [`PUBLIC`], or keys the caller understands (`user:7`). Empty: nobody.
    pub readers: Vec<String>,
    /// Account that owns it, for "my records".
    pub owner: Option<String>,

    /// Main and additional titles, any language, plain text.
    pub titles: Vec<String>,
    /// Descriptions, any language, plain text: the caller strips markup.
    pub descriptions: Vec<String>,
    pub creators: Vec<Person>,
    pub contributors: Vec<Person>,
    /// Subjects from vocabularies and free keywords alike.
    pub subjects: Vec<String>,
    pub publisher: Option<String>,
    pub file_names: Vec<String>,

    /// DOI of this version.
    pub doi: Option<String>,
    /// DOI of all versions.
    pub concept_doi: Option<String>,
    /// Every other identifier of the record (ISBN, Handle, arXiv …).
    pub identifiers: Vec<String>,

    /// Resource type id; `publication-article` is also found as `publication`.
    pub resource_type: String,
    /// `open`, `embargoed`, `restricted`, `metadata-only`.
    pub access_status: String,
    /// Licence ids.
    pub licences: Vec<String>,
    /// ISO 639-3 codes.
    pub languages: Vec<String>,
    /// Community slugs or ids, whichever the caller filters by.
    pub communities: Vec<String>,
    /// File extensions without the dot; taken from the file names when empty.
    pub file_types: Vec<String>,

    /// EDTF level 0 date or interval.
    pub publication_date: Option<String>,
    /// Unix seconds.
    pub created: i64,
    pub updated: i64,
    pub published: i64,

    /// Bytes of all files.
    pub size: u64,
    pub views: u64,
    pub downloads: u64,
}

/// A creator or contributor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    pub name: String,
    pub affiliations: Vec<String>,
    /// ORCID and the like.
    pub identifiers: Vec<String>,
}

/// The same text twice: as written (canonical) and without accents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub exact: Field,
    pub folded: Field,
}

/// Handles of the tantivy fields.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub any: Pair,
    pub any_pairs: Pair,
    pub title: Pair,
    pub creator: Pair,
    pub subject: Pair,
    pub description: Pair,
    pub publisher: Pair,
    pub file_name: Pair,

    pub id: Field,
    pub parent_id: Field,
    /// Identifiers of exactly this version.
    pub own_id: Field,
    /// Identifiers that lead to it, among others.
    pub any_id: Field,
    pub latest: Field,
    pub reader: Field,
    pub owner: Field,
    pub version: Field,

    facets: [Field; Facet::ALL.len()],
    pub date_first: Field,
    pub date_last: Field,
    pub created: Field,
    pub updated: Field,
    pub published: Field,
    pub size: Field,
    pub views: Field,
    pub downloads: Field,
    pub title_sort: Field,
    /// What snippets are cut from, as JSON.
    pub kept: Field,
}

impl Fields {
    pub(crate) fn facet(&self, facet: Facet) -> Field {
        self.facets[facet as usize]
    }
}

/// The texts kept with each document.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(rename = "t")]
    pub titles: Vec<String>,
    #[serde(rename = "d")]
    pub descriptions: Vec<String>,
}

/// The schema and its handles. The order of fields is part of [`SCHEMA_VERSION`].
pub(crate) fn schema() -> (Schema, Fields) {
    let mut b = Schema::builder();
    let fields = Fields {
        any: pair(&mut b, "any", IndexRecordOption::WithFreqsAndPositions),
        any_pairs: pair(&mut b, "any_pairs", IndexRecordOption::WithFreqs),
        title: pair(&mut b, "title", IndexRecordOption::WithFreqsAndPositions),
        creator: pair(&mut b, "creator", IndexRecordOption::WithFreqsAndPositions),
        subject: pair(
            &mut b,
            "subject_text",
            IndexRecordOption::WithFreqsAndPositions,
        ),
        description: pair(
            &mut b,
            "description",
            IndexRecordOption::WithFreqsAndPositions,
        ),
        publisher: pair(
            &mut b,
            "publisher",
            IndexRecordOption::WithFreqsAndPositions,
        ),
        file_name: pair(
            &mut b,
            "file_name",
            IndexRecordOption::WithFreqsAndPositions,
        ),
        id: b.add_text_field("id", STRING | STORED),
        parent_id: b.add_text_field("parent_id", STRING | STORED),
        own_id: b.add_text_field("own_id", STRING),
        any_id: b.add_text_field("any_id", STRING),
        latest: b.add_bool_field("latest", INDEXED),
        reader: b.add_text_field("reader", STRING),
        owner: b.add_text_field("owner", STRING),
        version: b.add_u64_field("version", INDEXED | FAST),
        facets: Facet::ALL.map(|facet| match facet {
            Facet::Year => b.add_u64_field(facet.name(), INDEXED | FAST),
            _ => b.add_text_field(facet.name(), STRING | FAST),
        }),
        date_first: b.add_i64_field("date_first", FAST),
        date_last: b.add_i64_field("date_last", FAST),
        created: b.add_i64_field("created", FAST),
        updated: b.add_i64_field("updated", FAST),
        published: b.add_i64_field("published", FAST),
        size: b.add_u64_field("size", FAST),
        views: b.add_u64_field("views", FAST),
        downloads: b.add_u64_field("downloads", FAST),
        title_sort: b.add_text_field("title_sort", FAST),
        kept: b.add_text_field("kept", STORED),
    };
    (b.build(), fields)
}

/// Terms are analysed before they reach tantivy and joined with blanks, so every text is analysed
/// once however many fields it goes into.
fn pair(b: &mut SchemaBuilder, name: &str, record: IndexRecordOption) -> Pair {
    let options = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_index_option(record),
    );
    Pair {
        exact: b.add_text_field(&format!("{name}_exact"), options.clone()),
        folded: b.add_text_field(&format!("{name}_folded"), options),
    }
}

impl Document {
    pub(crate) fn to_tantivy(&self, fields: &Fields) -> Result<TantivyDocument> {
        if self.id.is_empty() || self.id.len() > LONGEST_VALUE {
            return Err(Error::Document("its id is empty or too long"));
        }
        let mut doc = TantivyDocument::default();
        self.add_texts(fields, &mut doc);
        self.add_identifiers(fields, &mut doc);
        self.add_facets(fields, &mut doc);
        doc.add_text(fields.id, &self.id);
        doc.add_text(fields.parent_id, &self.parent_id);
        doc.add_bool(fields.latest, self.is_latest);
        add_distinct(&mut doc, fields.reader, &self.readers);
        add_distinct(&mut doc, fields.owner, self.owner.as_slice());
        doc.add_u64(fields.version, self.version_index);
        doc.add_i64(fields.created, self.created);
        doc.add_i64(fields.updated, self.updated);
        doc.add_i64(fields.published, self.published);
        doc.add_u64(fields.size, self.size);
        doc.add_u64(fields.views, self.views);
        doc.add_u64(fields.downloads, self.downloads);
        let kept = Kept {
            titles: self.titles.iter().map(|t| kept_text(t)).collect(),
            descriptions: self
                .descriptions
                .iter()
                .take(8)
                .map(|t| kept_text(t))
                .collect(),
        };
        let kept = serde_json::to_string(&kept).map_err(|e| Error::Engine(e.to_string()))?;
        doc.add_text(fields.kept, kept);
        Ok(doc)
    }

    fn add_texts(&self, fields: &Fields, doc: &mut TantivyDocument) {
        let mut write =
            |texts: &mut dyn Iterator<Item = &str>, own: Option<Pair>, weight: usize| {
                for text in texts.take(MOST_VALUES) {
                    Analysed::of(text).write(fields, own, weight, doc);
                }
            };
        write(&mut strs(&self.titles), Some(fields.title), 4);
        write(&mut strs(&self.subjects), Some(fields.subject), 3);
        write(
            &mut self.people().map(|p| p.name.as_str()),
            Some(fields.creator),
            2,
        );
        write(
            &mut self.people().flat_map(|p| strs(&p.affiliations)),
            Some(fields.creator),
            1,
        );
        write(&mut strs(&self.descriptions), Some(fields.description), 1);
        write(
            &mut strs(self.publisher.as_slice()),
            Some(fields.publisher),
            1,
        );
        write(&mut strs(&self.file_names), Some(fields.file_name), 1);
        if let Some(title) = self.titles.first() {
            let key: Vec<String> = vietnamese::syllables(cut(title, LONGEST_VALUE))
                .into_iter()
                .map(|s| s.folded)
                .collect();
            doc.add_text(fields.title_sort, cut(&key.join(" "), LONGEST_VALUE));
        }
    }

    fn add_identifiers(&self, fields: &Fields, doc: &mut TantivyDocument) {
        let own = [Some(self.id.as_str()), self.doi.as_deref()];
        let shared = [Some(self.parent_id.as_str()), self.concept_doi.as_deref()];
        let own: Vec<String> = own.into_iter().flatten().map(identifier::plain).collect();
        let mut all = own.clone();
        all.extend(shared.into_iter().flatten().map(identifier::plain));
        let listed =
            strs(&self.identifiers).chain(self.people().flat_map(|p| strs(&p.identifiers)));
        all.extend(listed.take(MOST_VALUES).map(identifier::plain));
        add_distinct(doc, fields.own_id, &own);
        add_distinct(doc, fields.any_id, &all);
    }

    fn add_facets(&self, fields: &Fields, doc: &mut TantivyDocument) {
        let mut types = vec![self.resource_type.clone()];
        types.extend(
            self.resource_type
                .split_once('-')
                .map(|(parent, _)| parent.to_owned()),
        );
        let file_types: Vec<String> = if self.file_types.is_empty() {
            strs(&self.file_names).filter_map(extension).collect()
        } else {
            strs(&self.file_types).map(str::to_lowercase).collect()
        };
        let subjects: Vec<String> = strs(&self.subjects).map(vietnamese::composed).collect();
        add_distinct(doc, fields.facet(Facet::ResourceType), &types);
        add_distinct(
            doc,
            fields.facet(Facet::AccessStatus),
            std::slice::from_ref(&self.access_status),
        );
        add_distinct(doc, fields.facet(Facet::Subject), &subjects);
        add_distinct(doc, fields.facet(Facet::Licence), &self.licences);
        add_distinct(doc, fields.facet(Facet::Language), &self.languages);
        add_distinct(doc, fields.facet(Facet::Community), &self.communities);
        add_distinct(doc, fields.facet(Facet::FileType), &file_types);
        if let Some((first, last)) = self.publication_date.as_deref().and_then(dates::day_span) {
            doc.add_i64(fields.date_first, first);
            doc.add_i64(fields.date_last, last);
            doc.add_u64(fields.facet(Facet::Year), (first / 10_000).unsigned_abs());
        }
    }

    fn people(&self) -> impl Iterator<Item = &Person> {
        self.creators.iter().chain(&self.contributors)
    }
}

/// A text as four strings of terms.
struct Analysed {
    exact: String,
    folded: String,
    exact_pairs: String,
    folded_pairs: String,
}

impl Analysed {
    fn of(text: &str) -> Self {
        let syllables = vietnamese::syllables(cut(text, LONGEST_TEXT));
        let exact = |s: &'_ Syllable| s.canonical.clone();
        let folded = |s: &'_ Syllable| s.folded.clone();
        let exact: Vec<String> = syllables.iter().map(exact).collect();
        let folded: Vec<String> = syllables.iter().map(folded).collect();
        Self {
            exact_pairs: vietnamese::pairs(exact.iter().map(String::as_str)).join(" "),
            folded_pairs: vietnamese::pairs(folded.iter().map(String::as_str)).join(" "),
            exact: exact.join(" "),
            folded: folded.join(" "),
        }
    }

    fn write(&self, fields: &Fields, own: Option<Pair>, weight: usize, doc: &mut TantivyDocument) {
        for _ in 0..weight {
            doc.add_text(fields.any.exact, &self.exact);
            doc.add_text(fields.any.folded, &self.folded);
            doc.add_text(fields.any_pairs.exact, &self.exact_pairs);
            doc.add_text(fields.any_pairs.folded, &self.folded_pairs);
        }
        if let Some(own) = own {
            doc.add_text(own.exact, &self.exact);
            doc.add_text(own.folded, &self.folded);
        }
    }
}

fn strs(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().map(String::as_str)
}

fn add_distinct(doc: &mut TantivyDocument, field: Field, values: &[String]) {
    let mut seen = std::collections::HashSet::new();
    for value in values.iter().take(MOST_VALUES) {
        let value = cut(value, LONGEST_VALUE);
        if !value.is_empty() && seen.insert(value) {
            doc.add_text(field, value);
        }
    }
}

fn extension(file_name: &str) -> Option<String> {
    let (stem, extension) = file_name.rsplit_once('.')?;
    let plain = !stem.is_empty()
        && (1..=8).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| extension.to_ascii_lowercase())
}

fn kept_text(text: &str) -> String {
    vietnamese::composed(cut(text, LONGEST_KEPT))
}

/// The beginning of a text, at most so many bytes, whole characters.
pub(crate) fn cut(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}
