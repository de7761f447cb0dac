//! What the account pages are given.

use serde::Serialize;

use crate::pages::parts::{Choice, FieldProblem, Link, Pager};

/// `/login`. Controls: `email`, `password`; `next` carries where the person wanted to go.
#[derive(Debug, Clone, Serialize)]
pub struct Login {
    pub email: String,
    /// A path of ours, with its language; empty for the person's own records.
    pub next: String,
    pub problems: Vec<FieldProblem>,
    /// In the demo: accounts to try, with their passwords.
    pub demo_accounts: Vec<DemoAccount>,
}

#[derive(Debug, Clone, Serialize)]
pub struct DemoAccount {
    pub email: String,
    pub password: String,
    /// `depositor`, `curator`, `admin`
    pub role: String,
}

/// `/setup`: the first administrator. Controls: `name`, `email`, `password`, `password_again`.
#[derive(Debug, Clone, Serialize)]
pub struct Setup {
    /// The one-time secret of the link, sent back as `token`.
    pub token: String,
    pub name: String,
    pub email: String,
    pub min_password: u32,
    pub problems: Vec<FieldProblem>,
}

/// `/me/records`
#[derive(Debug, Clone, Serialize)]
pub struct Mine {
    pub tab: Tab,
    pub drafts: u64,
    pub published: u64,
    pub rows: Vec<MineRow>,
    pub pager: Option<Pager>,
}

/// `?show=drafts` (or nothing), `?show=published`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tab {
    Drafts,
    Published,
}

#[derive(Debug, Clone, Serialize)]
pub struct MineRow {
    pub id: String,
    /// Empty for a draft without one.
    pub title: String,
    pub lang: String,
    /// Where it leads: `/uploads/{id}` or `/records/{id}`.
    pub url: String,
    /// `new`, `version`, `edit` for drafts; `open`, `embargoed`, `restricted`, `metadata-only`,
    /// `withdrawn` for published ones.
    pub state: &'static str,
    pub version: Option<String>,
    pub doi: Option<String>,
    /// `2026-03-12`
    pub updated: String,
    pub files: u64,
    pub bytes: u64,
}

/// `/me/tokens`. Controls: `name`, `scopes` (checkboxes), `expires` (days; empty for never).
#[derive(Debug, Clone, Serialize)]
pub struct Tokens {
    pub tokens: Vec<TokenRow>,
    /// Just made: shown now and never again.
    pub created: Option<Created>,
    pub name: String,
    pub scopes: Vec<Choice>,
    pub expires: Vec<Choice>,
    pub problems: Vec<FieldProblem>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Created {
    pub name: String,
    pub secret: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// `2026-03-12`
    pub created: String,
    pub expires: Option<String>,
    pub last_used: Option<String>,
    pub expired: bool,
}

/// `/about`: what this place is, and how machines use it.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    pub admin_email: Option<String>,
    pub doi_prefix: String,
    /// Prefix for tests: DOIs are not registered.
    pub test_doi: bool,
    pub max_files: u64,
    pub max_bytes: u64,
    /// Formats of a landing page: name and `?format=` value.
    pub formats: Vec<Link>,
    /// A record to show in the examples, when there is one.
    pub example: Option<String>,
}
