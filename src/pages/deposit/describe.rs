//! `/uploads/{id}/describe`: what the data are, in both languages. Saving always succeeds; what is wrong is
//! told at its control, and never costs what was typed.

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};

use super::{
    controls::Task,
    draft::{Saved, address, conflict, load, malformed_of, problems_of, said, save, view},
    form::{self, List, Move, Values},
    view::{CreatorRow, Describe, FundingRow, RelatedRow},
};
use crate::{
    deposit,
    error::Result,
    ids::RecordId,
    metadata::vocabulary::{self, Entry, Vocabulary},
    pages::{
        parts::{Choice, FieldProblem},
        sent::Sent,
        shell::Visit,
    },
    text::Locale,
};

/// Languages that are offered without being asked for; any other that is there is added.
const LANGUAGES: [&str; 8] = ["vie", "eng", "fra", "zho", "jpn", "kor", "lao", "khm"];

pub async fn form(visit: Visit, Path(id): Path<String>) -> Response {
    let result = show(&visit, &id).await;
    visit.finish(result).await
}

async fn show(visit: &Visit, id: &str) -> Result<Response> {
    let (_, draft) = load(visit, id).await?;
    let mut values = form::show(&draft.raw);
    if let Some(list) = visit.parameter("add").and_then(|l| List::from_code(&l)) {
        add(&mut values, list);
    }
    let problems = malformed_of(visit, &draft, Task::Describe);
    visit.page(&page(visit, &draft, values, problems))
}

/// An empty row, to be written into.
fn add(values: &mut Values, list: List) {
    match list {
        List::Creators => values.creators.push(CreatorRow::default()),
        List::Related => values.related.push(form::Related::default()),
        List::Funding => values.funding.push(FundingRow::default()),
    }
}

pub async fn send(visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = keep(&visit, &id, body).await;
    visit.finish(result).await
}

async fn keep(visit: &Visit, id: &str, body: Body) -> Result<Response> {
    let (id, before) = load(visit, id).await?;
    let sent = Sent::proven(visit, body).await?;
    let typed = form::parse(sent.pairs());
    let step = Move::from_code(sent.text("do"));
    let mut new = said(&before);
    new.metadata = form::write(&before.raw, &typed, step);
    let kept = before.clone();
    match save(visit, &id, before, sent.revision(), new).await? {
        Saved::Yes(draft) => go_on(visit, &id, &draft, sent.text("do"), step),
        Saved::Overtaken(now) => overtaken(visit, &now, typed),
        Saved::Refused(status, problem) => {
            visit.page_as(status, &page(visit, &kept, typed, vec![problem]))
        }
    }
}

fn go_on(
    visit: &Visit,
    id: &RecordId,
    draft: &deposit::Draft,
    asked: &str,
    step: Option<Move>,
) -> Result<Response> {
    let here = address(id, "describe");
    if let Some(step) = step {
        let list = step.list();
        let values = form::show(&draft.raw);
        let rows = match list {
            List::Creators => values.creators.len(),
            List::Related => values.related.len(),
            List::Funding => values.funding.len(),
        };
        let (query, row) = match step {
            Move::Add(list) => (format!("?add={}", list.code()), rows),
            Move::Remove(_, n) | Move::Up(_, n) => (String::new(), n.saturating_sub(1)),
            Move::Down(_, n) => (String::new(), n + 1),
        };
        let row = if matches!(step, Move::Add(_)) {
            row
        } else {
            row.min(rows.saturating_sub(1))
        };
        return Ok(visit.see_other(&format!("{here}{query}#{}", list.first_control(row))));
    }
    if asked != "continue" {
        return Ok(visit.see_other(&format!("{here}?saved=1")));
    }
    let problems = problems_of(visit, draft, Task::Describe);
    if problems.is_empty() {
        return Ok(visit.see_other(&address(id, "access")));
    }
    let values = form::show(&draft.raw);
    visit.page_as(
        StatusCode::UNPROCESSABLE_ENTITY,
        &page(visit, draft, values, problems),
    )
}

