//! Tells the registrar of a version's DOI and of its concept's. A job: repeated until it succeeds.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    ctx::Ctx,
    error::Result,
    formats,
    ids::RecordId,
    publish::{harvest, must},
    store::{doi::Registration, table::record::record},
};

/// Registers what is not yet registered. Idempotent; a withdrawn record's DOI leads to its tombstone,
/// which has the same address.
pub async fn register_doi(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let db = ctx.env.db.read();
    let row = must(record::Entity::find_by_id(id.as_str()), db, id.as_str()).await?;
    let described = harvest::describe(ctx, db, &row).await?;
    let base = &ctx.env.config.base_url;
    let mut state = "none";
    if let Some(doi) = &described.doi {
        let url = format!("{base}/records/{id}");
        let xml = formats::datacite_xml(&described);
        state = ctx
            .env
            .registrar
            .publish(&Registration {
                doi: doi.clone(),
                url,
                xml,
            })
            .await?;
    }
    if let (Some(doi), true) = (&described.parent_doi, row.is_latest) {
        let url = format!("{base}/records/{}", row.parent_id);
        let xml = formats::datacite_xml(&described.as_concept());
        ctx.env
            .registrar
            .publish(&Registration {
                doi: doi.clone(),
                url,
                xml,
            })
            .await?;
    }
    let mark = record::ActiveModel {
        id: Set(row.id),
        doi_state: Set(state.to_owned()),
        ..Default::default()
    };
    record::Entity::update(mark)
        .exec(ctx.env.db.write())
        .await?;
    Ok(())
}
