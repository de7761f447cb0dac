//! Undoes publications that a crash cut off: an archive version that no row lists is removed, and the
//! draft is a draft again, with all its files still staged.

use sea_orm::EntityTrait;

use crate::{ctx::Env, error::Result, store::table::deposit::parent};

/// Looks only where the archive noted that a write began, so that a start on millions of records costs
/// nothing. Gives how many were undone.
pub async fn recover(env: &Env) -> Result<usize> {
    let undone = env
        .archive
        .recover(|object| async move {
            let Some(parent) = object.parent() else {
                return Ok(0);
            };
            let row = parent::Entity::find_by_id(parent.as_str())
                .one(env.db.read())
                .await?;
            Ok(row.map_or(0, |row| row.archive_head as u32))
        })
        .await?;
    if undone > 0 {
        tracing::info!(undone, "looked after publications that were cut off");
    }
    Ok(undone)
}
