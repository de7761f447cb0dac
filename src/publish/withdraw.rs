//! Takes a published version out of view. The tombstone stays at its address, the harvesters are told,
//! the archive keeps the bytes: a withdrawal is a decision about showing, and can be taken back.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Problem, Result},
    ids::RecordId,
    jobs::{self, Job},
    ledger::{self, entry::Event},
    metadata::vocabulary::{self, Vocabulary},
    publish::{announce, harvest},
    store::table::{deposit::parent, record::record},
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
    ledger::ensure(ctx, id).await?;
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
    ledger::ensure(ctx, id).await?;
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
    let event = match (row.withdrawn.is_some(), stone.is_some()) {
        (_, true) => Some(Event::Withdraw),
        (true, false) => Some(Event::Restore),
        (false, false) => None,
    };
    let change = record::ActiveModel {
        id: Set(row.id.clone()),
        withdrawn: Set(stone),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    record::Entity::update(change).exec(tx).await?;
    let mut changed = newest_in_view(ctx, tx, &row.parent_id).await?;
    if !changed.contains(&row.id) {
        changed.push(row.id.clone());
    }
    for id in &changed {
        harvest::write(ctx, tx, id).await?;
    }
    if let Some(event) = event {
        ledger::append_again(ctx, tx, event, row).await?;
    }
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    announce(ctx, tx, &changed).await
}

/// Makes the newest version in view the one that the concept leads to; with none in view, the newest of all,
/// whose tombstone is then shown. Gives the versions that are it now, or are it no longer.
async fn newest_in_view(ctx: &Ctx, tx: &DatabaseTransaction, concept: &str) -> Result<Vec<String>> {
    let versions = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(concept))
        .order_by_desc(record::Column::VersionIndex)
        .all(tx)
        .await?;
    let in_view = versions.iter().find(|v| v.withdrawn.is_none());
    let Some(newest) = in_view.or(versions.first()) else {
        return Ok(Vec::new());
    };
    let mut changed = Vec::new();
    for version in &versions {
        let is_latest = version.id == newest.id;
        if version.is_latest == is_latest {
            continue;
        }
        let change = record::ActiveModel {
            id: Set(version.id.clone()),
            is_latest: Set(is_latest),
            ..Default::default()
        };
        record::Entity::update(change).exec(tx).await?;
        changed.push(version.id.clone());
    }
    if changed.is_empty() {
        return Ok(changed);
    }
    let change = parent::ActiveModel {
        id: Set(concept.to_owned()),
        latest: Set(Some(newest.id.clone())),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    parent::Entity::update(change).exec(tx).await?;
    // The concept's DOI describes the version it leads to.
    if let (Ok(record), true) = (
        newest.id.parse(),
        newest.doi_provider.as_deref() != Some("external"),
    ) {
        jobs::enqueue(ctx, tx, &Job::RegisterDoi { record }).await?;
    }
    Ok(changed)
}
