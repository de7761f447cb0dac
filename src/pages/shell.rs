//! What every page handler begins and ends with: `Visit`, a request for a page by somebody in a language,
//! turns a view, a redirect or an error into an answer with the headers that pages have.
//!
//! A handler is `visit.finish(show(&visit).await)`. Not here: what any page says (`view.rs` of each family),
//! and what errors of the API look like (`web::problem`).

use std::sync::LazyLock;

use axum::{
    body::Body,
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    ctx::{Actor, Ctx, Env},
    error::Result,
    pages::{kept::Page, trouble},
    text::{self, Locale, say},
    web::{
        assets,
        caller::{self, Caller, Proof},
        conditional::names_etag,
        render::{Chrome, Notice, NoticeKind, Person, Theme, View, href},
    },
};

/// The cookie of the colours somebody chose.
pub const THEME_COOKIE: &str = "kho-theme";
/// The cookie of a sentence for the next page: `done.notice-saved`.
const NOTICE_COOKIE: &str = "kho-notice";
/// Seconds a form may stay open before its cookie is forgotten.
const FORM_LIFE: i64 = 12 * 3600;
/// Everybody's, but asked again each time: a withdrawn record must not live on in a cache.
const SHARED: &str = "public, max-age=0, must-revalidate";
const OWN: &str = "private, no-store";

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    HeaderValue::from_str(&assets::content_security_policy())
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// A request for a page.
#[derive(Debug, Clone)]
pub struct Visit {
    pub caller: Caller,
    pub method: Method,
    pub headers: HeaderMap,
    /// Without the language prefix, percent-encoded as it came.
    pub path: String,
    /// Without `?`, as it came.
    pub query: String,
    /// Did the address name its language?
    prefixed: bool,
    notice: Option<Notice>,
    /// `Set-Cookie` lines that go out with whatever is answered.
    cookies: Vec<String>,
}

impl FromRequestParts<Env> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, env: &Env) -> Result<Self, Response> {
        let (caller, failed) = match Caller::from_request_parts(parts, env).await {
            Ok(caller) => (caller, None),
            // A wrong token, or a database that does not answer: told as a page, to nobody in particular.
            Err(told) => (
                Caller::nobody(env, &parts.headers, told.locale),
                Some(told.error),
            ),
        };
        let uri = parts
            .extensions
            .get::<OriginalUri>()
            .map_or(&parts.uri, |u| &u.0);
        let mut visit = Self {
            path: bare(uri.path()).to_owned(),
            prefixed: bare(uri.path()).len() < uri.path().len(),
            query: uri.query().unwrap_or_default().to_owned(),
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            notice: None,
            cookies: Vec::new(),
            caller,
        };
        visit.take_notice();
        match failed {
            Some(error) => Err(trouble::tell(&visit, error).await),
            None => Ok(visit),
        }
    }
}

