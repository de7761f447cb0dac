//! What a draft has of files: sums that the database makes, and the first of them. A draft of a hundred thousand files
//! is saved, shown and checked without reading them all; who needs them walks along them (`files_after`).

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, SimpleExpr},
};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    deposit::File,
    error::Result,
    ids::RecordId,
    store::table::deposit::draft_file,
};

/// Files that stand in the description of a draft itself.
pub const FIRST: u64 = 1_000;

/// How many files, and how far they have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    pub files: u64,
    /// Bytes as far as they have come.
    pub bytes: u64,
    pub completed: u64,
    /// Of the completed ones.
    pub completed_bytes: u64,
}

impl Weight {
    pub fn pending(self) -> u64 {
        self.files - self.completed
    }
}

/// The files of a draft as its other parts need them.
#[derive(Debug, Clone, Default)]
pub struct Held {
    pub weight: Weight,
    /// The first by key, at most [`FIRST`].
    pub first: Vec<draft_file::Model>,
}

#[derive(Debug, FromQueryResult)]
struct Sums {
    files: i64,
    bytes: Option<i64>,
    completed: Option<i64>,
    completed_bytes: Option<i64>,
}

/// Reads what a draft has.
pub(crate) async fn held(db: &impl ConnectionTrait, draft: &str) -> Result<Held> {
    let first = rows_after(db, draft, "", FIRST).await?;
    let weight = if (first.len() as u64) < FIRST {
        first.iter().fold(Weight::default(), |mut sum, row| {
            let bytes = row.size.unwrap_or(0) as u64;
            sum.files += 1;
            sum.bytes += bytes;
            if row.status == "completed" {
                sum.completed += 1;
                sum.completed_bytes += bytes;
            }
            sum
        })
    } else {
        weigh(db, draft).await?
    };
    Ok(Held { weight, first })
}

async fn weigh(db: &impl ConnectionTrait, draft: &str) -> Result<Weight> {
    let sum = |of: SimpleExpr| of.sum().cast_as("bigint");
    let size = || Expr::col(draft_file::Column::Size);
    let completed = |then: SimpleExpr| -> SimpleExpr {
        let done = draft_file::COLUMN.status.eq("completed");
        Expr::case(done, then).finally(Expr::value(0)).into()
    };
    let sums = draft_file::Entity::find()
        .select_only()
        .column_as(draft_file::Column::Key.count(), "files")
        .column_as(sum(size()), "bytes")
        .column_as(sum(completed(Expr::value(1))), "completed")
        .column_as(sum(completed(size())), "completed_bytes")
        .filter(draft_file::COLUMN.draft_id.eq(draft))
        .into_model::<Sums>()
        .one(db)
        .await?;
    let number = |n: Option<i64>| n.unwrap_or(0) as u64;
    Ok(sums.map_or_else(Weight::default, |s| Weight {
        files: s.files as u64,
        bytes: number(s.bytes),
        completed: number(s.completed),
        completed_bytes: number(s.completed_bytes),
    }))
}

/// The next rows by key; the first with an empty `after`.
pub(crate) async fn rows_after(
    db: &impl ConnectionTrait,
    draft: &str,
    after: &str,
    most: u64,
) -> Result<Vec<draft_file::Model>> {
    Ok(draft_file::Entity::find()
        .filter(draft_file::COLUMN.draft_id.eq(draft))
        .filter(draft_file::COLUMN.key.gt(after))
        .order_by_asc(draft_file::Column::Key)
        .limit(most)
        .all(db)
        .await?)
}

/// Names in the staging area of a draft's files, a step at a time: `after` is the last key of the step before.
pub(crate) async fn staged_after(
    db: &impl ConnectionTrait,
    draft: &str,
    after: &str,
    most: u64,
) -> Result<Vec<(String, Option<String>)>> {
    Ok(draft_file::Entity::find()
        .select_only()
        .columns([draft_file::Column::Key, draft_file::Column::Staged])
        .filter(draft_file::COLUMN.draft_id.eq(draft))
        .filter(draft_file::COLUMN.key.gt(after))
        .order_by_asc(draft_file::Column::Key)
        .limit(most)
        .into_tuple()
        .all(db)
        .await?)
}

/// The files of a draft that its reader may see, by key, after one of them.
pub async fn files_after(ctx: &Ctx, id: &RecordId, after: &str, most: u64) -> Result<Vec<File>> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    let rows = rows_after(db, id.as_str(), after, most).await?;
    Ok(rows.into_iter().map(File::from).collect())
}

/// A page of the files whose key begins with `prefix`, from page 1, and how many there are of them.
pub async fn files_page(
    ctx: &Ctx,
    id: &RecordId,
    prefix: &str,
    page: u64,
    size: u64,
) -> Result<(Vec<File>, u64)> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    let mut query = draft_file::Entity::find().filter(draft_file::COLUMN.draft_id.eq(id.as_str()));
    if !prefix.is_empty() {
        let length = prefix.chars().count() as i64;
        query = query.filter(crate::store::db::first_characters("key", length).eq(prefix));
    }
    let total = query.clone().count(db).await?;
    let rows = query
        .order_by_asc(draft_file::Column::Key)
        .offset(page.saturating_sub(1).saturating_mul(size))
        .limit(size)
        .all(db)
        .await?;
    Ok((rows.into_iter().map(File::from).collect(), total))
}

/// One file of a draft that its reader may see.
pub async fn file(ctx: &Ctx, id: &RecordId, key: &str) -> Result<Option<File>> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    let row = draft_file::Entity::find_by_id((id.to_string(), key.to_owned()))
        .one(db)
        .await?;
    Ok(row.map(File::from))
}
