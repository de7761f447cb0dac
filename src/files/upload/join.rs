//! Puts together what came in pieces: the parts of a file, or the partial uploads of tus.

use futures::StreamExt;
use sea_orm::EntityTrait;

use super::{
    HEARTBEAT, Lease, NewUpload, Shape, Upload, begin, load,
    parts::{handle, in_parts, received},
    settle, to_its_end,
};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::{File, discard_staged},
    error::{Error, Problem, Result},
    files::{refuse_frozen, row},
    ids::{FileKey, RecordId},
    store::table::upload::upload,
};

/// Puts the parts of a file together and completes it. Goes on when nobody waits any more; whoever asks
/// meanwhile is told to ask again (`upload-joining`).
pub async fn join(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<File> {
    let loaded = access::load_draft(ctx, ctx.env.db.read(), id, Action::Edit).await?;
    refuse_frozen(&loaded)?;
    let (upload, _) = in_parts(ctx, id, key).await?;
    let task = {
        let (ctx, upload) = (ctx.clone(), upload);
        async move {
            let (lease, upload) = match Lease::take(&ctx, upload.id()).await {
                Err(Error::Conflict(_)) => return Err(Error::conflict("upload-joining")),
                taken => taken?,
            };
            let joined = whole(&ctx, &lease, upload).await;
            if let Err(e) = lease.end(&ctx).await {
                tracing::warn!(error = %e, "the lease of an upload ends by itself");
            }
            joined
        }
    };
    to_its_end(task).await?;
    Ok(row(ctx.env.db.read(), id, key).await?.into())
}

async fn whole(ctx: &Ctx, lease: &Lease, upload: Upload) -> Result<()> {
    let Some(plan) = upload.plan() else {
        return Err(Error::internal("upload", "it has no parts"));
    };
    let have = received(ctx, &upload).await?;
    let complete = have.len() == plan.count() as usize
        && have.iter().all(|(number, size, _)| {
            let range = plan.range(*number);
            *size == range.end - range.start
        });
    if !complete {
        let problem = Problem::new("parts-missing", "")
            .with("received", have.len())
            .with("parts", plan.count());
        return Err(Error::BadRequest(problem));
    }
    let tags: Vec<(u32, String)> = have.into_iter().map(|(n, _, tag)| (n, tag)).collect();
    let name = upload.name()?.to_owned();
    let joining = ctx
        .env
        .objects
        .complete_parts(&name, handle(&upload), plan, &tags);
    let joined = alive(ctx, lease, joining).await?;
    match settle::complete(ctx, lease, upload.clone(), &joined).await {
        Err(Error::BadRequest(wrong)) => {
            settle::parts_again(ctx, lease, &upload).await?;
            Err(Error::BadRequest(wrong))
        }
        ended => ended.map(|_| ()),
    }
}

/// Does something long while saying that it is going on.
async fn alive<T>(ctx: &Ctx, lease: &Lease, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(HEARTBEAT, work.as_mut()).await {
            Ok(done) => return done,
            Err(_) => lease.renew(ctx, None).await?,
        }
    }
}

/// A file put together from partial uploads of the same draft, in their order; they are used up by it.
pub async fn concatenate(ctx: &Ctx, new: NewUpload, partial: &[String]) -> Result<Upload> {
    let mut pieces = Vec::with_capacity(partial.len());
    for id in partial {
        let piece = load(ctx, id).await?;
        if piece.shape() != Shape::Partial || piece.row.draft_id != new.draft.as_str() {
            return Err(Error::bad_request("concat-other"));
        }
        if !piece.done() {
            return Err(Error::bad_request("concat-unfinished"));
        }
        pieces.push(piece);
    }
    let total = pieces
        .iter()
        .try_fold(0_u64, |sum, piece| sum.checked_add(piece.arrived()));
    let new = NewUpload {
        size: Some(total.unwrap_or(u64::MAX)),
        ..new
    };
    let upload = begin::begin(ctx, new).await?;
    let ctx = ctx.clone();
    to_its_end(async move {
        let (lease, upload) = Lease::take(&ctx, upload.id()).await?;
        let joined = one_after_the_other(&ctx, &lease, upload, pieces).await;
        if let Err(e) = lease.end(&ctx).await {
            tracing::warn!(error = %e, "the lease of an upload ends by itself");
        }
        joined
    })
    .await
}

async fn one_after_the_other(
    ctx: &Ctx,
    lease: &Lease,
    upload: Upload,
    pieces: Vec<Upload>,
) -> Result<Upload> {
    let store = &ctx.env.objects;
    let copying = async {
        let mut receiver = store.resume(upload.name()?, None).await?;
        for piece in &pieces {
            let mut reading = store.read_staged(piece.name()?, 0..piece.arrived()).await?;
            while let Some(bytes) = reading.next().await {
                let bytes = bytes.map_err(|e| Error::io("reading a partial upload", &e))?;
                receiver.write(bytes).await?;
            }
        }
        receiver.finish(upload.size()).await
    };
    let received = alive(ctx, lease, copying).await?;
    let done = settle::complete(ctx, lease, upload, &received).await?;
    let tx = ctx.env.db.begin().await?;
    let names = pieces.iter().filter_map(|p| p.row.name.clone()).collect();
    discard_staged(ctx, &tx, names).await?;
    for piece in pieces {
        upload::Entity::delete_by_id(piece.row.id).exec(&tx).await?;
    }
    tx.commit().await?;
    Ok(done)
}
