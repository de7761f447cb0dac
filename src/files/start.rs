//! Announces files: rows that wait for their bytes.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use serde_json::Value;

use crate::{
    access::LoadedDraft,
    ctx::Ctx,
    error::{Error, Problem, Result},
    files::lock_files,
    ids::{FileKey, RecordId},
    store::table::deposit::draft_file,
};

/// A file to come.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub key: FileKey,
    /// The client's own words about it, kept as they are; at most 64 KiB of JSON.
    pub metadata: Value,
}

/// Announces all or none. A key that is there already is refused, unless its bytes never came: an
/// upload that broke off can be started again. Gives how many files the draft has then.
pub async fn start(ctx: &Ctx, id: &RecordId, new: Vec<NewFile>) -> Result<u64> {
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    let count = announce(ctx, &tx, &loaded, id, new).await?;
    tx.commit().await?;
    Ok(count)
}

/// The same inside a transaction that holds the draft.
pub(super) async fn announce(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    loaded: &LoadedDraft,
    id: &RecordId,
    new: Vec<NewFile>,
) -> Result<u64> {
    if !loaded.draft.files_enabled {
        return Err(Error::invalid("files-disabled", "files.enabled"));
    }
    let most = ctx.env.config.max_files;
    if new.len() as u64 > most {
        let problem = Problem::new("too-many-files", "").with("most", most);
        return Err(Error::Invalid(vec![problem]));
    }
    let have = draft_file::Entity::find()
        .filter(draft_file::COLUMN.draft_id.eq(id.as_str()))
        .count(tx)
        .await?;
    let known = known(tx, id, &new).await?;
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    let mut fresh = Vec::new();
    for (i, file) in new.into_iter().enumerate() {
        let at = format!("{i}.key");
        if file.metadata.to_string().len() > 65_536 {
            problems.push(Problem::new(
                "file-metadata-too-large",
                format!("{i}.metadata"),
            ));
        }
        let known = known.get(file.key.as_str());
        if !seen.insert(file.key.clone()) || known == Some(&true) {
            problems.push(Problem::new("file-exists", at).with("key", &file.key));
        } else if known.is_none() {
            fresh.push(file);
        }
    }
    let count = have + fresh.len() as u64;
    if count > most {
        problems.push(Problem::new("too-many-files", "").with("most", most));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let now = ctx.micros();
    let rows: Vec<draft_file::ActiveModel> = fresh
        .into_iter()
        .map(|file| {
            draft_file::Model {
                draft_id: id.to_string(),
                mimetype: mime_guess::from_path(file.key.file_name())
                    .first_or_octet_stream()
                    .essence_str()
                    .to_owned(),
                key: file.key.into_string(),
                status: "pending".to_owned(),
                size: None,
                sha256: None,
                md5: None,
                staged: None,
                content: None,
                metadata: if file.metadata.is_null() {
                    "{}".to_owned()
                } else {
                    file.metadata.to_string()
                },
                created: now,
                updated: now,
                crc32: None,
            }
            .into()
        })
        .collect();
    for some in rows.chunks(2_000) {
        draft_file::Entity::insert_many(some.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(count)
}

/// Which of these keys the draft has, and whether their bytes have come.
async fn known(
    tx: &impl ConnectionTrait,
    id: &RecordId,
    new: &[NewFile],
) -> Result<HashMap<String, bool>> {
    let mut known = HashMap::new();
    for some in new.chunks(1_000) {
        let rows: Vec<(String, Option<String>, Option<String>)> = draft_file::Entity::find()
            .select_only()
            .columns([
                draft_file::Column::Key,
                draft_file::Column::Staged,
                draft_file::Column::Content,
            ])
            .filter(draft_file::COLUMN.draft_id.eq(id.as_str()))
            .filter(
                draft_file::COLUMN
                    .key
                    .is_in(some.iter().map(|f| f.key.as_str())),
            )
            .into_tuple()
            .all(tx)
            .await?;
        let come = |(key, staged, content): (_, Option<_>, Option<_>)| {
            (key, staged.is_some() || content.is_some())
        };
        known.extend(rows.into_iter().map(come));
    }
    Ok(known)
}
