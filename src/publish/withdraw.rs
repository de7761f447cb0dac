//! Takes a published version out of view. The tombstone stays at its address, the harvesters are told,
//! the archive keeps the bytes: a withdrawal is a decision about showing, and can be taken back.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::{Deserialize, Serialize};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Problem, Result},
    ids::RecordId,
    metadata::vocabulary::{self, Vocabulary},
    publish::{announce, harvest},
    store::table::record::record,
    text::timestamp,
};

/// What is said where the record was (InvenioRDM's tombstone).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tombstone {
    /// A term of the removal reasons.
    pub reason: String,
    /// Why, in the withdrawer's words; shown to everybody.
    #[serde(default)]
    pub note: String,
    /// Number of the account that withdrew it.
    #[serde(default)]
    pub removed_by: String,
    /// ISO 8601.
    #[serde(default)]
    pub removal_date: String,
    /// The citation as it was.
    #[serde(default)]
    pub citation_text: String,
}

/// Withdraws a version.
pub async fn withdraw(ctx: &Ctx, id: &RecordId, reason: &str, note: &str) -> Result<()> {
    if vocabulary::get(Vocabulary::RemovalReasons, reason).is_none() {
        let problem = Problem::new("removal-reason", "removal_reason.id").with("id", reason);
        return Err(Error::Invalid(vec![problem]));
    }
    if note.len() > 10_000 {
        return Err(Error::TooLarge(
            Problem::new("note-too-long", "note").with("most", 10_000),
        ));
    }
    let tx = ctx.env.db.begin().await?;
    let loaded = access::load_record(ctx, &tx, id, Action::Withdraw).await?;
    let described = harvest::describe(ctx, &tx, &loaded.record).await?;
    let stone = Tombstone {
        reason: reason.to_owned(),
        note: note.to_owned(),
        removed_by: ctx.person().map(|p| p.id.to_string()).unwrap_or_default(),
        removal_date: timestamp(ctx.now()),
        citation_text: crate::formats::citation(&described, ctx.locale).text(),
    };
    let text = serde_json::to_string(&stone)
        .map_err(|e| Error::internal("a tombstone does not serialise", e))?;
    set(ctx, &tx, &loaded.record, Some(text)).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

/// Puts a withdrawn version back into view.
pub async fn restore(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let loaded = access::load_record_or_tombstone(ctx, &tx, id, Action::Withdraw).await?;
    set(ctx, &tx, &loaded.record, None).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

async fn set(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    row: &record::Model,
    stone: Option<String>,
) -> Result<()> {
    let change = record::ActiveModel {
        id: Set(row.id.clone()),
        withdrawn: Set(stone),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    record::Entity::update(change).exec(tx).await?;
    harvest::write(ctx, tx, &row.id).await?;
    announce(ctx, tx, &[&row.id]).await
}
