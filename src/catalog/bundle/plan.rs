//! The layout of the zip of a version: what is in it, where each part begins, how long it is. One walk along the
//! rows; what is kept of them is a mark a page.

use std::fmt::Write;

use bytes::Bytes;
use sea_orm::{
    EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, Func},
};
use sha2::{Digest, Sha256};

use super::{
    super::{Version, files as page_of},
    STEP,
    manifest::{line, listed},
    rows_after,
};
use crate::{
    access,
    ctx::{Ctx, moment},
    error::{Error, Result},
    files, formats,
    formats::{
        manifest::{Form, Listed},
        zip::{Item, Place, Stamp},
    },
    ids, publish,
    store::table::record::{record, record_file},
};

/// Raised when other bytes are made of the same record.
const LAYOUT: &str = "kho-zip-1";

/// A record in each format, by the name it has in the zip.
const DESCRIPTIONS: [(&str, &str); 7] = [
    ("datacite-json", "datacite.json"),
    ("datacite-xml", "datacite.xml"),
    ("json-ld", "schema.jsonld"),
    ("dublincore", "dublincore.xml"),
    ("bibtex", "citation.bib"),
    ("ris", "citation.ris"),
    ("csl", "citation.csl.json"),
];

/// The zip of a version for a reader, ready to be sent from any byte on.
#[derive(Debug)]
pub struct Bundle {
    /// Bytes.
    pub size: u64,
    /// Strong, quoted: names exactly these bytes.
    pub etag: String,
    /// May a shared cache keep it?
    pub public: bool,
    /// `k3f9a-2bq71.zip`
    pub file_name: String,
    pub(super) record: String,
    pub(super) stamp: Stamp,
    /// The descriptions, which come first.
    pub(super) front: Vec<Small>,
    /// Where the files begin; the first mark is there.
    pub(super) marks: Vec<Mark>,
    /// After the files: where the checksums begin.
    pub(super) after_files: Place,
    pub(super) sums: Sums,
    /// After everything.
    pub(super) end: Place,
}

/// A file that is in memory.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    pub(super) crc32: u32,
}

/// Where a page of rows stands in each part of the zip.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// The page is what comes after this key.
    pub(super) after: String,
    pub(super) place: Place,
    /// Bytes of the checksums' text before this page.
    pub(super) sums: u64,
}

/// `SHA256SUMS` as an item.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) name: String,
    pub(super) list: Listed,
    pub(super) size: u64,
    pub(super) crc32: u32,
}

impl Sums {
    pub(super) fn item(&self) -> Item<'_> {
        Item {
            name: &self.name,
            size: self.size,
            crc32: self.crc32,
        }
    }
}

impl Small {
    pub(super) fn item(&self) -> Item<'_> {
        Item {
            name: &self.name,
            size: self.bytes.len() as u64,
            crc32: self.crc32,
        }
    }
}

impl Bundle {
    /// A file's name in the zip: everything is in one folder, so that unpacking never strews.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.record)
    }
}

