//! From rows to a signed tree: new rows are hashed into the tiles, the root is signed, and once entries and
//! checkpoint stand beside the archive, the database shows them. Safe to run twice and to be cut off anywhere.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::{
    append,
    checkpoint::Checkpoint,
    key, mirror,
    note::{Signer, put_together},
    read,
    tiles::{Growing, Tile, TileSet, WIDTH, to_bytes},
    tree,
};
use crate::{
    ctx::Env,
    error::{Error, Result},
    ids::Sha256,
    store::{
        db,
        table::ledger::{checkpoint, cosignature, leaf, state, tile},
    },
};

/// How often the log may sign.
const EVERY: Duration = Duration::from_secs(1);
/// How long it waits when it cannot.
const AFTER_TROUBLE: Duration = Duration::from_mins(1);
/// Most rows put into the tree at once.
const STEP: u64 = 8_192;
/// Whoever signs holds this of the store's locks; it is one of those of the objects too, and held for moments.
const TURN: u8 = 0x1e;

/// At the start: takes back what only the archive's copy has, and enters what is older than the ledger. What is wrong
/// with the settings is an error; what is wrong with the log is logged, stops it from signing, and nothing else.
pub async fn begin(env: &Env) -> Result<()> {
    key::witnesses(env)?;
    if !env.config.ledger_key.is_empty() {
        key::read_key(&env.config.ledger_key)?;
    }
    if let Err(e) = take_back(env).await {
        tracing::error!(error = %e, "the ledger cannot be taken back from the archive");
        return Ok(());
    }
    if key::state(env).await?.is_none_or(|s| !s.filled) {
        let entered = super::backfill(env).await?;
        if entered > 0 {
            tracing::info!(entered, "versions older than the ledger were entered");
        }
    }
    Ok(())
}

