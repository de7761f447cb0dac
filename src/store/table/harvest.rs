//! What OAI-PMH serves: one item a record, kept after it is withdrawn.

/// A record as harvesters see it.
pub mod harvest_item {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "harvest_item")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Whole seconds, never going backwards.
        pub stamp: i64,
        /// The number of the change that made it as it is; (stamp, seq) is its place among all items.
        pub seq: i64,
        pub deleted: bool,
        /// Space-separated.
        pub sets: String,
        pub oai_dc: String,
        pub oai_datacite: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An item in a set.
pub mod harvest_set {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "harvest_set")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub spec: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stamp: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub item_id: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
