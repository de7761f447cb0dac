//! What the pages of one draft share: loading it, saving it, what is wrong with it and where that is mended.

use axum::http::StatusCode;
use serde_json::Value;

use super::{
    controls::{self, Task},
    form,
    view::{Check, Draft, Level, State, TaskState},
};
use crate::{
    ctx::moment,
    deposit::{self, NewDraft},
    error::{Error, Kind, Problem, Result},
    ids::RecordId,
    pages::{parts::FieldProblem, shell::Visit},
    text::{Locale, say, say_problem},
};

/// The draft of an address. What cannot be an id is the id of no draft.
pub async fn load(visit: &Visit, id: &str) -> Result<(RecordId, deposit::Draft)> {
    let id = parse(visit, id)?;
    let draft = deposit::read(visit.ctx(), &id).await?;
    Ok((id, draft))
}

pub fn parse(visit: &Visit, id: &str) -> Result<RecordId> {
    visit.ctx().require_person()?;
    id.parse().map_err(|_| Error::not_found(Kind::Draft, id))
}

/// Where a page of a draft is.
pub fn address(id: &RecordId, page: &str) -> String {
    if page.is_empty() {
        format!("/uploads/{id}")
    } else {
        format!("/uploads/{id}/{page}")
    }
}

/// All that a draft says, for saying it again with a part changed.
pub fn said(draft: &deposit::Draft) -> NewDraft {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let row = &draft.row;
    NewDraft {
        metadata: draft.raw.clone(),
        access: json(&row.access),
        custom_fields: json(&row.custom_fields),
        doi: row.doi.clone().zip(row.doi_provider.clone()),
        files_enabled: Some(row.files_enabled),
        default_preview: row.default_preview.clone(),
        unknown: Vec::new(),
    }
}

/// Part of the page about the draft itself.
pub fn view(visit: &Visit, draft: &deposit::Draft) -> Draft {
    let row = &draft.row;
    let saved = visit.parameter("saved").map(|_| {
        // The clock on the wall where the server stands.
        let local = moment(row.updated).with_timezone(&chrono::Local);
        local.format("%H:%M").to_string()
    });
    let title = draft.metadata.title_for(visit.locale());
    Draft {
        id: row.id.clone(),
        title: title.map(|said| said.text.to_owned()).unwrap_or_default(),
        revision: row.revision,
        doi: row.doi.clone(),
        published: row.published,
        after_version: (!row.published && row.version_index > 1)
            .then(|| (row.version_index - 1).to_string()),
        saved,
        tasks: Task::ALL
            .into_iter()
            .map(|task| TaskState {
                code: task.code(),
                state: state(draft, task),
            })
            .collect(),
    }
}

/// What stands in the way of publishing. The end of an embargo that lies behind is no fault of a
/// correction.
pub fn problems(draft: &deposit::Draft) -> Vec<&Problem> {
    draft
        .problems
        .iter()
        .filter(|p| !(draft.row.published && p.path == "access.embargo.until"))
        .collect()
}

/// To do: nothing but answers is missing. Attention: something is there that cannot stay.
fn state(draft: &deposit::Draft, task: Task) -> State {
    let mut missing = false;
    for problem in problems(draft) {
        if control(draft, &problem.path).0 == task {
            if !matches!(problem.code, "required" | "files-missing") {
                return State::Attention;
            }
            missing = true;
        }
    }
    if missing { State::Todo } else { State::Done }
}

/// The task and control of a problem. Titles and descriptions are stored by their part in the record; the
/// page shows them by language.
pub fn control(draft: &deposit::Draft, path: &str) -> (Task, String) {
    let main = if draft.raw["title"].is_string() {
        form::main_locale(&draft.raw).unwrap_or(Locale::Vi)
    } else {
        Locale::Vi
    };
    let (field, locale) = match path.split('.').nth(1) {
        Some("title") => ("title", main),
        Some("additional_titles") => ("title", main.other()),
        Some("description") => ("description", main),
        Some("additional_descriptions") => ("description", main.other()),
        _ => return controls::control(path),
    };
    (Task::Describe, format!("{field}.{}", locale.code()))
}

/// What is wrong on the page of a task.
pub fn problems_of(visit: &Visit, draft: &deposit::Draft, task: Task) -> Vec<FieldProblem> {
    let mut out: Vec<FieldProblem> = Vec::new();
    for problem in problems(draft) {
        let (place, field) = control(draft, &problem.path);
        let told = FieldProblem::at(field, message(visit.locale(), problem));
        if place == task && !out.contains(&told) {
            out.push(told);
        }
    }
    out
}

/// What is there and cannot be understood, on the page of a task. What is only missing is not held against
/// somebody who is still writing.
pub fn malformed_of(visit: &Visit, draft: &deposit::Draft, task: Task) -> Vec<FieldProblem> {
    let missing: Vec<String> = draft
        .checklist
        .problems()
        .iter()
        .filter(|p| p.code == "required")
        .map(|p| message(visit.locale(), p))
        .collect();
    let mut all = problems_of(visit, draft, task);
    all.retain(|p| !missing.contains(&p.message));
    all
}

