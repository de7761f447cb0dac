//! Throws a draft away: an unpublished one with its files (and its concept, when nothing was ever
//! published), or the edit of a published version.

use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::read::file_rows,
    error::Result,
    ids::{FileKey, RecordId},
    jobs::{self, Job},
    store::table::{
        deposit::{draft, draft_file, parent},
        upload::upload,
    },
};

/// Discards the draft of an id.
pub async fn discard(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let loaded = access::lock_draft(ctx, &tx, id, Action::Edit).await?;
    remove(ctx, &tx, id.as_str()).await?;
    if loaded.parent.versions == 0 {
        parent::Entity::delete_by_id(loaded.parent.id)
            .exec(&tx)
            .await?;
    }
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

/// Removes a draft's rows and leaves its staged bytes to a job: a disk is not a transaction.
pub(crate) async fn remove(ctx: &Ctx, tx: &impl ConnectionTrait, id: &str) -> Result<()> {
    let names: Vec<String> = file_rows(tx, id)
        .await?
        .into_iter()
        .filter_map(|f| f.staged)
        .collect();
    discard_staged(ctx, tx, names).await?;
    discard_uploads(ctx, tx, id, None).await?;
    remove_file_rows(tx, id).await?;
    draft::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

pub(crate) async fn remove_file_rows(tx: &impl ConnectionTrait, id: &str) -> Result<()> {
    draft_file::Entity::delete_many()
        .filter(draft_file::COLUMN.draft_id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Gives up what is under way for one file of a draft, or for all and whatever belongs to none.
pub(crate) async fn discard_uploads(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    id: &str,
    key: Option<&FileKey>,
) -> Result<()> {
    let mut which = upload::Entity::find().filter(upload::COLUMN.draft_id.eq(id));
    if let Some(key) = key {
        which = which.filter(upload::COLUMN.key.eq(key.as_str()));
    }
    let mut names = Vec::new();
    for row in which.all(tx).await? {
        names.extend(row.name);
        upload::Entity::delete_by_id(row.id).exec(tx).await?;
    }
    discard_staged(ctx, tx, names).await
}

/// Enqueues the removal of staged bytes, in jobs of a bounded size.
pub(crate) async fn discard_staged(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    names: Vec<String>,
) -> Result<()> {
    for some in names.chunks(500) {
        jobs::enqueue(
            ctx,
            tx,
            &Job::DiscardStaged {
                names: some.to_vec(),
            },
        )
        .await?;
    }
    Ok(())
}
