//! Throws a draft away: an unpublished one with its files (and its concept, when nothing was ever
//! published), or the edit of a published version.

use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::held::staged_after,
    error::Result,
    ids::{FileKey, RecordId},
    jobs::{self, Job},
    store::table::{
        deposit::{draft, draft_file, parent},
        upload::upload,
    },
};

/// Rows looked at together.
const STEP: u64 = 5_000;

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
    remove_files(ctx, tx, id).await?;
    draft::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// Removes the rows of a draft's files, however many, and leaves their staged bytes to jobs.
pub(crate) async fn remove_files(ctx: &Ctx, tx: &impl ConnectionTrait, id: &str) -> Result<()> {
    let mut after = String::new();
    loop {
        let some = staged_after(tx, id, &after, STEP).await?;
        let Some((last, _)) = some.last() else { break };
        after.clone_from(last);
        let names = some.into_iter().filter_map(|(_, staged)| staged).collect();
        discard_staged(ctx, tx, names).await?;
    }
    discard_uploads(ctx, tx, id, None).await?;
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
