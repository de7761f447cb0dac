//! Checks the whole log: the tree against its rows, the rows against the archive and the records, every checkpoint
//! against the tree, the archive's copy against all of it. Reads everything, changes nothing, memory is constant.

use std::fmt;

use sea_orm::{
    EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

use super::{
    append,
    checkpoint::Checkpoint,
    entry::{self, Entry, Event},
    key, mirror,
    note::{Note, Verdict, VerifierKey},
    read,
    tiles::{Growing, WIDTH},
    tree,
};
use crate::{
    archive::ObjectId,
    ctx::Env,
    error::Result,
    ids::{RecordId, Sha256},
    store::table::{
        ledger::{checkpoint, leaf},
        record::{record, record_file, record_revision},
    },
};

/// Findings that are told; a log with more is beyond counting.
const MOST: usize = 1_000;
/// Rows read at a time: those of one tile.
const STEP: u64 = WIDTH;

/// Something that is not as it was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// What it is about: a record's id, `entry 7`, `checkpoint 12`, `tile 0/000`.
    pub about: String,
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code, self.about, self.detail)
    }
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, code: &'static str, about: impl fmt::Display, detail: impl fmt::Display) {
        if self.0.len() < MOST {
            self.0.push(Finding {
                code,
                about: about.to_string(),
                detail: detail.to_string(),
            });
        }
    }
}

/// Everything that is wrong; nothing when all is well.
pub async fn check(env: &Env) -> Result<Vec<Finding>> {
    let mut found = Findings::default();
    log(env, &mut found).await?;
    records(env, &mut found).await?;
    Ok(found.0)
}

/// The tree, from the rows alone, beside what is stored of it.
async fn log(env: &Env, found: &mut Findings) -> Result<()> {
    let newest = key::newest(env).await?;
    let size = newest.as_ref().map_or(0, |row| row.size as u64);
    let copied = match mirror::checkpoint(env).await {
        Ok(copied) => copied,
        Err(e) => {
            found.add("ledger-copy", "checkpoint", e);
            None
        }
    };
    let mut growing = Growing::default();
    let mut signed = Signed::new(env).await?;
    signed.at(&growing, found).await?;
    let mut place = 0_u64;
    loop {
        let rows = leaf::Entity::find()
            .filter(leaf::COLUMN.idx.gte(place as i64))
            .order_by_asc(leaf::Column::Idx)
            .limit(STEP)
            .all(env.db.read())
            .await?;
        if rows.is_empty() {
            break;
        }
        let n = place / WIDTH;
        let stored = match read::load(env, [(0, n)]).await {
            Ok(tiles) => tiles.hashes(0, n).unwrap_or_default().to_vec(),
            Err(e) => {
                found.add("ledger-tile", format!("tile 0/{n}"), e);
                Vec::new()
            }
        };
        let copy = match mirror::rows(env, n).await {
            Ok(rows) => rows,
            Err(e) => {
                found.add("ledger-copy", format!("entries from {place}"), e);
                Vec::new()
            }
        };
        for row in &rows {
            if row.idx as u64 != place {
                let gone = format!("entry {place}");
                found.add("ledger-row-missing", gone, "is gone from the database");
                // All that follows would be named too, and mean nothing.
                return Ok(());
            }
            let at = (place % WIDTH) as usize;
            let hash = row_hash(row, found);
            if place < size && hash != stored.get(at).copied() {
                let name = format!("entry {place}");
                let what = format!("of {} is not the one in the tree", row.record_id);
                found.add("ledger-row", name, what);
            }
            let there = copy.get(at);
            if copied.as_ref().is_some_and(|c| place < c.size)
                && there.is_none_or(|c| c.entry != row.entry || c.salt != row.salt)
            {
                let name = format!("entry {place}");
                found.add("ledger-copy", name, "differs from the archive's copy");
            }
            growing.push(hash.unwrap_or(Sha256([0; 32])));
            if let Some(copied) = copied.as_ref().filter(|c| c.size == growing.size())
                && growing.root() != copied.root
            {
                let name = format!("checkpoint {}", copied.size);
                found.add("ledger-copy", name, "the archive's copy has another root");
            }
            signed.at(&growing, found).await?;
            place += 1;
        }
        tiles_above(env, &mut growing, size, found).await?;
    }
    if place < size {
        let what = format!("{size} were signed, {place} are there");
        found.add("ledger-row-missing", format!("entry {place}"), what);
    }
    if let Some(copied) = copied.filter(|c| c.size > place) {
        let what = format!("the archive's copy has {}", copied.size);
        found.add("ledger-row-missing", format!("entry {place}"), what);
    }
    Ok(())
}

