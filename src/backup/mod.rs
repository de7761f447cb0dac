//! A copy of everything in a folder, taken while the site is served, and the way back.
//!
//! ```text
//! DIR/latest                              the name of the newest backup
//! DIR/backups/<time>/backup.json          what it is, and the digest of its manifest
//! DIR/backups/<time>/manifest.jsonl.gz    every file with its size and SHA-256; the objects with their heads
//! DIR/backups/<time>/database/*.jsonl.gz  every table, a row a line
//! DIR/archive/…                           the archive, shared by all backups: an OCFL root of its own
//! DIR/staged/…                            uploads that drafts name, shared too
//! ```
//!
//! **Consistent** because of the order: first the database, in one transaction that sees one moment; then of the
//! archive exactly the versions that this database lists. Published versions never change and never go, so
//! whatever is published, withdrawn or rolled back meanwhile, those are still there. Uploads may go, when their
//! draft is published or discarded meanwhile: the first are found in the archive, the others were thrown away by
//! their owner, and their rows come back as announced and not received.
//!
//! **A second backup** into the same folder copies what is new, and the earlier ones stay good: nothing of
//! the archive changes. `docs/adr/0010-fixity-and-copies.md` says why it is rows and not `pg_dump`.

mod put_back;
mod take;

use serde::{Deserialize, Serialize};

pub use self::{put_back::restore, take::take};

use crate::{
    error::{Error, Result},
    store::object::ContentPath,
};

/// `backup.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    /// The shape of all this; raised when a reader must know.
    pub format: u32,
    /// When the database was as it is here, ISO 8601.
    pub moment: String,
    pub kho: String,
    pub base_url: String,
    /// Migrations that the database had.
    pub migrations: Vec<String>,
    /// Rows by table.
    pub rows: Vec<(String, u64)>,
    pub counts: Counts,
    /// SHA-256 of the manifest as it stands, packed.
    pub manifest: String,
    /// What could not be copied: the file, and why.
    pub problems: Vec<(String, String)>,
}

/// What a backup holds, and how much of it was new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub objects: u64,
    pub files: u64,
    pub bytes: u64,
    pub copied_files: u64,
    pub copied_bytes: u64,
    pub uploads: u64,
    /// Uploads that their owners threw away while the backup ran.
    pub dropped_uploads: u64,
}

/// A line of the manifest, in the order: tables, then each object before its files, then uploads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A table.
    Table(Entry),
    /// An object of the archive up to a version; its files follow.
    Object { root: ContentPath, head: u32 },
    /// A file of the object before, with its path in the archive.
    File(Entry),
    /// An upload.
    Staged(Entry),
    /// An upload that was gone when it was its turn.
    Dropped { name: String },
}

/// A file: a table's name, a path in the archive, an upload's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: String,
    size: u64,
    sha256: String,
}

const FORMAT: u32 = 1;

fn path(text: &str) -> Result<ContentPath> {
    text.parse()
        .map_err(|e| Error::internal("backup path", format!("{text:?}: {e}")))
}

const README: &str = "\
This folder holds backups of a research-data repository (Kho). `kho restore` puts
the newest one back into an empty place. archive/ is an OCFL 1.1 storage root with
everything that was published, and can be read without any program; the tables of
the database are in backups/, one JSON object a line. It holds what is not public:
keep it as safe as the repository itself.

Thư mục này chứa các bản sao lưu của một kho dữ liệu nghiên cứu (Kho). `kho restore`
khôi phục bản mới nhất vào một nơi trống. archive/ là kho lưu trữ theo chuẩn OCFL 1.1
với mọi thứ đã công bố, đọc được mà không cần phần mềm nào; các bảng của cơ sở dữ
liệu nằm trong backups/, mỗi dòng một đối tượng JSON. Thư mục có cả dữ liệu không
công khai: hãy giữ an toàn như chính kho dữ liệu.
";
