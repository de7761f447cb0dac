//! Begins a deposit: a concept and its first draft.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::Value;

use crate::{
    access,
    ctx::Ctx,
    deposit::{
        Draft, Held,
        read::{assemble, read as read_draft},
    },
    error::{Error, Result},
    ids::{Doi, RecordId, UserId},
    metadata::{self, read},
    store::table::{
        deposit::{draft, parent},
        work::idempotency,
    },
};

/// What a client may say of a draft: the body of the dialect's create and replace. Everything is
/// optional; what is absent stays at its default.
#[derive(Debug, Clone, Default)]
pub struct NewDraft {
    pub metadata: Value,
    pub access: Value,
    pub custom_fields: Value,
    /// `pids.doi`, when given: identifier and provider.
    pub doi: Option<(String, String)>,
    pub files_enabled: Option<bool>,
    pub default_preview: Option<String>,
    /// Names of top-level fields that mean nothing here; reported, not refused.
    pub unknown: Vec<String>,
}

/// A client's promise that a request with this key is always the same request.
#[derive(Debug, Clone)]
pub struct Once {
    /// The `Idempotency-Key`, at most 255 bytes.
    pub key: String,
    /// SHA-256 of what was asked, in hex.
    pub fingerprint: String,
}

/// Makes a draft owned by the caller. With `once`, the same request made again gives the draft the first
/// one made, even when its answer was lost in a crash: the promise is kept in the same transaction.
pub async fn create(ctx: &Ctx, new: NewDraft, once: Option<Once>) -> Result<Draft> {
    let owner = access::require_depositor(ctx)?;
    if let Some(once) = &once
        && let Some(made) = made_before(ctx, owner, once).await?
    {
        return read_draft(ctx, &made).await;
    }
    check_size(&new)?;
    let doi = external_doi(ctx, &new)?;
    let id = ctx.env.new_record_id()?;
    let parent_id = ctx.env.new_record_id()?;
    let now = ctx.micros();
    let parent = parent::Model {
        id: parent_id.to_string(),
        owner_id: owner.0,
        doi: None,
        communities: String::new(),
        versions: 0,
        latest: None,
        archive_head: 0,
        created: now,
        updated: now,
    };
    let row = draft_row(ctx, &id, &parent_id, &new, doi);
    let tx = ctx.env.db.begin().await?;
    if let Some(once) = &once {
        promise(ctx, &tx, owner, once, &id).await?;
    }
    parent::Entity::insert(parent::ActiveModel::from(parent.clone()))
        .exec_without_returning(&tx)
        .await?;
    draft::Entity::insert(draft::ActiveModel::from(row.clone()))
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(assemble(ctx, row, parent, Held::default(), new.unknown))
}

/// What a request with this key made, if it was made. Another request under the same key is refused.
async fn made_before(ctx: &Ctx, owner: UserId, once: &Once) -> Result<Option<RecordId>> {
    let row = idempotency::Entity::find_by_id((owner.0, once.key.clone()))
        .one(ctx.env.db.read())
        .await?;
    match row {
        None => Ok(None),
        Some(row) if row.fingerprint == once.fingerprint => Ok(row.record_id.parse().ok()),
        Some(_) => Err(Error::conflict("idempotency-key-reused")),
    }
}

async fn promise(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    owner: UserId,
    once: &Once,
    id: &RecordId,
) -> Result<()> {
    let row = idempotency::Model {
        account_id: owner.0,
        key: once.key.clone(),
        fingerprint: once.fingerprint.clone(),
        record_id: id.to_string(),
        created: ctx.micros(),
    };
    let kept = idempotency::Entity::insert(idempotency::ActiveModel::from(row))
        .exec_without_returning(tx)
        .await;
    match kept.map_err(Error::from) {
        // The same request came twice at the same moment and the other one was first.
        Err(Error::Conflict(_)) => Err(Error::conflict("idempotency-key-busy")),
        other => other.map(|_| ()),
    }
}

fn draft_row(
    ctx: &Ctx,
    id: &RecordId,
    parent: &RecordId,
    new: &NewDraft,
    doi: Option<Doi>,
) -> draft::Model {
    let now = ctx.micros();
    draft::Model {
        id: id.to_string(),
        parent_id: parent.to_string(),
        published: false,
        version_index: 1,
        metadata: object_text(&new.metadata),
        access: object_text(&new.access),
        custom_fields: object_text(&new.custom_fields),
        doi_provider: doi.as_ref().map(|_| "external".to_owned()),
        doi: doi.map(Doi::into_string),
        files_enabled: new.files_enabled.unwrap_or(true),
        default_preview: new.default_preview.clone(),
        revision: 1,
        created: now,
        updated: now,
    }
}

/// JSON as it was sent, or an empty object when nothing was.
pub(super) fn object_text(value: &Value) -> String {
    if value.is_null() {
        "{}".to_owned()
    } else {
        value.to_string()
    }
}

/// Refuses what is too much to keep: better than to save the draft without the part.
pub(super) fn check_size(new: &NewDraft) -> Result<()> {
    let problems = [
        metadata::read(&new.metadata).1,
        metadata::read_access(&new.access).1,
        metadata::read_custom_fields(&new.custom_fields).1,
    ];
    match problems.into_iter().flatten().find(read::is_too_much) {
        Some(problem) => Err(Error::TooLarge(problem)),
        None => Ok(()),
    }
}

/// A DOI from elsewhere, when the client gave one. One under this repository's own prefix is not from
/// elsewhere; it is reserved instead. The provider of a DOI that we gave is not believed from the body.
pub(super) fn external_doi(ctx: &Ctx, new: &NewDraft) -> Result<Option<Doi>> {
    let Some((identifier, provider)) = &new.doi else {
        return Ok(None);
    };
    if provider != "external" || identifier.is_empty() {
        return Ok(None);
    }
    let doi: Doi = identifier
        .parse()
        .map_err(|e| Error::malformed("pids.doi.identifier", e))?;
    if doi.prefix() == ctx.env.config.doi_prefix {
        return Err(Error::invalid("doi-own-prefix", "pids.doi.identifier"));
    }
    Ok(Some(doi))
}

/// What `replace` writes over a draft's row.
pub(super) fn overwrite(
    row: draft::Model,
    new: &NewDraft,
    doi: Option<Doi>,
    now: i64,
) -> draft::ActiveModel {
    let keep_own = row.doi_provider.as_deref() == Some("local");
    let (doi, provider) = match doi {
        // What is published keeps its name and its files; only the description is being corrected.
        _ if row.published => (row.doi.clone(), row.doi_provider.clone()),
        Some(doi) => (Some(doi.into_string()), Some("external".to_owned())),
        None if keep_own && new.doi.is_some() => (row.doi.clone(), row.doi_provider.clone()),
        None => (None, None),
    };
    draft::ActiveModel {
        id: Set(row.id),
        metadata: Set(object_text(&new.metadata)),
        access: Set(object_text(&new.access)),
        custom_fields: Set(object_text(&new.custom_fields)),
        doi: Set(doi),
        doi_provider: Set(provider),
        files_enabled: Set(match new.files_enabled {
            Some(wanted) if !row.published => wanted,
            _ => row.files_enabled,
        }),
        default_preview: Set(new.default_preview.clone().or(row.default_preview)),
        revision: Set(row.revision + 1),
        updated: Set(now),
        ..Default::default()
    }
}
