//! `/login` and `/logout`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Extension,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{limit::Limits, view::Login};
use crate::{
    error::{Error, Result},
    ids::UserId,
    pages::{
        parts::FieldProblem,
        sent::Sent,
        shell::{self, Visit, local_path},
    },
    people::{account, session},
    web::{
        caller::{Proof, form_cookie, session_cookie},
        render::NoticeKind,
    },
};

/// Where somebody goes who did not say where.
const HOME: &str = "/me/records";

pub async fn form(mut visit: Visit) -> Response {
    let result = ask(&mut visit);
    visit.finish(result).await
}

fn ask(visit: &mut Visit) -> Result<Response> {
    let next = visit.parameter("next").unwrap_or_default();
    if visit.ctx().person().is_some() {
        return Ok(onward(visit, &next));
    }
    visit.prepare_form()?;
    visit.page(&view(&next, ""))
}

fn view(next: &str, email: &str) -> Login {
    Login {
        email: email.to_owned(),
        next: local_path(next).unwrap_or_default().to_owned(),
        problems: Vec::new(),
        demo_accounts: Vec::new(),
    }
}

pub async fn sign_in(
    mut visit: Visit,
    Extension(limits): Extension<Arc<Limits>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    body: Body,
) -> Response {
    let peer = peer.map(|Extension(ConnectInfo(at))| at.ip());
    let result = enter(&mut visit, &limits, peer, body).await;
    visit.finish(result).await
}

async fn enter(
    visit: &mut Visit,
    limits: &Limits,
    peer: Option<IpAddr>,
    body: Body,
) -> Result<Response> {
    let sent = Sent::read(visit, body).await?;
    let (email, next) = (sent.text("email"), sent.text("next"));
    if let Err(expired) = visit.caller.check_form(sent.text("csrf_token")) {
        // A sign-in page may have stood open all night: it is shown anew, and nothing was tried.
        if visit.caller.proof != Proof::Nothing {
            return Err(expired);
        }
        visit.prepare_form()?;
        return refuse(
            visit,
            StatusCode::BAD_REQUEST,
            next,
            email,
            "problem-form-expired",
        );
    }
    limits.count(email, peer.map(|peer| client(peer, &visit.headers)))?;
    let secret = sent.text("password").to_owned();
    let Some(person) = account::sign_in(visit.ctx(), email, secret).await? else {
        return refuse(
            visit,
            StatusCode::UNPROCESSABLE_ENTITY,
            next,
            email,
            "login-wrong",
        );
    };
    begin_session(visit, person.id).await?;
    Ok(onward(visit, next))
}

/// The same page with one sentence and what was typed, but for the password.
fn refuse(
    visit: &Visit,
    status: StatusCode,
    next: &str,
    email: &str,
    key: &str,
) -> Result<Response> {
    let mut page = view(next, email);
    page.problems = vec![FieldProblem::at("email", visit.say(key, &[]))];
    visit.page_as(status, &page)
}

/// Gives the browser a session. One it had before is not taken over: nobody can plant one.
pub(super) async fn begin_session(visit: &mut Visit, id: UserId) -> Result<()> {
    let secret = session::start(visit.ctx(), id).await?;
    let (session, form) = (session_cookie(visit.env()), form_cookie(visit.env()));
    visit.set_cookie(session, &secret, session::SECONDS);
    visit.set_cookie(form, "", 0);
    Ok(())
}

fn onward(visit: &Visit, next: &str) -> Response {
    match local_path(next) {
        Some(next) => shell::redirect(StatusCode::SEE_OTHER, next),
        None => visit.see_other(HOME),
    }
}

/// Behind a proxy on this machine all peers are the proxy; the last address it noted is the client's. What
/// anybody else writes into that header is not believed.
fn client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.is_loopback() {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|v| v.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
        .unwrap_or(peer)
}

pub async fn sign_out(mut visit: Visit, body: Body) -> Response {
    let result = leave(&mut visit, body).await;
    visit.finish(result).await
}

async fn leave(visit: &mut Visit, body: Body) -> Result<Response> {
    let sent = Sent::read(visit, body).await?;
    let Proof::Session { secret, .. } = visit.caller.proof.clone() else {
        // Already out: the session had ended by itself.
        return match visit.caller.proof {
            Proof::Token => Err(Error::bad_request("form-expired")),
            _ => Ok(visit.see_other("/")),
        };
    };
    visit.caller.check_form(sent.text("csrf_token"))?;
    session::end(visit.env(), &secret).await?;
    let cookie = session_cookie(visit.env());
    visit.set_cookie(cookie, "", 0);
    visit.leave_notice(NoticeKind::Done, "notice-signed-out");
    Ok(visit.see_other("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append(
            "x-forwarded-for",
            "198.51.100.9, 203.0.113.7".parse().unwrap(),
        );
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(client(ip("127.0.0.1"), &headers), ip("203.0.113.7"));
        assert_eq!(client(ip("192.0.2.1"), &headers), ip("192.0.2.1"));
        assert_eq!(client(ip("::1"), &HeaderMap::new()), ip("::1"));
    }
}
