//! Is everything still what it was? Each object of the archive is read to the last byte and held against its
//! inventory, its own description and the database, in both directions; every check is written down.
//!
//! Nothing is mended here: damage is named, with the file and the record, and somebody decides. What is
//! published is only ever added to, so an object may be checked while it is served. Where a publication runs at
//! the same moment, what looks wrong is looked at again under the concept's lock before it is said
//! (`concept`). Not here: making a lost database again (`rebuild`).

mod compare;
mod concept;
mod keep;
mod run;
mod share;
mod staged;
mod stray;

pub use self::{
    keep::{Standing, open_findings, runs, standing},
    run::{Scope, Summary, run},
    share::{keep_watch, sweep, today as share_of_today},
};

use crate::archive::{self, Damage};

/// Something that is not as it should be. `code` is stable; `finding-<code>` is the sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub code: &'static str,
    /// The version, concept or draft it is about; empty when it is about none.
    pub record: String,
    /// The file or folder, below the root of the archive; `staging/<name>` for an upload.
    pub path: String,
    /// What exactly, in English, for whoever mends it.
    pub detail: String,
}

/// Every code of a finding.
pub const CODES: &[&str] = &[
    "archive-invalid",
    "content-differs",
    "content-grown",
    "content-missing",
    "content-surplus",
    "content-truncated",
    "content-unreadable",
    "description-differs",
    "description-missing",
    "description-unreadable",
    "file-row-differs",
    "file-row-missing",
    "file-row-surplus",
    "head-differs",
    "object-misplaced",
    "object-missing",
    "object-unlisted",
    "object-unreadable",
    "revision-missing",
    "row-differs",
    "row-missing",
    "row-surplus",
    "staged-differs",
    "staged-missing",
    "stray",
];

/// What came of checking one object.
#[derive(Debug, Default)]
pub struct Checked {
    /// The concept's id, or a folder of the archive.
    pub object: String,
    pub findings: Vec<Finding>,
    pub files: u64,
    pub bytes: u64,
    pub millis: u64,
}

impl Checked {
    /// Is it a concept, and not what lies about in the archive or the staging area?
    fn is_dataset(&self) -> bool {
        self.object.parse::<crate::ids::RecordId>().is_ok()
    }
}

impl Finding {
    fn new(
        code: &'static str,
        record: &str,
        path: impl std::fmt::Display,
        detail: impl std::fmt::Display,
    ) -> Self {
        debug_assert!(CODES.contains(&code), "{code}");
        Self {
            code,
            record: record.to_owned(),
            path: path.to_string(),
            detail: detail.to_string(),
        }
    }

    /// What the archive found, as ours.
    fn of_archive(record: &str, found: &archive::Finding) -> Self {
        let code = match found.damage {
            Damage::Structure => "archive-invalid",
            Damage::Missing => "content-missing",
            Damage::Differs => "content-differs",
            Damage::Unreadable => "content-unreadable",
            Damage::Surplus => "content-surplus",
            Damage::Misplaced => "object-misplaced",
        };
        Self::new(code, record, &found.path, &found.fault)
    }

    /// Was it found by reading content, which the second look does not do?
    fn is_about_bytes(&self) -> bool {
        matches!(self.code, "content-differs" | "content-unreadable")
    }
}
