//! A published version as every door sees it.

use std::collections::HashMap;

use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query};
use serde_json::Value;

use crate::{
    access::{self, Action, LoadedRecord},
    ctx::Ctx,
    error::{Error, Kind, Result},
    formats,
    ids::{Doi, RecordId},
    metadata::{Access, Metadata, access::AccessStatus},
    publish::{self, Tombstone},
    store::{
        db::first_characters,
        table::{
            deposit::{draft, parent},
            record::{record, record_file},
        },
    },
};

/// A file of a published version, as doors may hold it.
pub type PublishedFile = record_file::Model;
/// A concept, as doors may hold it.
pub type Concept = parent::Model;

/// A version with its meaning.
#[derive(Debug, Clone)]
pub struct Version {
    pub loaded: LoadedRecord,
    pub metadata: Metadata,
    /// In force today.
    pub access: Access,
    pub status: AccessStatus,
    pub custom_fields: Value,
    /// May the caller have the files?
    pub files_open: bool,
}

impl Version {
    pub fn row(&self) -> &record::Model {
        &self.loaded.record
    }
    pub fn parent(&self) -> &parent::Model {
        &self.loaded.parent
    }
}

/// What an id in a URL stands for.
#[derive(Debug, Clone)]
pub enum Found {
    Version(Box<Version>),
    /// A concept; its newest version has this id.
    Concept {
        latest: RecordId,
    },
}

/// What an id stands for: a version, or a concept that leads to its newest.
pub async fn find(ctx: &Ctx, id: &RecordId) -> Result<Found> {
    match version(ctx, id).await {
        Err(e @ Error::NotFound { .. }) => match concept(ctx, id).await? {
            // A redirect would tell that there is something.
            Some(latest) if may_know(ctx, &latest).await? => Ok(Found::Concept { latest }),
            _ => Err(e),
        },
        other => other.map(|v| Found::Version(Box::new(v))),
    }
}

/// May the caller know that this version exists, be it in view or withdrawn?
async fn may_know(ctx: &Ctx, id: &RecordId) -> Result<bool> {
    let db = ctx.env.db.read();
    match access::load_record_or_tombstone(ctx, db, id, Action::Read).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The version that an id stands for or leads to.
pub async fn resolve(ctx: &Ctx, id: &RecordId) -> Result<Version> {
    match find(ctx, id).await? {
        Found::Version(version) => Ok(*version),
        Found::Concept { latest } => version(ctx, &latest).await,
    }
}

/// The newest version of a concept.
async fn concept(ctx: &Ctx, id: &RecordId) -> Result<Option<RecordId>> {
    let row = parent::Entity::find_by_id(id.as_str())
        .one(ctx.env.db.read())
        .await?;
    Ok(row.and_then(|p| p.latest).and_then(|id| id.parse().ok()))
}

/// A published version. A withdrawn one is `Gone`.
pub async fn version(ctx: &Ctx, id: &RecordId) -> Result<Version> {
    let loaded = access::load_record(ctx, ctx.env.db.read(), id, Action::Read).await?;
    with_meaning(ctx, loaded)
}

fn with_meaning(ctx: &Ctx, loaded: LoadedRecord) -> Result<Version> {
    let metadata = serde_json::from_str(&loaded.record.metadata)
        .map_err(|e| Error::internal("stored metadata does not parse", e))?;
    let access = loaded.access.effective(ctx.today());
    Ok(Version {
        status: access.status(loaded.record.files_enabled, ctx.today()),
        files_open: loaded.files_open(ctx),
        custom_fields: serde_json::from_str(&loaded.record.custom_fields).unwrap_or_default(),
        metadata,
        access,
        loaded,
    })
}

/// All versions of the same concept that the caller may see, newest first, at most 1,000.
pub async fn versions(ctx: &Ctx, of: &Version) -> Result<Vec<Version>> {
    let rows = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(of.parent().id.as_str()))
        .filter(record::COLUMN.withdrawn.is_null())
        .order_by_desc(record::Column::VersionIndex)
        .limit(1_000)
        .all(ctx.env.db.read())
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let seen = access::of_row(ctx, row, of.parent().clone());
        if let Some(loaded) = seen {
            out.push(with_meaning(ctx, loaded)?);
        }
    }
    Ok(out)
}

/// Versions by their ids, in that order; those out of view, or not for the caller, are left out. Two
/// queries however many they are.
pub async fn many(ctx: &Ctx, ids: &[String]) -> Result<Vec<Version>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let db = ctx.env.db.read();
    let rows = record::Entity::find()
        .filter(record::COLUMN.id.is_in(ids.iter().map(String::as_str)))
        .filter(record::COLUMN.withdrawn.is_null())
        .all(db)
        .await?;
    with_parents(ctx, rows, ids).await
}

/// Rows with their concepts, in the order of `ids`.
async fn with_parents(ctx: &Ctx, rows: Vec<record::Model>, ids: &[String]) -> Result<Vec<Version>> {
    let mut wanted: Vec<&str> = rows.iter().map(|r| r.parent_id.as_str()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let parents: HashMap<String, parent::Model> = parent::Entity::find()
        .filter(parent::COLUMN.id.is_in(wanted))
        .all(ctx.env.db.read())
        .await?
        .into_iter()
        .map(|p| (p.id.clone(), p))
        .collect();
    let mut rows: HashMap<String, record::Model> =
        rows.into_iter().map(|r| (r.id.clone(), r)).collect();
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = rows.remove(id) else { continue };
        let Some(parent) = parents.get(&row.parent_id) else {
            continue;
        };
        if let Some(loaded) = access::of_row(ctx, row, parent.clone()) {
            out.push(with_meaning(ctx, loaded)?);
        }
    }
    Ok(out)
}

