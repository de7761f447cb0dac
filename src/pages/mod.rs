//! The HTML door. A folder is a family of pages; its `view.rs` holds what the templates are given
//! (typed, already in the reader's language where it is data), and knows no database.

pub mod parts;
pub mod record;

use crate::{
    error::Result,
    web::render::{Chrome, View},
};

/// The name of a template, and what came of rendering it.
pub type Sample = (&'static str, Result<String>);

/// Renders every sample of every page; a page that is not
/// in this list fails the test that reads the template folder.
pub fn samples(chrome: &Chrome) -> Vec<Sample> {
    let families: [fn(&Chrome) -> Vec<(&'static str, Result<String>)>; 2] =
        [of::<record::view::Landing>, of::<record::view::Tombstone>];
    families.iter().flat_map(|family| family(chrome)).collect()
}

fn of<V: View>(chrome: &Chrome) -> Vec<Sample> {
    V::samples()
        .iter()
        .map(|sample| (V::TEMPLATE, sample.html(chrome)))
        .collect()
}
