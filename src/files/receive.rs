//! Takes a file's bytes as they arrive: staged, hashed, durable, and only then named in the row.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::discard_staged,
    error::{Error, Problem, Result},
    files::{lock_files, quota, refuse_frozen, row, upload},
    ids::{FileKey, RecordId},
    store::{object::Received, table::deposit::draft_file},
};

/// A body on its way in. An item that is an error means the client is gone or the body is broken.
#[derive(Debug)]
pub struct Incoming<S> {
    pub body: S,
    /// What the client said it would send, in bytes.
    pub length: Option<u64>,
}

/// Receives the bytes of an announced file. Whatever goes wrong before the end, the draft is as it was;
/// a second upload of the same file replaces the first when it is complete, and never mixes with it.
pub async fn receive<S>(
    ctx: &Ctx,
    id: &RecordId,
    key: &FileKey,
    incoming: Incoming<S>,
) -> Result<Received>
where
    S: Stream<Item = Result<Bytes>> + Unpin,
{
    let db = ctx.env.db.read();
    let loaded = access::load_draft(ctx, db, id, Action::Edit).await?;
    refuse_frozen(&loaded)?;
    let before = row(db, id, key).await?;
    refuse_completed(&before)?;
    let declared = upload::of_file(ctx, id, key).await?;
    upload::verify(declared.as_ref(), incoming.length)?;
    let most = ctx.env.config.max_file_size;
    if incoming.length.is_some_and(|n| n > most) {
        return Err(too_large(most));
    }
    let instead =
        before.size.unwrap_or(0) as u64 + declared.as_ref().map_or(0, upload::Upload::reserved);
    let least = incoming.length.unwrap_or(1);
    let room = quota::require(ctx, db, &loaded, instead, least).await?;
    let name = staging_name(ctx)?;
    let received = take(ctx, &name, incoming, most, room).await?;
    let recorded = match upload::check_whole(declared.as_ref(), &received) {
        Ok(()) => record(ctx, id, key, &name, &received).await,
        Err(wrong) => Err(wrong),
    };
    match recorded {
        Ok(()) => Ok(received),
        Err(e) => {
            // Not what was declared, or the draft moved on while they came; nobody will ask for them.
            if let Err(left) = ctx.env.objects.discard(&name).await {
                tracing::warn!(%name, error = %left, "staged bytes are left for the sweep");
            }
            Err(e)
        }
    }
}

async fn take<S>(
    ctx: &Ctx,
    name: &str,
    mut incoming: Incoming<S>,
    most: u64,
    room: Option<quota::Room>,
) -> Result<Received>
where
    S: Stream<Item = Result<Bytes>> + Unpin,
{
    let mut receiver = ctx.env.objects.receive(name)?;
    if let Some(length) = incoming.length {
        receiver.expect(length);
    }
    while let Some(bytes) = incoming.body.next().await {
        receiver.write(bytes?).await?;
        if receiver.size() > most {
            return Err(too_large(most));
        }
        if let Some(room) = &room {
            room.check(receiver.size())?;
        }
    }
    receiver.finish(incoming.length).await
}

/// Names the durable bytes in the file's row, if the file still waits for them.
async fn record(
    ctx: &Ctx,
    id: &RecordId,
    key: &FileKey,
    name: &str,
    received: &Received,
) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    let before = row(&tx, id, key).await?;
    refuse_completed(&before)?;
    // What came piecemeal so far is of another attempt.
    upload::supersede(ctx, &tx, id, key).await?;
    // Other uploads may have filled the room meanwhile.
    let instead = before.size.unwrap_or(0) as u64;
    quota::require(ctx, &tx, &loaded, instead, received.size).await?;
    name_bytes(ctx, &tx, before, name, received, false).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a file its durable bytes, in place of those it may have had, and (`confirm`) completes it.
pub(super) async fn name_bytes(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    before: draft_file::Model,
    name: &str,
    received: &Received,
    confirm: bool,
) -> Result<()> {
    let mut change = draft_file::ActiveModel {
        draft_id: Set(before.draft_id),
        key: Set(before.key),
        size: Set(Some(received.size as i64)),
        sha256: Set(Some(received.sha256.to_hex())),
        md5: Set(Some(received.md5.to_hex())),
        crc32: Set(Some(i64::from(received.crc32))),
        staged: Set(Some(name.to_owned())),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    if confirm {
        change.status = Set("completed".to_owned());
    }
    draft_file::Entity::update(change).exec(tx).await?;
    discard_staged(ctx, tx, before.staged.into_iter().collect()).await
}

/// A fresh name for an attempt: letters and digits only, never a client's.
pub(super) fn staging_name(ctx: &Ctx) -> Result<String> {
    Ok(uuid::Builder::from_random_bytes(ctx.env.random()?)
        .into_uuid()
        .simple()
        .to_string())
}

pub(super) fn refuse_completed(row: &draft_file::Model) -> Result<()> {
    if row.status == "completed" {
        let problem = Problem::new("file-completed", "").with("key", &row.key);
        return Err(Error::Conflict(problem));
    }
    Ok(())
}

fn too_large(most: u64) -> Error {
    Error::TooLarge(Problem::new("file-too-large", "").with("most", most))
}
