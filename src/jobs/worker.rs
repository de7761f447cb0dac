//! Runs what was enqueued: claims a job by a lease, runs it, and writes down how it went.
//!
//! A job that fails is tried again after a while, longer each time; after `TRIES` it stays as `failed`
//! with its last error until somebody looks. A worker that dies loses its lease and another goes on.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use sea_orm::{
    ActiveValue::Set,
    Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

use crate::{
    catalog,
    ctx::Env,
    error::{Error, Result},
    files,
    jobs::{self, Job},
    publish,
    store::table::work::job,
};

/// How long a worker may take before another may try, in microseconds.
const LEASE: i64 = 10 * 60 * 1_000_000;
/// The same for a long job, which renews it: one whose worker died goes on soon.
const LONG_LEASE: i64 = 90 * 1_000_000;
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often a failing job is tried: the last waits are an hour each, so about a day and a half in all.
const TRIES: i64 = 40;
/// How long an idle worker waits before it looks again unasked.
const IDLE: Duration = Duration::from_secs(5);
/// Jobs claimed together.
const BATCH: u64 = 32;
/// Uploads that are discarded at once.
const DISCARDS: usize = 16;
/// What is done is kept this long for the jobs page.
const KEEP: i64 = 7 * 86_400 * 1_000_000;

/// Two queues in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Claimed many at a time.
    Quick,
    /// What may take hours ([`jobs::LONG`]): one at a time, and its lease is renewed while it runs.
    Long,
}

/// Runs the jobs of a lane until the program ends.
pub async fn work(env: Env, lane: Lane) {
    loop {
        match Box::pin(run_some(&env, lane)).await {
            Ok(true) => {}
            Ok(false) => {
                let rung = env.work.notified();
                let _ = tokio::time::timeout(IDLE, rung).await;
            }
            Err(e) => {
                tracing::error!(error = %e, "the job queue does not answer");
                tokio::time::sleep(IDLE).await;
            }
        }
    }
}

/// Runs everything that is due, here and now; for tests and commands that end.
pub async fn drain(env: &Env) -> Result<()> {
    loop {
        let quick = Box::pin(run_some(env, Lane::Quick)).await?;
        if !quick && !Box::pin(run_some(env, Lane::Long)).await? {
            return Ok(());
        }
    }
}

/// Runs some due jobs, if there are any: claimed together and marked together, because each commit
/// waits for a disk.
async fn run_some(env: &Env, lane: Lane) -> Result<bool> {
    let rows = claim(env, lane).await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let mut indexed = None;
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for row in rows {
        let outcome = match serde_json::from_str::<Job>(&row.payload) {
            // One walk along the change feed serves every record in it.
            Ok(Job::Index { .. }) if indexed == Some(true) => Ok(()),
            Ok(job) if lane == Lane::Long => Box::pin(hold(env, row.id, run(env, &job))).await,
            Ok(job) => {
                let outcome = run(env, &job).await;
                if matches!(job, Job::Index { .. }) {
                    indexed = Some(outcome.is_ok());
                }
                outcome
            }
            Err(e) => Err(Error::internal("a job does not parse", e)),
        };
        match outcome {
            Ok(()) => done.push(row.id),
            Err(e) => failed.push((row, e)),
        }
    }
    mark(env, done, failed).await?;
    Ok(true)
}

