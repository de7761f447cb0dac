//! Files that Kho brings into a draft itself.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "intake")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub draft_id: String,
    /// The file to come; the archive to unpack.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Fetch, unpack.
    pub kind: String,
    /// Of a fetch. It may hold a secret.
    pub url: Option<String>,
    /// Waiting, running, done, failed.
    pub state: String,
    pub received: i64,
    pub total: Option<i64>,
    /// JSON: code and values.
    pub problem: Option<String>,
    pub created: i64,
    pub updated: i64,
}

impl ActiveModelBehavior for ActiveModel {}