fn row_hash(row: &leaf::Model, found: &mut Findings) -> Option<Sha256> {
    let name = format!("entry {}", row.idx);
    let (Ok(entry), Ok(bytes)) = (append::parse(row), append::leaf_bytes(row)) else {
        found.add("ledger-row", name, "cannot be read");
        return None;
    };
    let same = entry.record == row.record_id
        && entry.concept == row.concept_id
        && entry.event.name() == row.event
        && entry.revision == row.revision;
    if !same {
        found.add("ledger-row", name, "its columns and its entry differ");
    }
    Some(tree::leaf_hash(&bytes))
}

/// Tiles above the leaves that became full, beside what is stored; then lets go of them.
async fn tiles_above(
    env: &Env,
    growing: &mut Growing,
    size: u64,
    found: &mut Findings,
) -> Result<()> {
    let full = growing.clone().changed();
    growing.forget_full();
    for tile in full {
        let span = (tile.hashes.len() as u64) << (8 * u32::from(tile.level));
        let end = tile.n * (WIDTH << (8 * u32::from(tile.level))) + span;
        if tile.level == 0 || end > size {
            continue;
        }
        let stored = read::load(env, [(tile.level, tile.n)]).await;
        let same = stored.is_ok_and(|tiles| {
            let hashes = tiles.hashes(tile.level, tile.n).unwrap_or_default();
            hashes.starts_with(&tile.hashes)
        });
        if !same {
            let name = format!("tile {}/{}", tile.level, tile.n);
            found.add("ledger-tile", name, "does not follow from the entries");
        }
    }
    Ok(())
}

/// The checkpoints, in order, each looked at when the tree has its size.
struct Signed<'a> {
    env: &'a Env,
    next: Option<checkpoint::Model>,
    key: Option<VerifierKey>,
    newest: i64,
}

impl<'a> Signed<'a> {
    async fn new(env: &'a Env) -> Result<Self> {
        let vkey = read::verifier(env).await?;
        let mut signed = Self {
            env,
            next: None,
            key: vkey.and_then(|v| v.parse().ok()),
            newest: key::newest(env).await?.map_or(-1, |row| row.size),
        };
        signed.advance(-1).await?;
        Ok(signed)
    }

    async fn advance(&mut self, beyond: i64) -> Result<()> {
        self.next = checkpoint::Entity::find()
            .filter(checkpoint::COLUMN.size.gt(beyond))
            .order_by_asc(checkpoint::Column::Size)
            .one(self.env.db.read())
            .await?;
        Ok(())
    }

    async fn at(&mut self, growing: &Growing, found: &mut Findings) -> Result<()> {
        let Some(row) = self.next.take_if(|row| row.size as u64 == growing.size()) else {
            return Ok(());
        };
        let name = format!("checkpoint {}", row.size);
        let note = Note::parse(row.note.as_bytes()).ok();
        let said = note
            .as_ref()
            .and_then(|n| n.text.parse::<Checkpoint>().ok());
        match (note, said) {
            (Some(note), Some(said)) => {
                let root = growing.root();
                if said.size != growing.size() || said.root != root || row.root != root.to_hex() {
                    found.add(
                        "ledger-checkpoint",
                        &name,
                        "does not follow from the entries",
                    );
                }
                // Earlier ones may be signed with a key that was given up since.
                let verdict = self.key.as_ref().map(|key| note.verify(key));
                let good = matches!(verdict, Some(Verdict::Signed(_)))
                    || row.size != self.newest && verdict == Some(Verdict::Absent);
                if !good {
                    found.add("ledger-checkpoint", &name, "is not signed by the log's key");
                }
            }
            _ => found.add("ledger-checkpoint", &name, "cannot be read"),
        }
        self.advance(row.size).await
    }
}

