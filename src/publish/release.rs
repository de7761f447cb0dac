//! Publishes a draft.
//!
//! Under the archive's lock for the concept: check the draft, write the archive (slow, outside any
//! transaction), make it visible (one transaction, which also enqueues what must follow and fails if the
//! draft changed meanwhile). A crash before the transaction's end leaves an archive version that nobody
//! lists; the archive noted that it was begun, and `recover` undoes it.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, sea_query::Expr,
};

use crate::{
    access::{self, Action},
    archive::{NewVersion, ObjectId, Writer, WrittenVersion},
    ctx::{Ctx, moment},
    deposit::{self, Draft},
    error::{Error, Kind, Result},
    ids::{Doi, RecordId},
    jobs::{self, Job},
    ledger::{self, entry::Event},
    metadata,
    publish::{
        announce, harvest, must, publisher,
        snapshot::{self, ReadyFile, Snapshot, SnapshotOwner},
        take_back, who, withdraw,
    },
    store::{
        db,
        table::{
            deposit::parent,
            people::account,
            record::{record, record_file, record_revision},
        },
    },
};

/// Publishes the draft of an id and gives the id of the version. Everything that stands in the way is
/// reported at once. Asking again after success is success: the first answer may have been lost.
///
/// Runs to its end even when the caller goes away: a publication is not left half-way because a browser
/// was closed.
pub async fn release(ctx: &Ctx, id: &RecordId) -> Result<RecordId> {
    let (ctx, id) = (ctx.clone(), id.clone());
    tokio::spawn(async move { run(&ctx, &id).await })
        .await
        .map_err(|e| Error::internal("publishing stopped", e))?
}

async fn run(ctx: &Ctx, id: &RecordId) -> Result<RecordId> {
    let db = ctx.env.db.read();
    let parent: RecordId = match access::load_draft(ctx, db, id, Action::Publish).await {
        Ok(loaded) => stored_id(&loaded.draft.parent_id)?,
        Err(e) => return published_already(ctx, id, e).await,
    };
    let mut writer = ctx.env.archive.lock(&ObjectId::of_parent(&parent)).await?;
    // Somebody may have published it while we waited for the lock.
    let draft = match begin(ctx, id).await {
        Ok(draft) => draft,
        Err(e) => return published_already(ctx, id, e).await,
    };
    let head = draft.parent.archive_head as u32;
    match write_and_show(ctx, &draft, &mut writer, head).await {
        Ok(()) => {
            if let Err(e) = writer.done().await {
                tracing::warn!(record = %id, error = %e, "a finished publication is still noted as begun");
            }
            ctx.env.work.notify_one();
            Ok(id.clone())
        }
        Err(e) => {
            tracing::warn!(record = %id, error = %e, "publishing stopped");
            take_back(ctx, &draft.parent.id, &mut writer, head).await;
            Err(e)
        }
    }
}

/// No draft, but a published version of that id which the caller may publish: asked twice.
async fn published_already(ctx: &Ctx, id: &RecordId, e: Error) -> Result<RecordId> {
    if !matches!(
        e,
        Error::NotFound {
            kind: Kind::Draft,
            ..
        }
    ) {
        return Err(e);
    }
    match access::load_record(ctx, ctx.env.db.read(), id, Action::Publish).await {
        Ok(_) => Ok(id.clone()),
        Err(_) => Err(e),
    }
}

