//! Entries for versions that were published before there was a ledger, marked as late.

use sea_orm::{
    ActiveValue::Set,
    EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, Query},
};

use super::{
    append::{self, Fact},
    entry::{self, Event},
};
use crate::{
    archive::ObjectId,
    ctx::{Ctx, Env},
    error::{Error, Result},
    ids::{RecordId, Sha256},
    store::{
        db,
        table::{
            deposit::parent,
            ledger::{leaf, state},
            record::{record, record_file, record_revision},
        },
    },
};

/// Versions looked at together.
const STEP: u64 = 500;

/// Enters every version that has no entry, in the order of publication. A version whose archive cannot be read stays
/// without one, is logged, and is found by `check`. Gives how many versions were entered.
pub async fn backfill(env: &Env) -> Result<u64> {
    let ctx = env.system();
    let mut entered = 0;
    let mut after = (i64::MIN, String::new());
    loop {
        let rows: Vec<(i64, String)> = record::Entity::find()
            .select_only()
            .columns([record::Column::Published, record::Column::Id])
            .filter(
                record::COLUMN.published.gt(after.0).or(record::COLUMN
                    .published
                    .eq(after.0)
                    .and(record::COLUMN.id.gt(after.1.as_str()))),
            )
            .filter(Expr::col(record::Column::Id).not_in_subquery(entered_already()))
            .order_by_asc(record::Column::Published)
            .order_by_asc(record::Column::Id)
            .limit(STEP)
            .into_tuple()
            .all(env.db.read())
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.clone();
        for (_, id) in &rows {
            match one(&ctx, id).await {
                Ok(()) => entered += 1,
                Err(e) => {
                    tracing::error!(record = %id, error = %e, "cannot be entered in the ledger");
                }
            }
        }
    }
    let done = state::ActiveModel {
        id: Set(1),
        origin: Set(None),
        vkey: Set(None),
        filled: Set(true),
    };
    state::Entity::insert(done)
        .on_conflict(
            OnConflict::column(state::Column::Id)
                .update_column(state::Column::Filled)
                .to_owned(),
        )
        .exec_without_returning(env.db.write())
        .await?;
    Ok(entered)
}

fn entered_already() -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(leaf::Column::RecordId)
        .from(leaf::Entity)
        .to_owned()
}

/// Enters all that is known of one version, if nothing is.
pub(super) async fn one(ctx: &Ctx, id: &str) -> Result<()> {
    let db = ctx.env.db.read();
    let Some(row) = record::Entity::find_by_id(id).one(db).await? else {
        return Ok(());
    };
    let gone = || Error::internal("a row is gone", id);
    let concept = parent::Entity::find_by_id(row.parent_id.as_str())
        .one(db)
        .await?
        .ok_or_else(gone)?;
    let object: RecordId = row.parent_id.parse().map_err(|_| gone())?;
    let object = ObjectId::of_parent(&object);
    let revisions = record_revision::Entity::find()
        .filter(record_revision::COLUMN.record_id.eq(id))
        .order_by_asc(record_revision::Column::Revision)
        .all(db)
        .await?;
    let files = files(ctx, id).await?;
    let mut entries = Vec::new();
    for (n, revision) in revisions.iter().enumerate() {
        let (inventory, record_json) = digests(ctx, &object, revision.archive_version).await?;
        let then = record::Model {
            metadata: revision.metadata.clone(),
            revision: revision.revision,
            ..row.clone()
        };
        let fact = Fact {
            event: if n == 0 {
                Event::Publish
            } else {
                Event::Revise
            },
            record: &then,
            archive_version: revision.archive_version,
            inventory,
            record_json,
            files,
            at: revision.at,
        };
        entries.push((append::entry_of(&fact, true), fact.at));
    }
    let Some((last, _)) = entries.last().cloned() else {
        return Err(gone());
    };
    if row.withdrawn.is_some() {
        let (inventory, _) = digests(ctx, &object, concept.archive_head).await?;
        let entry = entry::Entry {
            event: Event::Withdraw,
            archive_version: concept.archive_head,
            inventory_sha256: inventory,
            time: crate::text::timestamp(crate::ctx::moment(row.updated)),
            ..last
        };
        entries.push((entry, row.updated));
    }
    let tx = ctx.env.db.begin().await?;
    // Another process may be doing the same.
    db::order_changes(&tx).await?;
    let found = leaf::Entity::find()
        .filter(leaf::COLUMN.record_id.eq(id))
        .one(&tx)
        .await?;
    if found.is_some() {
        return Ok(());
    }
    for (entry, at) in entries {
        append::put(ctx, &tx, entry, &row, at).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn digests(ctx: &Ctx, object: &ObjectId, version: i64) -> Result<(Sha256, Sha256)> {
    let found = ctx.env.archive.digests(object, version as u32).await?;
    let whole = found.and_then(|d| Some((d.inventory, d.record?)));
    whole.ok_or_else(|| Error::internal("no readable inventory", format!("{object} v{version}")))
}

async fn files(ctx: &Ctx, id: &str) -> Result<Sha256> {
    let rows: Vec<(String, String)> = record_file::Entity::find()
        .select_only()
        .columns([record_file::Column::Key, record_file::Column::Sha256])
        .filter(record_file::COLUMN.record_id.eq(id))
        .into_tuple()
        .all(ctx.env.db.read())
        .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for (key, digest) in &rows {
        let digest = digest
            .parse()
            .map_err(|_| Error::internal("a stored digest does not parse", key))?;
        listed.push((key.as_str(), digest));
    }
    Ok(entry::files_digest(listed))
}
