//! Takes a published version out of view. The tombstone stays at its address, the harvesters are told,
//! the archive keeps the bytes: a withdrawal is a decision about showing, and can be taken back.
//!
//! The archive is told as of a publication, by a further OCFL version with `withdrawn/<record>.json` beside
//! what was there: a database made again from the archive alone must not show what was withdrawn.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};

use crate::{
    access::{self, Action, LoadedRecord},
    archive::{LogicalPath, NewFile, NewVersion, ObjectId, Source, Writer, WrittenVersion},
    ctx::{Ctx, moment},
    error::{Error, Problem, Result},
    ids::RecordId,
    jobs::{self, Job},
    ledger::{self, entry::Event},
    metadata::vocabulary::{self, Vocabulary},
    publish::{announce, harvest, must, publisher, snapshot::SnapshotOwner, take_back, who},
    store::table::{deposit::parent, people::account, record::record},
    text::timestamp,
};

/// What is said where the record was (InvenioRDM's tombstone).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tombstone {
    /// A term of the removal reasons.
    pub reason: String,
    /// Why, in the withdrawer's words; shown to everybody.
    #[serde(default)]
    pub note: String,
    /// Number of the account that withdrew it.
    #[serde(default)]
    pub removed_by: String,
    /// ISO 8601.
    #[serde(default)]
    pub removal_date: String,
    /// The citation as it was.
    #[serde(default)]
    pub citation_text: String,
}

/// `withdrawn/<record>.json` in the archive: that a version was taken out of view, and whether it is back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The shape of this document; raised when a reader must know.
    pub format: u32,
    /// The version.
    pub id: String,
    pub tombstone: Tombstone,
    /// Who withdrew it, by something that outlives account numbers.
    pub by: Option<SnapshotOwner>,
    /// When it was put back into view, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
}

/// The folder of [`Withdrawal`]s in an archive object.
pub(super) const FOLDER: &str = "withdrawn/";

/// Withdraws a version. It runs to its end even when the caller goes away.
pub async fn withdraw(ctx: &Ctx, id: &RecordId, reason: &str, note: &str) -> Result<()> {
    if vocabulary::get(Vocabulary::RemovalReasons, reason).is_none() {
        let problem = Problem::new("removal-reason", "removal_reason.id").with("id", reason);
        return Err(Error::Invalid(vec![problem]));
    }
    if note.len() > 10_000 {
        return Err(Error::TooLarge(
            Problem::new("note-too-long", "note").with("most", 10_000),
        ));
    }
    let said = (reason.to_owned(), note.to_owned());
    in_its_own_task(ctx, id, Some(said)).await
}

/// Puts a withdrawn version back into view; one that is in view stays as it is.
pub async fn restore(ctx: &Ctx, id: &RecordId) -> Result<()> {
    in_its_own_task(ctx, id, None).await
}

async fn in_its_own_task(ctx: &Ctx, id: &RecordId, said: Option<(String, String)>) -> Result<()> {
    ledger::ensure(ctx, id).await?;
    let (ctx, id) = (ctx.clone(), id.clone());
    tokio::spawn(async move { run(&ctx, &id, said).await })
        .await
        .map_err(|e| Error::internal("withdrawing stopped", e))?
}

/// As a publication: the archive under the concept's lock, then the one transaction that shows it.
async fn run(ctx: &Ctx, id: &RecordId, said: Option<(String, String)>) -> Result<()> {
    let db = ctx.env.db.read();
    let load = async || match said {
        Some(_) => access::load_record(ctx, db, id, Action::Withdraw).await,
        None => access::load_record_or_tombstone(ctx, db, id, Action::Withdraw).await,
    };
    let concept = load().await?.parent.id;
    let parent: RecordId = concept
        .parse()
        .map_err(|e| Error::internal("a stored id does not parse", e))?;
    let mut writer = ctx.env.archive.lock(&ObjectId::of_parent(&parent)).await?;
    // Somebody may have done it while we waited for the lock.
    let loaded = load().await?;
    if said.is_none() && loaded.record.withdrawn.is_none() {
        return Ok(());
    }
    let head = loaded.parent.archive_head as u32;
    let told = match &said {
        Some((reason, note)) => Ok(tombstone(ctx, &loaded.record, reason, note).await?),
        None => lifted(ctx, writer.object(), &loaded),
    };
    match write_and_show(ctx, &loaded, told?, &mut writer).await {
        Ok(()) => {
            if let Err(e) = writer.done().await {
                tracing::warn!(record = %id, error = %e, "a finished withdrawal is still noted as begun");
            }
            ctx.env.work.notify_one();
            Ok(())
        }
        Err(e) => {
            tracing::warn!(record = %id, error = %e, "withdrawing stopped");
            take_back(ctx, &concept, &mut writer, head).await;
            Err(e)
        }
    }
}

