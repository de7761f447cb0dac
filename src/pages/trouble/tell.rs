//! An error as a page in the reader's language, with what they can do next. Causes go to the log only.

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    near,
    view::{Failure, NotFound},
};
use crate::{
    error::{Error, Kind},
    pages::{
        record,
        shell::{self, Visit},
    },
    web::{
        accept,
        caller::Proof,
        problem::{Told, message, status},
    },
};

/// Any address that leads nowhere. One with a slash too many leads to the page without it.
pub async fn nowhere(visit: Visit) -> Response {
    let trimmed = visit.path.trim_end_matches('/');
    if visit.method.is_safe() && !trimmed.is_empty() && trimmed.len() < visit.path.len() {
        let query = if visit.query.is_empty() {
            String::new()
        } else {
            format!("?{}", visit.query)
        };
        return visit.see_other(&format!("{trimmed}{query}"));
    }
    visit
        .finish(Err(Error::not_found(Kind::Page, &visit.path)))
        .await
}

/// An error as an answer.
pub async fn tell(visit: &Visit, error: Error) -> Response {
    let code = status(&error);
    if code.is_server_error() {
        tracing::error!(error = %error, path = %visit.path, request_id = %visit.ctx().request_id, "a page failed");
    }
    let error_wait = match &error {
        Error::TooMany { retry_after } => Some(*retry_after),
        _ => None,
    };
    let rendered = match &error {
        Error::NotFound { kind, id } => {
            let q = near::words(&visit.path);
            let view = NotFound {
                kind: kind.code(),
                id: id.clone(),
                near: near::records(visit.ctx(), &q).await,
                q,
            };
            visit.page_as(code, &view)
        }
        Error::Gone(id) => record::withdrawn(visit, id).await,
        // Somebody who came for a page signs in and comes back to it; a program, or a form whose session
        // has ended, is told.
        Error::Unauthenticated
            if matches!(visit.method, Method::GET | Method::HEAD)
                && visit.caller.proof == Proof::Nothing
                && accept::reads_html(&visit.headers)
                && !visit.headers.contains_key(header::AUTHORIZATION) =>
        {
            return shell::sign_in(visit);
        }
        _ => visit.page_as(code, &failure(visit, code, &error)),
    };
    let mut response = match rendered {
        Ok(page) => page,
        // The template of errors failed too: say it plainly.
        Err(second) => {
            tracing::error!(error = %second, "the page of an error failed");
            let locale = visit.locale();
            Told { error, locale }.into_response()
        }
    };
    let wait = match error_wait {
        Some(seconds) => Some(HeaderValue::from(seconds)),
        None if code == StatusCode::SERVICE_UNAVAILABLE => Some(HeaderValue::from_static("10")),
        None => None,
    };
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

fn failure(visit: &Visit, code: StatusCode, error: &Error) -> Failure {
    let mut view = Failure::new(code.as_u16());
    match error {
        Error::BadRequest(_) | Error::Conflict(_) | Error::TooLarge(_) | Error::Stale { .. } => {
            view.detail = Some(message(error, visit.locale()));
        }
        Error::Invalid(problems) => {
            let first = problems.first();
            view.detail = first.map(|p| crate::text::say_problem(visit.locale(), p));
        }
        Error::TooMany { retry_after } => view.retry_after = Some(*retry_after),
        _ => {}
    }
    if code.is_server_error() && !visit.ctx().request_id.is_empty() {
        view.request_id = Some(visit.ctx().request_id.clone());
    }
    view
}
