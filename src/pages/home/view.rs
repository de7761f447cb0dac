//! What the first page is given.

use serde::Serialize;

use crate::{
    pages::{parts::Link, search::view::Hit},
    web::render::View,
};

#[derive(Debug, Clone, Serialize)]
pub struct Home {
    /// Published records, files and bytes.
    pub records: u64,
    pub files: u64,
    pub bytes: u64,
    /// At most six.
    pub newest: Vec<Hit>,
    /// The largest subjects, each with how many records it has.
    pub subjects: Vec<(Link, u64)>,
}

impl View for Home {
    const TEMPLATE: &'static str = "pages/home.html";

    fn samples() -> Vec<Self> {
        let full = Self {
            records: 1_284,
            files: 51_200,
            bytes: 4_100_000_000_000,
            newest: crate::pages::search::samples::hits(),
            subjects: vec![
                (Link::new("Thuỷ văn", "/search?subject=thuy-van"), 214),
                (Link::new("Nông nghiệp", "/search?subject=nong-nghiep"), 87),
            ],
        };
        let empty = Self {
            records: 0,
            files: 0,
            bytes: 0,
            newest: Vec::new(),
            subjects: Vec::new(),
        };
        vec![full, empty]
    }
}
