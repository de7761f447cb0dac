//! An archive that was uploaded becomes the files in it.
//!
//! `reader` gives its bytes to libraries that read and seek; `zip` and `tar` walk its entries on a thread of
//! their own and say what they find; here it is staged, counted, and named in the draft in one transaction.
//! A bomb is stopped by what comes out and not by what it says of itself.

mod reader;
mod tar;
mod zip;

use std::collections::HashSet;

use bytes::Bytes;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use tokio::{sync::mpsc, task::JoinSet};

use self::reader::Reader;
use super::{Kind, ask, run::Work};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::discard_staged,
    error::{Error, Problem, Result},
    files::{lock_files, open_draft_file, quota, receive::staging_name, row},
    ids::{FileKey, RecordId},
    jobs::{self, Job},
    store::{object::Received, table::deposit::draft_file},
};

/// What may come out of one byte of an archive, once it is more than `SMALL` in all.
const RATIO: u64 = 200;
const SMALL: u64 = 256 << 20;
/// Files made durable at the same time.
const AT_ONCE: usize = 8;
/// Pieces between the thread that unpacks and the store.
const ON_THE_WAY: usize = 16;

/// What is found in an archive, in its order.
enum Piece {
    /// A file begins: its name in the archive.
    Begin(String),
    Bytes(Bytes),
    End,
}

/// The ways in which files come packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Zip,
    Tar,
    TarGz,
}

fn format(key: &FileKey) -> Option<Format> {
    let name = key.file_name().to_lowercase();
    [
        (".zip", Format::Zip),
        (".tar", Format::Tar),
        (".tar.gz", Format::TarGz),
        (".tgz", Format::TarGz),
    ]
    .into_iter()
    .find(|(end, _)| name.len() > end.len() && name.ends_with(end))
    .map(|(_, format)| format)
}

/// Is it named as an archive that can be unpacked?
pub fn can_unpack(key: &FileKey) -> bool {
    format(key).is_some()
}

/// Leaves it to a job to put the files of an archive in its place. The archive must have come whole.
pub async fn unpack(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    lock_files(ctx, &tx, id).await?;
    let archive = row(&tx, id, key).await?;
    if format(key).is_none() {
        return Err(Error::BadRequest(
            Problem::new("unpack-kind", "").with("key", key),
        ));
    }
    if archive.status != "completed" {
        let problem = Problem::new("file-not-received", "").with("key", key);
        return Err(Error::BadRequest(problem));
    }
    ask(ctx, &tx, id, key.as_str(), Kind::Unpack, None).await?;
    let job = Job::Intake {
        draft: id.clone(),
        key: key.clone(),
    };
    jobs::enqueue(ctx, &tx, &job).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

/// A file that came out, durable and in nobody's draft yet.
struct Out {
    key: FileKey,
    staged: String,
    received: Received,
}

pub(super) async fn unpacked(work: &Work<'_>) -> Result<()> {
    let mut staged = Vec::new();
    let mut finishing = JoinSet::new();
    let outcome = match take_out(work, &mut staged, &mut finishing).await {
        Ok(out) => name(work, out).await,
        Err(e) => Err(e),
    };
    if outcome.is_err() {
        // What is still on its way to the disk would come after it was discarded.
        while finishing.join_next().await.is_some() {}
        for name in staged {
            if let Err(left) = work.ctx.env.objects.discard(&name).await {
                tracing::warn!(%name, error = %left, "staged bytes are left for the sweep");
            }
        }
    }
    outcome
}

/// Stages every file of the archive. `staged` is told each name before its bytes come; `finishing` has those that
/// are being made durable.
async fn take_out(
    work: &Work<'_>,
    staged: &mut Vec<String>,
    finishing: &mut JoinSet<Result<Out>>,
) -> Result<Vec<Out>> {
    let (ctx, id) = (work.ctx, work.draft);
    let archive = open_draft_file(ctx, id, work.key).await?;
    let loaded = access::load_draft(ctx, ctx.env.db.read(), id, Action::Edit).await?;
    let size = archive.size;
    // The archive goes when its files are there, but until then both are kept.
    let room = quota::require(ctx, ctx.env.db.read(), &loaded, size, 1).await?;
    let most_files = ctx.env.config.max_files;
    let most = SMALL.max(size.saturating_mul(RATIO));
    let folder = match work.key.as_str().rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => String::new(),
    };

    let (pieces, mut found) = mpsc::channel(ON_THE_WAY);
    let format = format(work.key);
    let reader = Reader::new(ctx.clone(), archive);
    let walking = tokio::task::spawn_blocking(move || match format {
        Some(Format::Zip) => zip::walk(reader, most_files, &pieces),
        Some(Format::Tar) => tar::walk(reader, &pieces),
        Some(Format::TarGz) => tar::walk(flate2::read::MultiGzDecoder::new(reader), &pieces),
        None => Err(damaged()),
    });

    let mut out = Vec::new();
    let mut names = HashSet::new();
    let mut current = None;
    let (mut total, mut count, mut told) = (0_u64, 0_u64, 0_u64);
    while let Some(piece) = found.recv().await {
        match piece {
            Piece::Begin(name) => {
                let key: FileKey = format!("{folder}{name}")
                    .parse()
                    .map_err(|_| refused("unpack-name", &name))?;
                if !names.insert(key.clone()) {
                    return Err(refused("file-exists", key.as_str()));
                }
                count += 1;
                if count > most_files {
                    let problem = Problem::new("too-many-files", "").with("most", most_files);
                    return Err(Error::TooLarge(problem));
                }
                let name = staging_name(ctx)?;
                staged.push(name.clone());
                let receiver = ctx.env.objects.receive(&name)?;
                current = Some((key, name, receiver));
            }
            Piece::Bytes(bytes) => {
                total += bytes.len() as u64;
                if total > most {
                    return Err(Error::bad_request("unpack-bomb"));
                }
                if let Some(room) = &room {
                    room.check(total)?;
                }
                let Some((_, _, receiver)) = &mut current else {
                    return Err(Error::internal("unpacking", "bytes of no file"));
                };
                receiver.write(bytes).await?;
                if receiver.size() > ctx.env.config.max_file_size {
                    let most = ctx.env.config.max_file_size;
                    let problem = Problem::new("file-too-large", "").with("most", most);
                    return Err(Error::TooLarge(problem));
                }
                if total - told >= 64 << 20 {
                    told = total;
                    if !work.tell(total, None).await? {
                        return Err(Error::not_found(crate::error::Kind::File, work.key));
                    }
                }
            }
            Piece::End => {
                let Some((key, staged, receiver)) = current.take() else {
                    return Err(Error::internal("unpacking", "the end of no file"));
                };
                finishing.spawn(async move {
                    let received = receiver.finish(None).await?;
                    Ok::<_, Error>(Out {
                        key,
                        staged,
                        received,
                    })
                });
                if finishing.len() >= AT_ONCE
                    && let Some(done) = finishing.join_next().await
                {
                    out.push(done.map_err(|e| Error::internal("unpacking", e))??);
                }
            }
        }
    }
    walking
        .await
        .map_err(|e| Error::internal("unpacking", e))??;
    while let Some(done) = finishing.join_next().await {
        out.push(done.map_err(|e| Error::internal("unpacking", e))??);
    }
    if out.is_empty() {
        return Err(Error::bad_request("unpack-empty"));
    }
    Ok(out)
}