/// Integrates for as long as the program runs.
pub async fn keep(env: Env) {
    loop {
        let pause = match integrate(&env).await {
            Ok(_) => EVERY,
            Err(e) => {
                tracing::error!(error = %e, "the ledger did not grow");
                AFTER_TROUBLE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Puts every row into the tree and signs it. Gives the number of leaves that the newest checkpoint has. Does nothing
/// where the log has no name yet.
pub async fn integrate(env: &Env) -> Result<u64> {
    let mut proven = false;
    loop {
        let length = append::length(env.db.read()).await? as u64;
        let newest = key::newest(env).await?;
        match &newest {
            Some(row) if row.size as u64 >= length => return Ok(row.size as u64),
            _ => {}
        }
        let Some(signer) = key::signer(env).await? else {
            return Ok(newest.map_or(0, |row| row.size as u64));
        };
        let turn = env.objects.lock(TURN).await?;
        step(env, &signer, &mut proven).await?;
        drop(turn);
    }
}

async fn step(env: &Env, signer: &Signer, proven: &mut bool) -> Result<()> {
    // Under the lock, because another process may have gone on meanwhile.
    let length = append::length(env.db.read()).await? as u64;
    let newest = key::newest(env).await?;
    let start = newest.as_ref().map_or(0, |row| row.size as u64);
    if newest.is_some() && start >= length {
        return Ok(());
    }
    let end = length.min(start + STEP);
    let copied = mirror::checkpoint(env).await?;
    if let Some(copied) = copied.as_ref().filter(|c| c.size > end && !*proven) {
        // The database was made again: nothing is signed before all of what was shown is here.
        if length < copied.size || root_of_rows(env, copied.size).await? != copied.root {
            return Err(forked(copied));
        }
        *proven = true;
    }

    let mut growing = edge(env, start).await?;
    if let Some(row) = &newest
        && row.root != growing.root().to_hex()
    {
        return Err(Error::internal("the ledger's tree is damaged", row.size));
    }
    let rows = rows(env, start / WIDTH * WIDTH, end).await?;
    let mut then = None;
    for row in &rows {
        if copied.as_ref().is_some_and(|c| c.size == growing.size()) {
            then = Some(growing.root());
        }
        if row.idx as u64 >= start {
            growing.push(tree::leaf_hash(&append::leaf_bytes(row)?));
        }
    }
    let root = growing.root();
    if let Some(copied) = &copied
        && copied.size <= end
    {
        let ours = if copied.size == end {
            Some(root)
        } else if copied.size >= start && then.is_some() {
            then
        } else {
            read::root_at(env, copied.size).await?
        };
        if ours != Some(copied.root) {
            return Err(forked(copied));
        }
    }

    let checkpoint = Checkpoint {
        origin: signer.verifier().name().to_owned(),
        size: end,
        root,
    };
    let text = checkpoint.to_string();
    let note = put_together(&text, [signer.sign(&text, 0).as_str()]);
    if copied.is_none_or(|c| c.size <= end) {
        mirror::write(env, &rows, note.clone()).await?;
    }

    let tx = env.db.begin().await?;
    for changed in growing.changed() {
        store_tile(&tx, changed).await?;
    }
    checkpoint::Model {
        size: end as i64,
        root: root.to_hex(),
        note,
        at: env.now().timestamp_micros(),
    }
    .into_active_model()
    .insert(&tx)
    .await?;
    sign_as(&tx, signer).await?;
    tx.commit().await?;
    Ok(())
}

fn forked(copied: &Checkpoint) -> Error {
    Error::internal(
        "the ledger of the database is not the one in the archive",
        format!("which signed {} entries", copied.size),
    )
}

/// Rows `from..to`, all of them.
async fn rows(env: &Env, from: u64, to: u64) -> Result<Vec<leaf::Model>> {
    let rows = leaf::Entity::find()
        .filter(leaf::COLUMN.idx.gte(from as i64))
        .filter(leaf::COLUMN.idx.lt(to as i64))
        .order_by_asc(leaf::Column::Idx)
        .all(env.db.read())
        .await?;
    let whole = rows
        .iter()
        .zip(from..)
        .all(|(row, place)| row.idx as u64 == place);
    if whole && rows.len() as u64 == to - from {
        Ok(rows)
    } else {
        let why = format!("between {from} and {to}");
        Err(Error::internal("the ledger has lost rows", why))
    }
}

/// The root over the first rows, computed from themselves.
pub(super) async fn root_of_rows(env: &Env, size: u64) -> Result<Sha256> {
    let mut growing = Growing::default();
    let mut from = 0;
    while from < size {
        let to = size.min(from + STEP);
        for row in rows(env, from, to).await? {
            growing.push(tree::leaf_hash(&append::leaf_bytes(&row)?));
        }
        growing.forget_full();
        from = to;
    }
    Ok(growing.root())
}

/// The right edge of the stored tree.
async fn edge(env: &Env, size: u64) -> Result<Growing> {
    let wanted = Growing::edge_of(size)
        .into_iter()
        .filter(|(.., width)| *width > 0)
        .map(|(level, n, _)| (level, n));
    let tiles: TileSet = read::load(env, wanted).await?;
    Growing::resume(size, &tiles)
        .ok_or_else(|| Error::internal("the ledger's tree has lost tiles", size))
}

async fn store_tile(tx: &DatabaseTransaction, changed: Tile) -> Result<()> {
    let row = tile::ActiveModel {
        level: Set(i64::from(changed.level)),
        n: Set(changed.n as i64),
        hashes: Set(STANDARD.encode(to_bytes(&changed.hashes))),
    };
    tile::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([tile::Column::Level, tile::Column::N])
                .update_column(tile::Column::Hashes)
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Keeps the name and key that the log signs with.
async fn sign_as(tx: &DatabaseTransaction, signer: &Signer) -> Result<()> {
    let row = state::ActiveModel {
        id: Set(1),
        origin: Set(Some(signer.verifier().name().to_owned())),
        vkey: Set(Some(signer.verifier().to_string())),
        filled: Set(true),
    };
    state::Entity::insert(row)
        .on_conflict(
            OnConflict::column(state::Column::Id)
                .update_columns([state::Column::Origin, state::Column::Vkey])
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Makes the key and the name of this process those of the log: after a key was lost, or the site was renamed. The
/// newest checkpoint is signed anew; partners must be told the new key. Gives it, if the log has a name.
pub async fn accept(env: &Env) -> Result<Option<String>> {
    let Some(signer) = key::own(env).await? else {
        return Ok(None);
    };
    let _turn = env.objects.lock(TURN).await?;
    let newest = key::newest(env).await?;
    let tx = env.db.begin().await?;
    sign_as(&tx, &signer).await?;
    if let Some(row) = newest {
        let root = row
            .root
            .parse()
            .map_err(|_| Error::internal("a stored root does not parse", row.size))?;
        let checkpoint = Checkpoint {
            origin: signer.verifier().name().to_owned(),
            size: row.size as u64,
            root,
        };
        let text = checkpoint.to_string();
        cosignature::Entity::delete_many()
            .filter(cosignature::COLUMN.size.eq(row.size))
            .exec(&tx)
            .await?;
        let change = checkpoint::ActiveModel {
            size: Set(row.size),
            note: Set(put_together(&text, [signer.sign(&text, 0).as_str()])),
            ..Default::default()
        };
        checkpoint::Entity::update(change).exec(&tx).await?;
    }
    tx.commit().await?;
    Ok(Some(signer.verifier().to_string()))
}

/// Rows that only the archive's copy has come back into the database, if they lead to the root that was signed.
async fn take_back(env: &Env) -> Result<()> {
    let Some(copied) = mirror::checkpoint(env).await? else {
        return Ok(());
    };
    let have = append::length(env.db.read()).await? as u64;
    if have >= copied.size {
        return Ok(());
    }
    let tx = env.db.begin().await?;
    db::order_changes(&tx).await?;
    let have = append::length(&tx).await? as u64;
    let mut growing = Growing::default();
    for n in 0..copied.size.div_ceil(WIDTH) {
        let chunk = mirror::rows(env, n).await?;
        let mut new = Vec::new();
        for row in chunk {
            let place = row.idx as u64;
            if place >= copied.size {
                break;
            }
            growing.push(tree::leaf_hash(&append::leaf_bytes(&row)?));
            if place >= have {
                new.push(row.into_active_model());
            }
        }
        growing.forget_full();
        leaf::Entity::insert_many(new)
            .exec_without_returning(&tx)
            .await?;
    }
    if growing.size() != copied.size || growing.root() != copied.root {
        return Err(forked(&copied));
    }
    // What the database had must be the beginning of it.
    let mut from = 0;
    while from < have {
        let to = have.min(from + WIDTH);
        let ours = leaf::Entity::find()
            .filter(leaf::COLUMN.idx.gte(from as i64))
            .filter(leaf::COLUMN.idx.lt(to as i64))
            .order_by_asc(leaf::Column::Idx)
            .limit(WIDTH)
            .all(&tx)
            .await?;
        let theirs = mirror::rows(env, from / WIDTH).await?;
        let same = ours
            .iter()
            .zip(&theirs)
            .all(|(a, b)| a.entry == b.entry && a.salt == b.salt);
        if !same || ours.len() > theirs.len() {
            return Err(forked(&copied));
        }
        from = to;
    }
    tx.commit().await?;
    tracing::info!(
        entries = copied.size - have,
        "the ledger was taken back from the archive"
    );
    Ok(())
}
