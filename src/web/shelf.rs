//! Answers that everybody gets alike, kept ready until anything published changes.
//!
//! Invariant: what is kept is given only while the change feed and the day are what they were when it was
//! made, so that a withdrawal or the end of an embargo is seen at once, on every replica; one small query a
//! request asks for that. Who may be given it is the door's to say. Not here: anything about a person.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::NaiveDate;

use crate::{catalog, ctx::Ctx, error::Result};

/// Bytes kept at most; beyond that all are let go at once, and the wanted ones come back.
const ROOM: usize = 8 << 20;

/// What makes kept answers old: the last change of anything published, and the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    change: i64,
    day: NaiveDate,
}

impl Moment {
    /// Now, as far as what is public can tell. One query.
    pub async fn now(ctx: &Ctx) -> Result<Self> {
        Ok(Self {
            change: catalog::last_change(ctx).await?,
            day: ctx.today(),
        })
    }

    /// Has an index that is at `cursor` of the change feed seen everything?
    pub fn is_indexed(self, cursor: u64) -> bool {
        cursor >= self.change as u64
    }
}

/// Answers of one kind by what was asked.
#[derive(Debug)]
pub struct Shelf<T>(Mutex<Held<T>>);

#[derive(Debug)]
struct Held<T> {
    moment: Option<Moment>,
    answers: HashMap<String, T>,
    bytes: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::new(Held::of(None)))
    }
}

impl<T> Held<T> {
    fn of(moment: Option<Moment>) -> Self {
        Self {
            moment,
            answers: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<T: Clone> Shelf<T> {
    pub fn get(&self, moment: Moment, asked: &str) -> Option<T> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.moment == Some(moment) {
            held.answers.get(asked).cloned()
        } else {
            None
        }
    }

    /// Keeps an answer of about `weight` bytes, made from what was read after `moment` was asked for. A
    /// slower request may come with an older moment; it must not clear what is newer.
    pub fn put(&self, moment: Moment, asked: &str, answer: T, weight: usize) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = weight + asked.len() + 512;
        if held.moment.is_some_and(|kept| kept > moment) || weight > ROOM {
            return;
        }
        if held.moment != Some(moment) || held.bytes + weight > ROOM {
            *held = Held::of(Some(moment));
        }
        if held.answers.insert(asked.to_owned(), answer).is_none() {
            held.bytes += weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(change: i64) -> Moment {
        Moment {
            change,
            day: NaiveDate::default(),
        }
    }

    #[test]
    fn what_is_older_than_the_last_change_is_not_given() {
        let shelf = Shelf::default();
        shelf.put(moment(1), "a", "old", 10);
        assert_eq!(shelf.get(moment(1), "a"), Some("old"));
        assert_eq!(shelf.get(moment(2), "a"), None);
        shelf.put(moment(2), "b", "new", 10);
        shelf.put(moment(1), "a", "late", 10);
        assert_eq!(shelf.get(moment(2), "b"), Some("new"));
        assert_eq!(shelf.get(moment(1), "a"), None);
    }

    #[test]
    fn it_never_holds_more_than_its_room() {
        let shelf = Shelf::default();
        shelf.put(moment(1), "too much", 0, ROOM);
        assert_eq!(shelf.get(moment(1), "too much"), None);
        for n in 0..20 {
            shelf.put(moment(1), &n.to_string(), n, ROOM / 8);
        }
        let held = shelf.0.lock().unwrap();
        assert!(held.bytes <= ROOM && held.answers.len() < 9);
    }
}