/// Somebody else has saved since this form was made: what was typed stays in the controls, what is saved
/// now stands beside it, and nothing is decided for anybody.
fn overtaken(visit: &Visit, now: &deposit::Draft, typed: Values) -> Result<Response> {
    let mut problems = vec![FieldProblem::at("", visit.say("conflict-lead", &[]))];
    for (control, saved) in form::differences(&form::show(&now.raw), &typed, visit.locale()) {
        let told = conflict(visit, &question(visit, &control), &saved);
        problems.push(FieldProblem::at(control, told));
    }
    visit.page_as(StatusCode::CONFLICT, &page(visit, now, typed, problems))
}

/// What a control asks, for a sentence that stands away from it.
fn question(visit: &Visit, control: &str) -> String {
    let say = |key: &str| visit.say(key, &[]);
    match control.split('.').next().unwrap_or_default() {
        field @ ("title" | "description") => {
            let locale = if control.split('.').nth(1) == Some("en") {
                "in-english"
            } else {
                "in-vietnamese"
            };
            format!("{} ({})", say(field), say(locale))
        }
        "creators" => say("describe-creators"),
        "resource_type" => say("resource-type"),
        "publication_date" => say("publication-date"),
        "languages" => say("data-language"),
        "related" => say("related-works"),
        same => say(same),
    }
}

fn page(
    visit: &Visit,
    draft: &deposit::Draft,
    mut values: Values,
    problems: Vec<FieldProblem>,
) -> Describe {
    let locale = visit.locale();
    if values.creators.is_empty() {
        values.creators.push(CreatorRow::default());
    }
    Describe {
        draft: view(visit, draft),
        resource_types: terms(
            locale,
            Vocabulary::ResourceTypes,
            |e| e.tagged("depositable"),
            &values.resource_type,
        ),
        licences: terms(
            locale,
            Vocabulary::Licenses,
            |e| e.tagged("recommended"),
            &values.licence,
        ),
        languages: languages(locale, &values.languages),
        related: values
            .related
            .into_iter()
            .map(|row| RelatedRow {
                relations: terms(locale, Vocabulary::RelationTypes, |_| true, &row.relation),
                identifier: row.identifier,
            })
            .collect(),
        title: values.title,
        description: values.description,
        creators: values.creators,
        publication_date: values.publication_date,
        keywords: values.keywords,
        publisher: values.publisher,
        version: values.version,
        funding: values.funding,
        problems,
    }
}

/// The terms that are offered, and the chosen one wherever it comes from.
fn terms(
    locale: Locale,
    vocabulary: Vocabulary,
    offered: impl Fn(&Entry) -> bool,
    chosen: &str,
) -> Vec<Choice> {
    let mut out: Vec<Choice> = vocabulary::list(vocabulary)
        .iter()
        .filter(|e| offered(e) || e.id == chosen)
        .map(|e| Choice::new(e.id, e.label(locale), e.id == chosen))
        .collect();
    if !chosen.is_empty() && out.iter().all(|c| !c.chosen) {
        out.push(Choice::new(chosen, chosen, true));
    }
    out
}

fn languages(locale: Locale, chosen: &[String]) -> Vec<Choice> {
    let offered = LANGUAGES.iter().map(|c| (*c).to_owned());
    let others = chosen
        .iter()
        .filter(|c| !LANGUAGES.contains(&c.as_str()))
        .cloned();
    let mut out: Vec<Choice> = Vec::new();
    for code in offered.chain(others) {
        if out.iter().all(|c| c.value != code) {
            let label = vocabulary::label(Vocabulary::Languages, &code, locale).to_owned();
            let ticked = chosen.contains(&code);
            out.push(Choice::new(code, label, ticked));
        }
    }
    out
}
