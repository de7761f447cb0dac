//! One level of the folders that keys with slashes make: the folders in a folder, with what is in and below them, and
//! the files in it. The database groups and sums, so that a version of a hundred thousand files is shown a page at a time.

use sea_orm::{DbBackend, FromQueryResult, Statement, Value};

use crate::{ctx::Ctx, error::Result, ids::FileKey};

/// Whose files. That the caller may see them was asked before.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    Record(&'a str),
    Draft(&'a str),
}

/// A page of a level: its folders come first, then its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    /// Files in it and below, and their bytes.
    pub count: u64,
    pub bytes: u64,
    pub folders: Vec<Folder>,
    pub files: Vec<LevelFile>,
    /// From 1, and the last there is.
    pub page: u64,
    pub last: u64,
}

/// A folder in the level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub name: String,
    /// Files in it and below, and their bytes.
    pub count: u64,
    pub bytes: u64,
}

/// A file in the level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelFile {
    pub key: String,
    /// Bytes, as far as they have come.
    pub size: Option<u64>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    pub md5: Option<String>,
    pub mimetype: String,
    pub completed: bool,
}

#[derive(Debug, FromQueryResult)]
struct Totals {
    below: i64,
    bytes: i64,
    files: i64,
    folders: i64,
}

#[derive(Debug, FromQueryResult)]
struct FolderRow {
    name: String,
    count: i64,
    bytes: i64,
}

#[derive(Debug, FromQueryResult)]
struct FileRow {
    key: String,
    size: Option<i64>,
    sha256: Option<String>,
    md5: Option<String>,
    mimetype: String,
    status: String,
}

/// The page of a level; of the top without a folder. A folder that is not there is empty; a page beyond the last
/// is the last.
pub async fn level(
    ctx: &Ctx,
    of: Of<'_>,
    folder: Option<&FileKey>,
    page: u64,
    size: u64,
) -> Result<Level> {
    let db = ctx.env.db.read();
    let look = Look::new(db.get_database_backend(), of, folder);
    let totals = Totals::find_by_statement(look.totals()).one(db).await?;
    let totals = totals.unwrap_or(Totals {
        below: 0,
        bytes: 0,
        files: 0,
        folders: 0,
    });
    let (folders, files) = (totals.folders as u64, totals.files as u64);
    let last = (folders + files).div_ceil(size.max(1)).max(1);
    let page = page.clamp(1, last);
    let from = (page - 1) * size;
    let mut out = Level {
        count: totals.below as u64,
        bytes: totals.bytes as u64,
        page,
        last,
        ..Level::default()
    };
    if from < folders {
        let rows = FolderRow::find_by_statement(look.folders(size, from));
        let named = |row: FolderRow| Folder {
            name: row.name,
            count: row.count as u64,
            bytes: row.bytes as u64,
        };
        out.folders = rows.all(db).await?.into_iter().map(named).collect();
    }
    let room = size.saturating_sub(out.folders.len() as u64);
    if room > 0 && files > 0 {
        let rows = look.files(room, from.saturating_sub(folders));
        let rows = FileRow::find_by_statement(rows).all(db).await?;
        out.files = rows.into_iter().map(LevelFile::from).collect();
    }
    Ok(out)
}

impl From<FileRow> for LevelFile {
    fn from(row: FileRow) -> Self {
        Self {
            key: row.key,
            size: row.size.map(|n| n as u64),
            sha256: row.sha256,
            md5: row.md5,
            mimetype: row.mimetype,
            completed: row.status == "completed",
        }
    }
}

/// The statements of one level. Only names and numbers of ours stand in the text; what a client sent is bound.
struct Look {
    backend: DbBackend,
    /// `from … where …` of the files in and below the folder, with `rest` (the key after the folder) and
    /// `slash` (where its first slash stands, 0 for none).
    below: String,
    values: Vec<Value>,
}

impl Look {
    fn new(backend: DbBackend, of: Of<'_>, folder: Option<&FileKey>) -> Self {
        let (table, owner, id, status) = match of {
            Of::Record(id) => ("record_file", "record_id", id, "'completed' as status"),
            Of::Draft(id) => ("draft_file", "draft_id", id, "status"),
        };
        let find = match backend {
            DbBackend::Postgres => "strpos",
            _ => "instr",
        };
        let prefix = folder.map_or_else(String::new, |f| format!("{f}/"));
        let length = prefix.chars().count();
        let columns = "key, size, sha256, md5, mimetype";
        let below = format!(
            "from (select {columns}, status, rest, {find}(rest, '/') as slash from \
             (select {columns}, {status}, substr(key, {}) as rest from {table} \
             where {owner} = $1 and substr(key, 1, {length}) = $2) as k) as l",
            length + 1
        );
        Self {
            backend,
            below,
            values: vec![id.into(), prefix.into()],
        }
    }

    fn statement(&self, sql: String) -> Statement {
        Statement::from_sql_and_values(self.backend, sql, self.values.clone())
    }

    fn totals(&self) -> Statement {
        self.statement(format!(
            "select count(*) as below, cast(coalesce(sum(size), 0) as bigint) as bytes, \
             cast(coalesce(sum(case when slash = 0 then 1 else 0 end), 0) as bigint) as files, \
             count(distinct case when slash > 0 then substr(rest, 1, slash - 1) end) as folders {}",
            self.below
        ))
    }

    fn folders(&self, limit: u64, offset: u64) -> Statement {
        self.statement(format!(
            "select substr(rest, 1, slash - 1) as name, count(*) as count, \
             cast(coalesce(sum(size), 0) as bigint) as bytes {} where slash > 0 \
             group by substr(rest, 1, slash - 1) order by 1 limit {limit} offset {offset}",
            self.below
        ))
    }

    fn files(&self, limit: u64, offset: u64) -> Statement {
        self.statement(format!(
            "select key, size, sha256, md5, mimetype, status {} where slash = 0 \
             order by key limit {limit} offset {offset}",
            self.below
        ))
    }
}
