//! What harvesters are given, made when a version changes and not when they ask: a full harvest is then
//! one walk along an index.
//!
//! One item a version, kept for ever: a withdrawn or hidden version stays as a deleted item
//! (OAI-PMH 2.0 section 2.5.1, `persistent`).

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::{
    access,
    ctx::{Ctx, moment},
    error::{Error, Result},
    formats,
    metadata::{
        Metadata,
        access::{AccessStatus, Visibility},
    },
    publish::must,
    store::{
        db,
        table::{
            deposit::parent,
            harvest::{harvest_item, harvest_set},
            record::{record, record_file},
        },
    },
};

/// Most files described in a format; a record with more is still whole, its listing is in the API.
pub(crate) const MOST_FILES: u64 = 1_000;

/// A row and its concept as the formats want it.
pub async fn describe(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    row: &record::Model,
) -> Result<formats::Record> {
    let parent = must(
        parent::Entity::find_by_id(row.parent_id.as_str()),
        db,
        &row.parent_id,
    )
    .await?;
    let access = access::parse(&row.access).effective(ctx.today());
    let files = record_file::Entity::find()
        .filter(record_file::COLUMN.record_id.eq(row.id.as_str()))
        .order_by_asc(record_file::Column::Key)
        .limit(MOST_FILES)
        .all(db)
        .await?;
    let others = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(row.parent_id.as_str()))
        .filter(record::COLUMN.id.ne(row.id.as_str()))
        .filter(record::COLUMN.withdrawn.is_null())
        .order_by_asc(record::Column::VersionIndex)
        .all(db)
        .await?;
    described(ctx, row, &parent, access, files, &others)
}

