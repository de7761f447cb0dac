//! Opens a file for reading: what it is, and its bytes in any range.

use std::{ops::Range, time::Duration};

use sea_orm::EntityTrait;

use crate::{
    access::{self, Action, LoadedRecord},
    ctx::Ctx,
    error::{Error, Kind, Result},
    files::row,
    ids::{FileKey, Md5, RecordId, Sha256},
    store::{
        object::{ContentPath, Reading},
        table::record::record_file,
    },
};

/// A file that may be read.
#[derive(Debug, Clone)]
pub struct OpenFile {
    pub key: FileKey,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    pub md5: Md5,
    pub mimetype: String,
    /// May a shared cache keep it?
    pub public: bool,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Archive(ContentPath),
    Staging(String),
}

impl OpenFile {
    /// Where the reader may fetch it instead of here, if the operator sends readers to the bucket.
    pub async fn elsewhere(
        &self,
        ctx: &Ctx,
        content_type: &str,
        content_disposition: &str,
    ) -> Result<Option<String>> {
        match &self.place {
            Place::Archive(path) => {
                let objects = &ctx.env.objects;
                objects
                    .read_url(path, SENT_ON, content_type, content_disposition)
                    .await
            }
            Place::Staging(_) => Ok(None),
        }
    }

    /// The bytes of a range that lies within the file.
    pub async fn read(&self, ctx: &Ctx, range: Range<u64>) -> Result<Reading> {
        match &self.place {
            Place::Archive(path) => ctx.env.objects.read(path, range).await,
            Place::Staging(name) => ctx.env.objects.read_staged(name, range).await,
        }
    }
}

/// How long whoever may read a file may fetch it straight from the bucket. A transfer that began goes on.
const SENT_ON: Duration = Duration::from_mins(5);

/// A file of a published version. Restricted files are not there for whoever may not have them; that
/// they exist is told by the record itself.
pub async fn open_file(ctx: &Ctx, of: &LoadedRecord, key: &FileKey) -> Result<OpenFile> {
    if !of.files_open(ctx) {
        return Err(match ctx.person() {
            Some(_) => Error::Forbidden,
            None => Error::Unauthenticated,
        });
    }
    let missing = || Error::not_found(Kind::File, key);
    let found = record_file::Entity::find_by_id((of.record.id.clone(), key.to_string()))
        .one(ctx.env.db.read())
        .await?
        .ok_or_else(missing)?;
    let damaged = |e| Error::internal("a file row does not parse", e);
    Ok(OpenFile {
        key: key.clone(),
        size: found.size as u64,
        sha256: found.sha256.parse().map_err(damaged)?,
        md5: found.md5.parse().map_err(damaged)?,
        mimetype: found.mimetype,
        public: access::files_are_public(&of.access, ctx),
        place: Place::Archive(found.content.parse().map_err(damaged)?),
    })
}

/// A file of a draft, for whoever writes it.
pub async fn open_draft_file(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<OpenFile> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    let missing = || Error::not_found(Kind::File, key);
    let found = row(db, id, key).await?;
    let damaged = |e| Error::internal("a file row does not parse", e);
    let place = match (found.content, found.staged) {
        (Some(path), _) => Place::Archive(path.parse().map_err(damaged)?),
        (None, Some(name)) => Place::Staging(name),
        (None, None) => return Err(missing()),
    };
    Ok(OpenFile {
        key: key.clone(),
        size: found.size.ok_or_else(missing)? as u64,
        sha256: found.sha256.ok_or_else(missing)?.parse().map_err(damaged)?,
        md5: found.md5.ok_or_else(missing)?.parse().map_err(damaged)?,
        mimetype: found.mimetype,
        public: false,
        place,
    })
}
