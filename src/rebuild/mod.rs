//! Makes a lost database again from the archive alone: every concept, version, file, revision and tombstone,
//! what harvesters are given, the change feed, and then the index.
//!
//! What cannot come back, because it was never published: drafts and their uploads' names, passwords, roles,
//! tokens, sessions, jobs that were waiting. Owners come back as accounts without a password, under their
//! numbers. What harvesters are given gets new stamps, never older ones, so that nobody misses anything.
//!
//! Not here: mending a damaged archive. What cannot be read is skipped and said (`Done::skipped`).

mod concept;
mod owners;

use std::collections::HashSet;

use futures::TryStreamExt;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    archive::walk::Walked,
    catalog,
    ctx::{Ctx, Env},
    error::{Error, Result},
    publish,
    store::{
        db,
        table::{deposit::parent, record::record, work::change},
    },
};

/// What was made.
#[derive(Debug, Default)]
pub struct Done {
    pub concepts: u64,
    pub versions: u64,
    pub files: u64,
    pub withdrawn: u64,
    /// Owners and others who were named in the archive, and are accounts now.
    pub accounts: u64,
    /// Versions in the new index.
    pub indexed: u64,
    /// Where something could not be read, and why.
    pub skipped: Vec<(String, String)>,
}

/// Rows of a transaction of the second pass.
const STEP: u64 = 200;

/// Fills an empty database. Accounts may be there already; owners are found by their address.
pub async fn rebuild(env: &Env, mut progress: impl FnMut(u64)) -> Result<Done> {
    if !is_empty(env).await? {
        return Err(Error::conflict("database-not-empty"));
    }
    let ctx = env.system();
    let mut done = Done::default();
    // Versions out of view that harvesters once saw: they must be told of the deletion.
    let mut hidden = HashSet::new();
    let mut walk = std::pin::pin!(env.archive.walk());
    while let Some(walked) = walk.try_next().await? {
        match walked {
            Walked::Object(root, inventory) => {
                concept::bring_back(&ctx, &root, &inventory, &mut done, &mut hidden).await?;
                progress(done.concepts);
            }
            Walked::Damaged(root, why) => done.skipped.push((root.to_string(), why)),
            Walked::Stray(path) => {
                let why = "nothing that belongs into an archive".to_owned();
                done.skipped.push((path.to_string(), why));
            }
        }
    }
    announce(&ctx, &hidden).await?;
    env.db.align_counters().await?;
    done.indexed = catalog::index::rebuild(env, |_| {}).await?;
    Ok(done)
}

/// Is nothing published or begun in this database?
pub async fn is_empty(env: &Env) -> Result<bool> {
    let found = parent::Entity::find().one(env.db.read()).await?;
    Ok(found.is_none())
}

/// Is the database empty and the archive not? Then somebody should be told.
pub async fn is_needed(env: &Env) -> Result<bool> {
    if !is_empty(env).await? {
        return Ok(false);
    }
    let mut walk = std::pin::pin!(env.archive.walk());
    while let Some(walked) = walk.try_next().await? {
        if matches!(walked, Walked::Object(..)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Harvest items and the change feed, in the order in which the versions last changed.
async fn announce(ctx: &Ctx, hidden: &HashSet<String>) -> Result<()> {
    let (mut at, mut after) = (i64::MIN, String::new());
    loop {
        let rows = record::Entity::find()
            .filter(
                sea_orm::Condition::any()
                    .add(record::COLUMN.updated.gt(at))
                    .add(
                        sea_orm::Condition::all()
                            .add(record::COLUMN.updated.eq(at))
                            .add(record::COLUMN.id.gt(after.as_str())),
                    ),
            )
            .order_by_asc(record::Column::Updated)
            .order_by_asc(record::Column::Id)
            .limit(STEP)
            .all(ctx.env.db.read())
            .await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        (at, after) = (last.updated, last.id.clone());
        let tx = ctx.env.db.begin().await?;
        for row in &rows {
            publish::replay_harvest(ctx, &tx, &row.id, hidden.contains(&row.id)).await?;
        }
        db::order_changes(&tx).await?;
        let changes = rows.into_iter().map(|row| change::ActiveModel {
            record_id: Set(row.id),
            at: Set(ctx.micros()),
            ..Default::default()
        });
        change::Entity::insert_many(changes)
            .exec_without_returning(&tx)
            .await?;
        tx.commit().await?;
    }
}
