//! Bytes in order: each request goes on where the last one stopped.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sea_orm::{EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use tokio::time::{Instant, timeout};

use super::{
    CHECKPOINT, Checksum, HEARTBEAT, Lease, Upload, checksum::Hasher, settle, to_its_end, too_large,
};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Problem, Result},
    files::quota,
    store::{object::Receiver, table::upload::upload},
};

/// Bytes to go on with.
#[derive(Debug)]
pub struct Chunk<S> {
    /// Where they belong; must be where the upload stands.
    pub offset: u64,
    pub body: S,
    /// What the client said it would send, in bytes.
    pub length: Option<u64>,
    /// Of these bytes. With it they count as a whole or not at all.
    pub checksum: Option<Checksum>,
}

/// Takes the bytes. Those that arrived before the line broke are kept. With the last of them the upload is
/// done and its file has them. Gives the upload as it is now.
pub async fn append<S>(ctx: &Ctx, upload: &Upload, chunk: Chunk<S>) -> Result<Upload>
where
    S: Stream<Item = Result<Bytes>> + Unpin + Send + 'static,
{
    check(ctx, upload, &chunk)?;
    if upload.size().is_none() {
        // Nothing was reserved for one whose length nobody knows.
        reserve(ctx, upload, chunk.length.unwrap_or(1)).await?;
    }
    let (ctx, id) = (ctx.clone(), upload.row.id.clone());
    // A connection that breaks takes the request with it, and what has come must still be written down.
    to_its_end(async move {
        let (lease, upload) = Lease::take(&ctx, &id).await?;
        let written = match check(&ctx, &upload, &chunk) {
            Ok(()) => write(&ctx, &lease, upload, chunk).await,
            Err(e) => Err(e),
        };
        if let Err(e) = lease.end(&ctx).await {
            tracing::warn!(%id, error = %e, "the lease of an upload ends by itself");
        }
        written
    })
    .await
}

/// Says how long an upload is that was begun without that.
pub async fn declare(ctx: &Ctx, upload: &Upload, size: u64) -> Result<Upload> {
    let most = ctx.env.config.max_file_size;
    if size > most {
        return Err(too_large(most));
    }
    match upload.size() {
        Some(known) if known == size => return Ok(upload.clone()),
        None if size >= upload.arrived() => {
            reserve(ctx, upload, size - upload.arrived()).await?;
        }
        _ => return Err(Error::bad_request("upload-length-changed")),
    }
    upload::Entity::update_many()
        .col_expr(upload::Column::Size, Expr::value(size as i64))
        .filter(upload::COLUMN.id.eq(&upload.row.id))
        .filter(Expr::col(upload::Column::Size).is_null())
        .exec(ctx.env.db.write())
        .await?;
    super::load(ctx, &upload.row.id).await
}

/// Is there room for these bytes beside what has arrived?
async fn reserve(ctx: &Ctx, upload: &Upload, more: u64) -> Result<()> {
    let db = ctx.env.db.read();
    let loaded = access::load_draft(ctx, db, &upload.draft()?, Action::Edit).await?;
    quota::require(ctx, db, &loaded, 0, more).await.map(|_| ())
}

fn check<S>(ctx: &Ctx, upload: &Upload, chunk: &Chunk<S>) -> Result<()> {
    if chunk.offset != upload.arrived() {
        let problem = Problem::new("upload-offset", "").with("offset", upload.arrived());
        return Err(Error::Conflict(problem));
    }
    let room = most(ctx, upload).saturating_sub(upload.arrived());
    if chunk.length.is_some_and(|n| n > room) {
        return Err(too_long(ctx, upload));
    }
    Ok(())
}

fn most(ctx: &Ctx, upload: &Upload) -> u64 {
    upload.size().unwrap_or(ctx.env.config.max_file_size)
}

fn too_long(ctx: &Ctx, upload: &Upload) -> Error {
    match upload.size() {
        Some(size) => Error::TooLarge(Problem::new("upload-too-long", "").with("size", size)),
        None => too_large(ctx.env.config.max_file_size),
    }
}

async fn write<S>(
    ctx: &Ctx,
    lease: &Lease,
    mut upload: Upload,
    mut chunk: Chunk<S>,
) -> Result<Upload>
where
    S: Stream<Item = Result<Bytes>> + Unpin,
{
    if upload.done() {
        // Asked again after the end, with nothing more to say.
        return Ok(upload);
    }
    let name = upload.name()?.to_owned();
    let store = &ctx.env.objects;
    let mut receiver = store.resume(&name, upload.progress().as_ref()).await?;
    let mut hasher = chunk.checksum.as_ref().map(|c| Hasher::of(c.algorithm()));
    let mut durable = receiver.size();
    let mut last = Instant::now();
    let broken = loop {
        match timeout(HEARTBEAT, chunk.body.next()).await {
            Ok(Some(Ok(bytes))) => {
                if receiver.size() + bytes.len() as u64 > most(ctx, &upload) {
                    return Err(too_long(ctx, &upload));
                }
                if let Some(hasher) = &mut hasher {
                    hasher.update(&bytes);
                }
                receiver.write(bytes).await?;
            }
            Ok(Some(Err(broken))) => break Some(broken),
            Ok(None) => break None,
            // Nothing came for a while; whoever waits for the rest is still here.
            Err(_) => {}
        }
        if last.elapsed() < HEARTBEAT && receiver.size() - durable < CHECKPOINT {
            continue;
        }
        last = Instant::now();
        // Bytes that may still turn out to be wrong must not count.
        if hasher.is_some() || receiver.size() == durable {
            lease.renew(ctx, None).await?;
        } else {
            let progress = receiver.pause().await?;
            lease.renew(ctx, Some(&progress)).await?;
            durable = progress.size;
            receiver = store.resume(&name, Some(&progress)).await?;
        }
    };
    if let (Some(hasher), Some(declared)) = (hasher, &chunk.checksum) {
        if let Some(broken) = broken {
            return Err(broken);
        }
        hasher.require(declared)?;
    } else if let Some(broken) = broken
        && upload.size() != Some(receiver.size())
    {
        keep(ctx, lease, &mut upload, receiver).await?;
        return Err(broken);
    }
    if upload.size() == Some(receiver.size()) {
        let received = receiver.finish(upload.size()).await?;
        return settle::complete(ctx, lease, upload, &received).await;
    }
    keep(ctx, lease, &mut upload, receiver).await?;
    Ok(upload)
}

async fn keep(ctx: &Ctx, lease: &Lease, upload: &mut Upload, receiver: Receiver) -> Result<()> {
    let progress = receiver.pause().await?;
    lease.renew(ctx, Some(&progress)).await?;
    upload.row.arrived = progress.size as i64;
    upload.row.state = Some(progress.state);
    upload.row.expires = super::expiry(ctx);
    Ok(())
}
