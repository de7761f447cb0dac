//! What was checked when, and what was found.

/// A run over some or all objects.
pub mod fixity_run {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fixity_run")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// All, least_recent, share.
        pub kind: String,
        /// Of a share: `2026-11-24`.
        pub day: Option<String>,
        /// Running, done.
        pub state: String,
        /// Objects to check; 0: all.
        pub quota: i64,
        pub started: i64,
        pub finished: Option<i64>,
        /// Then somebody else may go on.
        pub leased_until: i64,
        pub objects: i64,
        pub files: i64,
        pub bytes: i64,
        pub findings: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The newest check of an object.
pub mod fixity_object {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fixity_object")]
    pub struct Model {
        /// The concept's id, or a folder of the archive.
        #[sea_orm(primary_key, auto_increment = false)]
        pub object: String,
        pub checked: i64,
        /// Last time nothing was found.
        pub good: Option<i64>,
        pub millis: i64,
        pub files: i64,
        pub bytes: i64,
        pub findings: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A check of an object.
pub mod fixity_check {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fixity_check")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub run_id: i64,
        pub object: String,
        pub at: i64,
        pub millis: i64,
        pub files: i64,
        pub bytes: i64,
        /// Good, bad.
        pub outcome: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Something that was found.
pub mod fixity_finding {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fixity_finding")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub object: String,
        /// The version or draft it is about; empty: none.
        pub record_id: String,
        pub path: String,
        pub code: String,
        pub detail: String,
        pub first_seen: i64,
        pub last_seen: i64,
        /// When a check did not find it any more; none: open.
        pub gone: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