/// Names what came out in the draft, in place of the archive, all or none.
async fn name(work: &Work<'_>, out: Vec<Out>) -> Result<()> {
    let (ctx, id) = (work.ctx, work.draft);
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    let archive = row(&tx, id, work.key).await?;
    let total: u64 = out.iter().map(|o| o.received.size).sum();
    let instead = archive.size.unwrap_or(0) as u64;
    quota::require(ctx, &tx, &loaded, instead, total).await?;
    let have: HashSet<String> = draft_file::Entity::find()
        .select_only()
        .column(draft_file::Column::Key)
        .filter(draft_file::COLUMN.draft_id.eq(id.as_str()))
        .into_tuple()
        .all(&tx)
        .await?
        .into_iter()
        .collect();
    let most = ctx.env.config.max_files;
    if (have.len() + out.len()) as u64 > most + 1 {
        let problem = Problem::new("too-many-files", "").with("most", most);
        return Err(Error::TooLarge(problem));
    }
    let now = ctx.micros();
    archive.clone().into_active_model().delete(&tx).await?;
    discard_staged(ctx, &tx, archive.staged.into_iter().collect()).await?;
    let mut rows = Vec::with_capacity(out.len());
    for o in out {
        if o.key != *work.key && have.contains(o.key.as_str()) {
            return Err(refused("file-exists", o.key.as_str()));
        }
        let row = draft_file::Model {
            draft_id: id.to_string(),
            mimetype: mime_guess::from_path(o.key.file_name())
                .first_or_octet_stream()
                .essence_str()
                .to_owned(),
            key: o.key.into_string(),
            status: "completed".to_owned(),
            size: Some(o.received.size as i64),
            sha256: Some(o.received.sha256.to_hex()),
            md5: Some(o.received.md5.to_hex()),
            crc32: Some(i64::from(o.received.crc32)),
            staged: Some(o.staged),
            content: None,
            metadata: "{}".to_owned(),
            created: now,
            updated: now,
        };
        rows.push(draft_file::ActiveModel::from(row));
    }
    for some in rows.chunks(2_000) {
        draft_file::Entity::insert_many(some.to_vec())
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

fn refused(code: &'static str, name: &str) -> Error {
    // A name may be anything: enough of it to find the entry, and nothing that could not be shown.
    let shown: String = name
        .chars()
        .take(200)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    let problem = Problem::new(code, "")
        .with("name", &shown)
        .with("key", &shown);
    Error::BadRequest(problem)
}

fn damaged() -> Error {
    Error::bad_request("unpack-damaged")
}

/// Hands a piece on. An error when nobody takes it any more, which ends the walk.
fn hand(to: &mpsc::Sender<Piece>, piece: Piece) -> Result<()> {
    to.blocking_send(piece)
        .map_err(|_| Error::internal("unpacking", "stopped"))
}

/// Hands on all bytes of an entry.
fn pour(from: &mut impl std::io::Read, to: &mpsc::Sender<Piece>) -> Result<()> {
    loop {
        let mut buffer = vec![0; 128 << 10];
        let mut filled = 0;
        while filled < buffer.len() {
            match from.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    tracing::debug!(error = %e, "an archive does not read");
                    return Err(damaged());
                }
            }
        }
        if filled == 0 {
            return Ok(());
        }
        buffer.truncate(filled);
        hand(to, Piece::Bytes(buffer.into()))?;
    }
}
