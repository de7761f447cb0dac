//! Removes files from a draft. Bytes in the archive are untouched: another version holds them.

use sea_orm::EntityTrait;

use crate::{
    ctx::Ctx,
    deposit::{discard_staged, discard_uploads, file_rows, remove_file_rows},
    error::Result,
    files::{lock_files, row},
    ids::{FileKey, RecordId},
    store::table::deposit::draft_file,
};

/// Removes one file.
pub async fn remove(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    lock_files(ctx, &tx, id).await?;
    let found = row(&tx, id, key).await?;
    draft_file::Entity::delete_by_id((found.draft_id, found.key))
        .exec(&tx)
        .await?;
    discard_staged(ctx, &tx, found.staged.into_iter().collect()).await?;
    discard_uploads(ctx, &tx, id.as_str(), Some(key)).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes all files of a draft.
pub async fn remove_all(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    lock_files(ctx, &tx, id).await?;
    let names = file_rows(&tx, id.as_str())
        .await?
        .into_iter()
        .filter_map(|f| f.staged)
        .collect();
    discard_staged(ctx, &tx, names).await?;
    discard_uploads(ctx, &tx, id.as_str(), None).await?;
    remove_file_rows(&tx, id.as_str()).await?;
    tx.commit().await?;
    Ok(())
}
