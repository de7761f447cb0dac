//! Files of drafts and of versions: announce, receive, confirm, remove, take over, open.
//!
//! The way of the bytes: announced (a pending row), received (staged, hashed, durable, named in the row),
//! confirmed (completed). A draft's bytes live in the staging area until `publish` has linked them into the
//! archive. An upload that takes several requests is in `upload`. Not here: how bytes become durable (`store::object`), HTTP ranges (`web`).

mod commit;
mod crc32;
mod folder;
mod import;
pub mod intake;
mod open;
pub mod quota;
mod receive;
mod remove;
mod start;
mod sweep;
pub mod upload;

pub use self::{
    commit::commit,
    crc32::{complete_crc32, read_crc32},
    folder::{Folder, Level, LevelFile, Of, level},
    import::import_previous,
    open::{OpenFile, open_draft_file, open_file},
    receive::{Incoming, receive},
    remove::{remove, remove_all},
    start::{NewFile, start},
    sweep::sweep,
};

use sea_orm::{ConnectionTrait, EntityTrait};

use crate::{
    access::{self, Action, LoadedDraft},
    ctx::Ctx,
    deposit::File,
    error::{Error, Kind, Result},
    ids::{FileKey, RecordId},
    store::table::deposit::draft_file,
};

/// A draft locked for a change of its files, if they may change.
async fn lock_files(ctx: &Ctx, tx: &impl ConnectionTrait, id: &RecordId) -> Result<LoadedDraft> {
    let loaded = access::lock_draft(ctx, tx, id, Action::Edit).await?;
    refuse_frozen(&loaded)?;
    Ok(loaded)
}

/// Published bytes never change, and neither do the files of a description being corrected.
fn refuse_frozen(loaded: &LoadedDraft) -> Result<()> {
    if loaded.draft.published {
        return Err(Error::conflict("files-frozen"));
    }
    Ok(())
}

/// A file of a draft as it stands.
pub async fn entry(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<File> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    Ok(row(db, id, key).await?.into())
}

async fn row(db: &impl ConnectionTrait, id: &RecordId, key: &FileKey) -> Result<draft_file::Model> {
    draft_file::Entity::find_by_id((id.to_string(), key.to_string()))
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found(Kind::File, key))
}
