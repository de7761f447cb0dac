//! `/uploads/{id}/publish`: every answer once more, what is wrong with it, and the button.

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};

use super::{
    controls::Task,
    draft::{checks, load, problems, view},
    view::{Answer, Publish},
};
use crate::{
    deposit::{self, FileStatus},
    error::{Error, Result},
    metadata::{
        Metadata,
        bilingual::Said,
        html,
        model::{Agent, Rights, Subject},
        vocabulary::{self, Vocabulary},
    },
    pages::{
        parts::{FieldProblem, Text},
        sent::Sent,
        shell::Visit,
    },
    publish,
    text::{self, Locale, say_problem},
    web::render::NoticeKind,
};

pub async fn form(visit: Visit, Path(id): Path<String>) -> Response {
    let result = show(&visit, &id).await;
    visit.finish(result).await
}

async fn show(visit: &Visit, id: &str) -> Result<Response> {
    let (_, draft) = load(visit, id).await?;
    visit.page(&page(visit, &draft, Vec::new()))
}

pub async fn send(mut visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = release(&mut visit, &id, body).await;
    visit.finish(result).await
}

async fn release(visit: &mut Visit, text: &str, body: Body) -> Result<Response> {
    let sent = Sent::proven(visit, body).await?;
    let (id, draft) = match load(visit, text).await {
        Ok(found) => found,
        Err(e) => return published_already(visit, text, e).await,
    };
    if sent.revision() != draft.row.revision {
        let told = vec![FieldProblem::at("", visit.say("conflict-publish", &[]))];
        return visit.page_as(StatusCode::CONFLICT, &page(visit, &draft, told));
    }
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if !problems(&draft).is_empty() {
        return visit.page_as(unprocessable, &page(visit, &draft, Vec::new()));
    }
    if sent.text("confirm") != "yes" {
        let told = vec![FieldProblem::at(
            "confirm",
            visit.say("publish-confirm-missing", &[]),
        )];
        return visit.page_as(unprocessable, &page(visit, &draft, told));
    }
    let edit = draft.row.published;
    match publish::release(visit.ctx(), &id).await {
        Ok(id) => {
            let key = if edit {
                "notice-edit-published"
            } else {
                "notice-published"
            };
            visit.leave_notice(NoticeKind::Done, key);
            Ok(visit.see_other(&format!("/records/{id}")))
        }
        Err(Error::Invalid(_)) => {
            // Something became wrong since it was shown (an embargo's day has come).
            let (_, now) = load(visit, text).await?;
            visit.page_as(unprocessable, &page(visit, &now, Vec::new()))
        }
        Err(Error::Conflict(problem)) => {
            let (_, now) = load(visit, text).await?;
            let told = vec![FieldProblem::at("", say_problem(visit.locale(), &problem))];
            visit.page_as(StatusCode::CONFLICT, &page(visit, &now, told))
        }
        Err(e) => Err(e),
    }
}

/// The button pressed twice, or the first answer lost: it is published, and that is where the person goes.
async fn published_already(visit: &Visit, text: &str, e: Error) -> Result<Response> {
    let Ok(id) = text.parse() else { return Err(e) };
    if !matches!(e, Error::NotFound { .. }) {
        return Err(e);
    }
    match publish::release(visit.ctx(), &id).await {
        Ok(id) => Ok(visit.see_other(&format!("/records/{id}"))),
        Err(_) => Err(e),
    }
}

fn page(visit: &Visit, draft: &deposit::Draft, told: Vec<FieldProblem>) -> Publish {
    let complete = draft
        .files
        .iter()
        .filter(|f| f.status == FileStatus::Completed);
    let (files, bytes) = complete.fold((0, 0), |(n, sum), f| (n + 1, sum + f.size.unwrap_or(0)));
    Publish {
        draft: view(visit, draft),
        answers: answers(visit, draft),
        files,
        bytes,
        checks: checks(visit, draft, false),
        ready: problems(draft).is_empty(),
        problems: told,
    }
}

/// The questions in the order of the pages.
fn answers(visit: &Visit, draft: &deposit::Draft) -> Vec<Answer> {
    let locale = visit.locale();
    let m = &draft.metadata;
    let here = locale.code();
    let one = |text: Option<String>| text.map(|t| Text::new(here, t)).into_iter().collect();
    let many = |all: Vec<String>| all.into_iter().map(|t| Text::new(here, t)).collect();
    let plain =
        |said: &Said<'_>| Text::new(said.bcp47().unwrap_or(here), html::plain_text(said.text));
    let term = |v, id: &str| vocabulary::label(v, id, locale).to_owned();
    let answer = |key: &str, values: Vec<Text>, field: &str| Answer {
        label: visit.say(key, &[]),
        values,
        task: Task::Describe.code(),
        field: field.to_owned(),
    };
    let kind = m
        .resource_type
        .as_ref()
        .map(|t| term(Vocabulary::ResourceTypes, &t.id));
    let date = m
        .publication_date
        .as_ref()
        .map(|d| text::edtf(locale, d.as_str()));
    let languages = m
        .languages
        .iter()
        .map(|l| term(Vocabulary::Languages, &l.id))
        .collect();
    let mut out = vec![
        answer(
            "title",
            m.titles()
                .iter()
                .map(|s| Text::new(s.bcp47().unwrap_or(here), s.text))
                .collect(),
            "title.vi",
        ),
        answer(
            "description",
            m.descriptions().iter().map(plain).collect(),
            "description.vi",
        ),
        answer(
            "describe-creators",
            many(m.creators.iter().map(person).collect()),
            "creators.0.family_name",
        ),
        answer("resource-type", one(kind), "resource_type"),
        answer("publication-date", one(date), "publication_date"),
        answer("licence", many(licences(m, locale)), "licence"),
        answer("keywords", many(keywords(m, locale)), "keywords"),
        answer("data-language", many(languages), "languages"),
        answer("publisher", one(m.publisher.clone()), "publisher"),
        answer("version", one(m.version.clone()), "version"),
        answer(
            "related-works",
            many(related(m, locale)),
            "related.0.relation",
        ),
        answer("funding", many(funding(m)), "funding.0.funder"),
    ];
    out.push(Answer {
        label: visit.say("task-access", &[]),
        values: many(access(visit, draft)),
        task: Task::Access.code(),
        field: "access".to_owned(),
    });
    out
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
