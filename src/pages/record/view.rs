//! What the landing page and the tombstone are given. Vocabulary labels arrive in the reader's
//! language; numbers, sizes and dates raw; addresses of exports and downloads whole.

use serde::Serialize;

use super::{
    coverage::Coverage,
    files::{FileRow, Folder},
    snippets::Snippet,
};
use crate::pages::{
    folders::FolderLevel,
    parts::{Link, Text},
};

/// `/records/{id}`: one version of a record.
#[derive(Debug, Clone, Serialize)]
pub struct Landing {
    /// `k3f9a-2bq71`
    pub id: String,
    pub doi: Option<DoiLink>,
    /// The DOI that always leads to the newest version.
    pub concept_doi: Option<DoiLink>,
    pub title: Text,
    /// The title in the other languages, alternative titles, subtitles.
    pub other_titles: Vec<Text>,
    /// `Bộ dữ liệu`
    pub resource_type: String,
    pub access: Access,
    pub licences: Vec<Licence>,
    /// Copyright statement, when there is one.
    pub copyright: Option<String>,
    /// What the authors call this version: `3`, `2.1.0`.
    pub version: Option<String>,
    /// EDTF.
    pub published: String,
    pub publisher: String,
    /// When this page's metadata last changed, `2026-03-12`.
    pub updated: String,
    /// Its first entry in the ledger.
    pub ledger: Option<Entered>,
    pub creators: Vec<Contributor>,
    pub contributors: Vec<Contributor>,
    /// Referred to by `Contributor::affiliations`, counted from 1.
    pub affiliations: Vec<Affiliation>,
    pub communities: Vec<Link>,
    /// In the reader's language, and what there is in no other way.
    pub descriptions: Vec<Description>,
    /// The same in other languages, folded away.
    pub translations: Vec<Translation>,
    /// Plain text, one or two sentences, for `<meta name="description">`.
    pub summary: String,
    pub citation: Citation,
    /// BibTeX, RIS, CSL JSON.
    pub citation_exports: Vec<Link>,
    /// DataCite, Dublin Core, JSON, JSON-LD …
    pub exports: Vec<Link>,
    pub files: Files,
    pub snippets: Vec<Snippet>,
    pub versions: Vec<Version>,
    /// Set when this is not the newest version.
    pub newer: Option<Link>,
    pub related: Vec<Related>,
    pub funding: Vec<Funding>,
    pub subjects: Vec<Subject>,
    pub languages: Vec<String>,
    pub dates: Vec<DatedEvent>,
    pub references: Vec<String>,
    pub coverage: Option<Coverage>,
    /// schema.org JSON-LD, as text.
    pub json_ld: String,
    /// Signposting: `cite-as`, `describedby`, `item`, `license`, `author`.
    pub signposts: Vec<Signpost>,
    /// What the person who is signed in may do with it.
    pub manage: Option<Manage>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Entered {
    /// Its number in the ledger, from 0.
    pub entry: u64,
    /// `2026-03-12`
    pub since: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct DoiLink {
    pub doi: String,
    /// `https://doi.org/…`
    pub url: String,
    /// Under a prefix for tests (10.5072): shown, but it does not resolve.
    pub test: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessState {
    Open,
    Embargoed,
    Restricted,
    MetadataOnly,
}

#[derive(Debug, Clone, Serialize)]
pub struct Access {
    pub state: AccessState,
    /// `2027-01-01`
    pub until: Option<String>,
    pub reason: Option<String>,
    /// May the reader open the files all the same (owner, curator, link)?
    pub granted: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Licence {
    /// Lower case, `cc-by-4.0`; picks the plain sentence `licence-cc-by-4-0`.
    pub id: String,
    pub title: String,
    /// `CC BY 4.0`, for the chip.
    pub short: String,
    pub url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Contributor {
    /// As it is read: `Đặng Thị Ngọc Thịnh`.
    pub name: String,
    /// As an index writes it: `Đặng, Thị Ngọc Thịnh`; for the citation tags.
    pub sort_name: String,
    /// The bare identifier, `0000-0002-1825-0097`.
    pub orcid: Option<String>,
    pub ror: Option<String>,
    pub affiliations: Vec<usize>,
    /// `Người liên hệ`; creators often have none.
    pub role: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Affiliation {
    pub name: String,
    pub ror: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Description {
    /// `None` for the abstract, else `Phương pháp` and the like.
    pub heading: Option<String>,
    pub lang: String,
    /// Sanitised HTML.
    pub html: String,
}

/// Everything that is said a second time in another language.
#[derive(Debug, Clone, Serialize)]
pub struct Translation {
    /// `Tiếng Anh`
    pub language: String,
    pub descriptions: Vec<Description>,
}

/// The parts of the citation, so that the title can be set in italics and the DOI be a link.
#[derive(Debug, Clone, Serialize)]
pub struct Citation {
    /// `Đặng T. N. T., Nguyễn H. C.`
    pub authors: String,
    pub year: String,
    pub title: Text,
    pub version: Option<String>,
    pub kind: String,
    pub publisher: String,
    pub url: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Files {
    /// Files and bytes of the whole version, not only of this page.
    pub count: u64,
    pub bytes: u64,
    /// May this reader download them?
    pub open: bool,
    /// All of them in folders that open, when there are at most fifty.
    pub root: Folder,
    /// Else one level of the folders, and the files in it.
    pub level: Option<FolderLevel>,
    /// The zip of everything, the lists for fetching and checking; none where nothing may be fetched.
    pub everything: bool,
}

impl Files {
    /// How many rows stand on a page.
    pub const PER_PAGE: u64 = 25;

    /// `rows` are all files, or those of the level.
    pub fn new(
        count: u64,
        bytes: u64,
        open: bool,
        rows: Vec<FileRow>,
        level: Option<FolderLevel>,
    ) -> Self {
        Self {
            count,
            bytes,
            open,
            root: Folder::of(rows, level.is_some()),
            level,
            everything: open && count > 0,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Version {
    pub id: String,
    /// `3`, or what the authors call it.
    pub label: String,
    pub published: String,
    pub doi: Option<String>,
    pub current: bool,
    pub withdrawn: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Related {
    /// `được trích dẫn bởi`
    pub relation: String,
    /// `Bài báo`
    pub kind: Option<String>,
    pub identifier: String,
    /// `doi`, `url`, `isbn` …
    pub scheme: String,
    /// `None` for a scheme without addresses.
    pub url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Funding {
    pub funder: String,
    pub award_number: Option<String>,
    pub award_title: Option<Text>,
    pub url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    pub label: String,
    /// The search for this subject.
    pub url: String,
    /// `FOS`, `LCSH`; none for a free keyword.
    pub scheme: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct DatedEvent {
    /// `Thu thập`
    pub kind: String,
    /// EDTF.
    pub date: String,
    pub description: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Signpost {
    pub rel: String,
    pub href: String,
    pub kind: Option<String>,
}

/// Buttons of the owner: each is a POST to `/records/{id}/…`.
#[derive(Debug, Clone, Serialize)]
pub struct Manage {
    pub can_edit: bool,
    pub can_add_version: bool,
}

/// 410: it was here, was withdrawn, and keeps its citation.
#[derive(Debug, Clone, Serialize)]
pub struct Tombstone {
    pub id: String,
    pub title: Text,
    pub citation: Citation,
    /// `Theo yêu cầu của tác giả`
    pub reason: Option<String>,
    pub note: Option<String>,
    /// `2026-03-12`
    pub withdrawn: String,
    pub by: Option<String>,
    /// Versions that still stand.
    pub others: Vec<Version>,
}
