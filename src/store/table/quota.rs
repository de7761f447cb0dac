//! What an administrator allowed in place of the defaults.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quota")]
pub struct Model {
    /// Record (a concept), account, community.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scope: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    pub bytes: i64,
    pub reason: String,
    /// An account.
    pub set_by: i64,
    pub at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
