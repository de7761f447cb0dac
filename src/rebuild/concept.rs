//! One concept: what its object tells, as rows, in one transaction.

use std::collections::{HashMap, HashSet};

use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::{Done, owners};
use crate::{
    archive::{Inventory, VersionNum, layout},
    ctx::Ctx,
    error::Result,
    jobs::{self, Job},
    publish::{
        Tombstone,
        history::{self, ToldRecord},
    },
    store::{
        object::ContentPath,
        table::record::{record_file, record_revision},
    },
};

/// Rows of files written at a time.
const STEP: usize = 2_000;

pub(super) async fn bring_back(
    ctx: &Ctx,
    root: &ContentPath,
    inventory: &Inventory,
    done: &mut Done,
    hidden: &mut HashSet<String>,
) -> Result<()> {
    let (told, unclear) = history::tell(ctx, root, inventory).await?;
    for one in unclear {
        let why = format!("{}: {}", one.code, one.detail);
        done.skipped.push((one.path, why));
    }
    let Some(mut told) = told else {
        return Ok(());
    };
    let is_its_own = inventory.id.parent().is_some_and(|id| {
        id.as_str() == told.parent.id
            && layout::object_root(&inventory.id).is_ok_and(|own| own == *root)
    });
    if !is_its_own {
        let why = format!(
            "describes {}, which is not {}",
            told.parent.id, inventory.id
        );
        done.skipped.push((root.to_string(), why));
        return Ok(());
    }
    let tx = ctx.env.db.begin().await?;
    let (owner, made) = owners::find_or_make(ctx, &tx, &told.owner).await?;
    done.accounts += u64::from(made);
    told.parent.owner_id = owner;
    told.parent.into_active_model().insert(&tx).await?;
    for version in told.records {
        let out_of_view = version.row.withdrawn.is_some();
        done.versions += 1;
        done.withdrawn += u64::from(out_of_view);
        if version.was_seen {
            hidden.insert(version.row.id.clone());
        }
        one(ctx, &tx, root, inventory, version, done).await?;
    }
    tx.commit().await?;
    done.concepts += 1;
    Ok(())
}

async fn one(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    root: &ContentPath,
    inventory: &Inventory,
    version: ToldRecord,
    done: &mut Done,
) -> Result<()> {
    let mut row = version.row;
    if let (Some(text), Some(by)) = (&row.withdrawn, &version.withdrawn_by) {
        let (account, made) = owners::find_or_make(ctx, tx, by).await?;
        done.accounts += u64::from(made);
        if let Ok(mut stone) = serde_json::from_str::<Tombstone>(text) {
            stone.removed_by = account.to_string();
            row.withdrawn = serde_json::to_string(&stone).ok();
        }
    }
    let id = row.id.clone();
    let external = row.doi_provider.as_deref() == Some("external");
    row.into_active_model().insert(tx).await?;
    for said in &version.revisions {
        let account = match &said.by {
            Some(by) => {
                let (account, made) = owners::find_or_make(ctx, tx, by).await?;
                done.accounts += u64::from(made);
                account
            }
            None => 0,
        };
        let row = record_revision::Model {
            record_id: id.clone(),
            revision: said.revision,
            archive_version: i64::from(said.version.number()),
            metadata: said.metadata.clone(),
            access: said.access.clone(),
            account_id: account,
            at: said.at,
        };
        row.into_active_model().insert(tx).await?;
    }
    if let Some(newest) = version.revisions.last() {
        files(ctx, tx, root, inventory, newest.version, &id, done).await?;
    }
    let Ok(record) = id.parse::<crate::ids::RecordId>() else {
        return Ok(());
    };
    if let Some(at) = version.embargo_ends {
        let job = Job::LiftEmbargo {
            record: record.clone(),
        };
        jobs::enqueue_at(ctx, tx, &job, at).await?;
    }
    if !external {
        jobs::enqueue(ctx, tx, &Job::RegisterDoi { record }).await?;
    }
    Ok(())
}

async fn files(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    root: &ContentPath,
    inventory: &Inventory,
    num: VersionNum,
    id: &str,
    done: &mut Done,
) -> Result<()> {
    let read = history::snapshot(&ctx.env.archive, root, inventory, num).await?;
    let Ok(snapshot) = read else {
        // Said already, when the object was told.
        return Ok(());
    };
    let mut places = HashMap::new();
    if let Some(version) = inventory.versions.get(&num) {
        for (digest, paths) in &version.state {
            for key in paths
                .iter()
                .filter_map(|p| p.as_str().strip_prefix("files/"))
            {
                places.insert(key, inventory.content_of(digest));
            }
        }
    }
    let mut rows = Vec::new();
    for file in snapshot.files {
        let Some(place) = places.get(file.key.as_str()).copied().flatten() else {
            let why = format!("{:?} of {id} is in no manifest", file.key);
            done.skipped.push((root.to_string(), why));
            continue;
        };
        let row = record_file::Model {
            record_id: id.to_owned(),
            key: file.key,
            size: file.size,
            sha256: file.sha256,
            md5: file.md5,
            crc32: file
                .crc32
                .and_then(|hex| u32::from_str_radix(&hex, 16).ok())
                .map(i64::from),
            mimetype: file.mimetype,
            content: format!("{root}/{place}"),
            metadata: file.metadata.to_string(),
        };
        rows.push(record_file::ActiveModel::from(row));
    }
    done.files += rows.len() as u64;
    for some in rows.chunks(STEP) {
        record_file::Entity::insert_many(some.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}
