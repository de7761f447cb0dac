//! `/me/tokens`: personal access tokens. A token cannot make another: only a signed-in browser is let in.

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};

use super::view::{Created, TokenRow, Tokens};
use crate::{
    ctx::moment,
    error::{Error, Kind, Problem, Result},
    pages::{
        parts::{Choice, FieldProblem},
        sent::{Sent, at_controls},
        shell::Visit,
    },
    people::token::{self, NewToken, SCOPES, Token},
    web::{caller::Proof, render::NoticeKind},
};

/// Days a token may be chosen to last, and for ever.
const LIVES: [&str; 4] = ["30", "90", "365", NEVER];
const NEVER: &str = "never";

pub async fn list(visit: Visit) -> Response {
    let result = show(&visit).await;
    visit.finish(result).await
}

async fn show(visit: &Visit) -> Result<Response> {
    require_browser(visit)?;
    let view = view(visit, "", SCOPES, "90").await?;
    visit.page(&view)
}

fn require_browser(visit: &Visit) -> Result<()> {
    visit.ctx().require_person()?;
    match visit.caller.proof {
        Proof::Session { .. } => Ok(()),
        Proof::Token | Proof::Nothing => Err(Error::Forbidden),
    }
}

async fn view(visit: &Visit, name: &str, scopes: &[&str], life: &str) -> Result<Tokens> {
    let me = visit.ctx().require_person()?;
    let now = visit.ctx().micros();
    let tokens = token::list(visit.env(), me.id).await?;
    let scope_choices = SCOPES.iter().map(|scope| {
        let key = format!("scope-{}", scope.replace(':', "-"));
        Choice::new(*scope, visit.say(&key, &[]), scopes.contains(scope))
    });
    let lives = LIVES.iter().map(|days| {
        let label = if *days == NEVER {
            visit.say("token-life-never", &[])
        } else {
            visit.say("token-life-days", &[("days", days)])
        };
        Choice::new(*days, label, *days == life)
    });
    Ok(Tokens {
        tokens: tokens.into_iter().map(|t| row(visit, t, now)).collect(),
        created: None,
        name: name.to_owned(),
        scopes: scope_choices.collect(),
        expires: lives.collect(),
        problems: Vec::new(),
    })
}

fn row(visit: &Visit, token: Token, now: i64) -> TokenRow {
    let day = |micros: i64| moment(micros).date_naive().to_string();
    TokenRow {
        id: token.id.to_string(),
        name: token.name,
        scopes: if token.scopes.is_empty() {
            vec![visit.say("token-all-rights", &[])]
        } else {
            token.scopes
        },
        created: day(token.created),
        expires: token.expires.map(day),
        last_used: token.last_used.map(day),
        expired: token.expires.is_some_and(|at| at <= now),
    }
}

pub async fn create(visit: Visit, body: Body) -> Response {
    let result = make(&visit, body).await;
    visit.finish(result).await
}

async fn make(visit: &Visit, body: Body) -> Result<Response> {
    require_browser(visit)?;
    let sent = Sent::proven(visit, body).await?;
    let me = visit.ctx().require_person()?;
    let scopes: Vec<&str> = sent.all("scopes").collect();
    let (name, life) = (sent.text("name"), sent.text("expires"));
    let mut problems = Vec::new();
    if scopes.is_empty() {
        // For a program that means all rights; nobody should get there by forgetting a tick.
        problems.push(Problem::new("token-scopes-none", "scopes"));
    }
    let days = match life {
        NEVER => None,
        days => {
            let days = days.parse().ok();
            if days.is_none() {
                problems.push(Problem::new("token-days", "expires"));
            }
            days
        }
    };
    if name.trim().is_empty() {
        problems.push(Problem::new("token-name", "name"));
    }
    let new = NewToken {
        name: name.to_owned(),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        days,
    };
    let made = if problems.is_empty() {
        token::create(visit.env(), me.id, new).await
    } else {
        Err(Error::Invalid(problems))
    };
    match made {
        Ok((token, secret)) => {
            let mut page = view(visit, "", SCOPES, "90").await?;
            page.created = Some(Created {
                name: token.name,
                secret,
            });
            visit.page_as(StatusCode::CREATED, &page)
        }
        Err(Error::Invalid(problems)) => {
            let told = at_controls(visit.locale(), &problems);
            again(visit, name, &scopes, life, told).await
        }
        Err(Error::Conflict(problem)) => {
            let told = at_controls(visit.locale(), &[problem]);
            again(visit, name, &scopes, life, told).await
        }
        Err(e) => Err(e),
    }
}

async fn again(
    visit: &Visit,
    name: &str,
    scopes: &[&str],
    life: &str,
    problems: Vec<FieldProblem>,
) -> Result<Response> {
    let mut page = view(visit, name, scopes, life).await?;
    page.problems = problems;
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

pub async fn revoke(mut visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = end(&mut visit, &id, body).await;
    visit.finish(result).await
}

async fn end(visit: &mut Visit, id: &str, body: Body) -> Result<Response> {
    require_browser(visit)?;
    Sent::proven(visit, body).await?;
    let number = id.parse().map_err(|_| Error::not_found(Kind::Token, id))?;
    token::revoke(visit.ctx(), number).await?;
    visit.leave_notice(NoticeKind::Done, "notice-token-revoked");
    Ok(visit.see_other("/me/tokens"))
}
