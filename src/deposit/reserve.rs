//! Reserves a DOI for a draft, so that it can be printed in a paper before the data are public.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::{Draft, held::held, read::assemble},
    error::{Error, Kind, Result},
    ids::{Doi, RecordId},
    store::table::deposit::draft,
};

/// Gives the draft the DOI it will have. Reserving twice is refused, as the dialect does.
pub async fn reserve_doi(ctx: &Ctx, id: &RecordId) -> Result<Draft> {
    change(ctx, id, |draft| {
        if draft.doi.is_some() {
            return Err(Error::invalid("doi-already", "pids.doi"));
        }
        Ok(Some((
            Doi::for_record(&ctx.env.config.doi_prefix, id).into_string(),
            "local".to_owned(),
        )))
    })
    .await
}

/// Lets go of a reserved or given DOI. A published version keeps its own for ever.
pub async fn release_doi(ctx: &Ctx, id: &RecordId) -> Result<Draft> {
    change(ctx, id, |draft| {
        if draft.published {
            return Err(Error::conflict("doi-published"));
        }
        if draft.doi.is_none() {
            return Err(Error::not_found(Kind::Doi, id));
        }
        Ok(None)
    })
    .await
}

async fn change(
    ctx: &Ctx,
    id: &RecordId,
    decide: impl Fn(&draft::Model) -> Result<Option<(String, String)>>,
) -> Result<Draft> {
    let tx = ctx.env.db.begin().await?;
    let loaded = access::lock_draft(ctx, &tx, id, Action::Edit).await?;
    let (doi, provider) = decide(&loaded.draft)?.unzip();
    let row = draft::ActiveModel {
        id: Set(loaded.draft.id),
        doi: Set(doi),
        doi_provider: Set(provider),
        revision: Set(loaded.draft.revision + 1),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    let row = draft::Entity::update(row).exec(&tx).await?;
    let files = held(&tx, id.as_str()).await?;
    tx.commit().await?;
    Ok(assemble(ctx, row, loaded.parent, files, Vec::new()))
}