/// The pure half of `describe`.
pub fn described(
    ctx: &Ctx,
    row: &record::Model,
    parent: &parent::Model,
    access: crate::metadata::Access,
    files: Vec<record_file::Model>,
    others: &[record::Model],
) -> Result<formats::Record> {
    let damaged = |e| Error::internal("a stored name does not parse", e);
    let doi = |text: &Option<String>| text.as_deref().and_then(|d| d.parse().ok());
    let metadata: Metadata = serde_json::from_str(&row.metadata)
        .map_err(|e| Error::internal("stored metadata does not parse", e))?;
    let entries = files
        .into_iter()
        .map(|f| {
            Ok(formats::FileEntry {
                key: f.key.parse().map_err(damaged)?,
                size: f.size as u64,
                mimetype: f.mimetype,
                md5: f.md5.parse().map_err(damaged)?,
                sha256: f.sha256.parse().map_err(damaged)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(formats::Record {
        id: row.id.parse().map_err(damaged)?,
        parent: row.parent_id.parse().map_err(damaged)?,
        doi: doi(&row.doi),
        parent_doi: doi(&parent.doi),
        version_index: row.version_index as u32,
        metadata,
        access,
        custom_fields: serde_json::from_str(&row.custom_fields).unwrap_or_default(),
        files: entries,
        created: moment(row.created),
        updated: moment(row.updated),
        published: moment(row.published),
        base_url: ctx.env.config.base_url.clone(),
        repository: ctx.env.config.repository_name.clone(),
        other_versions: others
            .iter()
            .filter_map(|o| Some((o.id.parse().ok()?, doi(&o.doi), o.version_index as u32)))
            .collect(),
    })
}

/// The sets a version is in.
pub fn sets_of(
    row: &record::Model,
    parent: &parent::Model,
    described: &formats::Record,
    status: AccessStatus,
) -> Vec<String> {
    let mut sets = Vec::new();
    if let Some(kind) = &described.metadata.resource_type {
        sets.push(format!("type-{}", kind.id));
        if kind.id == "dataset" {
            sets.push("openaire_data".to_owned());
        }
    }
    sets.push(format!("access-{}", status.code()));
    sets.extend(
        parent
            .communities
            .split_whitespace()
            .map(|c| format!("community-{c}")),
    );
    if row.is_latest {
        sets.push("latest".to_owned());
    }
    sets
}

/// Writes the item of a version anew, at the end of the line of changes: with a stamp no earlier than any
/// other's, and the next number.
pub(super) async fn write(ctx: &Ctx, tx: &DatabaseTransaction, id: &str) -> Result<()> {
    replay(ctx, tx, id, false).await
}

/// The same where the items themselves were lost. `was_seen`: harvesters were given the version at some time,
/// so that one which is out of view now is told of as deleted.
pub async fn replay(ctx: &Ctx, tx: &DatabaseTransaction, id: &str, was_seen: bool) -> Result<()> {
    // Before the place is taken: places must be committed in their order, or a harvester between two
    // of them would miss the earlier one.
    db::order_changes(tx).await?;
    let (newest, seq): (i64, i64) = harvest_item::Entity::find()
        .select_only()
        .columns([harvest_item::Column::Stamp, harvest_item::Column::Seq])
        .order_by_desc(harvest_item::Column::Stamp)
        .order_by_desc(harvest_item::Column::Seq)
        .into_tuple()
        .one(tx)
        .await?
        .unwrap_or_default();
    let (stamp, seq) = (newest.max(ctx.now().timestamp()), seq + 1);
    let row = must(record::Entity::find_by_id(id), tx, id).await?;
    let parent = must(parent::Entity::find_by_id(row.parent_id.as_str()), tx, id).await?;
    let described = describe(ctx, tx, &row).await?;
    let status = described.access.status(row.files_enabled, ctx.today());
    let hidden = row.withdrawn.is_some() || described.access.record == Visibility::Restricted;
    let known = harvest_item::Entity::find_by_id(id).one(tx).await?;
    if hidden && known.is_none() && !was_seen {
        return Ok(());
    }
    let sets = sets_of(&row, &parent, &described, status);
    let item = harvest_item::Model {
        id: row.id.clone(),
        stamp,
        seq,
        deleted: hidden,
        sets: sets.join(" "),
        oai_dc: if hidden {
            String::new()
        } else {
            formats::oai_dc(&described)
        },
        oai_datacite: if hidden {
            String::new()
        } else {
            formats::oai_datacite(&described)
        },
    };
    harvest_set::Entity::delete_many()
        .filter(harvest_set::COLUMN.item_id.eq(id))
        .exec(tx)
        .await?;
    if known.is_some() {
        let change = item.into_active_model().reset_all();
        harvest_item::Entity::update(change).exec(tx).await?;
    } else {
        item.into_active_model().insert(tx).await?;
    }
    let rows: Vec<harvest_set::ActiveModel> = sets
        .into_iter()
        .map(|spec| {
            harvest_set::Model {
                spec,
                stamp,
                seq,
                item_id: row.id.clone(),
            }
            .into()
        })
        .collect();
    harvest_set::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Makes anew the items that would now read differently: after the formats or the base URL changed. An item that
/// reads the same keeps its stamp, so harvesters are not sent what they have. Gives how many were rewritten.
pub async fn refresh(ctx: &Ctx) -> Result<u64> {
    let mut rewritten = 0;
    let mut after = String::new();
    loop {
        let rows = record::Entity::find()
            .filter(record::COLUMN.id.gt(after.as_str()))
            .order_by_asc(record::Column::Id)
            .limit(200)
            .all(ctx.env.db.read())
            .await?;
        let Some(last) = rows.last() else {
            return Ok(rewritten);
        };
        after.clone_from(&last.id);
        for row in &rows {
            let known = harvest_item::Entity::find_by_id(row.id.as_str())
                .one(ctx.env.db.read())
                .await?;
            let described = describe(ctx, ctx.env.db.read(), row).await?;
            let same = known.is_some_and(|item| {
                item.deleted
                    || item.oai_dc == formats::oai_dc(&described)
                        && item.oai_datacite == formats::oai_datacite(&described)
            });
            if !same {
                let tx = ctx.env.db.begin().await?;
                write(ctx, &tx, &row.id).await?;
                tx.commit().await?;
                rewritten += 1;
            }
        }
    }
}

/// The OAI identifier of a version (OAI identifier guidelines: `oai:<host>:<local id>`).
pub fn oai_identifier(ctx: &Ctx, id: &str) -> String {
    format!("oai:{}:{id}", oai_namespace(ctx))
}

/// The host of the base URL, which names this repository among harvesters.
pub fn oai_namespace(ctx: &Ctx) -> String {
    url::Url::parse(&ctx.env.config.base_url)
        .ok()
        .and_then(|u| u.host_str().map(ToOwned::to_owned))
        .unwrap_or_else(|| "localhost".to_owned())
}