/// A path without `/vi` or `/en` in front.
fn bare(path: &str) -> &str {
    let rest = Locale::ALL.into_iter().find_map(|l| {
        path.strip_prefix('/')?
            .strip_prefix(l.code())
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    match rest {
        Some("") => "/",
        Some(rest) => rest,
        None => path,
    }
}

impl Visit {
    pub fn ctx(&self) -> &Ctx {
        &self.caller.ctx
    }
    pub fn env(&self) -> &Env {
        &self.caller.ctx.env
    }
    pub fn locale(&self) -> Locale {
        self.caller.ctx.locale
    }
    /// The sentence of a key, in the reader's language.
    pub fn say(&self, key: &str, args: &[(&str, &str)]) -> String {
        say(self.locale(), key, args)
    }
    /// The first value of a query parameter, unescaped.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .take(200)
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Before a page with a form is shown to somebody who is not signed in: gives their browser the cookie
    /// that proves the form. Without this, `check_form` refuses what an anonymous browser sends.
    pub fn prepare_form(&mut self) -> Result<()> {
        if self.caller.proof == Proof::Nothing && self.caller.form_secret.is_none() {
            let secret = self.env().secret()?;
            let name = caller::form_cookie(self.env());
            self.cookies
                .push(caller::set_cookie(self.env(), name, &secret, FORM_LIFE));
            self.caller.form_secret = Some(secret);
        }
        Ok(())
    }

    /// A cookie that goes out with the answer.
    pub fn set_cookie(&mut self, name: &str, value: &str, seconds: i64) {
        self.cookies
            .push(caller::set_cookie(self.env(), name, value, seconds));
    }

    /// A sentence for the next page this browser sees; `key` begins with `notice-`.
    pub fn leave_notice(&mut self, kind: NoticeKind, key: &str) {
        debug_assert!(key.starts_with("notice-"), "{key}");
        let kind = match kind {
            NoticeKind::Done => "done",
            NoticeKind::Warning => "warning",
            NoticeKind::Problem => "problem",
        };
        self.set_cookie(NOTICE_COOKIE, &format!("{kind}.{key}"), 60);
    }

    fn take_notice(&mut self) {
        let found = caller::cookie(&self.headers, NOTICE_COOKIE).and_then(|v| {
            let (kind, key) = v.split_once('.')?;
            let kind = match kind {
                "done" => NoticeKind::Done,
                "warning" => NoticeKind::Warning,
                _ => NoticeKind::Problem,
            };
            // A cookie can be planted; then it can at most say one of our own sentences.
            (key.starts_with("notice-") && text::has(self.locale(), key)).then(|| Notice {
                kind,
                text: self.say(key, &[]),
            })
        });
        if found.is_some() {
            self.notice = found;
        }
    }

    /// What surrounds the page.
    pub fn chrome(&self) -> Chrome {
        let config = &self.env().config;
        Chrome {
            locale: self.locale(),
            path: self.path.clone(),
            query: self.query.clone(),
            signed_in: self.ctx().person().map(|p| Person {
                name: p.name.clone(),
                role: p.role.name().to_owned(),
            }),
            csrf: self.caller.form_token().to_owned(),
            theme: self.theme(),
            demo: config.demo,
            repository_name: config.repository_name.clone(),
            base_url: config.base_url.clone(),
            notice: self.notice.clone(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    pub fn theme(&self) -> Theme {
        caller::cookie(&self.headers, THEME_COOKIE)
            .and_then(Theme::from_code)
            .unwrap_or_default()
    }

    /// Is what this caller sees what everybody sees, so that caches may keep it?
    pub fn is_shared(&self) -> bool {
        self.ctx().actor == Actor::Anonymous
            && self.notice.is_none()
            && self.cookies.is_empty()
            && self.caller.form_token().is_empty()
    }

    /// A view as a page.
    pub fn page<V: View>(&self, view: &V) -> Result<Response> {
        self.page_as(StatusCode::OK, view)
    }

    /// A view as a page with another status.
    pub fn page_as<V: View>(&self, status: StatusCode, view: &V) -> Result<Response> {
        let html = view.html(&self.chrome())?;
        Ok(self.send(status, &Page::new(html)))
    }

    /// A page as an answer: policy, language, caching, and 304 for whoever has it already.
    pub fn send(&self, status: StatusCode, page: &Page) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(self.locale().code()),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("Accept, Accept-Language, Cookie"),
        );
        if let Some(links) = &page.links {
            headers.insert(header::LINK, links.clone());
        }
        let shared = self.is_shared() && status == StatusCode::OK;
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(if shared { SHARED } else { OWN }),
        );
        if shared {
            if let Ok(value) = HeaderValue::from_str(&format!("W/{}", page.etag)) {
                headers.insert(header::ETAG, value);
            }
            if names_etag(&self.headers, &header::IF_NONE_MATCH, &page.etag) {
                headers.remove(header::CONTENT_TYPE);
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return response;
            }
        }
        *response.body_mut() = Body::from(page.html.clone());
        response
    }

    /// To another page of ours, in the same language: `/me/records`.
    pub fn see_other(&self, path: &str) -> Response {
        redirect(StatusCode::SEE_OTHER, &href(self.locale(), path))
    }

    /// A page of ours as this address would name it: with its language where the address names one.
    pub fn here(&self, path: &str) -> String {
        if self.prefixed {
            href(self.locale(), path)
        } else {
            path.to_owned()
        }
    }

    /// The result of a handler as an answer: errors become pages, cookies go out, a notice is shown once.
    pub async fn finish(&self, result: Result<Response>) -> Response {
        let mut response = match result {
            Ok(response) => response,
            Err(error) => trouble::tell(self, error).await,
        };
        for line in &self.cookies {
            if let Ok(value) = HeaderValue::from_str(line) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        let is_page = response.headers().contains_key(header::CONTENT_LANGUAGE);
        if self.notice.is_some() && is_page {
            let spent = caller::set_cookie(self.env(), NOTICE_COOKIE, "", 0);
            if let Ok(value) = HeaderValue::from_str(&spent) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        if !self.cookies.is_empty() {
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static(OWN));
        }
        response
    }
}

/// A redirect to a path or address of ours.
pub fn redirect(status: StatusCode, to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, value);
    } else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Puts a header on an answer; a value that cannot be one is left out.
pub fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Where a form may send a browser afterwards: a path on this site and nothing that a browser would read
/// as another site (`//host`, `/\host`, a scheme).
pub fn local_path(next: &str) -> Option<&str> {
    let fine = next.len() <= 2_000
        && next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    fine.then_some(next)
}

/// Sign-in, and back to where the visitor wanted to go.
pub fn sign_in(visit: &Visit) -> Response {
    let mut next = href(visit.locale(), &visit.path);
    if !visit.query.is_empty() {
        next.push('?');
        next.push_str(&visit.query);
    }
    let to = format!("/login?next={}", utf8_percent_encode(&next, QUERY_VALUE));
    visit.see_other(&to)
}

const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        for good in ["/", "/vi/uploads/new", "/records/k3f9a-2bq71?a=b#files"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in [
            "",
            "records",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            "/\t/evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(local_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_language_is_taken_off_a_path_and_nothing_else() {
        assert_eq!(bare("/vi"), "/");
        assert_eq!(bare("/en/search"), "/search");
        assert_eq!(bare("/english"), "/english");
        assert_eq!(bare("/records/vi"), "/records/vi");
    }
}
