//! Gives a new version the files of the one before it, without moving a byte.

use crate::{
    ctx::Ctx,
    deposit,
    error::{Error, Kind, Result},
    files::lock_files,
    ids::RecordId,
};

/// Takes over the files of the newest published version. Files the draft has already stay.
pub async fn import_previous(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    let previous = loaded
        .parent
        .latest
        .as_deref()
        .ok_or_else(|| Error::not_found(Kind::Record, id))?;
    deposit::import(ctx, &tx, previous, id.as_str()).await?;
    tx.commit().await?;
    Ok(())
}
