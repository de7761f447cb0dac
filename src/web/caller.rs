//! Who is calling: a bearer token, a session cookie, or nobody; and in which language.
//!
//! A cookie comes along whether its owner meant it or not. So a request that changes something and is
//! signed in by a cookie must prove that it was made by one of our pages: forms by `csrf_token`
//! (`Caller::check_form`), scripts by the `X-CSRFToken` header (`Caller::check_header`). Browsers that send
//! `Sec-Fetch-Site` are also believed when they say the request came from elsewhere.

use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, Method, header, request::Parts},
};
use subtle::ConstantTimeEq;

use crate::{
    ctx::{Actor, Ctx, Env},
    error::{Error, Result},
    people::{session, token},
    text::Locale,
    web::problem::Told,
};

/// The cookie of a signed-in browser. `__Host-` binds it to this host where the site is on TLS.
pub fn session_cookie(env: &Env) -> &'static str {
    if env.config.is_https() {
        "__Host-kho"
    } else {
        "kho"
    }
}

/// The cookie that proves a form before sign-in.
pub fn form_cookie(env: &Env) -> &'static str {
    if env.config.is_https() {
        "__Host-kho-form"
    } else {
        "kho-form"
    }
}

/// How the caller proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    Nothing,
    /// A token in the header: nobody else can have put it there.
    Token,
    /// A cookie, with the secret that forms of this session carry.
    Session {
        csrf: String,
        secret: String,
    },
}

/// The caller of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub ctx: Ctx,
    pub proof: Proof,
    /// Did the caller choose the language (path or header)?
    pub locale_chosen: bool,
    /// The value of the form cookie, if the browser has one.
    pub form_secret: Option<String>,
    from_elsewhere: bool,
}

impl FromRequestParts<Env> for Caller {
    type Rejection = Told;

    async fn from_request_parts(parts: &mut Parts, env: &Env) -> Result<Self, Told> {
        let path = parts.extensions.get::<OriginalUri>().map_or_else(
            || parts.uri.path().to_owned(),
            |uri| uri.0.path().to_owned(),
        );
        let chosen = locale(&path, &parts.headers);
        let locale = spoken(&path, &parts.headers);
        let told = |e: Error| Told { error: e, locale };
        let (actor, proof) = prove(env, &parts.headers).await.map_err(told)?;
        let request_id = parts
            .headers
            .get("x-request-id")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Ok(Caller {
            ctx: Ctx {
                env: env.clone(),
                actor,
                locale,
                request_id,
            },
            proof,
            locale_chosen: chosen.is_some(),
            form_secret: cookie(&parts.headers, form_cookie(env)).map(ToOwned::to_owned),
            from_elsewhere: from_elsewhere(env, &parts.method, &parts.headers),
        })
    }
}

impl Caller {
    /// Nobody, for telling an error when it could not be found out who is calling.
    pub fn nobody(env: &Env, headers: &HeaderMap, locale: Locale) -> Self {
        let request_id = headers.get("x-request-id").and_then(|v| v.to_str().ok());
        Self {
            ctx: Ctx {
                env: env.clone(),
                actor: Actor::Anonymous,
                locale,
                request_id: request_id.unwrap_or_default().to_owned(),
            },
            proof: Proof::Nothing,
            locale_chosen: false,
            form_secret: None,
            from_elsewhere: false,
        }
    }

    /// Proves that a form was one of ours.
    pub fn check_form(&self, sent: &str) -> Result<()> {
        let expected = match &self.proof {
            Proof::Session { csrf, .. } => Some(csrf.as_str()),
            Proof::Nothing => self.form_secret.as_deref(),
            Proof::Token => None,
        };
        if !self.from_elsewhere && expected.is_some_and(|e| same(e, sent)) {
            Ok(())
        } else {
            Err(Error::bad_request("form-expired"))
        }
    }

    /// Proves that a call signed in by a cookie was made by one of our scripts. Calls with a token need no more.
    pub fn check_header(&self, headers: &HeaderMap) -> Result<()> {
        let Proof::Session { csrf, .. } = &self.proof else {
            return Ok(());
        };
        let sent = headers
            .get("x-csrftoken")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        if !self.from_elsewhere && same(csrf, sent) {
            Ok(())
        } else {
            Err(Error::bad_request("form-expired"))
        }
    }

    /// What the forms of this caller carry as `csrf_token`.
    pub fn form_token(&self) -> &str {
        match &self.proof {
            Proof::Session { csrf, .. } => csrf,
            _ => self.form_secret.as_deref().unwrap_or_default(),
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    !a.is_empty() && bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

/// `/vi/…` and `/en/…` decide; else the browser's preference, if it has one.
fn locale(path: &str, headers: &HeaderMap) -> Option<Locale> {
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    Locale::from_code(first).or_else(|| {
        let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        Locale::from_accept_language(header)
    })
}

/// The language of an answer. Programs that say nothing about language are answered in English, people in
/// Vietnamese.
pub fn spoken(path: &str, headers: &HeaderMap) -> Locale {
    let fallback = if path.starts_with("/api/") {
        Locale::En
    } else {
        Locale::Vi
    };
    locale(path, headers).unwrap_or(fallback)
}

async fn prove(env: &Env, headers: &HeaderMap) -> Result<(Actor, Proof)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let secret = value.to_str().ok().and_then(|v| {
            let (scheme, secret) = v.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(secret.trim())
        });
        // A wrong token is an error and not an anonymous call: the client believes it is signed in.
        let person = match secret {
            Some(secret) => token::find(env, secret).await?,
            None => None,
        };
        return person
            .map(|p| (Actor::Person(p), Proof::Token))
            .ok_or(Error::Unauthenticated);
    }
    if let Some(secret) = cookie(headers, session_cookie(env))
        && let Some(found) = session::find(env, secret).await?
    {
        let proof = Proof::Session {
            csrf: found.csrf,
            secret: secret.to_owned(),
        };
        return Ok((Actor::Person(found.person), proof));
    }
    Ok((Actor::Anonymous, Proof::Nothing))
}

/// The value of a cookie (RFC 6265 section 4.2).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v)
}

/// Did another site make the browser send this? (Fetch Metadata; `Origin` for browsers without it.)
fn from_elsewhere(env: &Env, method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => text("origin").is_some_and(|origin| {
            origin != "null"
                && !env.config.base_url.is_empty()
                && !same_host(origin, &env.config.base_url, text("host"))
        }),
    }
}

/// The origin is ours if it is the configured one or names the host the request was sent to.
fn same_host(origin: &str, base: &str, host: Option<&str>) -> bool {
    let bare = |url: &str| {
        url.split("://")
            .nth(1)
            .unwrap_or_default()
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    bare(origin) == bare(base) || host.is_some_and(|h| bare(origin) == h)
}

/// `Set-Cookie` for a secret that lives `seconds` (0: remove it).
pub fn set_cookie(env: &Env, name: &str, value: &str, seconds: i64) -> String {
    let secure = if env.config.is_https() {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
