//! Confirms a file whose bytes have come, putting together what came in parts.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    ctx::Ctx,
    deposit::File,
    error::{Error, Problem, Result},
    files::{lock_files, row, upload},
    ids::{FileKey, RecordId},
    store::table::deposit::draft_file,
};

/// Completes a file. Confirming twice is the same as once.
pub async fn commit(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<File> {
    if upload::comes_in_parts(ctx, id, key).await? {
        return Box::pin(upload::join(ctx, id, key)).await;
    }
    let tx = ctx.env.db.begin().await?;
    lock_files(ctx, &tx, id).await?;
    let before = row(&tx, id, key).await?;
    if before.status == "completed" {
        return Ok(before.into());
    }
    if before.staged.is_none() {
        let problem = Problem::new("file-not-received", "").with("key", key);
        return Err(Error::BadRequest(problem));
    }
    let change = draft_file::ActiveModel {
        draft_id: Set(before.draft_id),
        key: Set(before.key),
        status: Set("completed".to_owned()),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    let after = draft_file::Entity::update(change).exec(&tx).await?;
    tx.commit().await?;
    Ok(after.into())
}
