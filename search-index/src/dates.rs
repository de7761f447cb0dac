//! Dates as the index compares them: a day as the number `yyyymmdd`, a moment as unix seconds.
//! Reads what EDTF level 0 and range queries contain; judging a date is the metadata model's work.

/// First and last day that a date expression covers: `2020` → 20200101, 20201231; `2020/2021-06` → both ends.
pub fn day_span(edtf: &str) -> Option<(i64, i64)> {
    let (from, to) = edtf.split_once('/').unwrap_or((edtf, edtf));
    let (first, _) = period(from.trim())?;
    let (_, last) = period(to.trim())?;
    Some((first.min(last), last.max(first)))
}

/// Unix seconds of the first moment of a day given as `yyyymmdd`.
pub fn day_start(day: i64) -> i64 {
    let (year, month, date) = (
        day.div_euclid(10_000),
        day.rem_euclid(10_000) / 100,
        day.rem_euclid(100),
    );
    // Days since 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras from March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) * 86_400
}

/// The days of one year, month, day or timestamp. The last day of a month is always 31: the number
/// only has to sort, and no date lies between.
fn period(text: &str) -> Option<(i64, i64)> {
    let date = text.split(['T', ' ']).next()?;
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map(|p| number(p, 2));
    let day = parts.next().map(|p| number(p, 2));
    if parts.next().is_some() {
        return None;
    }
    match (month, day) {
        (None, _) => Some((year * 10_000 + 101, year * 10_000 + 1231)),
        (Some(month), None) => {
            let month = month.filter(|m| (1..=12).contains(m))?;
            Some((
                year * 10_000 + month * 100 + 1,
                year * 10_000 + month * 100 + 31,
            ))
        }
        (Some(month), Some(day)) => {
            let month = month.filter(|m| (1..=12).contains(m))?;
            let day = day.filter(|d| (1..=31).contains(d))?;
            let whole = year * 10_000 + month * 100 + day;
            Some((whole, whole))
        }
    }
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{day_span, day_start};

    #[test]
    fn spans_and_moments() {
        assert_eq!(day_span("2020"), Some((20_200_101, 20_201_231)));
        assert_eq!(day_span("2020-02"), Some((20_200_201, 20_200_231)));
        assert_eq!(
            day_span("2020-02-03T10:00:00Z"),
            Some((20_200_203, 20_200_203))
        );
        assert_eq!(day_span("2019/2020-06"), Some((20_190_101, 20_200_631)));
        for wrong in [
            "",
            "20",
            "2020-13",
            "2020-1",
            "x",
            "2020-01-32",
            "2020-01-01-01",
        ] {
            assert_eq!(day_span(wrong), None, "{wrong}");
        }
        assert_eq!(day_start(19_700_101), 0);
        assert_eq!(day_start(20_240_301) - day_start(20_240_229), 86_400);
        assert_eq!(day_start(20_261_123), 1_795_392_000);
    }
}
