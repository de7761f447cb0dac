//! Begins uploads, and says what an announced file must come to.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{Checksum, Shape, Upload, expiry, find, too_large};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::discard_staged,
    error::{Error, Problem, Result},
    files::{
        NewFile, lock_files, quota,
        receive::{refuse_completed, staging_name},
        row,
        start::{announce as announce_rows, start},
    },
    ids::{FileKey, RecordId},
    store::{object::PartPlan, table::upload::upload},
};

/// An upload by tus.
#[derive(Debug, Clone)]
pub struct NewUpload {
    pub draft: RecordId,
    /// Of the file; none for a part of a concatenation.
    pub key: Option<FileKey>,
    /// In bytes; may be told later.
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
    /// `Upload-Metadata` as it was sent.
    pub metadata: Option<String>,
    /// `Upload-Concat` as it was sent, of what is put together from partial uploads.
    pub sources: Option<String>,
}

/// What a client says of a file it announces.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In bytes.
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
    /// It comes in parts.
    pub parts: Option<NewPlan>,
}

/// How a client means to cut a file.
#[derive(Debug, Clone, Copy)]
pub struct NewPlan {
    pub parts: u32,
    /// In bytes; as even as can be when it is not said.
    pub part_size: Option<u64>,
}

/// Begins an upload and announces its file. What was under way for that file before is given up, unless
/// somebody is writing to it right now.
pub async fn begin(ctx: &Ctx, new: NewUpload) -> Result<Upload> {
    let most = ctx.env.config.max_file_size;
    if new.size.is_some_and(|n| n > most) {
        return Err(too_large(most));
    }
    let shape = match (&new.key, &new.sources) {
        (_, Some(_)) => Shape::Final,
        (None, None) => Shape::Partial,
        (Some(_), None) => Shape::Tus,
    };
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, &new.draft).await?;
    if let Some(key) = &new.key {
        let file = NewFile {
            key: key.clone(),
            metadata: serde_json::Value::Null,
        };
        announce_rows(ctx, &tx, &loaded, &new.draft, vec![file]).await?;
        supersede(ctx, &tx, &new.draft, key).await?;
    }
    quota::require(ctx, &tx, &loaded, 0, new.size.unwrap_or(1)).await?;
    let row = upload::Model {
        size: new.size.map(|n| n as i64),
        name: Some(staging_name(ctx)?),
        checksum: new.checksum.map(|c| c.to_string()),
        metadata: new.metadata,
        sources: new.sources,
        ..fresh(ctx, &new.draft, new.key.as_ref(), shape)?
    };
    insert(&tx, row.clone()).await?;
    tx.commit().await?;
    Ok(Upload { row })
}

/// Announces files, all or none, and keeps what the client said of each: size and checksum to hold its bytes
/// against, or that it comes in parts.
pub async fn announce(ctx: &Ctx, id: &RecordId, new: Vec<(NewFile, Plan)>) -> Result<u64> {
    let most = ctx.env.config.max_file_size;
    for (_, plan) in &new {
        if plan.size.is_some_and(|n| n > most) {
            return Err(too_large(most));
        }
        if let Some(cut) = plan.parts {
            checked(cut, plan.size)?;
        }
    }
    let (files, plans): (Vec<NewFile>, Vec<_>) = new
        .into_iter()
        .map(|(file, plan)| (file.clone(), (file.key, plan)))
        .unzip();
    let count = start(ctx, id, files).await?;
    let (in_parts, at_once): (Vec<_>, Vec<_>) = plans
        .into_iter()
        .partition(|(_, plan)| plan.parts.is_some());
    declare(ctx, id, at_once).await?;
    for (key, plan) in in_parts {
        if let (Some(cut), size) = (plan.parts, plan.size) {
            begin_parts(ctx, id, &key, checked(cut, size)?, plan.checksum).await?;
        }
    }
    Ok(count)
}

