//! The CRC-32 of files that were received before it was kept: read again, a bounded share at a time. A zip names
//! each file by it in a header that is sent before the file.

use futures::TryStreamExt;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    ctx::Ctx,
    error::{Error, Result},
    ids::RecordId,
    jobs::{self, Job},
    store::{object::ContentPath, table::record::record_file},
};

/// What a reader may be made to wait for: read in a second or two.
const AT_ONCE_BYTES: i64 = 64 << 20;
const AT_ONCE_FILES: i64 = 1_000;
/// What one job reads before it lets others go on; well within a lease.
const SHARE: i64 = 16 << 30;
/// Rows looked at together.
const STEP: u64 = 500;

#[derive(Debug, FromQueryResult)]
struct Missing {
    files: i64,
    bytes: Option<i64>,
}

/// Makes sure that every file of a version has its CRC: reads what is missing when that is little, else leaves it to
/// a job and says to come back (`Unavailable`).
pub async fn complete_crc32(ctx: &Ctx, record: &str) -> Result<()> {
    let missing = record_file::Entity::find()
        .select_only()
        .column_as(record_file::Column::Key.count(), "files")
        .column_as(
            Expr::col(record_file::Column::Size).sum().cast_as("bigint"),
            "bytes",
        )
        .filter(record_file::COLUMN.record_id.eq(record))
        .filter(record_file::COLUMN.crc32.is_null())
        .into_model::<Missing>()
        .one(ctx.env.db.read())
        .await?;
    let (files, bytes) = missing.map_or((0, 0), |m| (m.files, m.bytes.unwrap_or(0)));
    if files == 0 {
        return Ok(());
    }
    if files <= AT_ONCE_FILES && bytes <= AT_ONCE_BYTES {
        return read_missing(ctx, record, AT_ONCE_BYTES).await.map(|_| ());
    }
    let record: RecordId = record
        .parse()
        .map_err(|e| Error::internal("a stored id does not parse", e))?;
    let tx = ctx.env.db.begin().await?;
    jobs::enqueue_once(ctx, &tx, &Job::ReadCrc32 { record }).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Err(Error::Unavailable(format!(
        "{files} files are read for their CRC first"
    )))
}

/// The job: reads a share, and enqueues itself again when files are left. What was read is kept file by file, so that
/// doing it twice or stopping half-way loses nothing.
pub async fn read_crc32(ctx: &Ctx, record: &RecordId) -> Result<()> {
    if !read_missing(ctx, record.as_str(), SHARE).await? {
        let record = record.clone();
        jobs::enqueue(ctx, ctx.env.db.write(), &Job::ReadCrc32 { record }).await?;
    }
    Ok(())
}

/// Reads files without a CRC until so many bytes were read; true when none is left.
async fn read_missing(ctx: &Ctx, record: &str, most: i64) -> Result<bool> {
    let mut read = 0;
    loop {
        let rows: Vec<(String, i64, String)> = record_file::Entity::find()
            .select_only()
            .column(record_file::Column::Key)
            .column(record_file::Column::Size)
            .column(record_file::Column::Content)
            .filter(record_file::COLUMN.record_id.eq(record))
            .filter(record_file::COLUMN.crc32.is_null())
            .order_by_asc(record_file::Column::Key)
            .limit(STEP)
            .into_tuple()
            .all(ctx.env.db.read())
            .await?;
        if rows.is_empty() {
            return Ok(true);
        }
        for (key, size, content) in rows {
            if read > most {
                return Ok(false);
            }
            let crc32 = of_content(ctx, &content, size as u64).await?;
            let change = record_file::ActiveModel {
                record_id: Set(record.to_owned()),
                key: Set(key),
                crc32: Set(Some(i64::from(crc32))),
                ..Default::default()
            };
            record_file::Entity::update(change)
                .exec(ctx.env.db.write())
                .await?;
            read += size;
        }
    }
}

async fn of_content(ctx: &Ctx, content: &str, size: u64) -> Result<u32> {
    let path: ContentPath = content
        .parse()
        .map_err(|e| Error::internal("a file row does not parse", e))?;
    let mut reading = ctx.env.objects.read(&path, 0..size).await?;
    let mut hasher = crc32fast::Hasher::new();
    while let Some(bytes) = reading
        .try_next()
        .await
        .map_err(|e| Error::io(content, &e))?
    {
        hasher.update(&bytes);
    }
    Ok(hasher.finalize())
}
