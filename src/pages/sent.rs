//! What a form sent, and the proof that the form was one of ours. Not here: uploads, which are not read
//! whole (`deposit::files`).

use axum::{
    body::{Body, to_bytes},
    http::header,
};

use crate::{
    error::{Error, Problem, Result},
    pages::{parts::FieldProblem, shell::Visit},
    text::{Locale, say_problem},
};

/// Most bytes of a form: metadata have 4 MB, and a browser writes a letter with a mark as six bytes or nine.
const MOST: usize = 16 << 20;
/// Most controls of a form.
const MOST_CONTROLS: usize = 100_000;

/// Names and values in the order of the page.
#[derive(Debug, Default)]
pub struct Sent {
    pairs: Vec<(String, String)>,
}

impl Sent {
    /// Reads a form and refuses one that was not made for this caller.
    pub async fn proven(visit: &Visit, body: Body) -> Result<Self> {
        let sent = Self::read(visit, body).await?;
        visit.caller.check_form(sent.text("csrf_token"))?;
        Ok(sent)
    }

    /// Reads a form without looking at its proof.
    pub async fn read(visit: &Visit, body: Body) -> Result<Self> {
        let kind = visit
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::bad_request("form-expired"));
        }
        let announced = visit
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|n| n > MOST as u64) {
            return Err(too_large());
        }
        let bytes = to_bytes(body, MOST).await.map_err(|e| {
            if announced.is_some() {
                tracing::debug!(error = %e, "a form broke off");
                Error::bad_request("form-cut-off")
            } else {
                too_large()
            }
        })?;
        let pairs: Vec<_> = url::form_urlencoded::parse(&bytes)
            .take(MOST_CONTROLS)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Ok(Self { pairs })
    }

    /// The value of a control; empty when it was not sent.
    pub fn text(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The values of all controls of a name.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.pairs()
            .filter(move |(n, _)| *n == name)
            .map(|(_, v)| v)
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The revision of the draft that the form was made from. One that is no number is of no draft.
    pub fn revision(&self) -> i64 {
        self.text("revision").parse().unwrap_or(-1)
    }
}

fn too_large() -> Error {
    Error::TooLarge(Problem::new("form-too-large", "").with("most", MOST))
}

/// Problems of a small form, whose controls are named as the fields of the capability.
pub fn at_controls(locale: Locale, problems: &[Problem]) -> Vec<FieldProblem> {
    problems
        .iter()
        .map(|p| FieldProblem::at(p.path.as_str(), say_problem(locale, p)))
        .collect()
}
