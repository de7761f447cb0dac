//! Two equal languages: the locale of a caller, the sentences of `templates/i18n`, and how numbers,
//! sizes and dates are written in each.
//!
//! Sentences are Fluent files embedded in the binary. A key missing in one language is a failed test
//! (`tests/it/texts.rs`), so at run time a missing key shows itself as the key.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    Vi,
    En,
}

impl Locale {
    pub const ALL: [Locale; 2] = [Locale::Vi, Locale::En];

    /// BCP 47, as in `lang` attributes and URLs.
    pub fn code(self) -> &'static str {
        match self {
            Locale::Vi => "vi",
            Locale::En => "en",
        }
    }
    /// ISO 639-3, as in record metadata.
    pub fn iso639_3(self) -> &'static str {
        match self {
            Locale::Vi => "vie",
            Locale::En => "eng",
        }
    }
    pub fn other(self) -> Locale {
        match self {
            Locale::Vi => Locale::En,
            Locale::En => Locale::Vi,
        }
    }
    pub fn from_code(code: &str) -> Option<Locale> {
        Locale::ALL.into_iter().find(|l| l.code() == code)
    }
    /// RFC 9110 section 12.5.4, of which only the order of preference between our two matters.
    pub fn from_accept_language(header: &str) -> Option<Locale> {
        let mut best: Option<(Locale, f32)> = None;
        for part in header.split(',').take(32) {
            let mut pieces = part.trim().split(';');
            let tag = pieces.next().unwrap_or_default().trim();
            let weight = pieces
                .find_map(|p| p.trim().strip_prefix("q="))
                .map_or(Some(1.0), |q| q.trim().parse().ok())
                .unwrap_or(0.0);
            let primary = tag
                .split('-')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            if let Some(locale) = Locale::from_code(&primary)
                && weight > 0.0
                && best.is_none_or(|(_, w)| weight > w)
            {
                best = Some((locale, weight));
            }
        }
        best.map(|(locale, _)| locale)
    }
}

#[derive(RustEmbed)]
#[folder = "templates/i18n"]
#[include = "*.ftl"]
struct Sources;

struct Catalogue {
    bundle: FluentBundle<FluentResource>,
    keys: Vec<String>,
}

static CATALOGUES: LazyLock<HashMap<Locale, Catalogue>> =
    LazyLock::new(|| Locale::ALL.into_iter().map(|l| (l, load(l))).collect());

fn load(locale: Locale) -> Catalogue {
    let language = match locale {
        Locale::Vi => unic_langid::langid!("vi"),
        Locale::En => unic_langid::langid!("en"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The marks Fluent puts around inserted values would end up in attributes and JSON.
    bundle.set_use_isolating(false);
    let mut keys = Vec::new();
    let folder = format!("{}/", locale.code());
    for name in Sources::iter().filter(|n| n.starts_with(&folder)) {
        let Some(file) = Sources::get(&name) else {
            continue;
        };
        let source = String::from_utf8_lossy(&file.data).into_owned();
        keys.extend(
            source
                .lines()
                .filter_map(|l| l.split_once('='))
                .map(|(k, _)| k.trim_end())
                .filter(|k| k.starts_with(|c: char| c.is_ascii_lowercase()))
                .map(ToOwned::to_owned),
        );
        let resource = match FluentResource::try_new(source) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                tracing::error!(file = %name, ?errors, "a translation file does not parse");
                resource
            }
        };
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(file = %name, ?errors, "a translation is defined twice");
        }
    }
    keys.sort();
    Catalogue { bundle, keys }
}

/// Every key of a language, sorted; for the test that compares the two.
pub fn keys(locale: Locale) -> &'static [String] {
    CATALOGUES.get(&locale).map_or(&[], |c| &c.keys)
}

/// Is there such a sentence?
pub fn has(locale: Locale, key: &str) -> bool {
    CATALOGUES
        .get(&locale)
        .is_some_and(|c| c.bundle.has_message(key))
}

/// The sentence of a key, with its values put in. A value that is a whole number is counted with
/// (plural forms); any other is inserted as text.
pub fn say(locale: Locale, key: &str, args: &[(&str, &str)]) -> String {
    let Some(catalogue) = CATALOGUES.get(&locale) else {
        return key.to_owned();
    };
    let Some(pattern) = catalogue.bundle.get_message(key).and_then(|m| m.value()) else {
        return key.to_owned();
    };
    let mut values = FluentArgs::new();
    for (name, value) in args {
        let value = match value.parse::<i64>() {
            Ok(n) if n.to_string() == **value => FluentValue::from(n),
            _ => FluentValue::from((*value).to_owned()),
        };
        values.set(*name, value);
    }
    let mut errors = Vec::new();
    let text: Cow<'_, str> = catalogue
        .bundle
        .format_pattern(pattern, Some(&values), &mut errors);
    text.into_owned()
}

