//! All files of a version at once: as one zip, and as lists for programs that fetch and check many.
//!
//! Everything is made a page of rows at a time, so that a version of a hundred thousand files costs the memory of a
//! thousand. Whoever may not have the files gets what the pages give: the description, and a manifest that says that the
//! files are withheld and why. Why it is a zip and how it is laid out: `docs/adr/0009-downloads.md`. Not here: the
//! bytes of headers (`formats::zip`), HTTP (`web`).

mod manifest;
mod plan;
mod send;

pub use self::{
    manifest::manifest,
    plan::{Bundle, bundle},
};

use sea_orm::{EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::Version;
use crate::{
    ctx::Ctx,
    error::Result,
    metadata::access::AccessStatus,
    store::table::record::record_file,
    text::{self, Locale, say},
};

/// Rows in memory at once; with the longest keys and paths about 4 MiB.
const STEP: u64 = 1_000;

/// What is needed of a file to send it.
#[derive(Debug, Clone, FromQueryResult)]
struct Row {
    key: String,
    size: i64,
    sha256: String,
    crc32: Option<i64>,
    content: String,
}

/// The next files of a record in the order of the table's key; the first with an empty `after`.
async fn rows_after(ctx: &Ctx, record: &str, after: &str) -> Result<Vec<Row>> {
    use record_file::Column;
    Ok(record_file::Entity::find()
        .select_only()
        .columns([
            Column::Key,
            Column::Size,
            Column::Sha256,
            Column::Crc32,
            Column::Content,
        ])
        .filter(record_file::COLUMN.record_id.eq(record))
        .filter(record_file::COLUMN.key.gt(after))
        .order_by_asc(Column::Key)
        .limit(STEP)
        .into_model::<Row>()
        .all(ctx.env.db.read())
        .await?)
}

/// Why the files are not here, in both languages: the same list is kept and passed on by readers of either.
/// Empty when the reader may have them, or when there are none.
fn withheld(of: &Version) -> Vec<String> {
    if of.files_open || !of.row().files_enabled {
        return Vec::new();
    }
    let until = of.access.embargo.until;
    let line = |locale: Locale| match (of.status, until) {
        (AccessStatus::Embargoed, Some(day)) => say(
            locale,
            "manifest-embargoed",
            &[("date", &text::date(locale, day))],
        ),
        _ => say(locale, "manifest-restricted", &[]),
    };
    vec![line(Locale::En), line(Locale::Vi)]
}
