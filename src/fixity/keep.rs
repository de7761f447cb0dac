//! Writes down what was checked and found, and says how things stand.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};

use super::{Checked, Finding};
use crate::{
    ctx::{Ctx, Env},
    error::Result,
    store::table::{
        deposit::parent,
        fixity::{fixity_check, fixity_finding, fixity_object, fixity_run},
    },
};

/// Keeps the check of an object: one transaction, so that a check counts whole or not at all.
pub(super) async fn keep(ctx: &Ctx, run: i64, checked: &Checked) -> Result<()> {
    let now = ctx.micros();
    for found in &checked.findings {
        tracing::error!(
            code = found.code, record = %found.record, path = %found.path, detail = %found.detail,
            "fixity: {} at {}", found.code, found.path
        );
    }
    let good = checked.findings.is_empty();
    let tx = ctx.env.db.begin().await?;
    let before = fixity_object::Entity::find_by_id(checked.object.as_str())
        .one(&tx)
        .await?;
    let row = fixity_object::Model {
        object: checked.object.clone(),
        checked: now,
        good: match &before {
            _ if good => Some(now),
            Some(before) => before.good,
            None => None,
        },
        millis: checked.millis as i64,
        files: checked.files as i64,
        bytes: checked.bytes as i64,
        findings: checked.findings.len() as i64,
    };
    if before.is_some() {
        let change = row.into_active_model().reset_all();
        fixity_object::Entity::update(change).exec(&tx).await?;
    } else {
        row.into_active_model().insert(&tx).await?;
    }
    let check = fixity_check::ActiveModel {
        run_id: Set(run),
        object: Set(checked.object.clone()),
        at: Set(now),
        millis: Set(checked.millis as i64),
        files: Set(checked.files as i64),
        bytes: Set(checked.bytes as i64),
        outcome: Set(if good { "good" } else { "bad" }.to_owned()),
        ..Default::default()
    };
    fixity_check::Entity::insert(check)
        .exec_without_returning(&tx)
        .await?;
    let open = fixity_finding::Entity::find()
        .filter(fixity_finding::COLUMN.object.eq(checked.object.as_str()))
        .filter(fixity_finding::Column::Gone.is_null())
        .all(&tx)
        .await?;
    let mut new: Vec<&Finding> = checked.findings.iter().collect();
    for row in open {
        let known = new.iter().position(|f| {
            (f.code, &f.path, &f.record) == (row.code.as_str(), &row.path, &row.record_id)
        });
        let change = fixity_finding::ActiveModel {
            id: Set(row.id),
            last_seen: if known.is_some() {
                Set(now)
            } else {
                Set(row.last_seen)
            },
            gone: Set(known.is_none().then_some(now)),
            ..Default::default()
        };
        fixity_finding::Entity::update(change).exec(&tx).await?;
        if let Some(known) = known {
            new.swap_remove(known);
        }
    }
    let rows = new.into_iter().map(|found| fixity_finding::ActiveModel {
        object: Set(checked.object.clone()),
        record_id: Set(found.record.clone()),
        path: Set(found.path.clone()),
        code: Set(found.code.to_owned()),
        detail: Set(found.detail.chars().take(2_000).collect()),
        first_seen: Set(now),
        last_seen: Set(now),
        gone: Set(None),
        ..Default::default()
    });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(500) {
        fixity_finding::Entity::insert_many(some.to_vec())
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// After everything was checked: what was found where there is nothing any more is gone.
pub(super) async fn forget_vanished(ctx: &Ctx, since: i64) -> Result<()> {
    let db = ctx.env.db.write();
    fixity_finding::Entity::update_many()
        .col_expr(fixity_finding::Column::Gone, Expr::value(ctx.micros()))
        .filter(fixity_finding::Column::Gone.is_null())
        .filter(fixity_finding::Column::LastSeen.lt(since))
        .exec(db)
        .await?;
    fixity_object::Entity::delete_many()
        .filter(fixity_object::Column::Checked.lt(since))
        .exec(db)
        .await?;
    Ok(())
}

/// How things stand, for pages and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Concepts with something published.
    pub concepts: u64,
    /// Of these, how many were ever checked.
    pub checked: u64,
    /// Checked within the period in which everything should be; all of `checked` where there is none.
    pub recently: u64,
    /// When the one that waits longest was checked, in microseconds.
    pub oldest: Option<i64>,
    pub open: u64,
}

pub async fn standing(env: &Env) -> Result<Standing> {
    let db = env.db.read();
    let published = || parent::Entity::find().filter(parent::COLUMN.versions.gt(0));
    let known = || {
        let ids = published().select_only().column(parent::Column::Id);
        fixity_object::Entity::find()
            .filter(fixity_object::Column::Object.in_subquery(ids.into_query()))
    };
    let days = env.config.fixity_days as i64;
    let since = env.now().timestamp_micros() - days * 86_400_000_000;
    let checked = known().count(db).await?;
    let recently = if days == 0 {
        checked
    } else {
        let recent = known().filter(fixity_object::Column::Checked.gte(since));
        recent.count(db).await?
    };
    let oldest = known()
        .order_by_asc(fixity_object::Column::Checked)
        .one(db)
        .await?;
    Ok(Standing {
        concepts: published().count(db).await?,
        checked,
        recently,
        oldest: oldest.map(|o| o.checked),
        open: fixity_finding::Entity::find()
            .filter(fixity_finding::Column::Gone.is_null())
            .count(db)
            .await?,
    })
}

/// The newest findings that nobody mended, at most `most`.
pub async fn open_findings(env: &Env, most: u64) -> Result<Vec<fixity_finding::Model>> {
    Ok(fixity_finding::Entity::find()
        .filter(fixity_finding::Column::Gone.is_null())
        .order_by_desc(fixity_finding::Column::Id)
        .limit(most)
        .all(env.db.read())
        .await?)
}

/// The newest runs.
pub async fn runs(env: &Env, most: u64) -> Result<Vec<fixity_run::Model>> {
    Ok(fixity_run::Entity::find()
        .order_by_desc(fixity_run::Column::Id)
        .limit(most)
        .all(env.db.read())
        .await?)
}
