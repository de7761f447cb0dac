//! A share a day, so that everything is checked within `fixity_days`: by one of the replicas, at most as fast
//! as `fixity_rate` says, and gone on with where a stop cut it off.

use std::time::Duration;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};

use super::{concept, keep, run};
use crate::{
    archive::Pace,
    ctx::{Ctx, Env},
    error::{Error, Result},
    store::table::{
        deposit::parent,
        fixity::{fixity_check, fixity_run},
    },
};

/// How long nobody else goes on with a share, in microseconds; renewed while it runs.
const LEASE: i64 = 5 * 60 * 1_000_000;
const RENEW: Duration = Duration::from_mins(1);
/// How often to look whether a share is due.
const LOOK: Duration = Duration::from_mins(10);
/// Checks in which nothing was found are kept this long; the others for ever.
const KEEP: i64 = 400 * 86_400 * 1_000_000;

/// Does the shares until the program ends.
pub async fn keep_watch(env: Env) {
    let mut every = tokio::time::interval(LOOK);
    loop {
        every.tick().await;
        if let Err(e) = today(&env).await {
            tracing::warn!(error = %e, "the fixity share stopped; it goes on later");
        }
    }
}

/// Does the share of today, or what is left of an earlier one, unless somebody else is at it. Gives how many
/// objects were checked.
pub async fn today(env: &Env) -> Result<u64> {
    let ctx = env.system();
    let days = env.config.fixity_days;
    if days == 0 {
        return Ok(0);
    }
    let Some(row) = claim(&ctx, days).await? else {
        return Ok(0);
    };
    let pace = Pace::bytes_per_second(env.config.fixity_rate * 1_000_000);
    let work = work(&ctx, &row, &pace);
    let renewing = async {
        loop {
            tokio::time::sleep(RENEW).await;
            if let Err(e) = renew(&ctx, row.id).await {
                tracing::warn!(error = %e, "cannot renew the lease of a fixity share");
            }
        }
    };
    tokio::select! {
        done = work => done,
        () = renewing => Ok(0),
    }
}

async fn work(ctx: &Ctx, row: &fixity_run::Model, pace: &Pace) -> Result<u64> {
    let left = (row.quota - row.objects).max(0) as u64;
    let mut done = 0;
    for id in run::least_recent(ctx, left).await? {
        let checked = concept::check(ctx, &id, pace).await?;
        keep::keep(ctx, row.id, &checked).await?;
        run::count(ctx, row.id, &checked).await?;
        done += 1;
    }
    run::finish(ctx, row.id).await?;
    tracing::info!(
        objects = done,
        "the fixity share of {} is done",
        row.day.as_deref().unwrap_or("today")
    );
    Ok(done)
}

/// A share that stands still, or a new one for today.
async fn claim(ctx: &Ctx, days: u64) -> Result<Option<fixity_run::Model>> {
    let db = ctx.env.db.read();
    let now = ctx.micros();
    let unfinished = fixity_run::Entity::find()
        .filter(fixity_run::Column::Kind.eq("share"))
        .filter(fixity_run::Column::State.eq("running"))
        .order_by_asc(fixity_run::Column::Id)
        .one(db)
        .await?;
    if let Some(row) = unfinished {
        let won = fixity_run::Entity::update_many()
            .col_expr(fixity_run::Column::LeasedUntil, Expr::value(now + LEASE))
            .filter(fixity_run::Column::Id.eq(row.id))
            .filter(fixity_run::Column::LeasedUntil.lt(now))
            .exec(ctx.env.db.write())
            .await?;
        return Ok((won.rows_affected == 1).then_some(row));
    }
    let day = ctx.today().to_string();
    let done = fixity_run::Entity::find()
        .filter(fixity_run::Column::Day.eq(day.as_str()))
        .one(db)
        .await?;
    let concepts = parent::Entity::find()
        .filter(parent::COLUMN.versions.gt(0))
        .count(db)
        .await?;
    if done.is_some() || concepts == 0 {
        return Ok(None);
    }
    let row = fixity_run::ActiveModel {
        kind: Set("share".to_owned()),
        day: Set(Some(day.clone())),
        state: Set("running".to_owned()),
        quota: Set(concepts.div_ceil(days) as i64),
        started: Set(now),
        finished: Set(None),
        leased_until: Set(now + LEASE),
        objects: Set(0),
        files: Set(0),
        bytes: Set(0),
        findings: Set(0),
        ..Default::default()
    };
    let made = fixity_run::Entity::insert(row)
        .exec(ctx.env.db.write())
        .await;
    match made.map_err(Error::from) {
        Ok(_) => {}
        // Another replica was first.
        Err(Error::Conflict(_)) => return Ok(None),
        Err(e) => return Err(e),
    }
    Ok(fixity_run::Entity::find()
        .filter(fixity_run::Column::Day.eq(day))
        .one(ctx.env.db.write())
        .await?)
}

async fn renew(ctx: &Ctx, run: i64) -> Result<()> {
    let change = fixity_run::ActiveModel {
        id: Set(run),
        leased_until: Set(ctx.micros() + LEASE),
        ..Default::default()
    };
    fixity_run::Entity::update(change)
        .exec(ctx.env.db.write())
        .await?;
    Ok(())
}

/// Forgets checks of long ago in which nothing was found.
pub async fn sweep(env: &Env) -> Result<()> {
    let before = env.now().timestamp_micros() - KEEP;
    fixity_check::Entity::delete_many()
        .filter(fixity_check::Column::At.lt(before))
        .filter(fixity_check::Column::Outcome.eq("good"))
        .exec(env.db.write())
        .await?;
    Ok(())
}
