//! Dates as researchers have them: a day, a month, a year, or a span between two of those.
//!
//! The grammar is EDTF level 0 (ISO 8601-2:2019): `2026`, `2026-02`, `2026-02-14`, `2018/2020-09`.
//! Not here: uncertain or open dates (levels 1 and 2), times of day, and how a date is spoken (`text`).

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::ids::Malformed;

/// A date or an interval of EDTF level 0, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EdtfDate {
    text: String,
    #[serde(skip)]
    first: NaiveDate,
    #[serde(skip)]
    last: NaiveDate,
}

impl EdtfDate {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The year it begins in, four digits.
    pub fn year(&self) -> i32 {
        self.first.year()
    }
    /// The first day it may mean: `2026-02` begins on 1 February.
    pub fn first_day(&self) -> NaiveDate {
        self.first
    }
    /// The last day it may mean: `2026-02` ends on 28 February.
    pub fn last_day(&self) -> NaiveDate {
        self.last
    }
    pub fn is_interval(&self) -> bool {
        self.text.contains('/')
    }
    /// The beginning as it was written: all of it when it is not an interval.
    pub fn start(&self) -> &str {
        self.text.split('/').next().unwrap_or_default()
    }
    /// Year, month and day of the beginning, as far as they were given.
    pub fn parts(&self) -> Vec<u32> {
        self.start()
            .split('-')
            .filter_map(|p| p.parse().ok())
            .collect()
    }
    /// A whole day.
    pub fn from_day(day: NaiveDate) -> Option<Self> {
        day.format("%Y-%m-%d").to_string().parse().ok()
    }
}

impl FromStr for EdtfDate {
    type Err = Malformed;

    fn from_str(s: &str) -> Result<Self, Malformed> {
        let text = s.trim();
        let mut ends = text.split('/');
        let (first, mut last) = span(ends.next().unwrap_or_default()).ok_or(Malformed("date"))?;
        if let Some(end) = ends.next() {
            let (end_first, end_last) = span(end).ok_or(Malformed("date"))?;
            if end_first < first || end_last < last {
                return Err(Malformed("date-order"));
            }
            last = end_last;
        }
        if ends.next().is_some() {
            return Err(Malformed("date"));
        }
        Ok(Self {
            text: text.to_owned(),
            first,
            last,
        })
    }
}

/// The first and last day of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn span(s: &str) -> Option<(NaiveDate, NaiveDate)> {
    let b = s.as_bytes();
    if !matches!(b.len(), 4 | 7 | 10)
        || !b
            .iter()
            .enumerate()
            .all(|(i, c)| (*c == b'-') == matches!(i, 4 | 7) && (*c == b'-' || c.is_ascii_digit()))
    {
        return None;
    }
    let year: i32 = s.get(..4)?.parse().ok()?;
    let Some(month) = s.get(5..7) else {
        return Some((
            NaiveDate::from_ymd_opt(year, 1, 1)?,
            NaiveDate::from_ymd_opt(year, 12, 31)?,
        ));
    };
    let month: u32 = month.parse().ok()?;
    if let Some(day) = s.get(8..10) {
        let day = NaiveDate::from_ymd_opt(year, month, day.parse().ok()?)?;
        return Some((day, day));
    }
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    let last = NaiveDate::from_ymd_opt(next_year, next_month, 1)?.pred_opt()?;
    Some((first, last))
}

impl fmt::Display for EdtfDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for EdtfDate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn level_0_is_read_and_nothing_else() {
        for good in [
            "0000",
            "2026",
            "2026-02",
            "2024-02-29",
            "2018/2020-09",
            "2020/2020",
            "2004-06/2006",
        ] {
            assert!(good.parse::<EdtfDate>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "26",
            "2026-13",
            "2026-02-29",
            "2026-2-1",
            "2026/",
            "/2026",
            "2026/..",
            "2026?",
            "2026-02-14T10:00:00Z",
            "2020/2021/2022",
            "14/02/2026",
            "٢٠٢٦",
            "2026-",
            "20-6",
        ] {
            assert_eq!(bad.parse::<EdtfDate>(), Err(Malformed("date")), "{bad}");
        }
        assert_eq!(
            "2020/2018".parse::<EdtfDate>(),
            Err(Malformed("date-order"))
        );
    }

    #[test]
    fn a_date_knows_the_days_it_covers() {
        let d: EdtfDate = "2018/2020-02".parse().unwrap();
        assert_eq!(d.first_day(), NaiveDate::from_ymd_opt(2018, 1, 1).unwrap());
        assert_eq!(d.last_day(), NaiveDate::from_ymd_opt(2020, 2, 29).unwrap());
        assert_eq!((d.year(), d.start(), d.is_interval()), (2018, "2018", true));
        let d: EdtfDate = "2026-12".parse().unwrap();
        assert_eq!(d.last_day(), NaiveDate::from_ymd_opt(2026, 12, 31).unwrap());
        assert_eq!(d.parts(), [2026, 12]);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(s in "\\PC{0,24}") {
            let _ = s.parse::<EdtfDate>();
        }
        #[test]
        fn every_day_reads_back(days in 0i32..3_000_000) {
            let day = NaiveDate::from_num_days_from_ce_opt(days + 1).unwrap();
            let date = EdtfDate::from_day(day).unwrap();
            prop_assert_eq!(date.first_day(), day);
            prop_assert_eq!(date.as_str().parse::<EdtfDate>().unwrap(), date);
        }
    }
}
