//! What every format is made from: one published version, whole, with what it is part of.

use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;

use crate::{
    ids::{Doi, FileKey, Md5, RecordId, Sha256},
    metadata::{
        Access, Metadata,
        access::{AccessStatus, Visibility},
        edtf::EdtfDate,
        identifiers,
        model::{Ref, RelatedIdentifier},
        vocabulary::{self, Entry, Vocabulary},
    },
};

/// A file of the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    pub key: FileKey,
    /// Bytes.
    pub size: u64,
    pub mimetype: String,
    pub md5: Md5,
    pub sha256: Sha256,
}

/// A published version.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: RecordId,
    /// The concept that all versions belong to.
    pub parent: RecordId,
    pub doi: Option<Doi>,
    pub parent_doi: Option<Doi>,
    /// From 1.
    pub version_index: u32,
    pub metadata: Metadata,
    pub access: Access,
    pub custom_fields: Value,
    /// Empty where the reader may not know them.
    pub files: Vec<FileEntry>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub published: DateTime<Utc>,
    /// Without a slash at the end.
    pub base_url: String,
    /// The repository's name, the publisher of records that name none.
    pub repository: String,
    /// Published versions of the same concept, this one not among them: id, DOI, index.
    pub other_versions: Vec<(RecordId, Option<Doi>, u32)>,
}

/// A work that this one stands in a relation to, in DataCite's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// `IsSupplementTo`
    pub relation: &'static str,
    pub scheme: String,
    pub identifier: String,
    /// `JournalArticle`
    pub general_type: Option<&'static str>,
}

impl Related {
    pub fn url(&self) -> Option<String> {
        identifiers::url(&self.scheme, &self.identifier)
    }
}

impl Record {
    /// `https://…/records/k3f9a-2bq71`
    pub fn landing_url(&self) -> String {
        format!("{}/records/{}", self.base_url, self.id)
    }
    pub fn doi_url(&self) -> Option<String> {
        self.doi.as_ref().map(Doi::url)
    }
    /// What to cite and link: the DOI's link, or the landing page without one.
    pub fn cite_url(&self) -> String {
        self.doi_url().unwrap_or_else(|| self.landing_url())
    }
    pub fn export_url(&self, slug: &str) -> String {
        format!("{}/export/{slug}", self.landing_url())
    }
    pub fn file_url(&self, file: &FileEntry) -> String {
        let key = percent_encoding::utf8_percent_encode(file.key.as_str(), KEY);
        format!("{}/files/{key}", self.landing_url())
    }
    pub fn publisher(&self) -> &str {
        self.metadata
            .publisher
            .as_deref()
            .unwrap_or(&self.repository)
    }
    pub fn year(&self) -> i32 {
        self.metadata
            .publication_date
            .as_ref()
            .map_or_else(|| self.published.year(), EdtfDate::year)
    }
    /// Year, month and day of publication as far as they are given.
    pub fn date_parts(&self) -> Vec<u32> {
        match &self.metadata.publication_date {
            Some(date) => date.parts(),
            None => vec![self.year().unsigned_abs()],
        }
    }
    pub fn resource_type(&self) -> Option<&'static Entry> {
        let kind = self.metadata.resource_type.as_ref()?;
        vocabulary::get(Vocabulary::ResourceTypes, &kind.id)
    }
    /// A column of the resource type (`datacite`, `csl` …).
    pub fn type_as<'a>(&self, column: &str, otherwise: &'a str) -> &'a str {
        self.resource_type()
            .and_then(|e| e.prop(column))
            .unwrap_or(otherwise)
    }
    /// The title in the record's own language; the id while it has none.
    pub fn title(&self) -> &str {
        self.metadata.title.as_deref().unwrap_or(self.id.as_str())
    }
    /// The version a citation names: the depositor's, else the number when there are several.
    pub fn version(&self) -> Option<String> {
        match &self.metadata.version {
            Some(v) => Some(v.clone()),
            None if self.version_index > 1 || !self.other_versions.is_empty() => {
                Some(self.version_index.to_string())
            }
            None => None,
        }
    }
    /// How open it was when it last changed; lifting an embargo is a change. No clock is asked, so
    /// the same record always gives the same text.
    pub fn access_status(&self) -> AccessStatus {
        let has_files = !self.files.is_empty() || self.access.files == Visibility::Restricted;
        self.access.status(has_files, self.updated.date_naive())
    }
    /// May anybody download the files?
    pub fn files_are_open(&self) -> bool {
        self.access_status() == AccessStatus::Open
    }
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }

    /// The concept that the versions belong to: the newest version's description, under the concept's id
    /// and DOI, with every version among the related works.
    pub fn as_concept(&self) -> Record {
        let mut concept = self.clone();
        concept.id = self.parent.clone();
        concept.doi = concept.parent_doi.take();
        concept.version_index = 1;
        concept.metadata.version = None;
        let versions = std::mem::take(&mut concept.other_versions);
        let others = versions.iter().map(|(_, doi, _)| doi);
        for doi in others.chain([&self.doi]).flatten() {
            concept
                .metadata
                .related_identifiers
                .push(RelatedIdentifier {
                    identifier: doi.to_string(),
                    scheme: "doi".to_owned(),
                    relation_type: Some(Ref::new("hasversion")),
                    resource_type: None,
                });
        }
        concept
    }

    /// What the depositor named, then its own concept and neighbouring versions.
    pub fn related(&self) -> Vec<Related> {
        let mut all: Vec<Related> = Vec::new();
        let mut add = |related: Related| {
            if !all.contains(&related) {
                all.push(related);
            }
        };
        for r in &self.metadata.related_identifiers {
            let relation = r
                .relation_type
                .as_ref()
                .and_then(|t| vocabulary::get(Vocabulary::RelationTypes, &t.id))
                .and_then(|e| e.prop("datacite"));
            let general_type = r
                .resource_type
                .as_ref()
                .and_then(|t| vocabulary::get(Vocabulary::ResourceTypes, &t.id))
                .and_then(|e| e.prop("datacite"));
            if let Some(relation) = relation {
                add(Related {
                    relation,
                    scheme: r.scheme.clone(),
                    identifier: r.identifier.clone(),
                    general_type,
                });
            }
        }
        let mut own = |relation, doi: &Option<Doi>| {
            if let Some(doi) = doi {
                add(Related {
                    relation,
                    scheme: "doi".to_owned(),
                    identifier: doi.to_string(),
                    general_type: None,
                });
            }
        };
        own("IsVersionOf", &self.parent_doi);
        let neighbour = |index: u32| self.other_versions.iter().find(|(_, _, i)| *i == index);
        if let Some((_, doi, _)) = self.version_index.checked_sub(1).and_then(neighbour) {
            own("IsNewVersionOf", doi);
        }
        if let Some((_, doi, _)) = neighbour(self.version_index + 1) {
            own("IsPreviousVersionOf", doi);
        }
        all
    }
}

/// What must be escaped in the path of a file's link; the slashes of folders stay.
pub(super) const KEY: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
