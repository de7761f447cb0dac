//! Replaces what a draft says. Its files stay.

use sea_orm::EntityTrait;

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::{
        Draft, NewDraft,
        create::{check_size, external_doi, overwrite},
        held::held,
        read::assemble,
    },
    error::{Error, Result},
    ids::RecordId,
    store::table::deposit::draft,
};

/// Replaces a draft whole. With `expected`, only if it is still at that revision.
pub async fn replace(
    ctx: &Ctx,
    id: &RecordId,
    expected: Option<i64>,
    new: NewDraft,
) -> Result<Draft> {
    check_size(&new)?;
    let doi = external_doi(ctx, &new)?;
    let tx = ctx.env.db.begin().await?;
    let loaded = access::lock_draft(ctx, &tx, id, Action::Edit).await?;
    if let Some(expected) = expected
        && expected != loaded.draft.revision
    {
        return Err(Error::Stale {
            current: loaded.draft.revision,
        });
    }
    let change = overwrite(loaded.draft, &new, doi, ctx.micros());
    let row = draft::Entity::update(change).exec(&tx).await?;
    let files = held(&tx, id.as_str()).await?;
    tx.commit().await?;
    Ok(assemble(ctx, row, loaded.parent, files, new.unknown))
}
