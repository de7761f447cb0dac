//! Uploads that go on: after a lost line, a closed browser, a killed server, signing in again.
//!
//! One mechanism under three doors: tus, the dialect's multipart transfer (`M`), and PUT with `Content-Range`.
//! An upload is a row. One that comes *in order* keeps how far its bytes are durable and what the store needs to
//! go on; one *in parts* keeps a row for each part. Its file is announced (pending) from the beginning, so
//! publishing waits for it; its bytes become the file's in the one transaction that ends the upload.
//!
//! Invariants: whoever writes holds the lease of the row, renewed while bytes come, so that of two writers one
//! is refused and a dead one is forgotten within [`LEASE`]; what the row says has arrived is durable; an upload
//! without progress for `upload_days` is swept with its bytes. Not here: headers of any protocol (`api`).

mod append;
mod begin;
mod checksum;
mod join;
mod parts;
mod settle;
mod sweep;

pub use self::{
    append::{Chunk, append, declare},
    begin::{NewPlan, NewUpload, Plan, announce, begin, how_far, put},
    checksum::{Algorithm, Checksum},
    join::{concatenate, join},
    parts::{PartLink, links, receive_part, received},
    settle::abandon,
    sweep::{recover, sweep},
};
pub(super) use self::{
    begin::supersede,
    settle::{check_whole, verify},
    sweep::named,
};

use std::time::Duration;

use sea_orm::{ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Kind, Problem, Result},
    files::refuse_frozen,
    ids::{FileKey, RecordId},
    store::{
        object::{PartPlan, Progress},
        table::upload::upload,
    },
};

/// How long a writer that says nothing more is believed to be alive.
pub const LEASE: Duration = Duration::from_secs(30);
/// How often a writer says that it lives, and how much time of its work a crash may cost.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How many bytes a crash may cost.
const CHECKPOINT: u64 = 64 << 20;
/// Most parts of one upload.
pub const MOST_PARTS: u32 = 10_000;

/// An upload that the caller may go on with.
#[derive(Debug, Clone)]
pub struct Upload {
    row: upload::Model,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Bytes in order, by tus.
    Tus,
    /// The same, to become a part of a concatenation.
    Partial,
    /// Put together from partial ones.
    Final,
    /// In parts, in any order.
    Parts,
    /// Bytes in order, by PUT.
    Put,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Shape::Tus => "tus",
            Shape::Partial => "partial",
            Shape::Final => "final",
            Shape::Parts => "parts",
            Shape::Put => "put",
        }
    }
}

impl Upload {
    pub fn id(&self) -> &str {
        &self.row.id
    }
    pub fn key(&self) -> Option<&str> {
        self.row.key.as_deref()
    }
    pub fn shape(&self) -> Shape {
        match self.row.kind.as_str() {
            "tus" => Shape::Tus,
            "partial" => Shape::Partial,
            "final" => Shape::Final,
            "parts" => Shape::Parts,
            _ => Shape::Put,
        }
    }
    /// Declared, in bytes.
    pub fn size(&self) -> Option<u64> {
        self.row.size.map(|n| n as u64)
    }
    /// Durable bytes of one that comes in order.
    pub fn arrived(&self) -> u64 {
        self.row.arrived as u64
    }
    /// Bytes of the quota that it holds for what is to come.
    pub(in crate::files) fn reserved(&self) -> u64 {
        match self.row.name {
            Some(_) => self.size().unwrap_or(self.arrived()),
            None => 0,
        }
    }
    /// All bytes are there, and the file (or the part of a concatenation) is whole.
    pub fn done(&self) -> bool {
        self.row.status == "done"
    }
    /// When it is given up, in microseconds since 1970, should nothing more come.
    pub fn expires(&self) -> i64 {
        self.row.expires
    }
    /// `Upload-Metadata` as it was sent.
    pub fn metadata(&self) -> Option<&str> {
        self.row.metadata.as_deref()
    }
    /// `Upload-Concat` as it was sent.
    pub fn sources(&self) -> Option<&str> {
        self.row.sources.as_deref()
    }
    /// How it is cut, if it comes in parts.
    pub fn plan(&self) -> Option<PartPlan> {
        let plan = PartPlan {
            size: self.size()?,
            part_size: self.row.part_size? as u64,
        };
        (self.shape() == Shape::Parts).then_some(plan)
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress {
            size: self.arrived(),
            state: self.row.state.clone()?,
        })
    }
    fn draft(&self) -> Result<RecordId> {
        let damaged = |_| Error::internal("upload", "its draft's id does not parse");
        self.row.draft_id.parse().map_err(damaged)
    }
    fn file_key(&self) -> Result<FileKey> {
        let key = self.row.key.as_deref().unwrap_or_default();
        let damaged = |_| Error::internal("upload", "its key does not parse");
        key.parse().map_err(damaged)
    }
    fn name(&self) -> Result<&str> {
        let gone = || Error::not_found(Kind::Upload, &self.row.id);
        self.row.name.as_deref().ok_or_else(gone)
    }
}

