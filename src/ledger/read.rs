//! Reading the log: checkpoint, tiles, proofs, receipts.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    append, entry, key,
    note::{VerifierKey, put_together},
    receipt::{self, Proven, Receipt},
    tiles::{Level, TileName, TileSet, WIDTH, Wanted, from_bytes, to_bytes},
    tree,
};
use crate::{
    access::{self, Action},
    ctx::{Ctx, Env},
    error::{Error, Kind, Problem, Result},
    ids::{RecordId, Sha256},
    store::table::ledger::{checkpoint, cosignature, leaf, tile},
};

/// Most entries of one version in a receipt: the eldest and the newest stay.
const MOST_ENTRIES: usize = 1_000;

/// Where the first entry of a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub index: u64,
    /// Microseconds since 1970.
    pub at: i64,
}

/// How far a witness has followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    pub witness: VerifierKey,
    /// Leaves of the newest checkpoint that it cosigned, and when it did (seconds since 1970).
    pub newest: Option<(u64, i64)>,
}

async fn newest(env: &Env) -> Result<checkpoint::Model> {
    key::newest(env)
        .await?
        .ok_or_else(|| Error::Unavailable("the ledger has no checkpoint yet".to_owned()))
}

/// The newest checkpoint, signed by the log and by the witnesses that cosigned it.
pub async fn checkpoint(env: &Env) -> Result<String> {
    let row = newest(env).await?;
    signed(env, &row).await
}

async fn signed(env: &Env, row: &checkpoint::Model) -> Result<String> {
    let lines = cosignature::Entity::find()
        .filter(cosignature::COLUMN.size.eq(row.size))
        .order_by_asc(cosignature::Column::Witness)
        .all(env.db.read())
        .await?;
    // Those of witnesses that are configured no more are left out.
    let known: BTreeSet<&str> = env
        .config
        .ledger_witnesses
        .iter()
        .map(String::as_str)
        .collect();
    let lines = lines
        .iter()
        .filter(|l| known.contains(l.witness.as_str()))
        .map(|l| l.line.as_str());
    Ok(format!("{}{}", row.note, lines.collect::<String>()))
}

/// The key that partners verify checkpoints with.
pub async fn verifier(env: &Env) -> Result<Option<String>> {
    Ok(key::state(env).await?.and_then(|s| s.vkey))
}

/// The bytes of a tile, which never change under its name.
pub async fn tile(env: &Env, name: &TileName) -> Result<Vec<u8>> {
    let missing = || Error::not_found(Kind::Page, name.path());
    let size = newest(env).await?.size as u64;
    let level = match name.level {
        Level::Entries => 0,
        Level::Hashes(level) if level < 8 => level,
        Level::Hashes(_) => return Err(missing()),
    };
    let from = name.n.checked_mul(WIDTH).ok_or_else(missing)?;
    let to = from + u64::from(name.width);
    if to > size >> (8 * u32::from(level)) {
        return Err(missing());
    }
    if name.level == Level::Entries {
        return bundle(env, from, to).await;
    }
    let tiles = load(env, [(level, name.n)]).await?;
    let hashes = tiles.hashes(level, name.n).unwrap_or_default();
    let asked = hashes.get(..usize::from(name.width));
    Ok(to_bytes(asked.ok_or_else(missing)?))
}

async fn bundle(env: &Env, from: u64, to: u64) -> Result<Vec<u8>> {
    let rows = leaf::Entity::find()
        .filter(leaf::COLUMN.idx.gte(from as i64))
        .filter(leaf::COLUMN.idx.lt(to as i64))
        .order_by_asc(leaf::Column::Idx)
        .all(env.db.read())
        .await?;
    let mut out = Vec::new();
    for row in &rows {
        if !entry::bundle(&mut out, &append::leaf_bytes(row)?) {
            return Err(Error::internal("an entry is too long", row.idx));
        }
    }
    if rows.len() as u64 == to - from {
        Ok(out)
    } else {
        Err(Error::internal("the ledger has lost rows", from))
    }
}

/// Tiles by level and number; those that are not there are left out.
pub(super) async fn load(
    env: &Env,
    wanted: impl IntoIterator<Item = (u8, u64)>,
) -> Result<TileSet> {
    let mut tiles = TileSet::default();
    for (level, n) in wanted {
        let row = tile::Entity::find_by_id((i64::from(level), n as i64))
            .one(env.db.read())
            .await?;
        let Some(row) = row else { continue };
        let bytes = STANDARD.decode(&row.hashes).ok();
        let hashes = bytes.and_then(|b| from_bytes(&b)).ok_or_else(|| {
            Error::internal(
                "a tile of the ledger does not parse",
                format!("{level}/{n}"),
            )
        })?;
        tiles.put(level, n, hashes);
    }
    Ok(tiles)
}

/// Runs a computation over nodes of the tree: once to see which it wants, once with them.
async fn compute<T>(
    env: &Env,
    work: impl Fn(&mut dyn FnMut(u32, u64) -> Option<Sha256>) -> T,
) -> Result<T> {
    let mut wanted = Wanted::default();
    work(&mut |level, index| Some(wanted.node(level, index)));
    let tiles = load(env, wanted.0).await?;
    Ok(work(&mut |level, index| tiles.node(level, index)))
}

/// The root when the tree had `size` leaves, from the stored tiles; none when they do not reach.
pub(super) async fn root_at(env: &Env, size: u64) -> Result<Option<Sha256>> {
    compute(env, |node| tree::root(size, node)).await
}

