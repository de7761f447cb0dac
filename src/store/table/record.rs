//! Published versions, their files, their earlier metadata.

/// A published version.
#[expect(clippy::module_inception, reason = "named as its table is")]
pub mod record {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub parent_id: String,
        pub version_index: i64,
        pub metadata: String,
        pub access: String,
        pub custom_fields: String,
        pub doi: Option<String>,
        pub doi_provider: Option<String>,
        /// Reserved, registered, external, none.
        pub doi_state: String,
        pub files_enabled: bool,
        pub file_count: i64,
        pub total_bytes: i64,
        /// Bytes that no earlier version had; `None`: published before they were counted.
        pub own_bytes: Option<i64>,
        pub default_preview: Option<String>,
        pub title: String,
        pub revision: i64,
        pub archive_version: i64,
        pub is_latest: bool,
        /// The tombstone, JSON.
        pub withdrawn: Option<String>,
        pub created: i64,
        pub updated: i64,
        pub published: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A file of a published version.
pub mod record_file {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record_file")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub record_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub size: i64,
        pub sha256: String,
        pub md5: String,
        pub mimetype: String,
        /// Path in the archive.
        pub content: String,
        pub metadata: String,
        /// CRC-32 of the bytes; unknown of what an older program received.
        pub crc32: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The metadata of a published version as it was before a correction, and as it is now.
pub mod record_revision {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record_revision")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub record_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i64,
        pub archive_version: i64,
        pub metadata: String,
        pub access: String,
        pub account_id: i64,
        pub at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
