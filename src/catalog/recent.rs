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
        .into_model::<Sums>()
        .one(ctx.env.db.read())
        .await?;
    Ok(sums.map_or_else(Numbers::default, |s| Numbers {
        datasets: s.datasets as u64,
        files: s.files.unwrap_or(0) as u64,
        bytes: s.bytes.unwrap_or(0) as u64,
    }))
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
