//! From draft to version: write the archive, make it visible, tell the registrar; take it out of view.
//!
//! Invariant: a published version's bytes never change and its number is never given again. A corrected
//! description is a new revision beside the old one (`record_revision`, and a version of the archive object).
//! Not here: reading what is published (`catalog`).

mod doi;
mod embargo;
mod harvest;
pub mod history;
mod recover;
mod release;
pub mod snapshot;
mod withdraw;

pub(crate) use self::harvest::MOST_FILES;
pub use self::{
    doi::register_doi,
    embargo::lift_embargo,
    harvest::{
        describe, described, oai_identifier, oai_namespace, refresh as refresh_harvest,
        replay as replay_harvest,
    },
    recover::recover,
    release::release,
    snapshot::SnapshotOwner,
    withdraw::{Tombstone, Withdrawal, restore, withdraw},
};

use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait};

use crate::{
    access,
    archive::{User, Writer},
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

/// Who does it, by something that outlives account numbers.
fn who(ctx: &Ctx) -> Option<SnapshotOwner> {
    ctx.person().map(|p| SnapshotOwner {
        email: p.email.clone(),
        name: p.name.clone(),
        account: Some(p.id.0),
    })
}

/// Who did it, for the archive's inventory.
fn publisher(ctx: &Ctx, owner: &SnapshotOwner) -> User {
    let (name, email) = match ctx.person() {
        Some(person) => (person.name.clone(), &person.email),
        None => (owner.name.clone(), &owner.email),
    };
    User {
        name,
        address: Some(format!("mailto:{email}")),
    }
}

/// Takes the archive back to what the database lists. A commit whose answer was lost may have succeeded, so
/// the database is asked; if it does not answer, the note that the write was begun stays for `recover`.
async fn take_back(ctx: &Ctx, concept: &str, writer: &mut Writer, head: u32) {
    let row = access::parent_row(ctx.env.db.read(), concept, false).await;
    let outcome = match row {
        Ok(row) if row.archive_head as u32 == head => writer.rollback(head).await,
        Ok(_) => Ok(()),
        Err(e) => Err(e),
    };
    if let Err(e) = outcome {
        tracing::error!(%concept, error = %e, "left for recovery");
    }
}
