//! Parts, in any order and at once.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

use super::{Checksum, Upload, expiry, find};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Kind, Problem, Result},
    files::refuse_frozen,
    ids::{FileKey, RecordId},
    store::{
        object::{PartPlan, ReceivedPart},
        table::upload::{upload, upload_part},
    },
};

/// How long an address of a part is good: the longest that S3 signs for.
const VALID: Duration = Duration::from_hours(7 * 24);

/// Where a part is to be sent.
#[derive(Debug, Clone)]
pub struct PartLink {
    /// From 1.
    pub number: u32,
    /// Straight to the store; none where the part comes here.
    pub url: Option<String>,
}

/// Takes a part. A part that was there is replaced.
pub async fn receive_part<S>(
    ctx: &Ctx,
    id: &RecordId,
    key: &FileKey,
    number: u32,
    mut body: S,
    length: Option<u64>,
    checksum: Option<&Checksum>,
) -> Result<ReceivedPart>
where
    S: Stream<Item = Result<Bytes>> + Unpin,
{
    let db = ctx.env.db.read();
    refuse_frozen(&access::load_draft(ctx, db, id, Action::Edit).await?)?;
    let (upload, plan) = in_parts(ctx, id, key).await?;
    let (name, handle) = (upload.name()?, handle(&upload));
    // Asked before a byte is read.
    let range = plan.range(number);
    let expected = range.end - range.start;
    if let Some(length) = length
        && expected > 0
        && length != expected
    {
        let problem = Problem::new("part-length", "")
            .with("expected", expected)
            .with("received", length);
        return Err(Error::BadRequest(problem));
    }
    let mut receiver = ctx
        .env
        .objects
        .receive_part(name, handle, plan, number)
        .await?;
    // What was there counts no more: the store may have begun to overwrite it.
    upload_part::Entity::delete_by_id((upload.row.id.clone(), i64::from(number)))
        .exec(ctx.env.db.write())
        .await?;
    while let Some(bytes) = body.next().await {
        receiver.write(bytes?).await?;
    }
    let part = receiver.finish().await?;
    if let Some(checksum) = checksum {
        let at = Problem::new("part-checksum", "").with("number", number);
        checksum.require(&part.sha256, &part.md5, at)?;
    }
    note(ctx, &upload, number, &part).await?;
    Ok(part)
}

/// Writes down that a part is there, if its upload still is.
async fn note(ctx: &Ctx, upload: &Upload, number: u32, part: &ReceivedPart) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let going = upload::Entity::update_many()
        .col_expr(upload::Column::Expires, Expr::value(expiry(ctx)))
        .col_expr(upload::Column::Updated, Expr::value(ctx.micros()))
        .filter(upload::COLUMN.id.eq(upload.id()))
        .filter(upload::COLUMN.name.eq(upload.name()?))
        .exec(&tx)
        .await?;
    if going.rows_affected == 0 {
        return Err(Error::not_found(Kind::Upload, upload.id()));
    }
    upload_part::Entity::delete_by_id((upload.row.id.clone(), i64::from(number)))
        .exec(&tx)
        .await?;
    let row = upload_part::Model {
        upload_id: upload.row.id.clone(),
        number: i64::from(number),
        size: part.size as i64,
        sha256: part.sha256.to_hex(),
        md5: part.md5.to_hex(),
        tag: part.tag.clone(),
        created: ctx.micros(),
    };
    upload_part::Entity::insert(upload_part::ActiveModel::from(row))
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Where each part is to be sent.
pub async fn links(ctx: &Ctx, upload: &Upload) -> Result<Vec<PartLink>> {
    let Some(plan) = upload.plan() else {
        return Ok(Vec::new());
    };
    let (name, handle) = (upload.name()?, handle(upload));
    let mut links = Vec::with_capacity(plan.count() as usize);
    for number in 1..=plan.count() {
        let url = ctx
            .env
            .objects
            .part_url(name, handle, number, VALID)
            .await?;
        links.push(PartLink { number, url });
    }
    Ok(links)
}

/// The parts that are there, by number: number, size in bytes, tag.
pub async fn received(ctx: &Ctx, upload: &Upload) -> Result<Vec<(u32, u64, String)>> {
    let Some(plan) = upload.plan() else {
        return Ok(Vec::new());
    };
    let (name, handle) = (upload.name()?, handle(upload));
    let direct = ctx.env.objects.part_url(name, handle, 1, VALID).await?;
    if direct.is_some() {
        // Parts may have gone there past us.
        return ctx.env.objects.arrived(name, handle, plan).await;
    }
    let rows = upload_part::Entity::find()
        .filter(upload_part::COLUMN.upload_id.eq(upload.id()))
        .order_by_asc(upload_part::Column::Number)
        .all(ctx.env.db.read())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.number as u32, row.size as u64, row.tag))
        .collect())
}

/// The upload in parts of a file.
pub(super) async fn in_parts(
    ctx: &Ctx,
    id: &RecordId,
    key: &FileKey,
) -> Result<(Upload, PartPlan)> {
    let found = find(ctx.env.db.read(), id, key).await?;
    found
        .and_then(|upload| {
            let plan = upload.plan()?;
            Some((upload, plan))
        })
        .ok_or_else(|| Error::not_found(Kind::Upload, key))
}

pub(super) fn handle(upload: &Upload) -> &str {
    upload.row.handle.as_deref().unwrap_or_default()
}