/// Writes down how it went.
async fn mark(env: &Env, done: Vec<i64>, failed: Vec<(job::Model, Error)>) -> Result<()> {
    let now = env.now().timestamp_micros();
    let tx = env.db.begin().await?;
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value("done"))
        .col_expr(job::Column::LastError, Expr::value(Option::<String>::None))
        .col_expr(job::Column::Updated, Expr::value(now))
        .filter(job::COLUMN.id.is_in(done))
        .exec(&tx)
        .await?;
    for (row, e) in failed {
        let told: String = e.to_string().chars().take(2_000).collect();
        tracing::warn!(job = row.id, kind = %row.kind, attempt = row.attempts, error = %told, "a job failed");
        let state = if row.attempts >= TRIES {
            "failed"
        } else {
            "queued"
        };
        let change = job::ActiveModel {
            id: Set(row.id),
            state: Set(state.to_owned()),
            run_at: Set(now + wait(row.attempts)),
            leased_until: Set(0),
            last_error: Set(Some(told)),
            updated: Set(now),
            ..Default::default()
        };
        job::Entity::update(change).exec(&tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// 1 s, 2 s, 4 s … at most an hour, in microseconds.
fn wait(attempt: i64) -> i64 {
    let doubled = 1_000_000_i64 << (Ord::clamp(attempt, 1, 13) - 1);
    Ord::min(doubled, 3_600_000_000)
}

/// Renews the lease of a long job while it runs.
async fn hold(env: &Env, id: i64, work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::pin!(work);
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.tick().await;
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            _ = beat.tick() => {
                let until = env.now().timestamp_micros() + LONG_LEASE;
                job::Entity::update_many()
                    .col_expr(job::Column::LeasedUntil, Expr::value(until))
                    .filter(job::COLUMN.id.eq(id))
                    .exec(env.db.write())
                    .await?;
            }
        }
    }
}

/// Takes the leases of the oldest due jobs. Looks without a lock first: an idle queue costs no write.
async fn claim(env: &Env, lane: Lane) -> Result<Vec<job::Model>> {
    let now = env.now().timestamp_micros();
    let (of_lane, most, lease) = match lane {
        Lane::Quick => (job::COLUMN.kind.is_not_in(jobs::LONG), BATCH, LEASE),
        Lane::Long => (job::COLUMN.kind.is_in(jobs::LONG), 1, LONG_LEASE),
    };
    let due = Condition::any()
        .add(
            job::COLUMN
                .state
                .eq("queued")
                .and(job::COLUMN.run_at.lte(now)),
        )
        .add(
            job::COLUMN
                .state
                .eq("running")
                .and(job::COLUMN.leased_until.lt(now)),
        );
    let query = job::Entity::find()
        .filter(due)
        .filter(of_lane)
        .order_by_asc(job::Column::RunAt)
        .order_by_asc(job::Column::Id)
        .limit(most);
    if query.clone().one(env.db.read()).await?.is_none() {
        return Ok(Vec::new());
    }
    let tx = env.db.begin().await?;
    let mut rows = query
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&tx)
        .await?;
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value("running"))
        .col_expr(job::Column::LeasedUntil, Expr::value(now + lease))
        .col_expr(
            job::Column::Attempts,
            Expr::col(job::Column::Attempts).add(1),
        )
        .col_expr(job::Column::Updated, Expr::value(now))
        .filter(job::COLUMN.id.is_in(rows.iter().map(|r| r.id)))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    for row in &mut rows {
        row.attempts += 1;
    }
    Ok(rows)
}

/// What each job is.
async fn run(env: &Env, job: &Job) -> Result<()> {
    let ctx = env.system();
    match job {
        Job::RegisterDoi { record } => publish::register_doi(&ctx, record).await,
        Job::Index { .. } => catalog::index::follow(env).await.map(|_| ()),
        Job::ReadCrc32 { record } => files::read_crc32(&ctx, record).await,
        Job::Intake { draft, key } => files::intake::run(&ctx, draft, key).await,
        Job::LiftEmbargo { record } => publish::lift_embargo(&ctx, record).await,
        Job::DiscardStaged { names } => {
            // Side by side: in a bucket each costs a few requests.
            let discards = names.iter().cloned().map(|name| {
                let objects = env.objects.clone();
                async move { objects.discard(&name).await }
            });
            stream::iter(discards)
                .buffer_unordered(DISCARDS)
                .try_collect::<()>()
                .await
        }
    }
}

/// Forgets jobs done long ago.
pub async fn sweep(env: &Env) -> Result<()> {
    let before = env.now().timestamp_micros() - KEEP;
    job::Entity::delete_many()
        .filter(job::COLUMN.state.eq("done"))
        .filter(job::COLUMN.updated.lt(before))
        .exec(env.db.write())
        .await?;
    Ok(())
}