async fn tombstone(ctx: &Ctx, row: &record::Model, reason: &str, note: &str) -> Result<Withdrawal> {
    let described = harvest::describe(ctx, ctx.env.db.read(), row).await?;
    let stone = Tombstone {
        reason: reason.to_owned(),
        note: note.to_owned(),
        removed_by: ctx.person().map(|p| p.id.to_string()).unwrap_or_default(),
        removal_date: timestamp(ctx.now()),
        citation_text: crate::formats::citation(&described, ctx.locale).text(),
    };
    Ok(Withdrawal {
        format: 1,
        id: row.id.clone(),
        tombstone: stone,
        by: who(ctx),
        restored: None,
    })
}

/// The tombstone of the row, with the moment at which it was taken away again.
fn lifted(ctx: &Ctx, object: &ObjectId, loaded: &LoadedRecord) -> Result<Withdrawal> {
    let text = loaded.record.withdrawn.as_deref().unwrap_or_default();
    Ok(Withdrawal {
        format: 1,
        id: loaded.record.id.clone(),
        tombstone: serde_json::from_str(text)
            .map_err(|e| Error::internal(&format!("a tombstone in {object}"), e))?,
        by: None,
        restored: Some(timestamp(ctx.now())),
    })
}

async fn write_and_show(
    ctx: &Ctx,
    loaded: &LoadedRecord,
    told: Withdrawal,
    writer: &mut Writer,
) -> Result<()> {
    let (row, head) = (&loaded.record, loaded.parent.archive_head as u32);
    let at = ctx.micros();
    let owner = must(
        account::Entity::find_by_id(loaded.parent.owner_id),
        ctx.env.db.read(),
        "owner",
    )
    .await?;
    let owner = SnapshotOwner {
        email: owner.email,
        name: owner.name,
        account: Some(owner.id),
    };
    let name = stone_name(&row.id)?;
    // All that was there, as it was; OCFL versions are snapshots.
    let mut files = existing(ctx, writer.object(), head, |path| *path != name).await?;
    let text = serde_json::to_vec_pretty(&told)
        .map_err(|e| Error::internal("a tombstone does not serialise", e))?;
    files.push(NewFile::of_bytes(name, text));
    let what = if told.restored.is_some() {
        "Put back"
    } else {
        "Withdraw"
    };
    let version = NewVersion {
        files,
        message: format!("{what} version {}", row.version_index),
        user: publisher(ctx, &owner),
        created: moment(at),
    };
    let written = writer.write(head, version).await?;

    let tx = ctx.env.db.begin().await?;
    let parent = access::parent_row(&tx, &row.parent_id, true).await?;
    let now = must(record::Entity::find_by_id(row.id.as_str()), &tx, &row.id).await?;
    if parent.archive_head != i64::from(head) || now != *row {
        return Err(Error::conflict("changed-while-publishing"));
    }
    let change = parent::ActiveModel {
        id: Set(parent.id),
        archive_head: Set(i64::from(written.version)),
        updated: Set(at),
        ..Default::default()
    };
    parent::Entity::update(change).exec(&tx).await?;
    let stone = match told.restored {
        Some(_) => None,
        None => Some(
            serde_json::to_string(&told.tombstone)
                .map_err(|e| Error::internal("a tombstone does not serialise", e))?,
        ),
    };
    set(ctx, &tx, row, stone, &written, at).await?;
    tx.commit().await?;
    Ok(())
}

