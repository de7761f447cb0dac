//! The address of a search: `/search?q=…&subject=…&year=…&sort=…&page=…` is the whole state, so the
//! back button, a bookmark and a link in a mail all work. Read here, written here, nowhere else.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// The facets, by the names they have in an address. A name that is not here is ignored.
pub const FACETS: [&str; 7] = [
    "type",
    "access",
    "subject",
    "licence",
    "year",
    "language",
    "community",
];
/// The orders of results; the first is the one that is not written.
pub const SORTS: [&str; 4] = ["best", "newest", "oldest", "title"];

/// How far anyone may leaf, in pages: beyond that a search should be narrowed.
const LAST_PAGE: u64 = 500;
const MAX_CHOSEN: usize = 64;
const MAX_QUERY: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub q: String,
    /// Facet and value, in the order they were chosen.
    pub chosen: Vec<(&'static str, String)>,
    pub sort: &'static str,
    /// From 1.
    pub page: u64,
}

impl Default for Address {
    fn default() -> Self {
        Self {
            q: String::new(),
            chosen: Vec::new(),
            sort: SORTS[0],
            page: 1,
        }
    }
}

impl Address {
    /// Reads a query string. What makes no sense is left out rather than refused: an old bookmark
    /// still finds something.
    pub fn parse(query: &str) -> Self {
        let mut address = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(2 * MAX_CHOSEN) {
            match name.as_ref() {
                "q" => address.q = value.chars().take(MAX_QUERY).collect(),
                "sort" => {
                    let known = SORTS.into_iter().find(|s| *s == value);
                    address.sort = known.unwrap_or(SORTS[0]);
                }
                "page" => {
                    address.page = value.parse().unwrap_or(1).clamp(1, LAST_PAGE);
                }
                other => {
                    let facet = FACETS.into_iter().find(|f| *f == other);
                    let Some(facet) = facet.filter(|_| !value.is_empty()) else {
                        continue;
                    };
                    let pair = (facet, value.chars().take(MAX_QUERY).collect());
                    if address.chosen.len() < MAX_CHOSEN && !address.chosen.contains(&pair) {
                        address.chosen.push(pair);
                    }
                }
            }
        }
        address
    }

    /// As a page of ours without its language: `/search?q=n%C6%B0%E1%BB%9Bc&year=2026`.
    pub fn url(&self) -> String {
        let mut pairs = Vec::new();
        if !self.q.is_empty() {
            pairs.push(("q", self.q.clone()));
        }
        pairs.extend(self.chosen.iter().cloned());
        if self.sort != SORTS[0] {
            pairs.push(("sort", self.sort.to_owned()));
        }
        if self.page > 1 {
            pairs.push(("page", self.page.to_string()));
        }
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        if query.is_empty() {
            "/search".to_owned()
        } else {
            format!("/search?{}", query.join("&"))
        }
    }

    pub fn has(&self, facet: &str, value: &str) -> bool {
        self.chosen.iter().any(|(f, v)| *f == facet && v == value)
    }

    /// With a value chosen that was not, or the other way round; back on the first page.
    #[must_use]
    pub fn toggled(&self, facet: &'static str, value: &str) -> Self {
        let mut next = self.clone();
        next.page = 1;
        if self.has(facet, value) {
            next.chosen.retain(|(f, v)| !(*f == facet && v == value));
        } else {
            next.chosen.push((facet, value.to_owned()));
        }
        next
    }

    /// Only the words, no facet.
    #[must_use]
    pub fn cleared(&self) -> Self {
        Self {
            q: self.q.clone(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn paged(&self, page: u64) -> Self {
        Self {
            page,
            ..self.clone()
        }
    }

    #[must_use]
    pub fn asking(&self, q: &str) -> Self {
        Self {
            q: q.to_owned(),
            page: 1,
            ..self.clone()
        }
    }

    /// What the forms of the page carry along unseen: all but the fields they show themselves.
    pub fn hidden(&self, shown: &[&str]) -> Vec<(String, String)> {
        let sort = (self.sort != SORTS[0]).then(|| ("sort".to_owned(), self.sort.to_owned()));
        let q = (!self.q.is_empty()).then(|| ("q".to_owned(), self.q.clone()));
        let chosen = self
            .chosen
            .iter()
            .map(|(f, v)| ((*f).to_owned(), v.clone()));
        q.into_iter()
            .chain(chosen)
            .chain(sort)
            .filter(|(name, _)| !shown.contains(&name.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_was_written() {
        let query = "q=%C4%91%E1%BB%99%20m%E1%BA%B7n&subject=a%26b&year=2026&sort=newest&page=3";
        let address = Address::parse(query);
        assert_eq!(address.q, "độ mặn");
        assert_eq!(address.url(), format!("/search?{query}"));
        assert_eq!(Address::parse("").url(), "/search");
    }

    #[test]
    fn nonsense_is_left_out() {
        let address = Address::parse("page=-4&sort=drop&colour=red&year=&year=2026&year=2026");
        assert_eq!(address.url(), "/search?year=2026");
        assert_eq!(Address::parse("page=999999999").page, LAST_PAGE);
        let many: Vec<String> = (0..1000).map(|n| format!("subject={n}")).collect();
        let many = many.join("&");
        assert!(Address::parse(&many).chosen.len() <= MAX_CHOSEN);
    }

    #[test]
    fn choosing_twice_is_not_choosing() {
        let address = Address::parse("q=a&page=7");
        let chosen = address.toggled("year", "2026");
        assert_eq!(chosen.url(), "/search?q=a&year=2026");
        assert_eq!(chosen.toggled("year", "2026").url(), "/search?q=a");
        assert_eq!(
            chosen.hidden(&["q"]),
            [("year".to_owned(), "2026".to_owned())]
        );
    }
}
