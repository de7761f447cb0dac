//! The drafts of the caller, newest change first.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    ctx::Ctx,
    error::Result,
    store::table::deposit::{draft, draft_file, parent},
};

/// A draft in a list.
#[derive(Debug, Clone)]
pub struct OwnDraft {
    pub row: draft::Model,
    pub parent: parent::Model,
}

/// Most drafts given at once; an account with more finds the rest by search.
const MOST: u64 = 1_000;

/// How many files each of some drafts has, and their bytes as far as they have come.
pub async fn weights(ctx: &Ctx, drafts: &[&OwnDraft]) -> Result<HashMap<String, (u64, u64)>> {
    let rows: Vec<(String, i64, Option<i64>)> = draft_file::Entity::find()
        .select_only()
        .column(draft_file::Column::DraftId)
        .column_as(draft_file::Column::Key.count(), "files")
        .column_as(
            Expr::col(draft_file::Column::Size).sum().cast_as("bigint"),
            "bytes",
        )
        .filter(draft_file::Column::DraftId.is_in(drafts.iter().map(|d| d.row.id.as_str())))
        .group_by(draft_file::Column::DraftId)
        .into_tuple()
        .all(ctx.env.db.read())
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, files, bytes)| (id, (files as u64, bytes.unwrap_or(0) as u64)))
        .collect())
}

/// All drafts of concepts the caller owns.
pub async fn own(ctx: &Ctx) -> Result<Vec<OwnDraft>> {
    let me = ctx.require_person()?;
    let link = draft::Entity::belongs_to(parent::Entity)
        .from(draft::Column::ParentId)
        .to(parent::Column::Id)
        .into();
    let rows = draft::Entity::find()
        .join(JoinType::InnerJoin, link)
        .select_also(parent::Entity)
        .filter(parent::COLUMN.owner_id.eq(me.id.0))
        .order_by_desc(draft::Column::Updated)
        .limit(MOST)
        .all(ctx.env.db.read())
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(row, parent)| {
            Some(OwnDraft {
                row,
                parent: parent?,
            })
        })
        .collect())
}