/// The tombstones in an object that the next version of it must have too, so that its newest version always
/// tells what is out of view. Reads the archive only where something is.
pub(super) async fn kept_tombstones(
    ctx: &Ctx,
    object: &ObjectId,
    parent: &parent::Model,
) -> Result<Vec<NewFile>> {
    let withdrawn = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(parent.id.as_str()))
        .filter(record::COLUMN.withdrawn.is_not_null())
        .one(ctx.env.db.read())
        .await?;
    if withdrawn.is_none() {
        return Ok(Vec::new());
    }
    let head = parent.archive_head as u32;
    existing(ctx, object, head, |path| path.as_str().starts_with(FOLDER)).await
}

/// Files of a version, to be taken over into the next.
async fn existing(
    ctx: &Ctx,
    object: &ObjectId,
    version: u32,
    wanted: impl Fn(&LogicalPath) -> bool,
) -> Result<Vec<NewFile>> {
    let state = ctx.env.archive.version(object, version).await?;
    let files = state.files.into_iter().filter(|(path, _)| wanted(path));
    Ok(files
        .map(|(logical, stored)| NewFile {
            logical,
            source: Source::Existing,
            sha256: stored.sha256,
            size: 0,
            md5: None,
        })
        .collect())
}

fn stone_name(id: &str) -> Result<LogicalPath> {
    format!("{FOLDER}{id}.json")
        .parse()
        .map_err(|e| Error::internal("a tombstone's name", e))
}

async fn set(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    row: &record::Model,
    stone: Option<String>,
    written: &WrittenVersion,
    at: i64,
) -> Result<()> {
    let event = match (row.withdrawn.is_some(), stone.is_some()) {
        (_, true) => Some(Event::Withdraw),
        (true, false) => Some(Event::Restore),
        (false, false) => None,
    };
    let change = record::ActiveModel {
        id: Set(row.id.clone()),
        withdrawn: Set(stone),
        updated: Set(at),
        ..Default::default()
    };
    record::Entity::update(change).exec(tx).await?;
    let mut changed = newest_in_view(ctx, tx, &row.parent_id).await?;
    if !changed.contains(&row.id) {
        changed.push(row.id.clone());
    }
    for id in &changed {
        harvest::write(ctx, tx, id).await?;
    }
    if let Some(event) = event {
        let after = (written.version, written.inventory_sha256);
        ledger::append_again(ctx, tx, event, row, after, at).await?;
    }
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    announce(ctx, tx, &changed).await
}

/// Makes the newest version in view the one that the concept leads to; with none in view, the newest of all,
/// whose tombstone is then shown. Gives the versions that are it now, or are it no longer.
async fn newest_in_view(ctx: &Ctx, tx: &DatabaseTransaction, concept: &str) -> Result<Vec<String>> {
    let versions = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(concept))
        .order_by_desc(record::Column::VersionIndex)
        .all(tx)
        .await?;
    let in_view = versions.iter().find(|v| v.withdrawn.is_none());
    let Some(newest) = in_view.or(versions.first()) else {
        return Ok(Vec::new());
    };
    let mut changed = Vec::new();
    for version in &versions {
        let is_latest = version.id == newest.id;
        if version.is_latest == is_latest {
            continue;
        }
        let change = record::ActiveModel {
            id: Set(version.id.clone()),
            is_latest: Set(is_latest),
            ..Default::default()
        };
        record::Entity::update(change).exec(tx).await?;
        changed.push(version.id.clone());
    }
    if changed.is_empty() {
        return Ok(changed);
    }
    let change = parent::ActiveModel {
        id: Set(concept.to_owned()),
        latest: Set(Some(newest.id.clone())),
        updated: Set(ctx.micros()),
        ..Default::default()
    };
    parent::Entity::update(change).exec(tx).await?;
    // The concept's DOI describes the version it leads to.
    if let (Ok(record), true) = (
        newest.id.parse(),
        newest.doi_provider.as_deref() != Some("external"),
    ) {
        jobs::enqueue(ctx, tx, &Job::RegisterDoi { record }).await?;
    }
    Ok(changed)
}
