//! `/uploads/{id}/publish`: every answer once more, what is wrong with it, and the button.

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};

use super::{
    answers::answers,
    draft::{checks, load, problems, view},
    view::Publish,
};
use crate::{
    deposit,
    error::{Error, Result},
    pages::{parts::FieldProblem, sent::Sent, shell::Visit},
    publish,
    text::say_problem,
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
    Publish {
        draft: view(visit, draft),
        answers: answers(visit, draft),
        files: draft.weight.completed,
        bytes: draft.weight.completed_bytes,
        checks: checks(visit, draft, false),
        ready: problems(draft).is_empty(),
        problems: told,
    }
}
