//! The change feed, background jobs, answers already given.

/// Something an index must look at again; ordered as committed.
pub mod change {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "change")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub seq: i64,
        pub record_id: String,
        pub at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A piece of background work.
pub mod job {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "job")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub kind: String,
        pub payload: String,
        /// Queued, running, done, failed.
        pub state: String,
        pub attempts: i64,
        pub run_at: i64,
        pub leased_until: i64,
        pub last_error: Option<String>,
        pub created: i64,
        pub updated: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An answer kept for a client that asks again.
pub mod idempotency {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        /// SHA-256 of what was asked.
        pub fingerprint: String,
        /// What it made.
        pub record_id: String,
        pub created: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
