//! The log's copy beside the archive, in the extensions of the OCFL root: whoever loses the database still has the
//! log, and a checkpoint that was ever shown stands here first.
//!
//! `extensions/kho-ledger/00000000.jsonl` and so on hold 256 entries each, a line an entry; `checkpoint` is the newest
//! signed note. Reading it needs no program but a text editor.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    checkpoint::Checkpoint,
    entry::Entry,
    note::{MOST_BYTES, Note},
    tiles::WIDTH,
};
use crate::{
    ctx::Env,
    error::{Error, Result},
    store::{
        object::{Commit, ContentPath, Entry as StoreEntry, EntrySource},
        table::ledger::leaf,
    },
};

const FOLDER: &str = "extensions/kho-ledger";

/// Most bytes of a file of 256 entries.
const MOST: u64 = 4 << 20;

const README: &str = "\
The ledger of this archive: every publication, correction, withdrawal and restoration, in order, one JSON
object a line (\"entry\" is what was hashed, to the byte). \"checkpoint\" is the newest tree head, signed. Hashes
are those of RFC 9162, the note is that of https://c2sp.org/signed-note.

S\u{1ed5} c\u{1ee7}a kho l\u{1b0}u tr\u{1eef} n\u{e0}y: m\u{1ecd}i l\u{1ea7}n c\u{f4}ng b\u{1ed1}, s\u{1eed}a m\u{f4} t\u{1ea3}, r\u{fa}t v\u{e0} kh\u{f4}i ph\u{1ee5}c, theo th\u{1ee9} t\u{1ef1}, m\u{1ed7}i d\u{f2}ng m\u{1ed9}t \u{111}\u{1ed1}i t\u{1b0}\u{1ee3}ng JSON
(\"entry\" l\u{e0} \u{111}\u{fa}ng n\u{1ed9}i dung \u{111}\u{e3} b\u{103}m). \"checkpoint\" l\u{e0} \u{111}\u{1ec9}nh c\u{e2}y m\u{1edb}i nh\u{1ea5}t, c\u{f3} ch\u{1eef} k\u{fd}.
";

/// A line of the copy.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    index: i64,
    /// Microseconds since 1970.
    at: i64,
    entry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
}

fn path(name: &str) -> Result<ContentPath> {
    format!("{FOLDER}/{name}")
        .parse()
        .map_err(|e| Error::internal("ledger path", e))
}

fn chunk(n: u64) -> Result<ContentPath> {
    path(&format!("{n:08}.jsonl"))
}

/// The newest checkpoint of the copy.
pub(super) async fn checkpoint(env: &Env) -> Result<Option<Checkpoint>> {
    let limit = MOST_BYTES as u64;
    let Some(bytes) = env.objects.get(&path("checkpoint")?, limit).await? else {
        return Ok(None);
    };
    let damaged = |e| Error::internal("the checkpoint in the archive's copy of the ledger", e);
    let note = Note::parse(&bytes).map_err(damaged)?;
    note.text.parse().map(Some).map_err(damaged)
}

/// The rows of a file of the copy; empty when there is none.
pub(super) async fn rows(env: &Env, n: u64) -> Result<Vec<leaf::Model>> {
    let Some(bytes) = env.objects.get(&chunk(n)?, MOST).await? else {
        return Ok(Vec::new());
    };
    let damaged =
        |e: &str| Error::internal("the archive's copy of the ledger", format!("{n:08}: {e}"));
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged("not UTF-8"))?;
    let mut rows = Vec::new();
    for (line, place) in text.lines().zip(n * WIDTH..) {
        let line: Line = serde_json::from_str(line).map_err(|_| damaged("a line"))?;
        let entry = Entry::parse(&line.entry).ok_or_else(|| damaged("an entry"))?;
        if line.index as u64 != place {
            return Err(damaged("not in order"));
        }
        rows.push(leaf::Model {
            idx: line.index,
            record_id: entry.record,
            concept_id: entry.concept,
            event: entry.event.name().to_owned(),
            revision: entry.revision,
            entry: line.entry,
            salt: line.salt,
            at: line.at,
        });
    }
    Ok(rows)
}

/// Writes whole files of rows (the first row begins one), then the checkpoint. Durable on return.
pub(super) async fn write(env: &Env, rows: &[leaf::Model], note: String) -> Result<()> {
    prepare(env).await?;
    let mut files = Vec::new();
    for some in rows.chunks(WIDTH as usize) {
        let mut text = String::new();
        for row in some {
            let line = Line {
                index: row.idx,
                at: row.at,
                entry: row.entry.clone(),
                salt: row.salt.clone(),
            };
            let line = serde_json::to_string(&line)
                .map_err(|e| Error::internal("a line of the ledger's copy", e))?;
            text.push_str(&line);
            text.push('\n');
        }
        let n = some.first().map_or(0, |row| row.idx as u64) / WIDTH;
        files.push((chunk(n)?, Bytes::from(text)));
    }
    files.push((path("checkpoint")?, Bytes::from(note)));
    env.objects.replace(files).await
}

/// Makes the folder, which appears whole.
async fn prepare(env: &Env) -> Result<()> {
    let folder: ContentPath = FOLDER
        .parse()
        .map_err(|e| Error::internal("ledger path", e))?;
    if !env.objects.list(&folder).await?.is_empty() {
        return Ok(());
    }
    let readme = StoreEntry {
        path: "README.txt"
            .parse()
            .map_err(|e| Error::internal("ledger path", e))?,
        source: EntrySource::Bytes(Bytes::from_static(README.as_bytes())),
    };
    env.objects
        .commit(Commit {
            folder,
            entries: vec![readme],
            heads: Vec::new(),
            note: None,
        })
        .await
}
