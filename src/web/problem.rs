//! Errors in the InvenioRDM dialect: `{"status", "message", "errors": [{"field", "messages", "code"}]}`.
//!
//! The `code` of each is ours and stable; sentences come in the caller's language. What is internal is
//! logged with the request's id, and the caller is given only that id.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    error::{Error, Kind, Problem},
    text::{Locale, say, say_problem},
};

/// An error on its way to a caller of the API.
#[derive(Debug)]
pub struct Told {
    pub error: Error,
    pub locale: Locale,
}

/// The status of an error (RFC 9110).
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound { .. } => StatusCode::NOT_FOUND,
        Error::Gone(_) => StatusCode::GONE,
        Error::BadRequest(p) if p.code == "not-acceptable" => StatusCode::NOT_ACCEPTABLE,
        Error::BadRequest(p) if p.code == "content-type" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::BadRequest(p) if p.code == "upload-expired" => StatusCode::GONE,
        Error::BadRequest(p) if p.code == "tus-version" => StatusCode::PRECONDITION_FAILED,
        Error::BadRequest(p) if p.code == "chunk-checksum" => checksum_mismatch(),
        Error::Invalid(_) | Error::BadRequest(_) => StatusCode::BAD_REQUEST,
        Error::Conflict(p) if p.code == "upload-locked" => StatusCode::LOCKED,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Stale { .. } => StatusCode::PRECONDITION_FAILED,
        Error::Unauthenticated => StatusCode::UNAUTHORIZED,
        Error::Forbidden => StatusCode::FORBIDDEN,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Full => StatusCode::INSUFFICIENT_STORAGE,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 460, tus' own: the bytes of a request are not those of its checksum.
fn checksum_mismatch() -> StatusCode {
    StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST)
}

/// What a caller is told in one sentence.
pub fn message(error: &Error, locale: Locale) -> String {
    let simple = |key: &str| say(locale, key, &[]);
    match error {
        Error::NotFound { kind, id } => {
            say(locale, &format!("missing-{}", kind.code()), &[("id", id)])
        }
        Error::Gone(_) => simple("error-gone"),
        Error::Invalid(_) => simple("error-invalid"),
        Error::BadRequest(p) | Error::Conflict(p) | Error::TooLarge(p) => say_problem(locale, p),
        Error::Stale { current } => {
            say(locale, "error-stale", &[("revision", &current.to_string())])
        }
        Error::Unauthenticated => simple("error-unauthenticated"),
        Error::Forbidden => simple("error-forbidden"),
        Error::TooMany { .. } => simple("error-too-many"),
        Error::Full => simple("error-full"),
        Error::Unavailable(_) => simple("error-unavailable"),
        Error::Internal(_) => simple("error-internal"),
    }
}

/// Problems in the dialect's shape; those of one field are together.
pub fn errors(problems: &[Problem], locale: Locale) -> Value {
    let mut out: Vec<(String, Vec<String>, Vec<&str>)> = Vec::new();
    for problem in problems {
        let sentence = say_problem(locale, problem);
        match out.iter_mut().find(|(path, _, _)| *path == problem.path) {
            Some((_, sentences, codes)) => {
                sentences.push(sentence);
                codes.push(problem.code);
            }
            None => out.push((problem.path.clone(), vec![sentence], vec![problem.code])),
        }
    }
    out.into_iter()
        .map(|(field, messages, codes)| json!({"field": field, "messages": messages, "codes": codes}))
        .collect()
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let status = status(&self.error);
        if status.is_server_error() {
            tracing::error!(error = %self.error, "a request failed");
        }
        let mut body =
            json!({"status": status.as_u16(), "message": message(&self.error, self.locale)});
        match &self.error {
            Error::Invalid(problems) => body["errors"] = errors(problems, self.locale),
            Error::BadRequest(p) | Error::Conflict(p) | Error::TooLarge(p) => {
                body["code"] = p.code.into();
                if !p.path.is_empty() {
                    body["errors"] = errors(std::slice::from_ref(p), self.locale);
                }
            }
            _ => {}
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.error {
            Error::Unauthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Error::TooMany { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Error::Conflict(p)
                if matches!(p.code, "upload-busy" | "upload-joining" | "upload-locked") =>
            {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Error::Unavailable(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            _ => {}
        }
        response
    }
}

/// For what has no caller yet: a path that leads nowhere.
pub fn no_such_route(locale: Locale) -> Response {
    Told {
        error: Error::not_found(Kind::Page, ""),
        locale,
    }
    .into_response()
}
