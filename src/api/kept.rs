//! Records that nobody in particular asked for, kept as they were sent until anything published changes.
//!
//! Invariant: what is kept is what an anonymous caller may see, and is given only while the change feed and
//! the day are what they were when it was made, so that a withdrawal or the end of an embargo is seen at
//! once, on every replica. One small query a request asks for that. (`pages::kept` does the same for pages.)

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use chrono::NaiveDate;

use crate::{catalog, ctx::Ctx, error::Result};

/// Bytes kept at most; beyond that all are let go at once, and the wanted ones come back.
const ROOM: usize = 8 << 20;

/// What makes a kept record old: the last change of anything published, and the day.
pub type Moment = (i64, NaiveDate);

#[derive(Debug, Clone)]
pub struct Record {
    pub json: Bytes,
    /// Quoted.
    pub etag: String,
}

#[derive(Debug, Default)]
pub struct Kept(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    moment: Option<Moment>,
    records: HashMap<String, Record>,
    bytes: usize,
}

impl Kept {
    /// Now, as far as published records can tell.
    pub async fn moment(ctx: &Ctx) -> Result<Moment> {
        Ok((catalog::last_change(ctx).await?, ctx.today()))
    }

    pub fn get(&self, moment: Moment, id: &str) -> Option<Record> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.moment == Some(moment) {
            shelf.records.get(id).cloned()
        } else {
            None
        }
    }

    /// Keeps a record that was read after `moment` was asked for. A slower request may come with an older
    /// moment; it must not clear what is newer.
    pub fn put(&self, moment: Moment, id: &str, record: Record) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = record.json.len() + id.len() + 256;
        if shelf.moment.is_some_and(|kept| kept > moment) || size > ROOM {
            return;
        }
        if shelf.moment != Some(moment) || shelf.bytes + size > ROOM {
            *shelf = Shelf {
                moment: Some(moment),
                ..Shelf::default()
            };
        }
        if shelf.records.insert(id.to_owned(), record).is_none() {
            shelf.bytes += size;
        }
    }
}
