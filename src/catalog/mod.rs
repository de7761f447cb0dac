//! The read side: a published version, its neighbours, its files, its place in search.
//!
//! Nothing here changes a record. Pages and harvesters read rows, never the index: a lost index is
//! `kho reindex`, not an incident. Not here: rendering (`formats`, and the doors).

mod bundle;
mod harvest;
pub mod index;
mod recent;
pub mod record;
pub mod search;

pub use self::{
    bundle::{Bundle, bundle, manifest},
    harvest::{
        Format, Item, Place, Walk, harvest_earliest, harvest_item, harvest_page, harvest_sets,
    },
    recent::{Numbers, last_change, milestones, numbers, own_records, public_ids, recent},
    record::{
        Concept, Found, PublishedFile, Version, by_doi, describe, described, files, files_after,
        files_page, find, has_draft, last_files_page, many, newest, resolve, tombstone, version,
        versions,
    },
};
