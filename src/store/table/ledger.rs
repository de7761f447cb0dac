//! The append-only log: leaves, the tree over them, what was signed.

/// An entry of the log.
pub mod leaf {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_leaf")]
    pub struct Model {
        /// From 0, without gaps.
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub record_id: String,
        pub concept_id: String,
        pub event: String,
        pub revision: i64,
        /// Canonical JSON.
        pub entry: String,
        /// Base64; seals the leaf of what is not public.
        pub salt: Option<String>,
        pub at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A tile of the tree.
pub mod tile {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_tile")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub level: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub n: i64,
        /// Base64 of 1 to 256 hashes.
        pub hashes: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What the log signed.
pub mod checkpoint {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_checkpoint")]
    pub struct Model {
        /// Leaves.
        #[sea_orm(primary_key, auto_increment = false)]
        pub size: i64,
        /// Hexadecimal.
        pub root: String,
        pub note: String,
        pub at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a witness signed.
pub mod cosignature {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_cosignature")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub size: i64,
        /// Its verifier key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub witness: String,
        /// Seconds since 1970.
        pub stamp: i64,
        pub line: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The one row of the log itself.
pub mod state {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_state")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub origin: Option<String>,
        pub vkey: Option<String>,
        pub filled: bool,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
