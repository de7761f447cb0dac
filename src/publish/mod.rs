//! From draft to version: write the archive, make it visible, tell the registrar; take it out of view.
//!
//! Invariant: a published version's bytes never change and its number is never given again. A corrected
//! description is a new revision beside the old one (`record_revision`, and a version of the archive object).
//! Not here: reading what is published (`catalog`).

mod doi;
mod embargo;
mod harvest;
mod recover;
mod release;
mod snapshot;
mod withdraw;

pub(crate) use self::harvest::MOST_FILES;
pub use self::{
    doi::register_doi,
    embargo::lift_embargo,
    harvest::{describe, described, oai_identifier, oai_namespace, refresh as refresh_harvest},
    recover::recover,
    release::release,
    withdraw::{Tombstone, restore, withdraw},
};

use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};

use crate::{
    ctx::Ctx,
    error::Result,
    ids::RecordId,
    jobs::{self, Job},
    store::{db, table::work::change},
};

/// Says that the index must look at a record again, in the order of commits. The last thing a
/// transaction does before it commits, because on PostgreSQL others wait behind it.
async fn announce(ctx: &Ctx, tx: &DatabaseTransaction, records: &[&str]) -> Result<()> {
    db::order_changes(tx).await?;
    for record in records {
        let row = change::ActiveModel {
            record_id: Set((*record).to_owned()),
            at: Set(ctx.micros()),
            ..Default::default()
        };
        change::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        if let Ok(record) = record.parse::<RecordId>() {
            jobs::enqueue(ctx, tx, &Job::Index { record }).await?;
        }
    }
    Ok(())
}

/// A row by its key that must be there.
async fn must<E: EntityTrait>(
    found: sea_orm::Select<E>,
    db: &impl ConnectionTrait,
    what: &str,
) -> Result<E::Model> {
    found
        .one(db)
        .await?
        .ok_or_else(|| crate::error::Error::internal("a row is gone", what))
}