/// Every entry beside the archive as it is now, every version beside its last entry.
async fn records(env: &Env, found: &mut Findings) -> Result<()> {
    let mut place = 0_i64;
    loop {
        let rows = leaf::Entity::find()
            .filter(leaf::COLUMN.idx.gte(place))
            .order_by_asc(leaf::Column::Idx)
            .limit(STEP)
            .all(env.db.read())
            .await?;
        let Some(last) = rows.last() else { break };
        place = last.idx + 1;
        for row in &rows {
            let Ok(entry) = append::parse(row) else {
                continue;
            };
            archived(env, row, &entry, found).await?;
            described(env, row, &entry, found).await?;
        }
    }
    let entered = Query::select()
        .column(leaf::Column::RecordId)
        .from(leaf::Entity)
        .to_owned();
    let missing: Vec<String> = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .filter(Expr::col(record::Column::Id).not_in_subquery(entered))
        .limit(MOST as u64)
        .into_tuple()
        .all(env.db.read())
        .await?;
    for id in missing {
        found.add(
            "ledger-entry-missing",
            id,
            "is published and was never entered",
        );
    }
    Ok(())
}

/// The inventory of that version is the one that was entered.
async fn archived(env: &Env, row: &leaf::Model, entry: &Entry, found: &mut Findings) -> Result<()> {
    let Ok(concept) = entry.concept.parse::<RecordId>() else {
        return Ok(());
    };
    let object = ObjectId::of_parent(&concept);
    let version = entry.archive_version;
    let name = format!("{} (entry {})", entry.record, row.idx);
    let now = match env.archive.digests(&object, version as u32).await {
        Ok(Some(now)) => now,
        Ok(None) => {
            let what = format!("inventory v{version} of {object} is gone");
            found.add("ledger-inventory", name, what);
            return Ok(());
        }
        Err(e) => {
            found.add("ledger-inventory", name, e);
            return Ok(());
        }
    };
    if now.inventory != entry.inventory_sha256 {
        let what = format!(
            "inventory v{version} of {object} is {}, entered was {}",
            now.inventory, entry.inventory_sha256
        );
        found.add("ledger-inventory", name, what);
    } else if matches!(entry.event, Event::Publish | Event::Revise)
        && now.record != Some(entry.record_json_sha256)
    {
        let what = format!("record.json of v{version} is not the one that was entered");
        found.add("ledger-inventory", name, what);
    }
    Ok(())
}

/// The rows of the database say what was entered.
async fn described(
    env: &Env,
    row: &leaf::Model,
    entry: &Entry,
    found: &mut Findings,
) -> Result<()> {
    let db = env.db.read();
    let name = format!("{} (entry {})", entry.record, row.idx);
    if matches!(entry.event, Event::Publish | Event::Revise) {
        let kept = record_revision::Entity::find_by_id((entry.record.clone(), entry.revision))
            .one(db)
            .await?;
        let same = kept.is_some_and(|kept| entry::digest(&kept.metadata) == entry.metadata_sha256);
        if !same {
            let what = format!(
                "revision {} is not the one that was entered",
                entry.revision
            );
            found.add("ledger-description", &name, what);
        }
    }
    // The version before its newest entry: then what is entered meanwhile makes no finding.
    let now = record::Entity::find_by_id(entry.record.as_str())
        .one(db)
        .await?;
    let newest = leaf::Entity::find()
        .filter(leaf::COLUMN.record_id.eq(row.record_id.as_str()))
        .order_by_desc(leaf::Column::Idx)
        .one(db)
        .await?;
    if newest.is_none_or(|newest| newest.idx != row.idx) {
        return Ok(());
    }
    let Some(now) = now else {
        found.add("ledger-record", name, "is gone from the database");
        return Ok(());
    };
    if entry::digest(&now.metadata) != entry.metadata_sha256 || now.revision != entry.revision {
        found.add(
            "ledger-description",
            &name,
            "is described otherwise than was entered",
        );
    }
    if now.withdrawn.is_some() != (entry.event == Event::Withdraw) {
        found.add(
            "ledger-record",
            &name,
            "was withdrawn or restored without an entry",
        );
    }
    if now.doi != entry.doi || now.version_index != entry.version || now.parent_id != entry.concept
    {
        found.add("ledger-record", &name, "has another DOI, number or concept");
    }
    let rows: Vec<(String, String)> = record_file::Entity::find()
        .select_only()
        .columns([record_file::Column::Key, record_file::Column::Sha256])
        .filter(record_file::COLUMN.record_id.eq(entry.record.as_str()))
        .into_tuple()
        .all(db)
        .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for (key, digest) in &rows {
        listed.extend(digest.parse().ok().map(|digest| (key.as_str(), digest)));
    }
    if listed.len() != rows.len() || entry::files_digest(listed) != entry.files_sha256 {
        found.add("ledger-files", name, "lists other files than were entered");
    }
    Ok(())
}
