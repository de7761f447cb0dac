//! Every answer of a draft in the reader's words, for the last look before publishing.

use super::{controls::Task, form::List, view::Answer};
use crate::{
    deposit,
    metadata::{
        Metadata,
        bilingual::Said,
        html,
        model::{Agent, Rights, Subject},
        vocabulary::{self, Vocabulary},
    },
    pages::{parts::Text, shell::Visit},
    text::{self, Locale},
};

/// The questions in the order of the pages, each with the control that changes its answer.
pub(super) fn answers(visit: &Visit, draft: &deposit::Draft) -> Vec<Answer> {
    let locale = visit.locale();
    let m = &draft.metadata;
    let term = |v, id: &str| vocabulary::label(v, id, locale).to_owned();
    let kind = m.resource_type.as_ref();
    let date = m.publication_date.as_ref();
    let languages = m.languages.iter();
    let first = |list: List, rows: usize| match rows {
        0 => list.code().to_owned(),
        _ => list.first_control(0),
    };
    let plain = |values: Vec<String>| {
        let text = |value| Text::new(locale.code(), value);
        values.into_iter().map(text).collect::<Vec<_>>()
    };
    let answer = |key: &str, values: Vec<Text>, task: Task, field: &str| Answer {
        label: visit.say(key, &[]),
        values,
        task: task.code(),
        field: field.to_owned(),
    };
    let describe = |key: &str, values: Vec<String>, field: &str| {
        answer(key, plain(values), Task::Describe, field)
    };
    let titles = m.titles().iter().flat_map(|s| lines(locale, s)).collect();
    let descriptions = m.descriptions();
    let descriptions = descriptions.iter().flat_map(|s| lines(locale, s)).collect();
    vec![
        answer("title", titles, Task::Describe, "title.vi"),
        answer(
            "description",
            descriptions,
            Task::Describe,
            "description.vi",
        ),
        describe(
            "describe-creators",
            m.creators.iter().map(person).collect(),
            &List::Creators.first_control(0),
        ),
        describe(
            "resource-type",
            kind.map(|t| term(Vocabulary::ResourceTypes, &t.id))
                .into_iter()
                .collect(),
            "resource_type",
        ),
        describe(
            "publication-date",
            date.map(|d| text::edtf(locale, d.as_str()))
                .into_iter()
                .collect(),
            "publication_date",
        ),
        describe("licence", licences(m, locale), "licence"),
        describe("keywords", keywords(m, locale), "keywords"),
        describe(
            "data-language",
            languages
                .map(|l| term(Vocabulary::Languages, &l.id))
                .collect(),
            "languages",
        ),
        describe(
            "publisher",
            m.publisher.iter().cloned().collect(),
            "publisher",
        ),
        describe("version", m.version.iter().cloned().collect(), "version"),
        describe(
            "related-works",
            related(m, locale),
            &first(List::Related, m.related_identifiers.len()),
        ),
        describe(
            "funding",
            funding(m),
            &first(List::Funding, m.funding.len()),
        ),
        answer(
            "task-access",
            plain(access(visit, draft)),
            Task::Access,
            "access",
        ),
    ]
}

/// A text in its own language, a paragraph or line at a time.
fn lines(locale: Locale, said: &Said<'_>) -> Vec<Text> {
    let lang = said.bcp47().unwrap_or(locale.code());
    html::plain_text(said.text)
        .lines()
        .map(|line| Text::new(lang, line))
        .collect()
}

fn person(agent: &Agent) -> String {
    let who = &agent.person_or_org;
    let mut out = who.spoken();
    if let Some(orcid) = who.orcid() {
        out = format!("{out} ({orcid})");
    }
    let from: Vec<String> = agent
        .affiliations
        .iter()
        .filter_map(|a| {
            a.name
                .clone()
                .or_else(|| a.id.as_ref().map(ToString::to_string))
        })
        .collect();
    if from.is_empty() {
        out
    } else {
        format!("{out} – {}", from.join("; "))
    }
}

fn licences(m: &Metadata, locale: Locale) -> Vec<String> {
    m.rights
        .iter()
        .filter_map(|r| match r {
            Rights::Licence { id } => {
                Some(vocabulary::label(Vocabulary::Licenses, id, locale).to_owned())
            }
            Rights::Custom { title, .. } => title
                .get(locale.code())
                .or_else(|| title.values().next())
                .cloned(),
        })
        .collect()
}

fn keywords(m: &Metadata, locale: Locale) -> Vec<String> {
    m.subjects
        .iter()
        .map(|s| match s {
            Subject::Term { id } => vocabulary::label(Vocabulary::Subjects, id, locale).to_owned(),
            Subject::Keyword { subject } => subject.clone(),
        })
        .collect()
}

fn related(m: &Metadata, locale: Locale) -> Vec<String> {
    m.related_identifiers
        .iter()
        .map(|r| {
            let relation = r
                .relation_type
                .as_ref()
                .map(|t| vocabulary::label(Vocabulary::RelationTypes, &t.id, locale));
            format!("{} {}", relation.unwrap_or_default(), r.identifier)
                .trim()
                .to_owned()
        })
        .collect()
}

fn funding(m: &Metadata) -> Vec<String> {
    m.funding
        .iter()
        .map(|f| {
            let funder = f
                .funder
                .name
                .clone()
                .or_else(|| f.funder.id.as_ref().map(ToString::to_string));
            let award = f.award.as_ref().and_then(|a| a.number.clone());
            let parts: Vec<String> = funder.into_iter().chain(award).collect();
            parts.join(" · ")
        })
        .collect()
}

fn access(visit: &Visit, draft: &deposit::Draft) -> Vec<String> {
    let access = &draft.access;
    let status = access.status(draft.row.files_enabled, visit.ctx().today());
    let mut out = vec![status.label(visit.locale())];
    if access.embargo.active
        && let Some(until) = access.embargo.until
    {
        let day = text::date(visit.locale(), until);
        out.push(format!("{}: {day}", visit.say("embargo-until", &[])));
    }
    out
}
