//! stub
use crate::{
    ids::*,
    metadata::{Access, Metadata},
    text::Locale,
};
use chrono::{DateTime, Utc};
#[derive(Debug, Clone)]
pub struct FileEntry {
    pub key: FileKey,
    pub size: u64,
    pub mimetype: String,
    pub md5: Md5,
    pub sha256: Sha256,
}
#[derive(Debug, Clone)]
pub struct Record {
    pub id: RecordId,
    pub parent: RecordId,
    pub doi: Option<Doi>,
    pub parent_doi: Option<Doi>,
    pub version_index: u32,
    pub metadata: Metadata,
    pub access: Access,
    pub custom_fields: serde_json::Value,
    pub files: Vec<FileEntry>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub published: DateTime<Utc>,
    pub base_url: String,
    pub repository: String,
    pub other_versions: Vec<(RecordId, Option<Doi>, u32)>,
}
impl Record {
    pub fn as_concept(&self) -> Record {
        self.clone()
    }
}
pub struct Format {
    pub slug: &'static str,
    pub mimetypes: &'static [&'static str],
}
pub fn list() -> &'static [Format] {
    &[]
}
pub fn render(_: &str, _: &Record) -> Option<(&'static str, String)> {
    None
}
pub fn datacite_xml(_: &Record) -> String {
    String::new()
}
pub fn oai_dc(_: &Record) -> String {
    "<x/>".into()
}
pub fn oai_datacite(_: &Record) -> String {
    "<x/>".into()
}
pub struct Cit;
impl Cit {
    pub fn text(&self) -> String {
        String::new()
    }
}
pub fn citation(_: &Record, _: Locale) -> Cit {
    Cit
}
