//! Keeps the search index up with the change feed, and builds it anew.
//!
//! The index remembers the number of the last change it has seen, in the same commit: after a crash it
//! goes on from there, and several replicas each follow the feed into an index of their own.

use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use search_index::{Document, PUBLIC, Person, Rebuild};

use crate::{
    access,
    catalog::search::reader_key,
    ctx::{Ctx, Env, moment},
    error::{Error, Result},
    metadata::{
        Metadata,
        access::Visibility,
        html::plain_text,
        model::{Agent, Rights, Subject},
    },
    store::table::{
        record::{record, record_file},
        work::change,
    },
    text::Locale,
};

/// Changes read at a time; a record is about 10 kB of document.
const STEP: u64 = 500;
/// Bytes a rebuild may buffer.
const WRITER_MEMORY: usize = 64 << 20;
/// File names indexed of one version.
const MOST_FILES: u64 = 2_000;

/// Brings the index up to the newest committed change. Gives how many records were looked at.
pub async fn follow(env: &Env) -> Result<usize> {
    let ctx = env.system();
    let mut seen = 0;
    // One follower at a time: a second would only find the index busy.
    let _turn = env.index_turn.lock().await;
    loop {
        let index = env.index.clone();
        let cursor = blocking(move || index.cursor()).await?;
        let changes = change::Entity::find()
            .filter(change::COLUMN.seq.gt(cursor as i64))
            .order_by_asc(change::Column::Seq)
            .limit(STEP)
            .all(env.db.read())
            .await?;
        let Some(last) = changes.last() else {
            return Ok(seen);
        };
        let last = last.seq as u64;
        let mut ids: Vec<String> = changes.into_iter().map(|c| c.record_id).collect();
        ids.sort();
        ids.dedup();
        seen += ids.len();
        apply(&ctx, ids, last).await?;
    }
}

async fn apply(ctx: &Ctx, ids: Vec<String>, cursor: u64) -> Result<()> {
    let mut documents = Vec::new();
    let mut gone = Vec::new();
    for id in ids {
        match document(ctx, &id).await? {
            Some(document) => documents.push(document),
            None => gone.push(id),
        }
    }
    let index = ctx.env.index.clone();
    blocking(move || {
        let mut batch = index.begin()?;
        batch.upsert(&documents)?;
        batch.delete(&gone);
        batch.commit(cursor)
    })
    .await
}

/// Runs what may wait for a disk off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> search_index::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::internal("indexing stopped", e))?
        .map_err(|e| match e {
            search_index::Error::Io(e) => Error::io("indexing", &e),
            search_index::Error::Busy => Error::Unavailable(e.to_string()),
            other => Error::internal("indexing", other),
        })
}

/// Builds the index anew beside the one in use, then swaps. Gives how many records it holds.
pub async fn rebuild(env: &Env, progress: impl Fn(u64)) -> Result<u64> {
    let ctx = env.system();
    // Read before the walk: what changes during it is followed again afterwards.
    let cursor = change::Entity::find()
        .order_by_desc(change::Column::Seq)
        .one(env.db.read())
        .await?
        .map_or(0, |c| c.seq as u64);
    let dir = env.config.index_dir();
    let mut fresh = blocking(move || Rebuild::begin(&dir, WRITER_MEMORY)).await?;
    let mut after = String::new();
    let mut done = 0;
    loop {
        let rows = record::Entity::find()
            .filter(record::COLUMN.id.gt(after.as_str()))
            .order_by_asc(record::Column::Id)
            .limit(STEP)
            .all(env.db.read())
            .await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        let mut documents = Vec::with_capacity(rows.len());
        for row in rows {
            documents.extend(of_row(&ctx, row).await?);
        }
        done += documents.len() as u64;
        fresh = blocking(move || {
            fresh.upsert(&documents)?;
            Ok(fresh)
        })
        .await?;
        progress(done);
    }
    blocking(move || fresh.finish(cursor)).await?;
    let index = env.index.clone();
    blocking(move || index.reload()).await?;
    follow(env).await?;
    Ok(done)
}