/// Lays out the zip of a version. Files whose CRC nobody has kept are read now when they are few and small; else a
/// job reads them and the answer is to come back (`Unavailable`).
pub async fn bundle(ctx: &Ctx, of: &Version) -> Result<Bundle> {
    let row = of.row();
    if of.files_open {
        files::complete_crc32(ctx, &row.id).await?;
    }
    let stamp = Stamp::new(moment(row.published));
    let names = Names { ctx, of };
    let folder = names.free("metadata").await?;
    let sums_name = names.free("SHA256SUMS").await?;
    let front = descriptions(ctx, of, &folder).await?;
    let list = listed(ctx, of, Form::Sums);

    // Everything that the bytes follow from goes into the tag, and nothing else.
    let mut tag = Sha256::new();
    tag.update(format!("{LAYOUT}\n{stamp:?}\n{sums_name}\n{}", list.head()));
    let mut place = Place::default();
    for small in &front {
        tag.update(format!("{}\n", small.name));
        tag.update(Sha256::digest(&small.bytes));
        place = place.after(&small.item());
    }
    let mut text = crc32fast::Hasher::new();
    let mut sums = list.head().len() as u64;
    text.update(list.head().as_bytes());
    let (mut marks, mut after, mut name) = (Vec::new(), String::new(), String::new());
    let mut more = of.files_open;
    while more {
        marks.push(Mark {
            after: after.clone(),
            place,
            sums,
        });
        let rows = rows_after(ctx, &row.id, &after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.key);
        more = rows.len() as u64 == STEP;
        for file in &rows {
            name.clear();
            let _ = write!(name, "{}/{}", row.id, file.key);
            let item = Item {
                name: &name,
                size: file.size as u64,
                crc32: known(file.crc32, &file.key)?,
            };
            tag.update(format!("{name}\n{} {}\n", file.size, file.sha256));
            place = place.after(&item);
            let line = line(&list, file);
            text.update(line.as_bytes());
            sums += line.len() as u64;
        }
    }
    let after_files = place;
    let sums = Sums {
        name: sums_name,
        list,
        size: sums,
        crc32: text.finalize(),
    };
    let end = after_files.after(&sums.item());
    Ok(Bundle {
        size: end.size(),
        etag: format!("\"{}\"", ids::Sha256(tag.finalize().into())),
        public: access::files_are_public(&of.access, ctx),
        file_name: format!("{}.zip", row.id),
        record: row.id.clone(),
        stamp,
        front,
        marks,
        after_files,
        sums,
        end,
    })
}

pub(super) fn known(crc32: Option<i64>, key: &str) -> Result<u32> {
    crc32
        .and_then(|n| u32::try_from(n).ok())
        .ok_or_else(|| Error::internal("a file has no CRC", key))
}

/// The record in every format. Of the other versions only those before it: a later one must not change a zip that
/// somebody is fetching.
async fn descriptions(ctx: &Ctx, of: &Version, folder: &str) -> Result<Vec<Small>> {
    let row = of.row();
    let listed = if of.files_open {
        page_of(ctx, of, 1, publish::MOST_FILES).await?
    } else {
        Vec::new()
    };
    let earlier = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(row.parent_id.as_str()))
        .filter(record::COLUMN.version_index.lt(row.version_index))
        .all(ctx.env.db.read())
        .await?;
    let described = publish::described(ctx, row, of.parent(), of.access.clone(), listed, &earlier)?;
    let mut out = Vec::new();
    for (slug, name) in DESCRIPTIONS {
        if let Some((_, text)) = formats::render(slug, &described) {
            out.push(Small {
                name: format!("{folder}/{name}"),
                crc32: crc32fast::hash(text.as_bytes()),
                bytes: text.into(),
            });
        }
    }
    Ok(out)
}

/// Names for what the zip has beside the depositor's files, which keep theirs.
struct Names<'a> {
    ctx: &'a Ctx,
    of: &'a Version,
}

impl Names<'_> {
    /// `wanted`, or a name like it that no file has and no folder, on file systems that know no capitals too.
    async fn free(&self, wanted: &str) -> Result<String> {
        let row = self.of.row();
        // The last cannot be foreseen by who names the files, and so needs no fourth.
        let names = [
            wanted.to_owned(),
            format!("{wanted}-{}", row.id),
            format!("{wanted}-{:x}", row.published),
        ];
        for name in &names {
            if !self.of.files_open || !self.taken(name).await? {
                return Ok(format!("{}/{name}", row.id));
            }
        }
        Err(Error::internal("the zip has no name left for", wanted))
    }

    async fn taken(&self, name: &str) -> Result<bool> {
        let name = name.to_ascii_lowercase();
        let key = || Expr::expr(Func::lower(Expr::col(record_file::Column::Key)));
        let folder = format!("{name}/");
        let start = Expr::expr(Func::cust("substr").args([
            key(),
            Expr::value(1),
            Expr::value(folder.len() as i32),
        ]));
        let found = record_file::Entity::find()
            .filter(record_file::COLUMN.record_id.eq(self.of.row().id.as_str()))
            .filter(key().eq(name).or(start.eq(folder)))
            .count(self.ctx.env.db.read())
            .await?;
        Ok(found > 0)
    }
}
