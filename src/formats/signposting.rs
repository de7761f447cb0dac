//! FAIR Signposting (level 1 in the `Link` header, level 2 as a linkset, RFC 9264): where a machine that
//! lands on the page finds the identifier, the authors, the licence, the metadata and the files.

use serde_json::{Map, Value, json};

use super::{list, record::Record};
use crate::metadata::{
    model::Rights,
    vocabulary::{self, Vocabulary},
};

/// More items than this go only into the linkset: proxies refuse long headers.
const MAX_ITEMS: usize = 20;

/// One typed link of the landing page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub rel: &'static str,
    pub href: String,
    /// Media type of the target, when it is known.
    pub mimetype: Option<String>,
}

impl Link {
    fn new(rel: &'static str, href: impl Into<String>) -> Self {
        Self {
            rel,
            href: href.into(),
            mimetype: None,
        }
    }
    fn typed(rel: &'static str, href: impl Into<String>, mimetype: &str) -> Self {
        Self {
            rel,
            href: href.into(),
            mimetype: Some(mimetype.to_owned()),
        }
    }
    fn header(&self) -> String {
        let kind = self
            .mimetype
            .as_deref()
            .map(|t| format!("; type=\"{}\"", t.replace(['"', '\\', '\r', '\n'], "")))
            .unwrap_or_default();
        let href: String = self
            .href
            .chars()
            .filter(|c| !matches!(c, '<' | '>') && !c.is_control())
            .collect();
        format!("<{href}>; rel=\"{}\"{kind}", self.rel)
    }
}

/// `/api/records/{id}` offered as `application/linkset+json`.
pub fn linkset_url(record: &Record) -> String {
    format!("{}/api/records/{}", record.base_url, record.id)
}

/// All files as one zip.
fn archive_url(record: &Record) -> String {
    format!("{}/archive", record.landing_url())
}

/// Every link of the landing page, the files last.
pub fn links(record: &Record) -> Vec<Link> {
    let m = &record.metadata;
    let mut all = Vec::new();
    for agent in &m.creators {
        let who = &agent.person_or_org;
        for scheme in ["orcid", "ror", "isni"] {
            if let Some(url) = who
                .identifier(scheme)
                .and_then(|i| crate::metadata::identifiers::url(scheme, i))
            {
                all.push(Link::new("author", url));
                break;
            }
        }
    }
    all.push(Link::new("cite-as", record.cite_url()));
    for format in list() {
        all.push(Link::typed(
            "describedby",
            record.export_url(format.slug),
            format.mimetype(),
        ));
    }
    all.push(Link::new(
        "type",
        format!(
            "https://schema.org/{}",
            record.type_as("schema", "CreativeWork")
        ),
    ));
    all.push(Link::new("type", "https://schema.org/AboutPage"));
    if let Some(url) = m.rights.iter().find_map(|r| match r {
        Rights::Licence { id } => vocabulary::get(Vocabulary::Licenses, id)?
            .prop("url")
            .map(ToOwned::to_owned),
        Rights::Custom { link, .. } => link.clone(),
    }) {
        all.push(Link::new("license", url));
    }
    if record.files_are_open() {
        if record.files.len() > 1 {
            all.push(Link::typed("item", archive_url(record), "application/zip"));
        }
        for file in &record.files {
            all.push(Link::typed("item", record.file_url(file), &file.mimetype));
        }
    }
    all
}

/// The value of the landing page's `Link` header. ASCII, one line.
pub fn header(record: &Record) -> String {
    let all = links(record);
    let items = all.iter().filter(|l| l.rel == "item").count();
    let authors = all.iter().filter(|l| l.rel == "author").count();
    let archive = archive_url(record);
    let linkset = Link::typed("linkset", linkset_url(record), "application/linkset+json");
    all.iter()
        .filter(|l| match l.rel {
            // Of very many files, the one that holds them all.
            "item" => items <= MAX_ITEMS || l.href == archive,
            "author" => authors <= MAX_ITEMS,
            _ => true,
        })
        .chain([&linkset])
        .map(Link::header)
        .filter(|h| h.is_ascii())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The linkset: what the landing page links, and the way back from each file and each description.
pub fn linkset(record: &Record) -> Value {
    let landing = record.landing_url();
    let mut page = Map::new();
    page.insert("anchor".into(), landing.clone().into());
    let mut back = Vec::new();
    for link in links(record) {
        let mut target = json!({"href": link.href});
        if let Some(mimetype) = &link.mimetype {
            target["type"] = mimetype.as_str().into();
        }
        let returning = match link.rel {
            "item" => Some("collection"),
            "describedby" => Some("describes"),
            _ => None,
        };
        if let Some(rel) = returning {
            back.push(json!({"anchor": link.href, rel: [{"href": landing, "type": "text/html"}]}));
        }
        if let Value::Array(targets) = page.entry(link.rel).or_insert_with(|| json!([])) {
            targets.push(target);
        }
    }
    let mut contexts = vec![Value::Object(page)];
    contexts.extend(back);
    json!({"linkset": contexts})
}
