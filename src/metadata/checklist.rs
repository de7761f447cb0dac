//! What a record still lacks: one pure function for the deposit page, a saved draft and publishing.
//!
//! Required things block publishing; recommended ones are only said. It judges what `read` took; what
//! `read` refused is in its own problems.

use chrono::NaiveDate;
use std::collections::BTreeSet;

use super::{
    access::{Access, Visibility},
    model::{Agent, AgentKind, Identifier, Metadata, Rights},
    vocabulary::{self, Vocabulary},
};
use crate::{error::Problem, text::Locale};

/// What is known of the files of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// False when the depositor says that there are none (metadata-only).
    pub enabled: bool,
    /// Completed files.
    pub count: u64,
    /// Files whose upload was started and not finished.
    pub pending: u64,
}

/// One thing to have; `checklist-<key>` is its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub key: &'static str,
    pub required: bool,
    /// Empty when it is done.
    pub problems: Vec<Problem>,
}

impl Item {
    pub fn done(&self) -> bool {
        self.problems.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checklist {
    pub items: Vec<Item>,
}

impl Checklist {
    /// What blocks publishing.
    pub fn problems(&self) -> Vec<Problem> {
        self.collect(true)
    }
    /// What would make the record better and blocks nothing.
    pub fn warnings(&self) -> Vec<Problem> {
        self.collect(false)
    }
    pub fn is_complete(&self) -> bool {
        self.items.iter().all(|i| !i.required || i.done())
    }
    fn collect(&self, required: bool) -> Vec<Problem> {
        self.items
            .iter()
            .filter(|i| i.required == required)
            .flat_map(|i| i.problems.iter().cloned())
            .collect()
    }
    fn item(&mut self, key: &'static str, required: bool, problems: Vec<Problem>) {
        self.items.push(Item {
            key,
            required,
            problems,
        });
    }
}

/// Everything required and recommended, in the order of the form.
pub fn check(metadata: &Metadata, access: &Access, files: Files, today: NaiveDate) -> Checklist {
    let mut list = Checklist::default();
    list.item("files", true, check_files(files));
    list.item("resource-type", true, resource_type(metadata));
    list.item("title", true, title(metadata));
    list.item("creators", true, creators(metadata));
    list.item("publication-date", true, publication_date(metadata));
    list.item("contributors", true, contributors(metadata));
    list.item("identifiers", true, identifiers(metadata));
    list.item("dates", true, dates(metadata));
    list.item("access", true, embargo(access, today));
    list.item("description", false, description(metadata));
    list.item("translation", false, translation(metadata));
    list.item("licence", false, licence(metadata));
    list.item("keywords", false, keywords(metadata));
    list.item("orcid", false, orcid(metadata));
    list.item("language", false, language(metadata));
    list
}

fn unless(ok: bool, problem: Problem) -> Vec<Problem> {
    if ok { Vec::new() } else { vec![problem] }
}

fn check_files(files: Files) -> Vec<Problem> {
    let mut problems = unless(
        !files.enabled || files.count > 0,
        Problem::new("files-missing", "files.enabled"),
    );
    if files.pending > 0 {
        problems.push(Problem::new("files-pending", "files.entries").with("count", files.pending));
    }
    if !files.enabled && files.count > 0 {
        problems
            .push(Problem::new("files-not-expected", "files.enabled").with("count", files.count));
    }
    problems
}

fn resource_type(m: &Metadata) -> Vec<Problem> {
    let path = "metadata.resource_type";
    match &m.resource_type {
        None => vec![Problem::new("required", path)],
        Some(kind) => {
            let depositable = vocabulary::get(Vocabulary::ResourceTypes, &kind.id)
                .is_some_and(|e| e.tagged("depositable"));
            unless(
                depositable,
                Problem::new("resource-type-not-depositable", path),
            )
        }
    }
}

fn title(m: &Metadata) -> Vec<Problem> {
    match &m.title {
        None => vec![Problem::new("required", "metadata.title")],
        Some(t) => unless(
            t.chars().count() >= 3,
            Problem::new("title-too-short", "metadata.title"),
        ),
    }
}

fn publication_date(m: &Metadata) -> Vec<Problem> {
    unless(
        m.publication_date.is_some(),
        Problem::new("required", "metadata.publication_date"),
    )
}

fn creators(m: &Metadata) -> Vec<Problem> {
    if m.creators.is_empty() {
        return vec![Problem::new("required", "metadata.creators")];
    }
    agents(&m.creators, "metadata.creators")
}

fn contributors(m: &Metadata) -> Vec<Problem> {
    let mut problems = agents(&m.contributors, "metadata.contributors");
    for (i, _) in m
        .contributors
        .iter()
        .enumerate()
        .filter(|(_, c)| c.role.is_none())
    {
        problems.push(Problem::new(
            "required",
            format!("metadata.contributors.{i}.role"),
        ));
    }
    problems
}

/// Everybody has a name, and no two identifiers of one scheme.
fn agents(agents: &[Agent], path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, agent) in agents.iter().enumerate() {
        let who = &agent.person_or_org;
        let (name, field) = match who.kind {
            AgentKind::Personal => (&who.family_name, "family_name"),
            AgentKind::Organizational => (&who.organisation, "name"),
        };
        if name.is_none() {
            problems.push(Problem::new(
                "required",
                format!("{path}.{i}.person_or_org.{field}"),
            ));
        }
        problems.extend(twice(
            &who.identifiers,
            &format!("{path}.{i}.person_or_org.identifiers"),
        ));
    }
    problems
}

fn identifiers(m: &Metadata) -> Vec<Problem> {
    let mut problems = twice(&m.identifiers, "metadata.identifiers");
    for (i, _) in m
        .related_identifiers
        .iter()
        .enumerate()
        .filter(|(_, r)| r.relation_type.is_none())
    {
        let path = format!("metadata.related_identifiers.{i}.relation_type");
        problems.push(Problem::new("required", path));
    }
    problems
}

fn twice(identifiers: &[Identifier], path: &str) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    identifiers
        .iter()
        .enumerate()
        .filter(|(_, id)| !seen.insert(id.scheme.as_str()))
        .map(|(i, id)| {
            Problem::new("scheme-twice", format!("{path}.{i}.scheme")).with("value", &id.scheme)
        })
        .collect()
}

