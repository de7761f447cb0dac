//! Background work as data: what there is to do, and enqueueing it in the caller's transaction.
//!
//! Invariant: a job is safe to run twice; it names a thing and never carries a decision. Running them is
//! `jobs::worker`, far to the right; this half knows only the table.

pub mod worker;

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};

use crate::{
    ctx::Ctx,
    error::Result,
    ids::{FileKey, RecordId},
    store::table::work,
};

/// Everything that is done after a request has been answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Make the DOIs of a version and of its concept lead to it.
    RegisterDoi { record: RecordId },
    /// Bring the search index up to the change feed.
    Index { record: RecordId },
    /// Remove bytes from the staging area that no draft names any more.
    DiscardStaged { names: Vec<String> },
    /// Read the files of a version whose CRC-32 nobody has kept.
    ReadCrc32 { record: RecordId },
    /// Fetch a file from where a depositor said, or unpack an archive.
    Intake { draft: RecordId, key: FileKey },
    /// Lift an embargo whose day has come.
    LiftEmbargo { record: RecordId },
}

/// Kinds that may take hours. They have a lane of their own, so that the quick ones never wait for them.
pub const LONG: [&str; 2] = ["intake", "read_crc32"];

impl Job {
    /// The stable name in the `kind` column and on the jobs page.
    pub fn kind(&self) -> &'static str {
        match self {
            Job::RegisterDoi { .. } => "register_doi",
            Job::Index { .. } => "index",
            Job::DiscardStaged { .. } => "discard_staged",
            Job::ReadCrc32 { .. } => "read_crc32",
            Job::Intake { .. } => "intake",
            Job::LiftEmbargo { .. } => "lift_embargo",
        }
    }
}

/// Writes a job into the caller's transaction: it exists exactly if what caused it does. The caller
/// rings `ctx.env.work` after the commit; without that the worker finds it at its next look.
pub async fn enqueue(ctx: &Ctx, tx: &impl ConnectionTrait, job: &Job) -> Result<()> {
    enqueue_at(ctx, tx, job, ctx.micros()).await
}

/// The same, unless such a job waits already or is being done. For what readers cause: asking a hundred times
/// makes one job.
pub async fn enqueue_once(ctx: &Ctx, tx: &impl ConnectionTrait, job: &Job) -> Result<()> {
    use sea_orm::{PaginatorTrait, QueryFilter};
    let waiting = work::job::Entity::find()
        .filter(work::job::COLUMN.state.is_in(["queued", "running"]))
        .filter(work::job::COLUMN.payload.eq(payload(job)?))
        .count(tx)
        .await?;
    if waiting == 0 {
        enqueue(ctx, tx, job).await?;
    }
    Ok(())
}

fn payload(job: &Job) -> Result<String> {
    serde_json::to_string(job)
        .map_err(|e| crate::error::Error::internal("a job does not serialise", e))
}

/// The same as [`enqueue`], not to be run before a moment (microseconds).
pub async fn enqueue_at(ctx: &Ctx, tx: &impl ConnectionTrait, job: &Job, at: i64) -> Result<()> {
    let payload = payload(job)?;
    let now = ctx.micros();
    let row = work::job::ActiveModel {
        kind: Set(job.kind().to_owned()),
        payload: Set(payload),
        state: Set("queued".to_owned()),
        attempts: Set(0),
        run_at: Set(at),
        leased_until: Set(0),
        last_error: Set(None),
        created: Set(now),
        updated: Set(now),
        ..Default::default()
    };
    work::job::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
