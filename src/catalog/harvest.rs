//! What harvesters read: items in the order in which they last changed, a page at a time.
//!
//! An item has a place: the second of its last change and, within the second, its number in the line of
//! all changes (`publish` gives both, the number going up by one each time). A walk goes on after a place
//! and not after a count of items, so that the last page costs what the first does, a walk may be taken up
//! again after a year, and what changes meanwhile gets a place further on: it is met again, never missed.
//!
//! Restricted versions have no item, or a deleted one if they were public once. Not here: writing
//! items (`publish`), and the protocol (`oai`).

use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    Select, Statement,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    ctx::Ctx,
    error::Result,
    ids::RecordId,
    store::table::harvest::{harvest_item, harvest_set},
};

/// A format that is kept ready for harvesters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    OaiDc,
    OaiDatacite,
}

impl Format {
    pub const ALL: [Format; 2] = [Format::OaiDc, Format::OaiDatacite];

    fn column(self) -> harvest_item::Column {
        match self {
            Format::OaiDc => harvest_item::Column::OaiDc,
            Format::OaiDatacite => harvest_item::Column::OaiDatacite,
        }
    }
}

/// Where an item stands in the line of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Seconds since 1970.
    pub stamp: i64,
    /// From 1 up; 0 stands before every item of its second.
    pub seq: i64,
}

/// Which items, and from where on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Walk {
    /// Items of this set only.
    pub set: Option<String>,
    /// Items changed in this second or before.
    pub until: Option<i64>,
    /// Items that stand after this place.
    pub after: Place,
}

/// An item as harvesters are given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The record id, without the prefix that makes it an OAI identifier.
    pub id: String,
    pub place: Place,
    /// Out of view: there is no payload, and there never will be one at this place.
    pub deleted: bool,
    /// Space-separated.
    pub sets: String,
    /// XML, one element with its namespaces; empty when none was asked for.
    pub payload: String,
}

/// The next `most` items of a walk, and whether there are more. Without a format: no payloads.
pub async fn harvest_page(
    ctx: &Ctx,
    walk: &Walk,
    format: Option<Format>,
    most: u64,
) -> Result<(Vec<Item>, bool)> {
    let after = [Expr::val(walk.after.stamp), Expr::val(walk.after.seq)];
    let query = match &walk.set {
        None => {
            use harvest_item::Column::{Seq, Stamp};
            let mut query = harvest_item::Entity::find()
                .filter(Expr::tuple([Stamp.into_expr(), Seq.into_expr()]).gt(Expr::tuple(after)))
                .order_by_asc(Stamp)
                .order_by_asc(Seq);
            if let Some(until) = walk.until {
                query = query.filter(Stamp.lte(until));
            }
            query
        }
        Some(set) => {
            use harvest_set::Column::{Seq, Spec, Stamp};
            let link = harvest_item::Entity::belongs_to(harvest_set::Entity)
                .from(harvest_item::Column::Id)
                .to(harvest_set::Column::ItemId)
                .into();
            let mut query = harvest_item::Entity::find()
                .join(JoinType::InnerJoin, link)
                .filter(Spec.eq(set.as_str()))
                .filter(Expr::tuple([Stamp.into_expr(), Seq.into_expr()]).gt(Expr::tuple(after)))
                .order_by_asc(Stamp)
                .order_by_asc(Seq);
            if let Some(until) = walk.until {
                query = query.filter(Stamp.lte(until));
            }
            query
        }
    };
    let mut items = read(ctx, query.limit(most + 1), format).await?;
    let more = items.len() as u64 > most;
    items.truncate(most as usize);
    Ok((items, more))
}

/// The item of a version, if it ever was in view.
pub async fn harvest_item(
    ctx: &Ctx,
    id: &RecordId,
    format: Option<Format>,
) -> Result<Option<Item>> {
    let query = harvest_item::Entity::find_by_id(id.as_str());
    Ok(read(ctx, query, format).await?.pop())
}

async fn read(
    ctx: &Ctx,
    query: Select<harvest_item::Entity>,
    format: Option<Format>,
) -> Result<Vec<Item>> {
    use harvest_item::Column::{Deleted, Id, Seq, Sets, Stamp};
    let query = query.select_only().columns([Id, Stamp, Seq, Deleted, Sets]);
    let query = match format {
        Some(format) => query.column(format.column()),
        None => query.expr(Expr::val("")),
    };
    // By position: looking six columns up by name costs more than reading them.
    let rows: Vec<(String, i64, i64, bool, String, String)> =
        query.into_tuple().all(ctx.env.db.read()).await?;
    Ok(rows
        .into_iter()
        .map(|(id, stamp, seq, deleted, sets, payload)| Item {
            id,
            place: Place { stamp, seq },
            deleted,
            sets,
            payload,
        })
        .collect())
}

/// The second of the earliest change that is still told; none in an empty repository.
pub async fn harvest_earliest(ctx: &Ctx) -> Result<Option<i64>> {
    Ok(harvest_item::Entity::find()
        .select_only()
        .column(harvest_item::Column::Stamp)
        .order_by_asc(harvest_item::Column::Stamp)
        .into_tuple()
        .one(ctx.env.db.read())
        .await?)
}

/// The sets that have items, in order.
pub async fn harvest_sets(ctx: &Ctx) -> Result<Vec<String>> {
    #[derive(FromQueryResult)]
    struct Row {
        spec: String,
    }
    // From each set to the next along the index: `select distinct` would read every row of it.
    let sql = "with recursive step (spec) as (
            select min(spec) from harvest_set
            union all
            select (select min(s.spec) from harvest_set s where s.spec > step.spec)
            from step where step.spec is not null
        )
        select spec from step where spec is not null order by spec";
    let db = ctx.env.db.read();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = Row::find_by_statement(statement).all(db).await?;
    Ok(rows.into_iter().map(|row| row.spec).collect())
}
