//! Announces files: rows that wait for their bytes.

use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::Value;

use crate::{
    access::LoadedDraft,
    ctx::Ctx,
    deposit::file_rows,
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
/// upload that broke off can be started again.
pub async fn start(ctx: &Ctx, id: &RecordId, new: Vec<NewFile>) -> Result<()> {
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    announce(ctx, &tx, &loaded, id, new).await?;
    tx.commit().await?;
    Ok(())
}

/// The same inside a transaction that holds the draft.
pub(super) async fn announce(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    loaded: &LoadedDraft,
    id: &RecordId,
    new: Vec<NewFile>,
) -> Result<()> {
    if !loaded.draft.files_enabled {
        return Err(Error::invalid("files-disabled", "files.enabled"));
    }
    let have = file_rows(tx, id.as_str()).await?;
    let mut problems = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut fresh = Vec::new();
    for (i, file) in new.into_iter().enumerate() {
        let at = format!("{i}.key");
        if file.metadata.to_string().len() > 65_536 {
            problems.push(Problem::new(
                "file-metadata-too-large",
                format!("{i}.metadata"),
            ));
        }
        let known = have.iter().find(|f| f.key == file.key.as_str());
        if !seen.insert(file.key.clone())
            || known.is_some_and(|f| f.staged.is_some() || f.content.is_some())
        {
            problems.push(Problem::new("file-exists", at).with("key", &file.key));
        } else if known.is_none() {
            fresh.push(file);
        }
    }
    let count = (have.len() + fresh.len()) as u64;
    if count > ctx.env.config.max_files {
        problems.push(Problem::new("too-many-files", "").with("most", ctx.env.config.max_files));
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
            }
            .into()
        })
        .collect();
    for some in rows.chunks(2_000) {
        draft_file::Entity::insert_many(some.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}
