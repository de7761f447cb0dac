//! The drafts of the caller, newest change first.

use sea_orm::{EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    ctx::Ctx,
    error::Result,
    store::table::deposit::{draft, parent},
};

/// A draft in a list.
#[derive(Debug, Clone)]
pub struct OwnDraft {
    pub row: draft::Model,
    pub parent: parent::Model,
}

/// Most drafts given at once; an account with more finds the rest by search.
const MOST: u64 = 1_000;

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
