//! A draft as every door sees it: row, concept, files and what is still wrong, put together.

use serde_json::Value;

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::held::{Held, Weight, held},
    error::{Problem, Result},
    ids::{Md5, RecordId, Sha256},
    metadata::{
        self, Access, Metadata,
        checklist::{self, Checklist},
    },
    store::table::deposit::{draft, draft_file, parent},
};

/// A draft with its meaning.
#[derive(Debug, Clone)]
pub struct Draft {
    pub row: draft::Model,
    pub parent: parent::Model,
    /// The metadata as it was sent, for giving back what was typed.
    pub raw: Value,
    /// What could be understood of it.
    pub metadata: Metadata,
    pub access: Access,
    pub weight: Weight,
    /// The first of its files by key, at most `FIRST`.
    pub files: Vec<File>,
    /// What publishing will ask.
    pub checklist: Checklist,
    /// Everything wrong with it now: what could not be understood, then what is missing.
    pub problems: Vec<Problem>,
}

/// A file of a draft.
#[derive(Debug, Clone)]
pub struct File {
    pub key: String,
    pub status: FileStatus,
    pub size: Option<u64>,
    pub sha256: Option<Sha256>,
    pub md5: Option<Md5>,
    pub mimetype: String,
    pub metadata: Value,
    pub created: i64,
    pub updated: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStatus {
    /// Announced; its bytes are not all here, or not yet confirmed.
    Pending,
    Completed,
}

/// The draft of an id.
pub async fn read(ctx: &Ctx, id: &RecordId) -> Result<Draft> {
    let db = ctx.env.db.read();
    let loaded = access::load_draft(ctx, db, id, Action::Read).await?;
    let files = held(db, &loaded.draft.id).await?;
    Ok(assemble(
        ctx,
        loaded.draft,
        loaded.parent,
        files,
        Vec::new(),
    ))
}

/// Puts a draft together. `unknown` are top-level fields of the request that mean nothing.
pub fn assemble(
    ctx: &Ctx,
    row: draft::Model,
    parent: parent::Model,
    files: Held,
    unknown: Vec<String>,
) -> Draft {
    let raw: Value = serde_json::from_str(&row.metadata).unwrap_or_default();
    let raw_access: Value = serde_json::from_str(&row.access).unwrap_or_default();
    let mut problems: Vec<Problem> = unknown
        .into_iter()
        .map(|field| Problem::new("unknown-field", field.clone()).with("value", field))
        .collect();
    let (metadata, wrong) = metadata::read(&raw);
    problems.extend(wrong);
    let (access, wrong) = metadata::read_access(&raw_access);
    problems.extend(wrong);
    let summary = checklist::Files {
        enabled: row.files_enabled,
        count: files.weight.completed,
        pending: files.weight.pending(),
    };
    // A published record's embargo may have ended; only a new one must lie ahead.
    let checklist = checklist::check(&metadata, &access, summary, ctx.today());
    for problem in checklist.problems() {
        if !problems.iter().any(|p| p.path == problem.path) {
            problems.push(problem);
        }
    }
    Draft {
        row,
        parent,
        raw,
        metadata,
        access,
        weight: files.weight,
        files: files.first.into_iter().map(File::from).collect(),
        checklist,
        problems,
    }
}

impl From<draft_file::Model> for File {
    fn from(row: draft_file::Model) -> Self {
        File {
            status: if row.status == "completed" {
                FileStatus::Completed
            } else {
                FileStatus::Pending
            },
            size: row.size.map(|n| n as u64),
            sha256: row.sha256.and_then(|s| s.parse().ok()),
            md5: row.md5.and_then(|s| s.parse().ok()),
            mimetype: row.mimetype,
            metadata: serde_json::from_str(&row.metadata).unwrap_or_default(),
            key: row.key,
            created: row.created,
            updated: row.updated,
        }
    }
}
