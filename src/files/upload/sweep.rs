//! Gives up uploads that made no progress for a long time, and forgets those done long ago.

use std::collections::HashSet;

use sea_orm::{EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::settle;
use crate::{ctx::Env, error::Result, store::table::upload::upload};

/// Uploads given up in one transaction.
const AT_ONCE: u64 = 100;

/// Gives up what expired. Their bytes go by a job.
pub async fn sweep(env: &Env) -> Result<()> {
    let ctx = env.system();
    loop {
        let tx = env.db.begin().await?;
        let expired = upload::Entity::find()
            .filter(upload::COLUMN.expires.lt(ctx.micros()))
            .filter(upload::COLUMN.leased_until.lt(ctx.micros()))
            .limit(AT_ONCE)
            .all(&tx)
            .await?;
        let last = (expired.len() as u64) < AT_ONCE;
        let count = expired.len();
        for row in expired {
            settle::remove(&ctx, &tx, row).await?;
        }
        tx.commit().await?;
        if count > 0 {
            tracing::info!(count, "gave up uploads without progress");
            env.work.notify_one();
        }
        if last {
            return Ok(());
        }
    }
}

/// Lets go of what the process that died was writing. On SQLite there is no other process; on PostgreSQL
/// there may be, and its leases end by themselves.
pub async fn recover(env: &Env) -> Result<()> {
    if env.db.is_sqlite() {
        upload::Entity::update_many()
            .col_expr(upload::Column::Lease, Expr::value(Option::<String>::None))
            .col_expr(upload::Column::LeasedUntil, Expr::value(0_i64))
            .filter(upload::COLUMN.lease.is_not_null())
            .exec(env.db.write())
            .await?;
    }
    Ok(())
}

/// The names in the staging area that uploads hold.
pub(in crate::files) async fn named(env: &Env) -> Result<HashSet<String>> {
    let names: Vec<String> = upload::Entity::find()
        .select_only()
        .column(upload::Column::Name)
        .filter(upload::COLUMN.name.is_not_null())
        .into_tuple()
        .all(env.db.read())
        .await?;
    Ok(names.into_iter().collect())
}
