//! What the search page is given.

use serde::Serialize;

use super::address::{Address, SORTS};
use crate::pages::parts::{Choice, Link, Pager, Segment};

#[derive(Debug, Clone, Serialize)]
pub struct Search {
    pub q: String,
    pub total: u64,
    /// First and last shown, from 1; both 0 when nothing was found.
    pub from: u64,
    pub to: u64,
    pub hits: Vec<Hit>,
    /// Facets without years.
    pub facets: Vec<Facet>,
    pub years: Option<Years>,
    /// What is chosen, each with the address without it.
    pub chosen: Vec<Link>,
    /// The address without any facet.
    pub clear: String,
    /// Labels are written by the template.
    pub sorts: Vec<Choice>,
    /// What the search box and the order's form carry along.
    pub hidden_q: Vec<(String, String)>,
    pub hidden_sort: Vec<(String, String)>,
    pub pager: Option<Pager>,
    /// Other ways to ask, when nothing was found.
    pub instead: Vec<Link>,
    /// The words as they were understood, when that is not how they were typed.
    pub read_as: Option<String>,
    /// Why the words could not be understood, in the reader's language.
    pub problem: Option<String>,
}

impl Search {
    /// How many hits stand on a page.
    pub const PER_PAGE: u64 = 20;

    /// Everything that follows from the address and the number of hits; the caller fills in `hits`,
    /// `facets`, `years`, `chosen` and `instead`.
    pub fn new(address: &Address, total: u64) -> Self {
        let from = (address.page - 1) * Self::PER_PAGE + 1;
        let to = (address.page * Self::PER_PAGE).min(total);
        Self {
            q: address.q.clone(),
            total,
            from: if total == 0 { 0 } else { from.min(total) },
            to,
            hits: Vec::new(),
            facets: Vec::new(),
            years: None,
            chosen: Vec::new(),
            clear: address.cleared().url(),
            sorts: SORTS
                .into_iter()
                .map(|s| Choice::new(s, "", s == address.sort))
                .collect(),
            hidden_q: address.hidden(&["q"]),
            hidden_sort: address.hidden(&["sort"]),
            pager: Pager::new(address.page, total.div_ceil(Self::PER_PAGE), |n| {
                address.paged(n).url()
            }),
            instead: Vec::new(),
            read_as: None,
            problem: None,
        }
    }
}

/// One found record. Text comes in pieces, so that what was searched for can be marked.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    pub id: String,
    pub title: Vec<Segment>,
    pub lang: String,
    /// The first few; `more_creators` counts the rest.
    pub creators: Vec<String>,
    pub more_creators: u64,
    pub excerpt: Vec<Segment>,
    pub excerpt_lang: String,
    pub resource_type: String,
    /// `open`, `embargoed`, `restricted`, `metadata-only`.
    pub access: String,
    /// `CC BY 4.0`
    pub licence: Option<String>,
    /// EDTF.
    pub published: String,
    pub version: Option<String>,
    pub files: u64,
    pub bytes: u64,
    /// `CSV`, `GeoJSON` …
    pub formats: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Facet {
    /// One of `address::FACETS`; the template names it.
    pub name: &'static str,
    /// Chosen ones first, then by count; those after the eighth are folded away.
    pub values: Vec<FacetValue>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FacetValue {
    pub label: String,
    pub count: u64,
    pub chosen: bool,
    /// The search with this value chosen, or without it when it is.
    pub url: String,
}

/// Publication years as bars, each a link.
#[derive(Debug, Clone, Serialize)]
pub struct Years {
    pub bars: Vec<Bar>,
    pub first: i32,
    pub last: i32,
    pub width: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct Bar {
    pub year: i32,
    pub count: u64,
    pub chosen: bool,
    pub url: String,
    pub x: u32,
    /// Of 40.
    pub height: u32,
}

impl Years {
    /// From counted years, in any order; the latest forty between the first and the last are drawn.
    /// `None` when there are fewer than two years to compare.
    pub fn new(address: &Address, counts: &[(i32, u64)]) -> Option<Self> {
        const STEP: u32 = 12;
        let last = counts.iter().map(|(y, _)| *y).max()?;
        let first = counts.iter().map(|(y, _)| *y).min()?.max(last - 39);
        let most = counts.iter().map(|(_, n)| *n).max()?.max(1);
        let bars: Vec<Bar> = (first..=last)
            .zip(0u32..)
            .filter_map(|(year, n)| {
                let count = counts.iter().find(|(y, _)| *y == year)?.1;
                let text = year.to_string();
                Some(Bar {
                    year,
                    count,
                    chosen: address.has("year", &text),
                    url: address.toggled("year", &text).url(),
                    x: n * STEP,
                    height: ((count * 40).div_ceil(most) as u32).clamp(2, 40),
                })
            })
            .collect();
        (bars.len() > 1).then(|| Self {
            first,
            last,
            width: (last - first + 1).unsigned_abs() * STEP,
            bars,
        })
    }
}
