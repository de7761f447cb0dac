//! Uploads that go on over several requests, and the parts of those that come in parts.

/// An upload under way, or (for a while) one that is done.
#[expect(clippy::module_inception, reason = "named as its table is")]
pub mod upload {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "upload")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub draft_id: String,
        /// Of the file; none for a part of a tus concatenation.
        pub key: Option<String>,
        pub account_id: Option<i64>,
        /// Tus, partial, final, parts, put.
        pub kind: String,
        /// Open, done.
        pub status: String,
        /// In the staging area, as long as the bytes are this upload's.
        pub name: Option<String>,
        pub size: Option<i64>,
        pub arrived: i64,
        pub state: Option<String>,
        pub part_size: Option<i64>,
        pub handle: Option<String>,
        /// Of the whole, as declared.
        pub checksum: Option<String>,
        /// `Upload-Metadata` as it was sent.
        pub metadata: Option<String>,
        /// `Upload-Concat` as it was sent.
        pub sources: Option<String>,
        pub lease: Option<String>,
        pub leased_until: i64,
        pub expires: i64,
        pub created: i64,
        pub updated: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A part that arrived.
pub mod upload_part {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "upload_part")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub upload_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i64,
        pub size: i64,
        pub sha256: String,
        pub md5: String,
        pub tag: String,
        pub created: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
