//! What the framework refuses by itself (a body beyond the limit, a method that no route has, a path that is no
//! text), said in the dialect's shape and the caller's language like every other error.

use axum::{
    Json,
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    api::body,
    error::{Error, Problem},
    text::say,
    web::{caller::spoken, problem::Told},
};

/// Puts words to an error that has none of ours.
pub async fn word(request: Request, next: Next) -> Response {
    let locale = spoken(request.uri().path(), request.headers());
    let method = request.method().clone();
    let answer = next.run(request).await;
    let ours = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    let error = match answer.status() {
        _ if ours => return answer,
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::TooLarge(Problem::new("body-too-large", "").with("most", body::MOST))
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            let message = say(locale, "error-method", &[("method", method.as_str())]);
            let (mut parts, _) = answer.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            let words = Json(json!({"status": 405, "message": message})).into_response();
            parts.headers.extend(words.headers().clone());
            return Response::from_parts(parts, words.into_body());
        }
        StatusCode::BAD_REQUEST => Error::bad_request("unreadable"),
        _ => return answer,
    };
    Told { error, locale }.into_response()
}