fn dates(m: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, _) in m.dates.iter().enumerate().filter(|(_, d)| d.kind.is_none()) {
        problems.push(Problem::new("required", format!("metadata.dates.{i}.type")));
    }
    for (i, _) in m
        .additional_titles
        .iter()
        .enumerate()
        .filter(|(_, t)| t.kind.is_none())
    {
        problems.push(Problem::new(
            "required",
            format!("metadata.additional_titles.{i}.type"),
        ));
    }
    for (i, _) in m
        .additional_descriptions
        .iter()
        .enumerate()
        .filter(|(_, d)| d.kind.is_none())
    {
        let path = format!("metadata.additional_descriptions.{i}.type");
        problems.push(Problem::new("required", path));
    }
    problems
}

fn embargo(access: &Access, today: NaiveDate) -> Vec<Problem> {
    let path = "access.embargo.until";
    match (access.embargo.active, access.embargo.until) {
        (false, Some(until)) if until > today => vec![Problem::new("embargo-inactive", path)],
        (false, _) => Vec::new(),
        (true, None) => vec![Problem::new("embargo-without-end", path)],
        (true, Some(until)) if until <= today => vec![Problem::new("embargo-past", path)],
        (true, Some(_)) => unless(
            access.record == Visibility::Restricted || access.files == Visibility::Restricted,
            Problem::new("embargo-of-nothing", "access.embargo.active"),
        ),
    }
}

fn description(m: &Metadata) -> Vec<Problem> {
    unless(
        m.description
            .as_deref()
            .is_some_and(|d| d.chars().count() >= 3),
        Problem::new("recommended-description", "metadata.description"),
    )
}

fn translation(m: &Metadata) -> Vec<Problem> {
    let missing = |l: &Locale| m.title_in(*l).is_none();
    let lacking = Locale::ALL.iter().find(|l| missing(l));
    unless(
        lacking.is_none(),
        Problem::new("recommended-translation", "metadata.additional_titles"),
    )
}

fn licence(m: &Metadata) -> Vec<Problem> {
    let path = "metadata.rights";
    if m.rights.is_empty() {
        return vec![Problem::new("recommended-licence", path)];
    }
    let known = m.rights.iter().any(|r| {
        matches!(r, Rights::Licence { .. }) || matches!(r, Rights::Custom { link: Some(_), .. })
    });
    unless(known, Problem::new("recommended-licence-link", path))
}

fn keywords(m: &Metadata) -> Vec<Problem> {
    unless(
        !m.subjects.is_empty(),
        Problem::new("recommended-keywords", "metadata.subjects"),
    )
}

