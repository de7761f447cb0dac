//! RIS, for reference managers: a line a value, ended by CR LF.

use super::record::Record;
use crate::metadata::{
    html,
    model::Subject,
    vocabulary::{self, Vocabulary},
};
use crate::{ids::Doi, text::Locale};

pub fn render(record: &Record) -> String {
    let m = &record.metadata;
    let mut out = String::new();
    let mut line = |tag: &str, value: &str| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !value.is_empty() {
            out.push_str(tag);
            out.push_str("  - ");
            out.push_str(&value);
            out.push_str("\r\n");
        }
    };
    line("TY", record.type_as("ris", "GEN"));
    for agent in &m.creators {
        line("AU", &agent.person_or_org.name());
    }
    line("TI", record.title());
    for other in m.titles().iter().skip(1) {
        line("TT", other.text);
    }
    line("PY", &format!("{:04}", record.year()));
    let date: Vec<String> = record
        .date_parts()
        .iter()
        .map(|p| format!("{p:02}"))
        .collect();
    line("DA", &date.join("/"));
    line("PB", record.publisher());
    line("ET", &record.version().unwrap_or_default());
    line(
        "DO",
        record.doi.as_ref().map(Doi::as_str).unwrap_or_default(),
    );
    line("UR", &record.cite_url());
    line(
        "LA",
        m.main_language().map(vocabulary::bcp47).unwrap_or_default(),
    );
    for subject in &m.subjects {
        line(
            "KW",
            match subject {
                Subject::Keyword { subject } => subject,
                Subject::Term { id } => vocabulary::label(Vocabulary::Subjects, id, Locale::En),
            },
        );
    }
    line(
        "AB",
        &m.description
            .as_deref()
            .map(html::plain_text)
            .unwrap_or_default(),
    );
    out.push_str("ER  - \r\n");
    out
}