/// The root when the tree had `size` leaves, which the newest checkpoint must cover.
pub async fn root_of(env: &Env, size: u64) -> Result<Sha256> {
    if size > newest(env).await?.size as u64 {
        return Err(beyond("to", size));
    }
    root_at(env, size)
        .await?
        .ok_or_else(|| Error::internal("the ledger's tree has lost tiles", size))
}

fn beyond(name: &'static str, size: u64) -> Error {
    Error::BadRequest(Problem::new("ledger-size", name).with("size", size))
}

/// The proof that the tree of `to` leaves begins with that of `from`. `to` is the newest checkpoint's when it is not
/// said; gives it, too.
pub async fn consistency(env: &Env, from: u64, to: Option<u64>) -> Result<(u64, Vec<Sha256>)> {
    let size = newest(env).await?.size as u64;
    let to = to.unwrap_or(size);
    if to > size {
        return Err(beyond("to", to));
    }
    if from > to {
        return Err(beyond("from", from));
    }
    let proof = compute(env, |node| tree::consistency(from, to, node)).await?;
    let proof = proof.ok_or_else(|| Error::internal("the ledger's tree has lost tiles", to))?;
    Ok((to, proof))
}

/// Since when a version is in the ledger. Whoever asks has the version already.
pub async fn first_place(ctx: &Ctx, id: &str) -> Result<Option<Place>> {
    let first: Option<(i64, i64)> = leaf::Entity::find()
        .select_only()
        .columns([leaf::Column::Idx, leaf::Column::At])
        .filter(leaf::COLUMN.record_id.eq(id))
        .order_by_asc(leaf::Column::Idx)
        .into_tuple()
        .one(ctx.env.db.read())
        .await?;
    Ok(first.map(|(index, at)| Place {
        index: index as u64,
        at,
    }))
}

/// The receipt of a version that the caller may see; a withdrawn one has one too, without its description.
pub async fn receipt(ctx: &Ctx, id: &RecordId) -> Result<Receipt> {
    let env = &ctx.env;
    let db = env.db.read();
    let loaded = access::load_record_or_tombstone(ctx, db, id, Action::Read).await?;
    let head = newest(env).await?;
    let size = head.size as u64;
    let rows = entries_of(env, id).await?;
    let (proven, pending): (Vec<_>, Vec<_>) = rows.into_iter().partition(|r| (r.idx as u64) < size);
    let proofs = compute(env, |node| {
        let proof = |row: &leaf::Model| tree::inclusion(row.idx as u64, size, &mut *node);
        proven.iter().map(proof).collect::<Vec<_>>()
    })
    .await?;
    let mut entries = Vec::with_capacity(proven.len());
    for (row, proof) in proven.into_iter().zip(proofs) {
        let proof =
            proof.ok_or_else(|| Error::internal("the ledger's tree has lost tiles", row.idx))?;
        entries.push(Proven {
            index: row.idx as u64,
            entry: row.entry,
            salt: row.salt,
            proof: proof.iter().map(|h| receipt::encode(&h.0)).collect(),
        });
    }
    // Only what the newest proven entry speaks of, and only while it is in view.
    let metadata = Some(loaded.record.metadata.clone()).filter(|text| {
        let said = entries.last().and_then(|e| entry::Entry::parse(&e.entry));
        loaded.record.withdrawn.is_none()
            && said.is_some_and(|s| s.metadata_sha256 == entry::digest(text))
    });
    let checkpoint = signed(env, &head).await?;
    let vkey = verifier(env).await?.unwrap_or_default();
    Ok(Receipt {
        format: receipt::FORMAT.to_owned(),
        record: id.to_string(),
        origin: key::origin(env).await?.unwrap_or_default(),
        vkey,
        checkpoint,
        entries,
        pending: pending.iter().map(|r| r.idx as u64).collect(),
        metadata,
    })
}

/// The entries of a version in their order: the first, and the newest of the others.
async fn entries_of(env: &Env, id: &RecordId) -> Result<Vec<leaf::Model>> {
    let all = leaf::Entity::find().filter(leaf::COLUMN.record_id.eq(id.as_str()));
    let mut rows = all
        .clone()
        .order_by_desc(leaf::Column::Idx)
        .limit(MOST_ENTRIES as u64)
        .all(env.db.read())
        .await?;
    rows.reverse();
    if rows.len() == MOST_ENTRIES {
        let first = all.order_by_asc(leaf::Column::Idx);
        rows.splice(..1, first.one(env.db.read()).await?);
    }
    Ok(rows)
}

/// The configured witnesses and how far each has followed.
pub async fn witnesses(env: &Env) -> Result<Vec<Cosigned>> {
    let mut out = Vec::new();
    for witness in key::witnesses(env)? {
        let last = cosignature::Entity::find()
            .filter(cosignature::COLUMN.witness.eq(witness.to_string()))
            .order_by_desc(cosignature::Column::Size)
            .one(env.db.read())
            .await?;
        out.push(Cosigned {
            newest: last.map(|row| (row.size as u64, row.stamp)),
            witness,
        });
    }
    Ok(out)
}

/// A checkpoint of the log by its size, with its text.
pub(super) async fn text_at(env: &Env, size: u64) -> Result<Option<String>> {
    let row = checkpoint::Entity::find_by_id(size as i64)
        .one(env.db.read())
        .await?;
    let text = |row: checkpoint::Model| {
        let end = row.note.rfind("\n\n").unwrap_or_default();
        row.note[..=end].to_owned()
    };
    Ok(row.map(text))
}

/// A note with one more signature line, as a client sends it back.
pub fn with_line(text: &str, line: &str) -> String {
    put_together(text, [line])
}