/// A draft that may be published.
async fn begin(ctx: &Ctx, id: &RecordId) -> Result<Draft> {
    let db = ctx.env.db.read();
    let loaded = access::load_draft(ctx, db, id, Action::Publish).await?;
    let files = deposit::held(db, id.as_str()).await?;
    let draft = deposit::assemble(ctx, loaded.draft, loaded.parent, files, Vec::new());
    let mut wrong = draft.problems.clone();
    // What nobody understands is named when the draft is saved, and stands in nobody's way.
    wrong.retain(|p| p.code != "unknown-field");
    if draft.row.published {
        // An embargo that has ended since is no fault of a corrected description.
        wrong.retain(|p| p.path != "access.embargo.until");
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(draft)
}

fn stored_id(text: &str) -> Result<RecordId> {
    text.parse()
        .map_err(|e| Error::internal("a stored id does not parse", e))
}

/// The archive, then the one transaction that shows it.
async fn write_and_show(ctx: &Ctx, draft: &Draft, writer: &mut Writer, head: u32) -> Result<()> {
    let db = ctx.env.db.read();
    let earlier = if draft.row.published {
        record::Entity::find_by_id(draft.row.id.as_str())
            .one(db)
            .await?
    } else {
        None
    };
    // One moment for the archive and for the rows, so that the rows can be told from the archive.
    let at = ctx.micros();
    let published = earlier.as_ref().map_or(at, |r| r.published);
    let owner = must(
        account::Entity::find_by_id(draft.parent.owner_id),
        db,
        "owner",
    )
    .await?;
    let owner = SnapshotOwner {
        email: owner.email,
        name: owner.name,
        account: Some(owner.id),
    };
    let mut files = if draft.row.files_enabled {
        snapshot::ready(db, &draft.row.id).await?
    } else {
        Vec::new()
    };
    let (doi, parent_doi) = dois(ctx, draft)?;
    let mut document = snapshot::document(
        draft,
        owner,
        (doi.clone(), parent_doi.clone()),
        &files,
        (published, at),
    )?;
    document.by = who(ctx);
    let text = document.text()?;
    let document = document.without_files();
    let mut archived = snapshot::archive_files(text, &mut files)?;
    archived.extend(withdraw::kept_tombstones(ctx, writer.object(), &draft.parent).await?);
    let version = NewVersion {
        files: archived,
        message: if draft.row.published {
            format!(
                "Correct the description of version {}",
                draft.row.version_index
            )
        } else {
            format!("Publish version {}", draft.row.version_index)
        },
        user: publisher(ctx, &document.owner),
        created: moment(at),
    };
    let record_json = version.files.first().map(|f| f.sha256);
    let files_digest =
        ledger::entry::files_digest(files.iter().map(|f| (f.key.as_str(), f.sha256)));
    let written = writer.write(head, version).await?;

    let tx = ctx.env.db.begin().await?;
    let id = stored_id(&draft.row.id)?;
    let now = access::lock_draft(ctx, &tx, &id, Action::Publish).await?;
    let same = now.draft == draft.row
        && now.parent.archive_head == draft.parent.archive_head
        && (!draft.row.files_enabled || snapshot::unchanged(&tx, &draft.row.id, &files).await?);
    if !same {
        return Err(Error::conflict("changed-while-publishing"));
    }
    refuse_taken_doi(&tx, draft).await?;
    let shown = Shown {
        document: &document,
        metadata: &draft.metadata,
        doi,
        parent_doi,
        at,
    };
    let corrects = earlier.is_some();
    let row = match earlier {
        Some(row) => correct(ctx, &tx, row, &shown, written.version).await?,
        None => show(ctx, &tx, &now.parent, files, &shown, &written).await?,
    };
    deposit::remove_draft(ctx, &tx, &draft.row.id).await?;
    let fact = ledger::Fact {
        event: if corrects {
            Event::Revise
        } else {
            Event::Publish
        },
        record: &row,
        archive_version: i64::from(written.version),
        inventory: written.inventory_sha256,
        record_json: record_json.ok_or_else(|| Error::internal("no record.json", &row.id))?,
        files: files_digest,
        at: row.updated,
    };
    ledger::append(ctx, &tx, &fact).await?;
    announce_version(ctx, &tx, &now.parent, draft).await?;
    tx.commit().await?;
    Ok(())
}

/// A DOI from elsewhere names one record.
async fn refuse_taken_doi(tx: &DatabaseTransaction, draft: &Draft) -> Result<()> {
    if draft.row.doi_provider.as_deref() != Some("external") {
        return Ok(());
    }
    // Two that bring the same one must look one after the other.
    db::order_changes(tx).await?;
    let taken = record::Entity::find()
        .filter(record::COLUMN.doi.eq(draft.row.doi.clone()))
        .filter(record::COLUMN.id.ne(draft.row.id.as_str()))
        .one(tx)
        .await?;
    match taken {
        Some(_) => Err(Error::invalid("doi-taken", "pids.doi.identifier")),
        None => Ok(()),
    }
}

/// What is made visible.
struct Shown<'a> {
    document: &'a Snapshot<()>,
    metadata: &'a metadata::Metadata,
    doi: Option<String>,
    parent_doi: Option<String>,
    /// When, in microseconds.
    at: i64,
}

/// Our own DOIs unless the depositor brought one: of the version, and of the concept.
fn dois(ctx: &Ctx, draft: &Draft) -> Result<(Option<String>, Option<String>)> {
    let external = draft.row.doi_provider.as_deref() == Some("external");
    if external || draft.row.published {
        return Ok((draft.row.doi.clone(), draft.parent.doi.clone()));
    }
    let own = |id: &str| -> Result<String> {
        Ok(Doi::for_record(&ctx.env.config.doi_prefix, &stored_id(id)?).into_string())
    };
    let version = match &draft.row.doi {
        Some(reserved) => reserved.clone(),
        None => own(&draft.row.id)?,
    };
    let concept = match &draft.parent.doi {
        Some(known) => known.clone(),
        None => own(&draft.parent.id)?,
    };
    Ok((Some(version), Some(concept)))
}

