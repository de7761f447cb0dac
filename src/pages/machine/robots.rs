//! `/robots.txt`: landing pages and files are for everybody; the endless combinations of search filters, and
//! what belongs to a person, are not worth a robot's time.

use std::fmt::Write;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::ctx::Env;

const CLOSED: [&str; 7] = [
    "/search?",
    "/login",
    "/setup",
    "/uploads/",
    "/me/",
    "/review/",
    "/admin/",
];

/// `GET /robots.txt`
pub async fn robots(State(env): State<Env>) -> Response {
    let mut out = String::from("User-agent: *\nDisallow: /api/\nDisallow: /theme\n");
    for prefix in ["", "/vi", "/en"] {
        for path in CLOSED {
            out.push_str("Disallow: ");
            out.push_str(prefix);
            out.push_str(path);
            out.push('\n');
        }
    }
    let _ = writeln!(out, "\nSitemap: {}/sitemap.xml", env.config.base_url);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, out).into_response()
}