/// The sentence of a problem in a language.
pub fn say_problem(locale: Locale, problem: &crate::error::Problem) -> String {
    let args: Vec<(&str, &str)> = problem.args.iter().map(|(k, v)| (*k, v.as_str())).collect();
    say(locale, &format!("problem-{}", problem.code), &args)
}

/// `1284336` as `1.284.336` (vi) or `1,284,336` (en).
pub fn number(locale: Locale, n: u64) -> String {
    let digits = n.to_string();
    let mark = match locale {
        Locale::Vi => '.',
        Locale::En => ',',
    };
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(c);
    }
    out
}

/// A size in decimal units with one digit after the mark: `301,4 MB`. Bytes are whole.
pub fn bytes(locale: Locale, n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 999.95 && unit < UNITS.len() - 1 {
        value /= 1000.0;
        unit += 1;
    }
    let text = if unit == 0 {
        format!("{n}")
    } else {
        format!("{value:.1}")
    };
    let text = match locale {
        Locale::Vi => text.replace('.', ","),
        Locale::En => text,
    };
    format!("{text}\u{202f}{}", UNITS[unit])
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `12/03/2026` (vi) or `12 March 2026` (en).
pub fn date(locale: Locale, day: NaiveDate) -> String {
    match locale {
        Locale::Vi => format!("{:02}/{:02}/{}", day.day(), day.month(), day.year()),
        Locale::En => format!(
            "{} {} {}",
            day.day(),
            MONTHS[day.month0() as usize],
            day.year()
        ),
    }
}

/// A date in EDTF level 0 as it is read: `12/03/2026`, `03/2026`, `2018 – 09/2020` (vi), `March 2026` (en).
pub fn edtf(locale: Locale, value: &str) -> String {
    let ends: Vec<String> = value.split('/').map(|end| edtf_end(locale, end)).collect();
    ends.join(" – ")
}

fn edtf_end(locale: Locale, value: &str) -> String {
    if let Ok(day) = NaiveDate::parse_from_str(value, "%Y-%m-%d") {
        return date(locale, day);
    }
    match NaiveDate::parse_from_str(&format!("{value}-01"), "%Y-%m-%d") {
        Ok(first) => match locale {
            Locale::Vi => format!("{:02}/{}", first.month(), first.year()),
            Locale::En => format!("{} {}", MONTHS[first.month0() as usize], first.year()),
        },
        Err(_) => value.to_owned(),
    }
}

/// ISO 8601 with microseconds and offset, the dialect's form of a moment.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_far_as_they_are_known() {
        for (value, vi, en) in [
            ("2026-03-12", "12/03/2026", "12 March 2026"),
            ("2026-03", "03/2026", "March 2026"),
            ("2026", "2026", "2026"),
            ("2018/2020-09", "2018 – 09/2020", "2018 – September 2020"),
            (
                "2012-01-01/2015-12-31",
                "01/01/2012 – 31/12/2015",
                "1 January 2012 – 31 December 2015",
            ),
        ] {
            assert_eq!(edtf(Locale::Vi, value), vi);
            assert_eq!(edtf(Locale::En, value), en);
        }
    }

    #[test]
    fn numbers_and_sizes_are_written_as_each_language_writes_them() {
        assert_eq!(number(Locale::Vi, 1_284_336), "1.284.336");
        assert_eq!(number(Locale::En, 1_284_336), "1,284,336");
        assert_eq!(number(Locale::En, 12), "12");
        assert_eq!(bytes(Locale::Vi, 301_400_000), "301,4\u{202f}MB");
        assert_eq!(bytes(Locale::En, 999), "999\u{202f}B");
        assert_eq!(bytes(Locale::En, 999_999), "1.0\u{202f}MB");
    }

    #[test]
    fn the_preferred_language_wins() {
        assert_eq!(
            Locale::from_accept_language("en-GB,en;q=0.9,vi;q=0.8"),
            Some(Locale::En)
        );
        assert_eq!(
            Locale::from_accept_language("fr, vi;q=0.5, en;q=0.4"),
            Some(Locale::Vi)
        );
        assert_eq!(
            Locale::from_accept_language("en;q=0, vi;q=0.1"),
            Some(Locale::Vi)
        );
        assert_eq!(Locale::from_accept_language("fr"), None);
    }
}
