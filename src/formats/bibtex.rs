//! BibTeX, in UTF-8 as biber and every current reference manager read it.

use super::record::Record;
use crate::metadata::{model::AgentKind, vocabulary::fold};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

pub fn render(record: &Record) -> String {
    let m = &record.metadata;
    let authors: Vec<String> = m
        .creators
        .iter()
        .map(|a| {
            let name = escape(&a.person_or_org.name());
            // Braces keep an organisation's name from being taken apart.
            match a.person_or_org.kind {
                AgentKind::Personal if a.person_or_org.given_name.is_some() => name,
                _ => format!("{{{name}}}"),
            }
        })
        .collect();
    let kind = record.type_as("bibtex", "misc");
    let mut out = format!("@{kind}{{{},\n", key(record));
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            out.extend(["  ", &format!("{name:<9}"), " = {", value, "},\n"]);
        }
    };
    field("author", &authors.join(" and "));
    field("title", &format!("{{{}}}", escape(record.title())));
    let publisher = match kind {
        "phdthesis" => "school",
        "techreport" => "institution",
        "article" => "journal",
        _ => "publisher",
    };
    field(publisher, &escape(record.publisher()));
    field("year", &format!("{:04}", record.year()));
    field("version", &escape(&record.version().unwrap_or_default()));
    // A DOI is an identifier, not prose: only what would end the field is kept out.
    let bare = |s: &str| s.replace(['{', '}'], "");
    field(
        "doi",
        &record
            .doi
            .as_ref()
            .map(|d| bare(d.as_str()))
            .unwrap_or_default(),
    );
    field("url", &bare(&record.cite_url()));
    if let Some(month) = record
        .date_parts()
        .get(1)
        .and_then(|m| MONTHS.get(*m as usize - 1))
    {
        out.extend(["  month     = ", month, ",\n"]);
    }
    out.push_str("}\n");
    out
}

/// `dang_2026_k3f9a-2bq71`: readable, ASCII, and unique by the id.
fn key(record: &Record) -> String {
    let first = record.metadata.creators.first().map(|a| &a.person_or_org);
    let name = first
        .and_then(|p| p.family_name.clone().or_else(|| p.organisation.clone()))
        .unwrap_or_default();
    let ascii: String = fold(&name)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(24)
        .collect();
    let name = if ascii.is_empty() { "anon" } else { &ascii };
    format!("{name}_{:04}_{}", record.year(), record.id)
}

fn escape(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '{' | '}' | '$' | '&' | '%' | '#' | '_' => {
                out.push('\\');
                out.push(c);
            }
            '^' => out.push_str("\\textasciicircum{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '\n' | '\t' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}
