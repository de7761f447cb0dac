//! Entering an event: a row, in the transaction that makes it true.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::{
    backfill,
    entry::{self, Entry, Event},
    receipt,
};
use crate::{
    access,
    ctx::{Ctx, moment},
    error::{Error, Result},
    ids::{RecordId, Sha256},
    metadata::access::Visibility,
    store::{
        db,
        table::{ledger::leaf, record::record},
    },
    text::timestamp,
};

/// What happened to a version, all that an entry says of it.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    pub event: Event,
    pub record: &'a record::Model,
    /// The version of the archive object after the event, and the SHA-256 of its inventory.
    pub archive_version: i64,
    pub inventory: Sha256,
    pub record_json: Sha256,
    /// `entry::files_digest` of its files.
    pub files: Sha256,
    /// Microseconds since 1970.
    pub at: i64,
}

/// Enters an event. Takes the lock of the change feed, so it belongs near the transaction's end.
pub async fn append(ctx: &Ctx, tx: &DatabaseTransaction, fact: &Fact<'_>) -> Result<()> {
    put(ctx, tx, entry_of(fact, false), fact.record, fact.at).await
}

/// Enters an event that left files and description as they were: what the entry before it says of them still
/// holds. Call [`ensure`] before the transaction. The pair is the archive version after the event and the digest of
/// its inventory. `at`: microseconds since 1970.
pub async fn append_again(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    event: Event,
    row: &record::Model,
    (archive_version, inventory): (u32, Sha256),
    at: i64,
) -> Result<()> {
    db::order_changes(tx).await?;
    let Some(before) = newest(tx, leaf::Column::RecordId, &row.id).await? else {
        return Err(Error::internal("no entry in the ledger", &row.id));
    };
    let entry = Entry {
        event,
        archive_version: i64::from(archive_version),
        inventory_sha256: inventory,
        time: timestamp(moment(at)),
        late: false,
        ..before
    };
    put(ctx, tx, entry, row, at).await
}

/// Makes sure that a version that is older than the ledger has its entries.
pub async fn ensure(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let found = leaf::Entity::find()
        .filter(leaf::COLUMN.record_id.eq(id.as_str()))
        .one(ctx.env.db.read())
        .await?;
    match found {
        Some(_) => Ok(()),
        None => backfill::one(ctx, id.as_str()).await,
    }
}

pub(super) fn entry_of(fact: &Fact<'_>, late: bool) -> Entry {
    let row = fact.record;
    Entry {
        archive_version: fact.archive_version,
        concept: row.parent_id.clone(),
        doi: row.doi.clone(),
        event: fact.event,
        files_sha256: fact.files,
        format: entry::FORMAT,
        inventory_sha256: fact.inventory,
        late,
        metadata_sha256: entry::digest(&row.metadata),
        record: row.id.clone(),
        record_json_sha256: fact.record_json,
        revision: row.revision,
        time: timestamp(moment(fact.at)),
        version: row.version_index,
    }
}

/// Writes the next row of the log.
pub(super) async fn put(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    entry: Entry,
    row: &record::Model,
    at: i64,
) -> Result<()> {
    // Places must be given in the order of commits.
    db::order_changes(tx).await?;
    let idx = length(tx).await?;
    let hidden = access::parse(&row.access).record == Visibility::Restricted;
    let salt = if hidden {
        Some(receipt::encode(&ctx.env.random()?))
    } else {
        None
    };
    let text = entry
        .canonical()
        .map_err(|e| Error::internal("an entry does not serialise", e))?;
    let new = leaf::Model {
        idx,
        record_id: entry.record,
        concept_id: entry.concept,
        event: entry.event.name().to_owned(),
        revision: entry.revision,
        entry: text,
        salt,
        at,
    };
    new.into_active_model().insert(tx).await?;
    Ok(())
}

/// How many rows the log has.
pub(super) async fn length(db: &impl ConnectionTrait) -> Result<i64> {
    let last: Option<i64> = leaf::Entity::find()
        .select_only()
        .column(leaf::Column::Idx)
        .order_by_desc(leaf::Column::Idx)
        .into_tuple()
        .one(db)
        .await?;
    Ok(last.map_or(0, |idx| idx + 1))
}

async fn newest(
    tx: &DatabaseTransaction,
    column: leaf::Column,
    value: &str,
) -> Result<Option<Entry>> {
    use sea_orm::ColumnTrait;
    let row = leaf::Entity::find()
        .filter(column.eq(value))
        .order_by_desc(leaf::Column::Idx)
        .one(tx)
        .await?;
    row.map(|row| parse(&row)).transpose()
}

/// The entry in a row.
pub(super) fn parse(row: &leaf::Model) -> Result<Entry> {
    Entry::parse(&row.entry)
        .ok_or_else(|| Error::internal("an entry of the ledger does not parse", row.idx))
}

/// The bytes of the leaf in a row.
pub(super) fn leaf_bytes(row: &leaf::Model) -> Result<Vec<u8>> {
    let salt = match &row.salt {
        None => None,
        Some(text) => Some(
            receipt::decode(text)
                .ok_or_else(|| Error::internal("a salt of the ledger does not parse", row.idx))?,
        ),
    };
    Ok(entry::leaf(&row.entry, salt.as_ref()))
}
