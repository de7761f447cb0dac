//! Pieces that several pages show: text with its language, links, page numbers, problems of a form.
//! Templates write numbers, sizes and dates; a view carries them raw.

use serde::Serialize;

use crate::text::Locale;

/// Text with the language it is written in (BCP 47), for the `lang` attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    pub lang: String,
    pub text: String,
}

impl Text {
    pub fn new(lang: &str, text: impl Into<String>) -> Self {
        Self {
            lang: lang.to_owned(),
            text: text.into(),
        }
    }
}

/// A link. A page of ours is written without its language (`/search?q=a`): the template adds it
/// with `href`; downloads, exports and other sites are written whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    pub label: String,
    pub url: String,
}

impl Link {
    pub fn new(label: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            url: url.into(),
        }
    }
}

/// One option of a list, radio group or set of checkboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            chosen,
        }
    }
}

/// A piece of text that may be what was searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    pub text: String,
    pub hit: bool,
}

/// Something wrong in a form, in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The `id` of the control to mend; empty when no single one is to blame.
    pub field: String,
    pub message: String,
}

impl FieldProblem {
    pub fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Page numbers as links: first, last, the current one and its neighbours, with gaps between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pager {
    pub current: u64,
    pub last: u64,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `None` is a gap.
    pub number: Option<u64>,
    pub url: String,
}

impl Pager {
    /// `None` when everything is on one page. `address` writes the link of a page number.
    pub fn new(current: u64, last: u64, address: impl Fn(u64) -> String) -> Option<Self> {
        if last <= 1 {
            return None;
        }
        let current = current.clamp(1, last);
        let near = |n: u64| n == 1 || n == last || n.abs_diff(current) <= 1;
        let mut steps = Vec::new();
        for n in 1..=last.min(3) {
            push(&mut steps, n, near(n), &address);
        }
        let middle = current.saturating_sub(2).max(4)..=(current + 2).min(last);
        for n in middle {
            push(&mut steps, n, near(n), &address);
        }
        if last > current + 2 && last > 3 {
            push(&mut steps, last, true, &address);
        }
        Some(Self {
            current,
            last,
            previous: (current > 1).then(|| address(current - 1)),
            next: (current < last).then(|| address(current + 1)),
            steps,
        })
    }
}

fn push(steps: &mut Vec<Step>, n: u64, near: bool, address: &impl Fn(u64) -> String) {
    if near {
        steps.push(Step {
            number: Some(n),
            url: address(n),
        });
    } else if steps.last().is_some_and(|s| s.number.is_some()) {
        steps.push(Step {
            number: None,
            url: String::new(),
        });
    }
}

/// The two languages as choices, each in its own name.
pub fn languages(chosen: Locale) -> Vec<Choice> {
    vec![
        Choice::new("vi", "Tiếng Việt", chosen == Locale::Vi),
        Choice::new("en", "English", chosen == Locale::En),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(current: u64, last: u64) -> String {
        Pager::new(current, last, |n| n.to_string())
            .map(|p| {
                p.steps
                    .iter()
                    .map(|s| s.number.map_or("…".to_owned(), |n| n.to_string()))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .unwrap_or_default()
    }

    #[test]
    fn page_numbers_show_both_ends_and_the_neighbours() {
        assert_eq!(drawn(1, 1), "");
        assert_eq!(drawn(1, 2), "1 2");
        assert_eq!(drawn(1, 9), "1 2 … 9");
        assert_eq!(drawn(3, 9), "1 2 3 4 … 9");
        assert_eq!(drawn(5, 9), "1 … 4 5 6 … 9");
        assert_eq!(drawn(9, 9), "1 … 8 9");
        assert_eq!(drawn(2, 4), "1 2 3 4");
        assert_eq!(
            drawn(500_000, 1_000_000),
            "1 … 499999 500000 500001 … 1000000"
        );
    }
}
