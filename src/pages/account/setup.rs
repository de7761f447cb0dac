//! `/setup?key=…`: the one-time link that makes the first administrator.

use axum::{body::Body, http::StatusCode, response::Response};

use super::{login::begin_session, view::Setup};
use crate::{
    ctx::Role,
    error::{Error, Kind, Problem, Result},
    pages::{
        sent::{Sent, at_controls},
        shell::Visit,
    },
    people::{
        account::{self, NewAccount},
        password, setup,
    },
    web::render::NoticeKind,
};

pub async fn form(mut visit: Visit) -> Response {
    let result = ask(&mut visit).await;
    visit.finish(result).await
}

async fn ask(visit: &mut Visit) -> Result<Response> {
    let key = visit.parameter("key").unwrap_or_default();
    require_open(visit, &key).await?;
    visit.prepare_form()?;
    visit.page(&view(key))
}

async fn require_open(visit: &Visit, key: &str) -> Result<()> {
    if setup::is_open(visit.env(), key).await? {
        Ok(())
    } else {
        Err(Error::not_found(Kind::Page, "/setup"))
    }
}

fn view(token: String) -> Setup {
    Setup {
        token,
        name: String::new(),
        email: String::new(),
        min_password: password::SHORTEST as u32,
        problems: Vec::new(),
    }
}

pub async fn accept(mut visit: Visit, body: Body) -> Response {
    let result = make(&mut visit, body).await;
    visit.finish(result).await
}

async fn make(visit: &mut Visit, body: Body) -> Result<Response> {
    // Somebody signed in on this browser sends that session's proof; either will do, the key decides.
    let sent = Sent::proven(visit, body).await?;
    let key = sent.text("token");
    require_open(visit, key).await?;
    let new = NewAccount {
        email: sent.text("email").to_owned(),
        name: sent.text("name").to_owned(),
        role: Role::Admin,
        password: Some(sent.text("password").to_owned()),
        locale: visit.locale(),
    };
    let mut problems = match account::check(&new) {
        Err(Error::Invalid(problems)) => problems,
        other => other.map(|()| Vec::new())?,
    };
    if sent.text("password") != sent.text("password_again") {
        problems.push(Problem::new("password-differs", "password_again"));
    }
    if problems.is_empty() {
        match setup::accept(visit.env(), key, new).await {
            Ok(id) => {
                begin_session(visit, id).await?;
                visit.leave_notice(NoticeKind::Done, "notice-set-up");
                return Ok(visit.see_other("/me/records"));
            }
            Err(Error::Conflict(problem)) if problem.path == "email" => problems.push(problem),
            Err(e) => return Err(e),
        }
    }
    let page = Setup {
        name: sent.text("name").to_owned(),
        email: sent.text("email").to_owned(),
        problems: at_controls(visit.locale(), &problems),
        ..view(key.to_owned())
    };
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