/// The upload of an id, for whoever may change its draft; to everybody else it is not there.
pub async fn load(ctx: &Ctx, id: &str) -> Result<Upload> {
    ctx.require_person()?;
    let missing = || Error::not_found(Kind::Upload, id);
    let db = ctx.env.db.read();
    let row = upload::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or_else(missing)?;
    let found = Upload { row };
    match access::load_draft(ctx, db, &found.draft()?, Action::Edit).await {
        Ok(loaded) => refuse_frozen(&loaded)?,
        Err(Error::NotFound { .. }) => return Err(missing()),
        Err(e) => return Err(e),
    }
    if found.expires() < ctx.micros() {
        return Err(Error::bad_request("upload-expired"));
    }
    Ok(found)
}

/// The upload of a file of a draft, if there is one under way. Whoever asks has loaded the draft.
pub async fn of_file(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<Option<Upload>> {
    let found = find(ctx.env.db.read(), id, key).await?;
    Ok(found.filter(|u| !u.done() && u.expires() >= ctx.micros()))
}

/// The uploads of a draft that are under way and belong to a file.
pub async fn of_draft(ctx: &Ctx, id: &RecordId) -> Result<Vec<Upload>> {
    let rows = upload::Entity::find()
        .filter(upload::COLUMN.draft_id.eq(id.as_str()))
        .filter(upload::COLUMN.status.ne("done"))
        .filter(upload::COLUMN.key.is_not_null())
        .all(ctx.env.db.read())
        .await?;
    Ok(rows.into_iter().map(|row| Upload { row }).collect())
}

/// Does this file come in parts now? Asked before anything is loaded, so it is told to nobody.
pub(super) async fn comes_in_parts(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<bool> {
    let found = of_file(ctx, id, key).await?;
    Ok(found.is_some_and(|u| u.shape() == Shape::Parts))
}

async fn find(db: &impl ConnectionTrait, id: &RecordId, key: &FileKey) -> Result<Option<Upload>> {
    let row = upload::Entity::find()
        .filter(upload::COLUMN.draft_id.eq(id.as_str()))
        .filter(upload::COLUMN.key.eq(key.as_str()))
        .one(db)
        .await?;
    Ok(row.map(|row| Upload { row }))
}

/// The right to write to an upload, for a while.
#[derive(Debug, Clone)]
struct Lease {
    upload: String,
    secret: String,
}

impl Lease {
    /// Takes it, unless somebody else has it. Gives the upload as it is from now on.
    async fn take(ctx: &Ctx, id: &str) -> Result<(Self, Upload)> {
        let lease = Self {
            upload: id.to_owned(),
            secret: ctx.env.secret()?,
        };
        let now = ctx.micros();
        let taken = upload::Entity::update_many()
            .col_expr(upload::Column::Lease, Expr::value(lease.secret.clone()))
            .col_expr(upload::Column::LeasedUntil, Expr::value(until(now)))
            .filter(upload::COLUMN.id.eq(id))
            .filter(
                Expr::col(upload::Column::Lease)
                    .is_null()
                    .or(Expr::col(upload::Column::LeasedUntil).lt(now)),
            )
            .exec(ctx.env.db.write())
            .await?;
        if taken.rows_affected == 0 {
            return Err(Error::conflict("upload-busy"));
        }
        let row = upload::Entity::find_by_id(id)
            .one(ctx.env.db.write())
            .await?
            .ok_or_else(|| Error::not_found(Kind::Upload, id))?;
        Ok((lease, Upload { row }))
    }

    /// Writes down what is durable, and that the writer lives. Fails when the lease or the upload is lost:
    /// then nothing more may be written.
    async fn renew(&self, ctx: &Ctx, progress: Option<&Progress>) -> Result<()> {
        let now = ctx.micros();
        let mut change = upload::Entity::update_many()
            .col_expr(upload::Column::LeasedUntil, Expr::value(until(now)))
            .filter(upload::COLUMN.id.eq(&self.upload))
            .filter(upload::COLUMN.lease.eq(self.secret.clone()));
        if let Some(progress) = progress {
            change = change
                .col_expr(upload::Column::Arrived, Expr::value(progress.size as i64))
                .col_expr(upload::Column::State, Expr::value(progress.state.clone()))
                .col_expr(upload::Column::Expires, Expr::value(expiry(ctx)))
                .col_expr(upload::Column::Updated, Expr::value(now));
        }
        if change.exec(ctx.env.db.write()).await?.rows_affected == 0 {
            return Err(Error::conflict("upload-busy"));
        }
        Ok(())
    }

    /// Lets it go.
    async fn end(self, ctx: &Ctx) -> Result<()> {
        upload::Entity::update_many()
            .col_expr(upload::Column::Lease, Expr::value(Option::<String>::None))
            .filter(upload::COLUMN.id.eq(&self.upload))
            .filter(upload::COLUMN.lease.eq(self.secret.clone()))
            .exec(ctx.env.db.write())
            .await?;
        Ok(())
    }
}

fn until(now: i64) -> i64 {
    now + LEASE.as_micros() as i64
}

/// When an upload that makes progress now is given up.
fn expiry(ctx: &Ctx) -> i64 {
    ctx.micros() + ctx.env.config.upload_days as i64 * 86_400_000_000
}

fn too_large(most: u64) -> Error {
    Error::TooLarge(Problem::new("file-too-large", "").with("most", most))
}

/// Runs work to its end even when nobody waits for it any more.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|e| Err(Error::internal("upload", e)))
}
