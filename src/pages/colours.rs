//! `/theme?to=dark&back=/vi/search`: light, dark, or as the reader's system is set. A link and not a form, so
//! that pages which are the same for everybody need no token; all it changes is a cookie about colours.

use axum::{http::StatusCode, response::Response};

use crate::{
    pages::shell::{self, THEME_COOKIE, Visit},
    web::render::Theme,
};

/// Seconds a choice is remembered: a year.
const REMEMBERED: i64 = 365 * 24 * 3600;

/// `GET /theme`
pub async fn theme(mut visit: Visit) -> Response {
    let chosen = choose(&mut visit);
    visit.finish(Ok(chosen)).await
}

fn choose(visit: &mut Visit) -> Response {
    let to = visit.parameter("to").unwrap_or_default();
    if let Some(theme) = Theme::from_code(&to) {
        visit.set_cookie(THEME_COOKIE, theme.code(), REMEMBERED);
    }
    let back = visit.parameter("back").unwrap_or_default();
    let back = shell::local_path(&back).unwrap_or("/");
    shell::redirect(StatusCode::SEE_OTHER, back)
}