/// A new version becomes visible: its row, its files, the concept's new head.
async fn show(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    parent: &parent::Model,
    files: Vec<ReadyFile>,
    shown: &Shown<'_>,
    written: &WrittenVersion,
) -> Result<record::Model> {
    let document = shown.document;
    let now = shown.at;
    record::Entity::update_many()
        .col_expr(record::Column::IsLatest, Expr::value(false))
        .filter(record::COLUMN.parent_id.eq(parent.id.as_str()))
        .exec(tx)
        .await?;
    let external = document.doi_provider.as_deref() == Some("external");
    let row = record::Model {
        id: document.id.clone(),
        parent_id: parent.id.clone(),
        version_index: parent.versions + 1,
        metadata: document.metadata.to_string(),
        access: document.access.to_string(),
        custom_fields: document.custom_fields.to_string(),
        doi: shown.doi.clone(),
        doi_provider: shown
            .doi
            .as_ref()
            .map(|_| if external { "external" } else { "local" }.to_owned()),
        doi_state: if external { "external" } else { "reserved" }.to_owned(),
        files_enabled: document.files_enabled,
        file_count: files.len() as i64,
        total_bytes: files.iter().map(|f| f.size).sum(),
        own_bytes: Some(snapshot::own_bytes(&files, written)?),
        default_preview: document.default_preview.clone(),
        title: shown.metadata.title.clone().unwrap_or_default(),
        revision: document.revision,
        archive_version: i64::from(written.version),
        is_latest: true,
        withdrawn: None,
        created: now,
        updated: now,
        published: now,
    };
    row.clone().into_active_model().insert(tx).await?;
    let mut files = files.into_iter().peekable();
    while files.peek().is_some() {
        let some = files.by_ref().take(2_000);
        let rows = some.map(|file| snapshot::file_row(&row.id, file, written));
        record_file::Entity::insert_many(rows.collect::<Result<Vec<_>>>()?)
            .exec_without_returning(tx)
            .await?;
    }
    let head = parent::ActiveModel {
        id: Set(parent.id.clone()),
        doi: Set(shown.parent_doi.clone()),
        versions: Set(parent.versions + 1),
        latest: Set(Some(row.id.clone())),
        archive_head: Set(i64::from(written.version)),
        updated: Set(now),
        ..Default::default()
    };
    parent::Entity::update(head).exec(tx).await?;
    keep_revision(ctx, tx, &row, now).await?;
    if let Some(before) = &parent.latest {
        // It is the latest no more, and harvesters know it as such.
        harvest::write(ctx, tx, before).await?;
    }
    harvest::write(ctx, tx, &row.id).await?;
    Ok(row)
}

/// A published version gets its corrected description; its files and its number stay.
async fn correct(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    before: record::Model,
    shown: &Shown<'_>,
    archive_version: u32,
) -> Result<record::Model> {
    let document = shown.document;
    let now = shown.at;
    let change = record::ActiveModel {
        id: Set(before.id.clone()),
        metadata: Set(document.metadata.to_string()),
        access: Set(document.access.to_string()),
        custom_fields: Set(document.custom_fields.to_string()),
        default_preview: Set(document.default_preview.clone()),
        title: Set(shown.metadata.title.clone().unwrap_or_default()),
        revision: Set(document.revision),
        archive_version: Set(i64::from(archive_version)),
        updated: Set(now),
        ..Default::default()
    };
    let row = record::Entity::update(change).exec(tx).await?;
    let head = parent::ActiveModel {
        id: Set(before.parent_id),
        archive_head: Set(i64::from(archive_version)),
        updated: Set(now),
        ..Default::default()
    };
    parent::Entity::update(head).exec(tx).await?;
    keep_revision(ctx, tx, &row, now).await?;
    harvest::write(ctx, tx, &row.id).await?;
    Ok(row)
}

async fn keep_revision(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    row: &record::Model,
    at: i64,
) -> Result<()> {
    record_revision::Model {
        record_id: row.id.clone(),
        revision: row.revision,
        archive_version: row.archive_version,
        metadata: row.metadata.clone(),
        access: row.access.clone(),
        account_id: ctx.person().map_or(0, |p| p.id.0),
        at,
    }
    .into_active_model()
    .insert(tx)
    .await?;
    Ok(())
}

/// Jobs and change feed: this version, and the one that is no longer the newest.
async fn announce_version(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    parent: &parent::Model,
    draft: &Draft,
) -> Result<()> {
    let record = stored_id(&draft.row.id)?;
    if draft.row.doi_provider.as_deref() != Some("external") {
        jobs::enqueue(
            ctx,
            tx,
            &Job::RegisterDoi {
                record: record.clone(),
            },
        )
        .await?;
    }
    if let (true, Some(until)) = (draft.access.embargo.active, draft.access.embargo.until) {
        let at = until
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_micros();
        jobs::enqueue_at(ctx, tx, &Job::LiftEmbargo { record }, at).await?;
    }
    let mut changed = vec![draft.row.id.as_str()];
    if !draft.row.published {
        changed.extend(parent.latest.as_deref());
    }
    announce(ctx, tx, &changed).await
}
