//! Drafts of what is already published: an edit of a version's description, or the next version.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    Statement,
};
use serde_json::Value;

use crate::{
    access::{self, Action, LoadedRecord},
    ctx::Ctx,
    deposit::{Draft, Held, held::held, read::assemble},
    error::{Error, Kind, Result},
    ids::RecordId,
    store::table::deposit::draft,
};

/// Opens a published version for editing its description, or gives the edit that is already open.
/// Its files are shown but cannot change: other bytes are another version.
pub async fn edit_published(ctx: &Ctx, id: &RecordId) -> Result<Draft> {
    let tx = ctx.env.db.begin().await?;
    let loaded = access::load_record(ctx, &tx, id, Action::Edit).await?;
    if let Some(open) = draft::Entity::find_by_id(id.as_str()).one(&tx).await? {
        let files = held(&tx, id.as_str()).await?;
        return Ok(assemble(ctx, open, loaded.parent, files, Vec::new()));
    }
    let now = ctx.micros();
    let record = &loaded.record;
    let row = draft::Model {
        id: record.id.clone(),
        parent_id: record.parent_id.clone(),
        published: true,
        version_index: record.version_index,
        metadata: record.metadata.clone(),
        access: record.access.clone(),
        custom_fields: record.custom_fields.clone(),
        doi: record.doi.clone(),
        doi_provider: record.doi_provider.clone(),
        files_enabled: record.files_enabled,
        default_preview: record.default_preview.clone(),
        revision: record.revision + 1,
        created: now,
        updated: now,
    };
    row.clone().into_active_model().insert(&tx).await?;
    import(ctx, &tx, &record.id, &record.id).await?;
    let files = held(&tx, &record.id).await?;
    tx.commit().await?;
    Ok(assemble(ctx, row, loaded.parent, files, Vec::new()))
}

/// Begins the next version, or gives the one that is already begun. It starts from the newest version's
/// description without date, version and DOI, and without files (`files::import` brings them).
pub async fn new_version(ctx: &Ctx, id: &RecordId) -> Result<Draft> {
    let tx = ctx.env.db.begin().await?;
    let asked = access::load_record(ctx, &tx, id, Action::Edit).await?;
    let open = draft::Entity::find()
        .filter(draft::COLUMN.parent_id.eq(asked.parent.id.as_str()))
        .filter(draft::COLUMN.published.eq(false))
        .order_by_asc(draft::Column::Created)
        .one(&tx)
        .await?;
    if let Some(open) = open {
        let files = held(&tx, &open.id).await?;
        return Ok(assemble(ctx, open, asked.parent, files, Vec::new()));
    }
    let from = newest(ctx, &tx, &asked).await?;
    let mut metadata: Value = serde_json::from_str(&from.record.metadata).unwrap_or_default();
    if let Some(fields) = metadata.as_object_mut() {
        fields.remove("publication_date");
        fields.remove("version");
    }
    let now = ctx.micros();
    let row = draft::Model {
        id: ctx.env.new_record_id()?.to_string(),
        parent_id: asked.parent.id.clone(),
        published: false,
        version_index: asked.parent.versions + 1,
        metadata: metadata.to_string(),
        access: from.record.access.clone(),
        custom_fields: from.record.custom_fields.clone(),
        doi: None,
        doi_provider: None,
        files_enabled: from.record.files_enabled,
        default_preview: from.record.default_preview.clone(),
        revision: 1,
        created: now,
        updated: now,
    };
    row.clone().into_active_model().insert(&tx).await?;
    tx.commit().await?;
    Ok(assemble(
        ctx,
        row,
        asked.parent,
        Held::default(),
        Vec::new(),
    ))
}

/// The newest published version of a concept.
pub(crate) async fn newest(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    of: &LoadedRecord,
) -> Result<LoadedRecord> {
    let id: RecordId = of
        .parent
        .latest
        .as_deref()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Error::not_found(Kind::Record, &of.parent.id))?;
    access::load_record_or_tombstone(ctx, db, &id, Action::Read).await
}

/// Gives a draft the files of a published version, by reference: the archive's bytes, nothing copied.
/// Keys the draft already has stay as they are.
pub(crate) async fn import(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    from: &str,
    to: &str,
) -> Result<()> {
    let now = ctx.micros();
    let (backend, values) = (
        tx.get_database_backend(),
        [to.into(), now.into(), from.into()],
    );
    // The database copies by itself: a hundred thousand rows do not pass through here.
    let copy = Statement::from_sql_and_values(
        backend,
        "insert into draft_file (draft_id, key, status, size, sha256, md5, crc32, mimetype, content, metadata, created, updated) \
         select $1, f.key, 'completed', f.size, f.sha256, f.md5, f.crc32, f.mimetype, f.content, f.metadata, $2, $2 \
         from record_file f where f.record_id = $3 \
         and not exists (select 1 from draft_file d where d.draft_id = $1 and d.key = f.key)",
        values,
    );
    tx.execute_raw(copy).await?;
    Ok(())
}