/// The sentence of a problem. One that many fields can have names its field.
pub fn message(locale: Locale, problem: &Problem) -> String {
    let sentence = say_problem(locale, problem);
    let parts: Vec<&str> = problem.path.split('.').collect();
    let row = |n: &str| n.parse::<usize>().map_or(0, |n| n + 1).to_string();
    let name = match parts.as_slice() {
        ["metadata", "title", ..] => say(locale, "title", &[]),
        ["metadata", "resource_type", ..] => say(locale, "resource-type", &[]),
        ["metadata", "publication_date", ..] => say(locale, "publication-date", &[]),
        ["metadata", "creators"] => say(locale, "describe-creators", &[]),
        ["metadata", "creators", n, ..] => say(locale, "describe-creator", &[("n", &row(n))]),
        ["metadata", "related_identifiers", n, ..] => say(locale, "related-one", &[("n", &row(n))]),
        ["metadata", "funding", n, ..] => say(locale, "funding-one", &[("n", &row(n))]),
        [
            "metadata",
            "description"
            | "additional_titles"
            | "additional_descriptions"
            | "rights"
            | "subjects"
            | "languages"
            | "publisher"
            | "version",
            ..,
        ]
        | ["access" | "files", ..]
        | [""] => return sentence,
        // Not on any page: whoever sent it through the API mends it there.
        _ => return format!("{sentence} ({})", problem.path),
    };
    if problem.code == "required" {
        say(locale, "problem-required-named", &[("name", &name)])
    } else if parts.len() > 2 {
        format!("{name}: {sentence}")
    } else {
        sentence
    }
}

/// The checklist: what stands in the way, what would be better, and with `fine` what is well.
pub fn checks(visit: &Visit, draft: &deposit::Draft, fine: bool) -> Vec<Check> {
    let check = |level, problem: &Problem| {
        let (task, field) = control(draft, &problem.path);
        Check {
            level,
            message: message(visit.locale(), problem),
            task: task.code(),
            field,
        }
    };
    let mut out: Vec<Check> = problems(draft)
        .into_iter()
        .map(|p| check(Level::Problem, p))
        .collect();
    let warnings = draft.checklist.warnings();
    out.extend(warnings.iter().map(|p| check(Level::Warning, p)));
    if fine {
        let done = draft.checklist.items.iter().filter(|i| i.done());
        out.extend(done.filter(|i| shown(draft, i.key)).map(|item| Check {
            level: Level::Fine,
            message: visit.say(&format!("checklist-{}", item.key), &[]),
            task: Task::Describe.code(),
            field: String::new(),
        }));
    }
    out
}

/// Lines about what is not there are not worth a tick.
fn shown(draft: &deposit::Draft, item: &str) -> bool {
    let m = &draft.metadata;
    match item {
        "contributors" => !m.contributors.is_empty(),
        "identifiers" => !m.identifiers.is_empty() || !m.related_identifiers.is_empty(),
        "dates" => !m.dates.is_empty(),
        "orcid" => !m.creators.is_empty(),
        _ => true,
    }
}

/// What somebody else has saved where this person wrote something else.
pub fn conflict(visit: &Visit, question: &str, saved: &str) -> String {
    if saved.is_empty() {
        visit.say("conflict-empty", &[("name", question)])
    } else {
        visit.say("conflict-saved", &[("name", question), ("value", saved)])
    }
}

/// Saves a draft as it was at a revision. What is too large to keep is told at its control.
pub enum Saved {
    Yes(Box<deposit::Draft>),
    /// Somebody else was faster: this is what is saved now.
    Overtaken(Box<deposit::Draft>),
    Refused(StatusCode, FieldProblem),
}

pub async fn save(
    visit: &Visit,
    id: &RecordId,
    before: deposit::Draft,
    revision: i64,
    new: NewDraft,
) -> Result<Saved> {
    if before.row.revision != revision {
        return Ok(Saved::Overtaken(Box::new(before)));
    }
    let old = said(&before);
    let same = old.metadata == new.metadata
        && old.access == new.access
        && old.files_enabled == new.files_enabled;
    if same {
        return Ok(Saved::Yes(Box::new(before)));
    }
    match deposit::replace(visit.ctx(), id, Some(revision), new).await {
        Ok(draft) => Ok(Saved::Yes(Box::new(draft))),
        Err(Error::Stale { .. }) => {
            let now = deposit::read(visit.ctx(), id).await?;
            Ok(Saved::Overtaken(Box::new(now)))
        }
        Err(Error::TooLarge(problem)) => {
            let field = control(&before, &problem.path).1;
            let told = FieldProblem::at(field, message(visit.locale(), &problem));
            Ok(Saved::Refused(StatusCode::PAYLOAD_TOO_LARGE, told))
        }
        Err(e) => Err(e),
    }
}
