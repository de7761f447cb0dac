//! The end of an upload: its file has the bytes, or they are given up.

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{Checksum, Lease, Shape, Upload, begin::wrong_size, expiry};
use crate::{
    ctx::Ctx,
    deposit::discard_staged,
    error::{Error, Problem, Result},
    files::{
        lock_files,
        receive::{name_bytes, refuse_completed, staging_name},
        row,
    },
    store::{
        object::Received,
        table::{
            deposit::draft_file,
            upload::{upload, upload_part},
        },
    },
};

/// What a client declared of a file, held against what is announced of its bytes (`length`) before they come.
pub(in crate::files) fn verify(upload: Option<&Upload>, length: Option<u64>) -> Result<()> {
    let Some(upload) = upload else { return Ok(()) };
    if upload.shape() == Shape::Parts {
        return Err(Error::bad_request("transfer-multipart"));
    }
    match (declared_size(upload), length) {
        (Some(declared), Some(length)) if declared != length => Err(wrong_size(declared, length)),
        _ => Ok(()),
    }
}

/// The same when they have come.
pub(in crate::files) fn check_whole(upload: Option<&Upload>, received: &Received) -> Result<()> {
    let Some(upload) = upload else { return Ok(()) };
    if let Some(declared) = declared_size(upload)
        && declared != received.size
    {
        return Err(wrong_size(declared, received.size));
    }
    match &upload.row.checksum {
        None => Ok(()),
        Some(text) => {
            let declared: Checksum = text
                .parse()
                .map_err(|e| Error::internal("a declared checksum does not parse", e))?;
            let wrong = Problem::new("file-checksum", "");
            declared.require(&received.sha256, &received.md5, wrong)
        }
    }
}

/// Said when it was announced; what a request with `Content-Range` said holds for its own kind only.
fn declared_size(upload: &Upload) -> Option<u64> {
    match upload.row.name {
        None => upload.size(),
        Some(_) => None,
    }
}

/// Ends an upload whose bytes are whole and durable under its name. Bytes that are not what was declared are
/// given up, and the upload begins again from nothing.
pub(super) async fn complete(
    ctx: &Ctx,
    lease: &Lease,
    mut upload: Upload,
    received: &Received,
) -> Result<Upload> {
    let name = upload.name()?.to_owned();
    if let Err(wrong) = check_whole(Some(&upload), received) {
        ctx.env.objects.discard(&name).await?;
        begin_again(ctx, lease, &upload).await?;
        return Err(wrong);
    }
    if let Err(e) = record(ctx, lease, &upload, &name, received).await {
        if !matches!(e, Error::Internal(_) | Error::Unavailable(_)) {
            // The draft moved on while the bytes came; nobody will ask for them.
            ctx.env.objects.discard(&name).await?;
        }
        return Err(e);
    }
    upload.row.arrived = received.size as i64;
    "done".clone_into(&mut upload.row.status);
    Ok(upload)
}

async fn record(
    ctx: &Ctx,
    lease: &Lease,
    upload: &Upload,
    name: &str,
    received: &Received,
) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let id = upload.draft()?;
    lock_files(ctx, &tx, &id).await?;
    let shape = upload.shape();
    let whose = if shape == Shape::Partial {
        Some(name.to_owned())
    } else {
        let key = upload.file_key()?;
        let before = row(&tx, &id, &key).await?;
        refuse_completed(&before)?;
        // By PUT there is a third step, as without it.
        name_bytes(ctx, &tx, before, name, received, shape != Shape::Put).await?;
        None
    };
    let ours = if matches!(shape, Shape::Put | Shape::Parts) {
        upload::Entity::delete_many()
            .filter(upload::COLUMN.id.eq(upload.id()))
            .filter(upload::COLUMN.lease.eq(lease.secret.clone()))
            .exec(&tx)
            .await?
            .rows_affected
    } else {
        // Stays for a while, for a client that did not hear the end.
        upload::Entity::update_many()
            .col_expr(upload::Column::Status, Expr::value("done"))
            .col_expr(upload::Column::Name, Expr::value(whose))
            .col_expr(upload::Column::State, Expr::value(Option::<String>::None))
            .col_expr(upload::Column::Lease, Expr::value(Option::<String>::None))
            .col_expr(upload::Column::Arrived, Expr::value(received.size as i64))
            .col_expr(upload::Column::Expires, Expr::value(expiry(ctx)))
            .col_expr(upload::Column::Updated, Expr::value(ctx.micros()))
            .filter(upload::COLUMN.id.eq(upload.id()))
            .filter(upload::COLUMN.lease.eq(lease.secret.clone()))
            .exec(&tx)
            .await?
            .rows_affected
    };
    if ours == 0 {
        return Err(Error::conflict("upload-busy"));
    }
    tx.commit().await?;
    Ok(())
}

async fn begin_again(ctx: &Ctx, lease: &Lease, upload: &Upload) -> Result<()> {
    upload::Entity::update_many()
        .col_expr(upload::Column::Arrived, Expr::value(0_i64))
        .col_expr(upload::Column::State, Expr::value(Option::<String>::None))
        .col_expr(upload::Column::Updated, Expr::value(ctx.micros()))
        .filter(upload::COLUMN.id.eq(upload.id()))
        .filter(upload::COLUMN.lease.eq(lease.secret.clone()))
        .exec(ctx.env.db.write())
        .await?;
    Ok(())
}

/// Gives an upload up, and the file that waits for it. A file that has its bytes keeps them.
pub async fn abandon(ctx: &Ctx, given: &Upload) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let id = given.draft()?;
    lock_files(ctx, &tx, &id).await?;
    let Some(row) = upload::Entity::find_by_id(given.id()).one(&tx).await? else {
        return Ok(());
    };
    if row.lease.is_some() && row.leased_until >= ctx.micros() {
        return Err(Error::conflict("upload-busy"));
    }
    remove(ctx, &tx, row).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

/// Takes an upload out, with its bytes and the file that it announced.
pub(super) async fn remove(ctx: &Ctx, tx: &impl ConnectionTrait, row: upload::Model) -> Result<()> {
    discard_staged(ctx, tx, row.name.into_iter().collect()).await?;
    if let Some(key) = row.key
        && row.status != "done"
        && matches!(row.kind.as_str(), "tus" | "final")
    {
        draft_file::Entity::delete_many()
            .filter(draft_file::COLUMN.draft_id.eq(&row.draft_id))
            .filter(draft_file::COLUMN.key.eq(key))
            .filter(draft_file::COLUMN.status.eq("pending"))
            .filter(draft_file::COLUMN.staged.is_null())
            .exec(tx)
            .await?;
    }
    upload::Entity::delete_by_id(row.id).exec(tx).await?;
    Ok(())
}

/// New bytes for an upload in parts, under a new name: what came before was not what was declared.
pub(super) async fn parts_again(ctx: &Ctx, lease: &Lease, upload: &Upload) -> Result<()> {
    let Some(plan) = upload.plan() else {
        return Ok(());
    };
    let name = staging_name(ctx)?;
    let handle = ctx.env.objects.begin_parts(&name, plan).await?;
    let tx = ctx.env.db.begin().await?;
    upload_part::Entity::delete_many()
        .filter(upload_part::COLUMN.upload_id.eq(upload.id()))
        .exec(&tx)
        .await?;
    let change = upload::ActiveModel {
        id: Set(upload.id().to_owned()),
        name: Set(Some(name)),
        handle: Set(Some(handle)),
        lease: Set(Some(lease.secret.clone())),
        ..Default::default()
    };
    upload::Entity::update(change).exec(&tx).await?;
    tx.commit().await?;
    Ok(())
}
