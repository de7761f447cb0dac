//! Concepts (parents), drafts and the files of drafts.

/// A concept: what all versions of one dataset share.
pub mod parent {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "parent")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub owner_id: i64,
        pub doi: Option<String>,
        /// Space-separated slugs.
        pub communities: String,
        /// How many were ever published.
        pub versions: i64,
        /// Record id of the newest published version.
        pub latest: Option<String>,
        /// Newest OCFL version that is listed here.
        pub archive_head: i64,
        pub created: i64,
        pub updated: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A version being written, or an edit of a published one.
pub mod draft {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "draft")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub parent_id: String,
        /// An edit of a published version.
        pub published: bool,
        pub version_index: i64,
        /// JSON as it was sent.
        pub metadata: String,
        pub access: String,
        pub custom_fields: String,
        pub doi: Option<String>,
        /// Ours or external.
        pub doi_provider: Option<String>,
        pub files_enabled: bool,
        pub default_preview: Option<String>,
        pub revision: i64,
        pub created: i64,
        pub updated: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A file of a draft.
pub mod draft_file {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "draft_file")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub draft_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        /// Pending, completed.
        pub status: String,
        pub size: Option<i64>,
        pub sha256: Option<String>,
        pub md5: Option<String>,
        pub mimetype: String,
        /// Name in the staging area, once received.
        pub staged: Option<String>,
        /// Path in the archive, when taken over from a version.
        pub content: Option<String>,
        pub metadata: String,
        pub created: i64,
        pub updated: i64,
        /// CRC-32 of the bytes; unknown of what an older program received.
        pub crc32: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
