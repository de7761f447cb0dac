//! Removes staged bytes that no draft and no upload names: uploads that broke off, and what a crash kept from being
//! discarded.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use sea_orm::{EntityTrait, QueryFilter, QuerySelect};

use crate::{ctx::Env, error::Result, files::upload, store::table::deposit::draft_file};

/// Nothing younger is touched: an upload may stand still for a while, and its row comes after its bytes.
const AGE: Duration = Duration::from_hours(24);

/// Sweeps the staging area once.
pub async fn sweep(env: &Env) -> Result<()> {
    let before = SystemTime::from(env.now()) - AGE;
    upload::sweep(env).await?;
    let mut named: HashSet<String> = draft_file::Entity::find()
        .select_only()
        .column(draft_file::Column::Staged)
        .filter(draft_file::COLUMN.staged.is_not_null())
        .into_tuple()
        .all(env.db.read())
        .await?
        .into_iter()
        .collect();
    named.extend(upload::named(env).await?);
    let removed = env
        .objects
        .sweep(before, &|name| named.contains(name))
        .await?;
    if removed > 0 {
        tracing::info!(removed, "swept the staging area");
    }
    Ok(())
}
