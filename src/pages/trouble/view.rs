//! What the error pages are given.

use serde::Serialize;

use crate::{pages::parts::Link, web::render::View};

/// 404: what was looked for, a search box filled with the words of the address, and what comes near.
#[derive(Debug, Clone, Serialize)]
pub struct NotFound {
    /// `error::Kind::code`: picks the sentence `missing-<kind>`.
    pub kind: &'static str,
    /// What was asked for.
    pub id: String,
    /// Words to search for, guessed from the address.
    pub q: String,
    pub near: Vec<Link>,
}

/// Any other error: 400, 401, 403, 409, 413, 429, 500, 503, 507.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    pub status: u16,
    /// What went wrong, in the reader's language, when there is more to say than the status does.
    pub detail: Option<String>,
    /// For the operator's log.
    pub request_id: Option<String>,
    /// Seconds.
    pub retry_after: Option<u32>,
    /// Offer to sign in.
    pub sign_in: bool,
}

impl Failure {
    /// The statuses that have a sentence of their own; others are told as 500 or 400.
    pub const TOLD: [u16; 9] = [400, 401, 403, 409, 413, 429, 500, 503, 507];

    pub fn new(status: u16) -> Self {
        let status = match status {
            told if Self::TOLD.contains(&told) => told,
            412 | 428 => 409,
            other if other < 500 => 400,
            _ => 500,
        };
        Self {
            status,
            detail: None,
            request_id: None,
            retry_after: None,
            sign_in: status == 401,
        }
    }
}

impl View for NotFound {
    const TEMPLATE: &'static str = "pages/not_found.html";

    fn samples() -> Vec<Self> {
        let kinds = [
            "record",
            "draft",
            "file",
            "doi",
            "page",
            "token",
            "account",
            "community",
            "vocabulary",
            "format",
        ];
        kinds
            .into_iter()
            .map(|kind| Self {
                kind,
                id: "k3f9a-2bq7l".to_owned(),
                q: "chat luong nuoc".to_owned(),
                near: match kind {
                    "record" => vec![Link::new("Chất lượng nước mặt", "/records/k3f9a-2bq71")],
                    _ => Vec::new(),
                },
            })
            .collect()
    }
}

impl View for Failure {
    const TEMPLATE: &'static str = "pages/failure.html";

    fn samples() -> Vec<Self> {
        let mut all: Vec<Self> = Self::TOLD.into_iter().map(Self::new).collect();
        let mut told = Self::new(429);
        told.retry_after = Some(30);
        told.request_id = Some("7f0c".to_owned());
        told.detail = Some("Quá nhiều lần đăng nhập.".to_owned());
        all.push(told);
        all
    }
}