/// How many versions are in view; for `kho doctor` and the reindex summary.
pub async fn count(env: &Env) -> Result<u64> {
    Ok(record::Entity::find()
        .filter(record::COLUMN.withdrawn.is_null())
        .count(env.db.read())
        .await?)
}

async fn document(ctx: &Ctx, id: &str) -> Result<Option<Document>> {
    match record::Entity::find_by_id(id)
        .one(ctx.env.db.read())
        .await?
    {
        Some(row) => of_row(ctx, row).await,
        None => Ok(None),
    }
}

/// A version as the index knows it; none when it is out of view.
async fn of_row(ctx: &Ctx, row: record::Model) -> Result<Option<Document>> {
    if row.withdrawn.is_some() {
        return Ok(None);
    }
    let db = ctx.env.db.read();
    let parent = access::parent_row(db, &row.parent_id, false).await?;
    let access = access::parse(&row.access).effective(ctx.today());
    let metadata: Metadata = serde_json::from_str(&row.metadata)
        .map_err(|e| Error::internal("stored metadata does not parse", e))?;
    let file_names: Vec<String> = record_file::Entity::find()
        .select_only()
        .column(record_file::Column::Key)
        .filter(record_file::COLUMN.record_id.eq(row.id.as_str()))
        .order_by_asc(record_file::Column::Key)
        .limit(MOST_FILES)
        .into_tuple()
        .all(db)
        .await?;
    let mut readers = vec![reader_key(parent.owner_id)];
    if access.record == Visibility::Public {
        readers.push(PUBLIC.to_owned());
    }
    Ok(Some(Document {
        version_index: row.version_index as u64,
        is_latest: row.is_latest,
        readers,
        owner: Some(parent.owner_id.to_string()),
        titles: metadata
            .titles()
            .into_iter()
            .map(|said| said.text.to_owned())
            .collect(),
        descriptions: metadata
            .descriptions()
            .into_iter()
            .map(|said| plain_text(said.text))
            .collect(),
        creators: metadata.creators.iter().map(person).collect(),
        contributors: metadata.contributors.iter().map(person).collect(),
        subjects: subjects(&metadata),
        publisher: metadata.publisher.clone(),
        file_names,
        concept_doi: parent.doi,
        identifiers: metadata
            .identifiers
            .iter()
            .map(|i| i.identifier.clone())
            .collect(),
        resource_type: metadata
            .resource_type
            .as_ref()
            .map(|t| t.id.clone())
            .unwrap_or_default(),
        access_status: access
            .status(row.files_enabled, ctx.today())
            .code()
            .to_owned(),
        licences: metadata
            .rights
            .iter()
            .filter_map(|r| match r {
                Rights::Licence { id } => Some(id.clone()),
                Rights::Custom { .. } => None,
            })
            .collect(),
        languages: metadata.languages.iter().map(|l| l.id.clone()).collect(),
        communities: parent
            .communities
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect(),
        file_types: Vec::new(),
        publication_date: metadata.publication_date.as_ref().map(ToString::to_string),
        created: moment(row.created).timestamp(),
        updated: moment(row.updated).timestamp(),
        published: moment(row.published).timestamp(),
        size: row.total_bytes as u64,
        views: 0,
        downloads: 0,
        doi: row.doi,
        parent_id: row.parent_id,
        id: row.id,
    }))
}

fn person(agent: &Agent) -> Person {
    Person {
        name: agent.person_or_org.name(),
        affiliations: agent
            .affiliations
            .iter()
            .map(|a| a.label(Locale::Vi).to_owned())
            .collect(),
        identifiers: agent
            .person_or_org
            .identifiers
            .iter()
            .map(|i| i.identifier.clone())
            .collect(),
    }
}

/// Keywords as typed; terms of classifications by both their names.
fn subjects(metadata: &Metadata) -> Vec<String> {
    use crate::metadata::vocabulary::{Vocabulary, label};
    let mut out = Vec::new();
    for subject in &metadata.subjects {
        match subject {
            Subject::Keyword { subject } => out.push(subject.clone()),
            Subject::Term { id } => {
                out.extend(
                    Locale::ALL
                        .into_iter()
                        .map(|l| label(Vocabulary::Subjects, id, l).to_owned()),
                );
            }
        }
    }
    out
}
