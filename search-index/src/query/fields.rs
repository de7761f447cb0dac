//! The names a query may use before a colon: ours, short, and InvenioRDM's JSON paths, so that
//! saved links and clients written for it go on working.

use crate::error::QueryError;
use crate::facets::Facet;

/// Where a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Anywhere,
    Title,
    Creator,
    Subject,
    Description,
    Publisher,
    FileName,
    /// Any identifier: record, DOI, ORCID.
    Identifier,
    Facet(Facet),
    PublicationDate,
    Created,
    Updated,
    Published,
    Version,
    Size,
}

impl Target {
    /// True where words are analysed; elsewhere values are compared whole.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Anywhere
                | Self::Title
                | Self::Creator
                | Self::Subject
                | Self::Description
                | Self::Publisher
                | Self::FileName
        )
    }

    /// True where a value can be a range.
    pub(crate) fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::PublicationDate
                | Self::Created
                | Self::Updated
                | Self::Published
                | Self::Version
                | Self::Size
                | Self::Facet(Facet::Year)
        )
    }
}

/// Paths that are InvenioRDM's: a name below one of these was meant as a field.
const PATHS: [&str; 9] = [
    "metadata.",
    "files.",
    "parent.",
    "pids.",
    "access.",
    "versions.",
    "custom_fields.",
    "stats.",
    "media_files.",
];

/// What stands before a colon: a field, plain text (`Ghi chú:`), or a mistake to report.
pub(super) fn named(name: &str) -> Result<Option<Target>, QueryError> {
    let lower = name.to_ascii_lowercase();
    let target = match lower.as_str() {
        "title" | "titles" | "metadata.title" | "metadata.additional_titles.title" => Target::Title,
        "description" | "metadata.description" | "metadata.additional_descriptions.description" => {
            Target::Description
        }
        "creator" | "creators" | "author" | "authors" | "contributor" | "contributors"
        | "affiliation" => Target::Creator,
        "orcid"
        | "identifier"
        | "id"
        | "recid"
        | "doi"
        | "parent.id"
        | "pids.doi.identifier"
        | "parent.pids.doi.identifier"
        | "metadata.identifiers.identifier"
        | "metadata.creators.person_or_org.identifiers.identifier"
        | "metadata.contributors.person_or_org.identifiers.identifier" => Target::Identifier,
        "subject"
        | "subjects"
        | "keyword"
        | "keywords"
        | "metadata.subjects.subject"
        | "metadata.subjects" => Target::Subject,
        "publisher" | "metadata.publisher" => Target::Publisher,
        "file" | "filename" | "files.entries.key" => Target::FileName,
        "resource_type" | "type" | "metadata.resource_type.id" | "metadata.resource_type" => {
            Target::Facet(Facet::ResourceType)
        }
        "access_status" | "access.status" => Target::Facet(Facet::AccessStatus),
        "licence" | "license" | "metadata.rights.id" => Target::Facet(Facet::Licence),
        "language" | "metadata.languages.id" => Target::Facet(Facet::Language),
        "community"
        | "communities"
        | "parent.communities.ids"
        | "parent.communities.default"
        | "parent.communities.entries.slug" => Target::Facet(Facet::Community),
        "file_type" | "files.types" | "files.entries.ext" => Target::Facet(Facet::FileType),
        "year" => Target::Facet(Facet::Year),
        "publication_date" | "metadata.publication_date" | "metadata.publication_date_range" => {
            Target::PublicationDate
        }
        "created" => Target::Created,
        "updated" => Target::Updated,
        "published" => Target::Published,
        "version" | "versions.index" => Target::Version,
        "size" | "files.totalbytes" => Target::Size,
        path if path.starts_with("metadata.creators")
            || path.starts_with("metadata.contributors") =>
        {
            Target::Creator
        }
        path if PATHS
            .iter()
            .any(|p| path.starts_with(p) && path.len() > p.len()) =>
        {
            return Err(QueryError::UnknownField(name.to_owned()));
        }
        _ => return Ok(None),
    };
    Ok(Some(target))
}
