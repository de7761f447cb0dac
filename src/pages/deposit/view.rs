//! What the deposit pages are given. Each carries what was typed, so that nothing is lost when
//! something is wrong.
//!
//! Every form posts `csrf_token`, `revision` (of the draft it was made from) and `do`: `save`,
//! `continue`, or what a button beside a row says (`add.creators`, `remove.creators.2`,
//! `up.creators.2`, `down.creators.2`).

use serde::Serialize;

use crate::pages::{
    folders::FolderLevel,
    parts::{Choice, FieldProblem, Text},
};

/// `/uploads/new`
#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// Control `title`.
    pub title: String,
    pub problems: Vec<FieldProblem>,
}

/// What all pages of a draft show.
#[derive(Debug, Clone, Serialize)]
pub struct Draft {
    pub id: String,
    /// Empty while there is none.
    pub title: String,
    pub revision: i64,
    /// The DOI it will have, when one is reserved.
    pub doi: Option<String>,
    /// Edits a published record, rather than making a new one or a new version.
    pub published: bool,
    /// Makes a version after this one.
    pub after_version: Option<String>,
    /// `14:02`, when it was just saved.
    pub saved: Option<String>,
    pub tasks: Vec<TaskState>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TaskState {
    /// `files`, `describe`, `access`: the last part of the address, and the sentence `task-<code>`.
    pub code: &'static str,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Todo,
    Done,
    Attention,
}

/// `/uploads/{id}`: the task list.
#[derive(Debug, Clone, Serialize)]
pub struct Tasks {
    pub draft: Draft,
    pub checklist: Vec<Check>,
}

/// One line of the checklist; the same function makes it here and at publishing.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub level: Level,
    pub message: String,
    /// `files`, `describe` or `access`.
    pub task: &'static str,
    /// The control that mends it.
    pub field: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Publishing is refused until it is mended.
    Problem,
    /// Good to mend; never in the way.
    Warning,
    Fine,
}

/// `/uploads/{id}/files`. Controls: `file` (several), `has_files`.
#[derive(Debug, Clone, Serialize)]
pub struct DraftFiles {
    pub draft: Draft,
    /// Off: a record of metadata only.
    pub enabled: bool,
    /// All of them, or those of the level.
    pub files: Vec<DraftFile>,
    /// One level of the folders, when there are very many files.
    pub level: Option<FolderLevel>,
    /// The query of this level, which buttons come back to.
    pub here: String,
    pub count: u64,
    pub bytes: u64,
    /// Is there a previous version whose files can be taken over?
    pub can_import: bool,
    /// May files change? Not those of a published version.
    pub frozen: bool,
    pub max_files: u64,
    pub max_bytes: u64,
    /// Those that have a bound.
    pub quotas: Vec<QuotaRow>,
    /// What was typed to be fetched: `url`, `key`.
    pub fetch: Fetch,
    /// Something is being fetched or unpacked: the page may be asked again.
    pub busy: bool,
    pub problems: Vec<FieldProblem>,
}

/// How much room there is, and for whom.
#[derive(Debug, Clone, Serialize)]
pub struct QuotaRow {
    /// In the reader's language.
    pub whose: String,
    pub used: u64,
    pub most: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Fetch {
    pub url: String,
    pub key: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct DraftFile {
    pub key: String,
    pub bytes: u64,
    /// False while its bytes have not all arrived.
    pub complete: bool,
    pub sha256: Option<String>,
    /// An archive that may be unpacked.
    pub unpackable: bool,
    /// What is being done with it, in the reader's language.
    pub state: Option<String>,
}

/// `/uploads/{id}/describe`. Controls are named beside the fields.
#[derive(Debug, Clone, Serialize)]
pub struct Describe {
    pub draft: Draft,
    /// `title.vi`, `title.en`, `description.vi`, `description.en`
    pub title: Bilingual,
    pub description: Bilingual,
    /// `creators.N.…`; at least one row, if empty.
    pub creators: Vec<CreatorRow>,
    /// `resource_type`
    pub resource_types: Vec<Choice>,
    /// `publication_date`, EDTF.
    pub publication_date: String,
    /// `licence`
    pub licences: Vec<Choice>,
    /// `keywords`, one a line.
    pub keywords: String,
    /// `languages`, checkboxes.
    pub languages: Vec<Choice>,
    /// `publisher`
    pub publisher: String,
    /// `version`
    pub version: String,
    /// `related.N.…`
    pub related: Vec<RelatedRow>,
    /// `funding.N.…`
    pub funding: Vec<FundingRow>,
    pub problems: Vec<FieldProblem>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bilingual {
    pub vi: String,
    pub en: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CreatorRow {
    /// `kind`: an organisation has one name, in `family_name`.
    pub organisation: bool,
    pub family_name: String,
    pub given_name: String,
    /// `identifier`: ORCID, or ROR for an organisation.
    pub identifier: String,
    /// `affiliation`: several are separated by `;`.
    pub affiliation: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct RelatedRow {
    /// `identifier`: a DOI, address, ISBN …
    pub identifier: String,
    /// `relation`
    pub relations: Vec<Choice>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FundingRow {
    /// `funder`
    pub funder: String,
    /// `award_number`
    pub award_number: String,
    /// `award_title`
    pub award_title: String,
}

/// `/uploads/{id}/access`. Controls: `access` (`open`, `embargoed`, `restricted`), `embargo_until`,
/// `embargo_reason`.
#[derive(Debug, Clone, Serialize)]
pub struct AccessForm {
    pub draft: Draft,
    /// The value chosen.
    pub access: String,
    pub embargo_until: String,
    pub embargo_reason: String,
    pub problems: Vec<FieldProblem>,
}

/// `/uploads/{id}/publish`: every answer, what is wrong, and the button. Control: `confirm`.
#[derive(Debug, Clone, Serialize)]
pub struct Publish {
    pub draft: Draft,
    pub answers: Vec<Answer>,
    pub files: u64,
    pub bytes: u64,
    /// Problems and warnings; the fine lines are left out.
    pub checks: Vec<Check>,
    /// Nothing stands in the way.
    pub ready: bool,
    pub problems: Vec<FieldProblem>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The question, in the reader's language.
    pub label: String,
    /// One a line; empty when nothing was answered.
    pub values: Vec<Text>,
    pub task: &'static str,
    pub field: String,
}
