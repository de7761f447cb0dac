//! Accounts and how they prove who they are.

/// A person who can sign in.
pub mod account {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Lower case.
        pub email: String,
        pub name: String,
        /// Argon2id, PHC string; null: cannot sign in with one.
        pub password: Option<String>,
        /// Depositor, curator, admin.
        pub role: String,
        pub locale: String,
        pub disabled: bool,
        /// All times: microseconds since 1970, UTC.
        pub created: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A signed-in browser.
pub mod session {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "session")]
    pub struct Model {
        /// SHA-256 of the cookie's secret.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub account_id: i64,
        pub csrf: String,
        pub created: i64,
        pub expires: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A personal access token.
pub mod token {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "token")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub account_id: i64,
        pub name: String,
        /// SHA-256 of the token.
        pub hash: String,
        /// Space-separated; empty: all the account may do.
        pub scopes: String,
        pub created: i64,
        pub expires: Option<i64>,
        pub last_used: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The one-time link that makes the first administrator.
pub mod setup_link {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "setup_link")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub created: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
