//! The HTML door. A folder is a family of pages; its `view.rs` holds what the templates are given
//! (typed, already in the reader's language where it is data), and knows no database.

pub mod account;
pub mod admin;
mod colours;
pub mod deposit;
pub mod folders;
pub mod home;
pub mod kept;
mod machine;
pub mod parts;
pub mod record;
pub mod search;
mod sent;
pub mod shell;
pub mod trouble;

use std::sync::Arc;

use axum::{Extension, Router, routing::get};

use crate::{
    ctx::Env,
    error::Result,
    web::{
        assets,
        render::{Chrome, View},
    },
};

/// Every page, bare (in the language the browser prefers) and under `/vi` and `/en`; and what has no
/// language: files, feeds, redirects. An address that leads nowhere is told so by a page.
pub fn router() -> Router<Env> {
    let pages = Router::new()
        .merge(home::router())
        .merge(search::router())
        .merge(record::router())
        .merge(account::router())
        .merge(deposit::router())
        .merge(admin::router());
    Router::new()
        .merge(pages.clone())
        .nest("/vi", pages.clone())
        .nest("/en", pages)
        // Nesting answers `/vi` and not `/vi/`, which people type.
        .merge(home::with_slash())
        .merge(machine::router())
        .route("/theme", get(colours::theme))
        .route("/assets/{*path}", get(assets::serve))
        .fallback(trouble::nowhere)
        .layer(Extension(Arc::new(kept::Kept::default())))
}

/// The name of a template, and what came of rendering it.
pub type Sample = (&'static str, Result<String>);

type Family = fn(&Chrome) -> Vec<Sample>;

/// Renders every sample of every page. A page that is not in this list fails the test that reads the
/// template folder.
pub fn samples(chrome: &Chrome) -> Vec<Sample> {
    let families: &[Family] = &[
        of::<home::view::Home>,
        of::<search::view::Search>,
        of::<record::view::Landing>,
        of::<record::view::Tombstone>,
        of::<deposit::view::Start>,
        of::<deposit::view::Tasks>,
        of::<deposit::view::DraftFiles>,
        of::<deposit::view::Describe>,
        of::<deposit::view::AccessForm>,
        of::<deposit::view::Publish>,
        of::<account::view::Mine>,
        of::<account::view::Tokens>,
        of::<account::view::Login>,
        of::<account::view::Setup>,
        of::<account::view::About>,
        of::<admin::view::Storage>,
        of::<trouble::view::NotFound>,
        of::<trouble::view::Failure>,
    ];
    families.iter().flat_map(|family| family(chrome)).collect()
}

fn of<V: View>(chrome: &Chrome) -> Vec<Sample> {
    V::samples()
        .iter()
        .map(|sample| (V::TEMPLATE, sample.html(chrome)))
        .collect()
}
