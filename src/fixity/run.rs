//! A run over all objects, or over those that wait longest: what `kho verify` does.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};

use super::{Checked, Finding, concept, keep, staged, stray};
use crate::{
    archive::Pace,
    ctx::Ctx,
    error::{Error, Result},
    ids::RecordId,
    store::table::{
        deposit::parent,
        fixity::{fixity_object, fixity_run},
    },
};

/// Which objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every concept, whatever else is in the archive, and the uploads that drafts name.
    All,
    /// So many concepts that were never checked, or not for the longest time.
    LeastRecent(u64),
}

/// What came of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub objects: u64,
    pub files: u64,
    pub bytes: u64,
    pub findings: u64,
}

/// Concepts looked up at a time.
const STEP: u64 = 500;

/// Checks what `scope` says, at most as fast as `pace` allows, and tells each finding as soon as it is kept.
/// Works beside a serving process.
pub async fn run(
    ctx: &Ctx,
    scope: Scope,
    pace: &Pace,
    mut tell: impl FnMut(&Finding),
) -> Result<Summary> {
    let (kind, quota) = match scope {
        Scope::All => ("all", 0),
        Scope::LeastRecent(n) => ("least_recent", n as i64),
    };
    let begun = ctx.micros();
    let row = fixity_run::ActiveModel {
        kind: Set(kind.to_owned()),
        day: Set(None),
        state: Set("running".to_owned()),
        quota: Set(quota),
        started: Set(begun),
        finished: Set(None),
        leased_until: Set(0),
        objects: Set(0),
        files: Set(0),
        bytes: Set(0),
        findings: Set(0),
        ..Default::default()
    };
    let id = fixity_run::Entity::insert(row)
        .exec(ctx.env.db.write())
        .await?
        .last_insert_id;
    let mut run = Run {
        ctx,
        id,
        summary: Summary::default(),
        tell: &mut tell,
    };
    match scope {
        Scope::All => run.all(pace).await?,
        Scope::LeastRecent(n) => {
            for id in least_recent(ctx, n).await? {
                let checked = concept::check(ctx, &id, pace).await?;
                run.keep(checked).await?;
            }
        }
    }
    let summary = run.summary;
    if scope == Scope::All {
        keep::forget_vanished(ctx, begun).await?;
    }
    finish(ctx, id).await?;
    Ok(summary)
}

struct Run<'a> {
    ctx: &'a Ctx,
    id: i64,
    summary: Summary,
    tell: &'a mut dyn FnMut(&Finding),
}

impl Run<'_> {
    async fn all(&mut self, pace: &Pace) -> Result<()> {
        let mut after = String::new();
        loop {
            let some = parent::Entity::find()
                .select_only()
                .column(parent::Column::Id)
                .filter(parent::COLUMN.versions.gt(0))
                .filter(parent::COLUMN.id.gt(after.as_str()))
                .order_by_asc(parent::Column::Id)
                .limit(STEP)
                .into_tuple::<String>()
                .all(self.ctx.env.db.read())
                .await?;
            let Some(last) = some.last() else { break };
            after.clone_from(last);
            for id in &some {
                let checked = concept::check(self.ctx, &stored(id)?, pace).await?;
                self.keep(checked).await?;
            }
        }
        let mut strays = Checked {
            object: "archive".to_owned(),
            ..Checked::default()
        };
        let mut walk = stray::walk(self.ctx);
        while let Some(met) = walk.next(self.ctx).await? {
            match met {
                stray::Met::Unlisted(id) => {
                    let checked = concept::check(self.ctx, &id, pace).await?;
                    if !checked.findings.is_empty() {
                        self.keep(checked).await?;
                    }
                }
                stray::Met::Found(finding) => strays.findings.push(finding),
            }
        }
        self.keep(strays).await?;
        let uploads = staged::check(self.ctx, pace).await?;
        self.keep(uploads).await
    }

    async fn keep(&mut self, checked: Checked) -> Result<()> {
        keep::keep(self.ctx, self.id, &checked).await?;
        count(self.ctx, self.id, &checked).await?;
        self.summary.objects += u64::from(checked.is_dataset());
        self.summary.files += checked.files;
        self.summary.bytes += checked.bytes;
        self.summary.findings += checked.findings.len() as u64;
        for finding in &checked.findings {
            (self.tell)(finding);
        }
        Ok(())
    }
}

fn stored(id: &str) -> Result<RecordId> {
    id.parse()
        .map_err(|e| Error::internal("a stored id does not parse", e))
}

/// The concepts that wait longest: first those that were never checked.
pub(super) async fn least_recent(ctx: &Ctx, n: u64) -> Result<Vec<RecordId>> {
    let db = ctx.env.db.read();
    let known = fixity_object::Entity::find()
        .select_only()
        .column(fixity_object::Column::Object);
    let mut ids = parent::Entity::find()
        .select_only()
        .column(parent::Column::Id)
        .filter(parent::COLUMN.versions.gt(0))
        .filter(parent::Column::Id.not_in_subquery(known.into_query()))
        .order_by_asc(parent::Column::Created)
        .limit(n)
        .into_tuple::<String>()
        .all(db)
        .await?;
    let left = n - ids.len() as u64;
    if left > 0 {
        let published = parent::Entity::find()
            .select_only()
            .column(parent::Column::Id)
            .filter(parent::COLUMN.versions.gt(0));
        let more = fixity_object::Entity::find()
            .select_only()
            .column(fixity_object::Column::Object)
            .filter(fixity_object::Column::Object.in_subquery(published.into_query()))
            .order_by_asc(fixity_object::Column::Checked)
            .order_by_asc(fixity_object::Column::Object)
            .limit(left)
            .into_tuple::<String>()
            .all(db)
            .await?;
        ids.extend(more);
    }
    ids.iter().map(|id| stored(id)).collect()
}

/// Adds an object to its run.
pub(super) async fn count(ctx: &Ctx, run: i64, checked: &Checked) -> Result<()> {
    let more = |column: fixity_run::Column, n: usize| Expr::col(column).add(n as i64);
    fixity_run::Entity::update_many()
        .col_expr(
            fixity_run::Column::Objects,
            more(
                fixity_run::Column::Objects,
                usize::from(checked.is_dataset()),
            ),
        )
        .col_expr(
            fixity_run::Column::Files,
            more(fixity_run::Column::Files, checked.files as usize),
        )
        .col_expr(
            fixity_run::Column::Bytes,
            more(fixity_run::Column::Bytes, checked.bytes as usize),
        )
        .col_expr(
            fixity_run::Column::Findings,
            more(fixity_run::Column::Findings, checked.findings.len()),
        )
        .filter(fixity_run::Column::Id.eq(run))
        .exec(ctx.env.db.write())
        .await?;
    Ok(())
}

pub(super) async fn finish(ctx: &Ctx, run: i64) -> Result<()> {
    let change = fixity_run::ActiveModel {
        id: Set(run),
        state: Set("done".to_owned()),
        finished: Set(Some(ctx.micros())),
        leased_until: Set(0),
        ..Default::default()
    };
    fixity_run::Entity::update(change)
        .exec(ctx.env.db.write())
        .await?;
    Ok(())
}