fn orcid(m: &Metadata) -> Vec<Problem> {
    let people = |a: &&Agent| a.person_or_org.kind == AgentKind::Personal;
    let all = m
        .creators
        .iter()
        .filter(people)
        .all(|a| a.person_or_org.orcid().is_some());
    unless(all, Problem::new("recommended-orcid", "metadata.creators"))
}

fn language(m: &Metadata) -> Vec<Problem> {
    unless(
        !m.languages.is_empty(),
        Problem::new("recommended-language", "metadata.languages"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{read, read_access};
    use serde_json::json;

    const FILES: Files = Files {
        enabled: true,
        count: 1,
        pending: 0,
    };

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()
    }

    fn paths(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|p| p.path.as_str()).collect()
    }

    #[test]
    fn an_empty_draft_lacks_exactly_what_is_required() {
        let none = Files {
            enabled: true,
            count: 0,
            pending: 0,
        };
        let list = check(&Metadata::default(), &Access::default(), none, today());
        let problems = list.problems();
        assert_eq!(
            paths(&problems),
            [
                "files.enabled",
                "metadata.resource_type",
                "metadata.title",
                "metadata.creators",
                "metadata.publication_date"
            ]
        );
        assert!(!list.is_complete());
    }

    #[test]
    fn the_least_that_can_be_published_is_only_warned_about() {
        let (m, problems) = read(&json!({"title": "Số liệu", "publication_date": "2026",
            "resource_type": {"id": "dataset"},
            "creators": [{"person_or_org": {"type": "personal", "family_name": "Trần"}}]}));
        assert_eq!(problems, []);
        let list = check(&m, &Access::default(), FILES, today());
        assert_eq!(list.problems(), []);
        assert!(list.is_complete());
        let codes: Vec<_> = list.warnings().iter().map(|p| p.code).collect();
        assert_eq!(
            codes,
            [
                "recommended-description",
                "recommended-translation",
                "recommended-licence",
                "recommended-keywords",
                "recommended-orcid",
                "recommended-language"
            ]
        );
        let whole = serde_json::from_str(include_str!("read/full.json")).unwrap();
        let list = check(&read(&whole).0, &Access::default(), FILES, today());
        assert_eq!((list.problems(), list.warnings()), (vec![], vec![]));
    }

    #[test]
    fn what_is_half_said_is_found() {
        let (m, _) = read(&json!({"title": "ab", "resource_type": {"id": "project"},
            "creators": [{"person_or_org": {"type": "organizational", "identifiers": [
                {"scheme": "ror", "identifier": "01ggx4157"}, {"scheme": "ror", "identifier": "02feahw73"}]}}],
            "contributors": [{"person_or_org": {"type": "personal", "given_name": "Ada"}}],
            "dates": [{"date": "2025"}],
            "related_identifiers": [{"identifier": "10.1000/x"}]}));
        let files = Files {
            enabled: false,
            count: 2,
            pending: 1,
        };
        let problems = check(&m, &Access::default(), files, today()).problems();
        assert_eq!(
            paths(&problems),
            [
                "files.entries",
                "files.enabled",
                "metadata.resource_type",
                "metadata.title",
                "metadata.creators.0.person_or_org.name",
                "metadata.creators.0.person_or_org.identifiers.1.scheme",
                "metadata.publication_date",
                "metadata.contributors.0.person_or_org.family_name",
                "metadata.contributors.0.role",
                "metadata.related_identifiers.0.relation_type",
                "metadata.dates.0.type"
            ]
        );
    }

    #[test]
    fn an_embargo_needs_a_day_to_come_and_something_to_hold_back() {
        for (section, code) in [
            (
                json!({"files": "restricted", "embargo": {"active": true}}),
                "embargo-without-end",
            ),
            (
                json!({"files": "restricted", "embargo": {"active": true, "until": "2026-03-01"}}),
                "embargo-past",
            ),
            (
                json!({"embargo": {"active": true, "until": "2026-03-02"}}),
                "embargo-of-nothing",
            ),
            (
                json!({"embargo": {"active": false, "until": "2026-03-02"}}),
                "embargo-inactive",
            ),
        ] {
            let (access, _) = read_access(&section);
            let problems = check(&Metadata::default(), &access, FILES, today()).problems();
            assert!(problems.iter().any(|p| p.code == code), "{section}");
        }
        let (access, _) = read_access(
            &json!({"files": "restricted", "embargo": {"active": true, "until": "2026-03-02"}}),
        );
        assert!(embargo(&access, today()).is_empty());
    }
}