/// Keeps what was said of files that come at once.
async fn declare(ctx: &Ctx, id: &RecordId, plans: Vec<(FileKey, Plan)>) -> Result<()> {
    let said = plans
        .into_iter()
        .filter(|(_, plan)| plan.size.is_some() || plan.checksum.is_some());
    let mut rows = Vec::new();
    let mut keys = Vec::new();
    for (key, plan) in said {
        rows.push(upload::ActiveModel::from(upload::Model {
            size: plan.size.map(|n| n as i64),
            checksum: plan.checksum.map(|c| c.to_string()),
            // Nothing came yet that could be given up.
            expires: i64::MAX,
            ..fresh(ctx, id, Some(&key), Shape::Put)?
        }));
        keys.push(key);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let tx = ctx.env.db.begin().await?;
    lock_files(ctx, &tx, id).await?;
    let before: HashSet<Option<String>> = upload::Entity::find()
        .select_only()
        .column(upload::Column::Key)
        .filter(upload::COLUMN.draft_id.eq(id.as_str()))
        .into_tuple()
        .all(&tx)
        .await?
        .into_iter()
        .collect();
    for key in keys {
        if before.contains(&Some(key.to_string())) {
            supersede(ctx, &tx, id, &key).await?;
        }
    }
    for some in rows.chunks(500) {
        upload::Entity::insert_many(some.to_vec())
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Begins an upload in parts. Beginning the same again changes nothing, so that an answer may get lost.
async fn begin_parts(
    ctx: &Ctx,
    id: &RecordId,
    key: &FileKey,
    cut: PartPlan,
    checksum: Option<Checksum>,
) -> Result<()> {
    let checksum = checksum.map(|c| c.to_string());
    if let Some(before) = find(ctx.env.db.read(), id, key).await?
        && (before.plan(), &before.row.checksum) == (Some(cut), &checksum)
    {
        return Ok(());
    }
    // The store may be far away: not inside the transaction.
    let name = staging_name(ctx)?;
    let row = upload::Model {
        size: Some(cut.size as i64),
        checksum,
        handle: Some(ctx.env.objects.begin_parts(&name, cut).await?),
        part_size: Some(cut.part_size as i64),
        name: Some(name.clone()),
        ..fresh(ctx, id, Some(key), Shape::Parts)?
    };
    let kept = async {
        let tx = ctx.env.db.begin().await?;
        let loaded = lock_files(ctx, &tx, id).await?;
        refuse_completed(&self::row(&tx, id, key).await?)?;
        supersede(ctx, &tx, id, key).await?;
        quota::require(ctx, &tx, &loaded, 0, cut.size).await?;
        insert(&tx, row).await?;
        tx.commit().await?;
        Ok(())
    };
    let kept = kept.await;
    if kept.is_err()
        && let Err(left) = ctx.env.objects.discard(&name).await
    {
        tracing::warn!(%name, error = %left, "an upload in parts is left for the sweep");
    }
    kept
}

/// The upload of a file that comes by PUT with `Content-Range`, begun if it is not.
pub async fn put(ctx: &Ctx, id: &RecordId, key: &FileKey, total: u64) -> Result<Upload> {
    let most = ctx.env.config.max_file_size;
    if total > most {
        return Err(too_large(most));
    }
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    refuse_completed(&self::row(&tx, id, key).await?)?;
    let before = find(&tx, id, key).await?;
    let mut checksum = None;
    if let Some(before) = before {
        match before.shape() {
            Shape::Parts => return Err(Error::bad_request("transfer-multipart")),
            Shape::Put if before.row.name.is_some() && before.size() == Some(total) => {
                return Ok(before);
            }
            Shape::Put => {
                let declared_only = before.row.name.is_none();
                if declared_only && before.size().is_some_and(|size| size != total) {
                    return Err(wrong_size(before.size().unwrap_or(0), total));
                }
                checksum = before.row.checksum;
            }
            _ => {}
        }
    }
    supersede(ctx, &tx, id, key).await?;
    quota::require(ctx, &tx, &loaded, 0, total).await?;
    let row = upload::Model {
        size: Some(total as i64),
        name: Some(staging_name(ctx)?),
        checksum,
        ..fresh(ctx, id, Some(key), Shape::Put)?
    };
    insert(&tx, row.clone()).await?;
    tx.commit().await?;
    Ok(Upload { row })
}

/// How far a file has come that is sent by PUT with `Content-Range`. `None`: it is whole.
pub async fn how_far(ctx: &Ctx, id: &RecordId, key: &FileKey, total: u64) -> Result<Option<u64>> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Edit).await?;
    let file = row(db, id, key).await?;
    if (file.staged.is_some() || file.content.is_some()) && file.size == Some(total as i64) {
        return Ok(None);
    }
    match find(db, id, key).await? {
        Some(upload) if upload.shape() == Shape::Parts => {
            Err(Error::bad_request("transfer-multipart"))
        }
        Some(upload) if upload.shape() == Shape::Put && upload.size() == Some(total) => {
            Ok(Some(upload.arrived()))
        }
        _ => Ok(Some(0)),
    }
}

/// Gives up what is under way for a file.
pub(in crate::files) async fn supersede(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    id: &RecordId,
    key: &FileKey,
) -> Result<()> {
    let Some(before) = find(tx, id, key).await? else {
        return Ok(());
    };
    if before.row.lease.is_some() && before.row.leased_until >= ctx.micros() {
        return Err(Error::conflict("upload-busy"));
    }
    discard_staged(ctx, tx, before.row.name.into_iter().collect()).await?;
    upload::Entity::delete_by_id(before.row.id).exec(tx).await?;
    Ok(())
}

fn fresh(ctx: &Ctx, id: &RecordId, key: Option<&FileKey>, shape: Shape) -> Result<upload::Model> {
    Ok(upload::Model {
        id: staging_name(ctx)?,
        draft_id: id.to_string(),
        key: key.map(ToString::to_string),
        account_id: ctx.person().map(|p| p.id.0),
        kind: shape.name().to_owned(),
        status: "open".to_owned(),
        name: None,
        size: None,
        arrived: 0,
        state: None,
        part_size: None,
        handle: None,
        checksum: None,
        metadata: None,
        sources: None,
        lease: None,
        leased_until: 0,
        expires: expiry(ctx),
        created: ctx.micros(),
        updated: ctx.micros(),
    })
}

async fn insert(tx: &impl ConnectionTrait, row: upload::Model) -> Result<()> {
    upload::Entity::insert(upload::ActiveModel::from(row))
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// A plan that fits the size.
fn checked(new: NewPlan, size: Option<u64>) -> Result<PartPlan> {
    let size = size.ok_or_else(|| Error::invalid("size-missing", "size"))?;
    let part_size = new
        .part_size
        .unwrap_or_else(|| size.div_ceil(u64::from(new.parts.max(1))));
    let plan = PartPlan { size, part_size };
    if part_size == 0 || size == 0 || plan.count() != new.parts || new.parts > super::MOST_PARTS {
        let problem = Problem::new("parts-plan", "transfer")
            .with("parts", new.parts)
            .with("size", size)
            .with("part_size", part_size)
            .with("most", super::MOST_PARTS);
        return Err(Error::Invalid(vec![problem]));
    }
    Ok(plan)
}

pub(super) fn wrong_size(declared: u64, received: u64) -> Error {
    let problem = Problem::new("file-size", "")
        .with("declared", declared)
        .with("received", received);
    Error::BadRequest(problem)
}