/// The newest publications that everybody may see, at most `most`.
pub async fn newest(ctx: &Ctx, most: u64) -> Result<Vec<Version>> {
    let rows = super::recent(ctx, most).await?;
    let ids: Vec<String> = rows.iter().map(|r| r.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with_parents(ctx, rows, &ids).await
}

/// Files of a version by key, `size` a page, from page 1. Not asked whether the caller may have the
/// bytes: see `Version::files_open`.
pub async fn files(
    ctx: &Ctx,
    of: &Version,
    page: u64,
    size: u64,
) -> Result<Vec<record_file::Model>> {
    Ok(record_file::Entity::find()
        .filter(record_file::COLUMN.record_id.eq(of.row().id.as_str()))
        .order_by_asc(record_file::Column::Key)
        .offset(page.saturating_sub(1).saturating_mul(size))
        .limit(size)
        .all(ctx.env.db.read())
        .await?)
}

/// Files of a version by key, after one of them.
pub async fn files_after(
    ctx: &Ctx,
    of: &Version,
    after: &str,
    most: u64,
) -> Result<Vec<record_file::Model>> {
    Ok(record_file::Entity::find()
        .filter(record_file::COLUMN.record_id.eq(of.row().id.as_str()))
        .filter(record_file::COLUMN.key.gt(after))
        .order_by_asc(record_file::Column::Key)
        .limit(most)
        .all(ctx.env.db.read())
        .await?)
}

/// A page of the files whose key begins with `prefix`, from page 1, and how many there are of them.
pub async fn files_page(
    ctx: &Ctx,
    of: &Version,
    prefix: &str,
    page: u64,
    size: u64,
) -> Result<(Vec<record_file::Model>, u64)> {
    if prefix.is_empty() {
        let rows = files(ctx, of, page, size).await?;
        return Ok((rows, of.row().file_count as u64));
    }
    let length = prefix.chars().count() as i64;
    let query = record_file::Entity::find()
        .filter(record_file::COLUMN.record_id.eq(of.row().id.as_str()))
        .filter(sea_query::ExprTrait::eq(
            first_characters("key", length),
            prefix,
        ));
    let total = query.clone().count(ctx.env.db.read()).await?;
    let rows = query
        .order_by_asc(record_file::Column::Key)
        .offset(page.saturating_sub(1).saturating_mul(size))
        .limit(size)
        .all(ctx.env.db.read())
        .await?;
    Ok((rows, total))
}

/// The number of the last page of files.
pub fn last_files_page(of: &Version, size: u64) -> u64 {
    (of.row().file_count as u64).div_ceil(size.max(1)).max(1)
}

/// A version as the formats want it. Whoever may not have the files is not told of them.
pub async fn describe(ctx: &Ctx, of: &Version) -> Result<formats::Record> {
    let mut described = publish::describe(ctx, ctx.env.db.read(), of.row()).await?;
    if !of.files_open {
        described.files.clear();
    }
    Ok(described)
}

/// The same from what was loaded already: some of its files, and the versions of its concept.
pub fn described(
    ctx: &Ctx,
    of: &Version,
    files: &[PublishedFile],
    versions: &[Version],
) -> Result<formats::Record> {
    let others: Vec<record::Model> = versions
        .iter()
        .filter(|v| v.row().id != of.row().id)
        .map(|v| v.row().clone())
        .collect();
    let files = if of.files_open { files } else { &[] };
    publish::described(
        ctx,
        of.row(),
        of.parent(),
        of.access.clone(),
        files.to_vec(),
        &others,
    )
}

/// Where a DOI leads: a version's, a concept's (then its newest version).
pub async fn by_doi(ctx: &Ctx, doi: &Doi) -> Result<RecordId> {
    let db = ctx.env.db.read();
    let missing = || Error::not_found(Kind::Doi, doi);
    let found = record::Entity::find()
        .filter(record::COLUMN.doi.eq(doi.as_str()))
        .one(db)
        .await?;
    let id = match found {
        Some(row) => Some(row.id),
        None => parent::Entity::find()
            .filter(parent::COLUMN.doi.eq(doi.as_str()))
            .one(db)
            .await?
            .and_then(|p| p.latest),
    };
    let id: RecordId = id.and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    // A DOI must not tell of a record that its reader may not know of.
    match access::load_record_or_tombstone(ctx, db, &id, Action::Read).await {
        Ok(_) => Ok(id),
        Err(Error::NotFound { .. }) => Err(missing()),
        Err(e) => Err(e),
    }
}

/// What is said where a withdrawn version was.
pub async fn tombstone(ctx: &Ctx, id: &RecordId) -> Result<(Version, Tombstone)> {
    let db = ctx.env.db.read();
    let loaded = access::load_record_or_tombstone(ctx, db, id, Action::Read).await?;
    let stone = loaded
        .record
        .withdrawn
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| Error::not_found(Kind::Record, id))?;
    Ok((with_meaning(ctx, loaded)?, stone))
}

/// Is an edit of this version open?
pub async fn has_draft(ctx: &Ctx, id: &RecordId) -> Result<bool> {
    let found = draft::Entity::find_by_id(id.as_str())
        .count(ctx.env.db.read())
        .await?;
    Ok(found > 0)
}
