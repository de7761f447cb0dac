//! Lists that are not searches: the newest, one's own, the three numbers of the home page.

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, Query},
};

use crate::{
    access,
    ctx::Ctx,
    error::Result,
    metadata::access::Visibility,
    store::table::{
        deposit::{draft, parent},
        record::record,
        work::change,
    },
};

/// How much there is, of what everybody may know of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers {
    /// Newest versions.
    pub datasets: u64,
    pub files: u64,
    pub bytes: u64,
}

#[derive(FromQueryResult)]
struct Sums {
    datasets: i64,
    files: Option<i64>,
    bytes: Option<i64>,
}

/// Of a restricted page everything is restricted, that it exists too: it is not counted. Read as text,
/// because the two databases do not share a way into JSON; `access` is written by one function.
const RESTRICTED: &str = "%\"record\":\"restricted\"%";

/// Counts newest versions in view.
pub async fn numbers(ctx: &Ctx) -> Result<Numbers> {
    let sums = record::Entity::find()
        .select_only()
        .column_as(Expr::col(record::Column::Id).count(), "datasets")
        .column_as(
            Expr::col(record::Column::FileCount).sum().cast_as("bigint"),
            "files",
        )
        .column_as(
            Expr::col(record::Column::TotalBytes)
                .sum()
                .cast_as("bigint"),
            "bytes",
        )
        .filter(record::COLUMN.is_latest.eq(true))
        .filter(record::COLUMN.withdrawn.is_null())
        .filter(record::COLUMN.access.not_like(RESTRICTED))
        .into_model::<Sums>()
        .one(ctx.env.db.read())
        .await?;
    Ok(sums.map_or_else(Numbers::default, |s| Numbers {
        datasets: s.datasets as u64,
        files: s.files.unwrap_or(0) as u64,
        bytes: s.bytes.unwrap_or(0) as u64,
    }))
}

/// The number of the last committed change of anything published: while it and the day stay the same, so
/// does everything that nobody in particular sees.
pub async fn last_change(ctx: &Ctx) -> Result<i64> {
    let last: Option<i64> = change::Entity::find()
        .select_only()
        .column(change::Column::Seq)
        .order_by_desc(change::Column::Seq)
        .into_tuple()
        .one(ctx.env.db.read())
        .await?;
    Ok(last.unwrap_or(0))
}

/// Newest versions that everybody may see, by id from after `after` on: id and last change
/// (microseconds). `most` rows are read, so fewer may come; the second part says where to go on.
pub async fn public_ids(
    ctx: &Ctx,
    after: &str,
    most: u64,
) -> Result<(Vec<(String, i64)>, Option<String>)> {
    let rows: Vec<(String, i64, String)> = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .column(record::Column::Updated)
        .column(record::Column::Access)
        .filter(record::COLUMN.id.gt(after))
        .filter(record::COLUMN.is_latest.eq(true))
        .filter(record::COLUMN.withdrawn.is_null())
        .order_by_asc(record::Column::Id)
        .limit(most)
        .into_tuple()
        .all(ctx.env.db.read())
        .await?;
    let full = rows.len() as u64 == most;
    let next = rows.last().map(|r| r.0.clone()).filter(|_| full);
    let today = ctx.today();
    let public = rows
        .into_iter()
        .filter(|(_, _, text)| access::parse(text).effective(today).record == Visibility::Public)
        .map(|(id, updated, _)| (id, updated))
        .collect();
    Ok((public, next))
}

/// The id at which each further stretch of `step` newest versions begins, the first stretch left out:
/// what an index of sitemaps needs.
pub async fn milestones(ctx: &Ctx, step: u64) -> Result<Vec<String>> {
    let mut out = Vec::new();
    let mut after = String::new();
    loop {
        let next: Option<String> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::COLUMN.id.gt(after.as_str()))
            .filter(record::COLUMN.is_latest.eq(true))
            .filter(record::COLUMN.withdrawn.is_null())
            .order_by_asc(record::Column::Id)
            .offset(step.saturating_sub(1))
            .limit(1)
            .into_tuple()
            .one(ctx.env.db.read())
            .await?;
        let Some(id) = next else { return Ok(out) };
        after.clone_from(&id);
        out.push(id);
    }
}

/// The newest publications everybody may see.
pub async fn recent(ctx: &Ctx, most: u64) -> Result<Vec<record::Model>> {
    // Restricted ones are passed over after the query: they are few, and the index on `published` serves.
    let rows = record::Entity::find()
        .filter(record::COLUMN.is_latest.eq(true))
        .filter(record::COLUMN.withdrawn.is_null())
        .order_by_desc(record::Column::Published)
        .limit(most.saturating_mul(4))
        .all(ctx.env.db.read())
        .await?;
    Ok(rows
        .into_iter()
        .filter(|r| access::parse(&r.access).effective(ctx.today()).record == Visibility::Public)
        .take(most as usize)
        .collect())
}

/// The caller's published versions that are not being corrected (those are among the drafts), newest first, from the `skip`th on, and how many there are.
pub async fn own_records(ctx: &Ctx, skip: u64, size: u64) -> Result<(Vec<record::Model>, u64)> {
    let me = ctx.require_person()?;
    let link = record::Entity::belongs_to(parent::Entity)
        .from(record::Column::ParentId)
        .to(parent::Column::Id)
        .into();
    let being_corrected = Query::select()
        .column(draft::Column::Id)
        .from(draft::Entity)
        .to_owned();
    let query = record::Entity::find()
        .join(sea_orm::JoinType::InnerJoin, link)
        .filter(parent::COLUMN.owner_id.eq(me.id.0))
        .filter(record::COLUMN.withdrawn.is_null())
        .filter(record::Column::Id.not_in_subquery(being_corrected));
    let total = query.clone().count(ctx.env.db.read()).await?;
    let rows = query
        .order_by_desc(record::Column::Published)
        .offset(skip)
        .limit(size)
        .all(ctx.env.db.read())
        .await?;
    Ok((rows, total))
}
