//! Writes down that an embargo's day has come. Readers did not wait for it (`Access::effective`); the
//! index's facets and the harvesters' copies do.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    access,
    ctx::Ctx,
    error::{Error, Result},
    ids::RecordId,
    publish::{announce, harvest},
    store::table::record::record,
};

/// Lifts the embargo of a version if its day has come; otherwise does nothing.
pub async fn lift_embargo(ctx: &Ctx, id: &RecordId) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let Some(row) = record::Entity::find_by_id(id.as_str()).one(&tx).await? else {
        return Ok(());
    };
    let stored = access::parse(&row.access);
    let now = stored.effective(ctx.today());
    if now == stored {
        return Ok(());
    }
    let text =
        serde_json::to_string(&now).map_err(|e| Error::internal("access does not serialise", e))?;
    let change = record::ActiveModel {
        id: Set(row.id.clone()),
        access: Set(text),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    record::Entity::update(change).exec(&tx).await?;
    harvest::write(ctx, &tx, &row.id).await?;
    announce(ctx, &tx, &[&row.id]).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}
