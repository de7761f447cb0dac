//! The shape of a record's metadata: InvenioRDM's, typed.
//!
//! Serialised, it is the dialect's input shape: what a client may send back unchanged. What is read
//! adds titles and computed names (`dump`). A value here has passed `read`: ids are in their
//! vocabularies, HTML is safe, dates and identifiers are well formed; it may still be incomplete,
//! which is for `checklist` to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::{edtf::EdtfDate, geometry::Geometry};
use crate::ids::Ror;

/// Text by language (ISO 639-1 or 639-3 code as sent): `{"en": "…", "vi": "…"}`.
pub type Texts = BTreeMap<String, String>;

/// A term of a vocabulary, `{"id": "dataset"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ref {
    pub id: String,
}

impl Ref {
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Ref>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_titles: Vec<AdditionalTitle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publication_date: Option<EdtfDate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub creators: Vec<Agent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Agent>,
    /// Sanitised HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_descriptions: Vec<AdditionalDescription>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Rights>,
    /// Sanitised HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Subject>,
    /// ISO 639-3; the first is the language of `title` and `description`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Ref>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<OtherDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_identifiers: Vec<RelatedIdentifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<String>,
    /// In JSON `{"features": […]}`.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "features")]
    pub locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub funding: Vec<Funding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
}

/// From what was stored; anything that would be a problem is left out, as when it was first read.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(super::read::read(&serde_json::Value::deserialize(d)?).0)
    }
}

fn features<S: Serializer>(locations: &[Location], s: S) -> Result<S::Ok, S::Error> {
    let mut out = s.serialize_struct("Locations", 1)?;
    out.serialize_field("features", locations)?;
    out.end()
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdditionalTitle {
    pub title: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Ref>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Ref>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdditionalDescription {
    /// Sanitised HTML.
    pub description: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Ref>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Ref>,
}

/// A creator or contributor: who, as what, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Agent {
    pub person_or_org: PersonOrOrg,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Ref>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affiliations: Vec<Affiliation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    #[default]
    Personal,
    Organizational,
}

/// A person has a family name and perhaps a given name; an organisation has a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PersonOrOrg {
    #[serde(rename = "type")]
    pub kind: AgentKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Only of organisations; a person's is computed (`PersonOrOrg::name`).
    #[serde(rename = "name", skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
}

/// An organisation by its ROR id, or by name when it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Affiliation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Ror>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A licence by its id, or one in the depositor's own words: never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Rights {
    Licence {
        /// SPDX id in lower case.
        id: String,
    },
    Custom {
        title: Texts,
        #[serde(skip_serializing_if = "Texts::is_empty")]
        description: Texts,
        #[serde(skip_serializing_if = "Option::is_none")]
        link: Option<String>,
    },
}

/// A term of a classification, or a free keyword.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Subject {
    Term { id: String },
    Keyword { subject: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherDate {
    pub date: EdtfDate,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Ref>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An identifier of any scheme (`identifiers` lists them), in its scheme's bare form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identifier {
    pub identifier: String,
    pub scheme: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelatedIdentifier {
    pub identifier: String,
    pub scheme: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation_type: Option<Ref>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Ref>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometry: Option<Geometry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Funding {
    pub funder: Funder,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub award: Option<Award>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Funder {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Ror>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Award {
    /// `<ror of the funder>::<number>`, as Invenio names awards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub title: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    pub reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
}
