//! Putting a backup back into an empty place.
//!
//! The archive first, object by object, each whole or not at all; then the uploads; the database last, in one
//! transaction. So a restore that was cut off has an empty database still, and goes on when it is begun again.
//! Every byte is hashed on its way and held against the manifest.

use std::{collections::HashSet, path::Path};

use bytes::Bytes;
use futures::TryStreamExt;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::{About, Entry, FORMAT, Line, path};
use crate::{
    archive::{Inventory, Pace, VersionNum, inventory::INVENTORY, layout, sha256},
    catalog,
    ctx::Env,
    error::{Error, Result},
    ids::Sha256,
    store::{
        object::{Commit, ContentPath, Entry as Placed, EntrySource},
        rows::{self, Table},
        shelf::Shelf,
        table::deposit::parent,
    },
};

/// Small files of an object are handed over in memory, as long as they are not more than this together.
const IN_MEMORY: u64 = 16 << 20;
const SMALL: u64 = 64 << 10;
const ABOUT_BYTES: u64 = 64 << 20;
const INVENTORY_BYTES: u64 = 256 << 20;

/// Tables that would bring back what was over: who was signed in, links that were used, uploads under way whose
/// bytes were not all there.
const LEFT_OUT: [&str; 4] = ["session", "setup_link", "upload", "upload_part"];

/// What a restore did.
#[derive(Debug)]
pub struct Done {
    pub backup: String,
    pub about: About,
    pub objects: u64,
    /// Objects that an earlier try had brought back.
    pub there_already: u64,
    pub uploads: u64,
    pub rows: u64,
    pub indexed: u64,
}

/// Restores the newest backup of a folder, or the one named.
pub async fn restore(env: &Env, folder: &Path, named: Option<&str>) -> Result<Done> {
    if parent::Entity::find().one(env.db.read()).await?.is_some() {
        return Err(Error::conflict("database-not-empty"));
    }
    let shelf = Shelf::open(folder)?;
    let backup = match named {
        Some(name) => name.to_owned(),
        None => newest(&shelf).await?,
    };
    let about = about(&shelf, &backup).await?;
    let manifest = path(&format!("backups/{backup}/manifest.jsonl.gz"))?;
    check(&shelf, &manifest, &about.manifest).await?;
    let mut restoring = Restoring {
        env,
        shelf,
        dropped: HashSet::new(),
        done: Done {
            backup,
            about,
            objects: 0,
            there_already: 0,
            uploads: 0,
            rows: 0,
            indexed: 0,
        },
    };
    restoring.run(&manifest).await?;
    restoring.done.indexed = catalog::index::rebuild(env, |_| {}).await?;
    Ok(restoring.done)
}

async fn newest(shelf: &Shelf) -> Result<String> {
    let text = shelf.get(&path("latest")?, 1_000).await?;
    let text = text.ok_or_else(|| {
        Error::Unavailable("there is no finished backup in this folder".to_owned())
    })?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

async fn about(shelf: &Shelf, backup: &str) -> Result<About> {
    let at = path(&format!("backups/{backup}/backup.json"))?;
    let text = shelf.get(&at, ABOUT_BYTES).await?;
    let text =
        text.ok_or_else(|| Error::Unavailable(format!("there is no backup named {backup}")))?;
    let about: About =
        serde_json::from_slice(&text).map_err(|e| Error::internal(at.as_str(), e))?;
    if about.format > FORMAT {
        return Err(Error::Unavailable(
            "the backup is of a newer kho; use that".to_owned(),
        ));
    }
    let known = kho_migrations::names();
    match about
        .migrations
        .iter()
        .find(|m| !known.contains(&m.as_str()))
    {
        Some(unknown) => Err(Error::Unavailable(format!(
            "the backup has the schema {unknown}, which this kho does not know; use a newer one"
        ))),
        None => Ok(about),
    }
}

async fn check(shelf: &Shelf, at: &ContentPath, expected: &str) -> Result<()> {
    let Some(size) = shelf.size(at).await? else {
        return Err(damaged(at, "is not there"));
    };
    let found = sha256(shelf.read(at).await?, size, &Pace::unlimited()).await?;
    if found == expected {
        Ok(())
    } else {
        Err(damaged(at, "is not as it was written"))
    }
}

fn damaged(at: &ContentPath, why: &str) -> Error {
    Error::internal("the backup is damaged", format!("{at} {why}"))
}

struct Restoring<'a> {
    env: &'a Env,
    shelf: Shelf,
    dropped: HashSet<String>,
    done: Done,
}

/// An object that is being gathered from the manifest.
struct Gathered {
    root: ContentPath,
    head: u32,
    files: Vec<Entry>,
}

impl Restoring<'_> {
    async fn run(&mut self, manifest: &ContentPath) -> Result<()> {
        let mut lines = self.shelf.lines(manifest);
        let mut tables = Vec::new();
        let mut gathered: Option<Gathered> = None;
        while let Some(line) = next(&mut lines).await? {
            match line {
                Line::Table(entry) => {
                    check(&self.shelf, &self.table_path(&entry.name)?, &entry.sha256).await?;
                    tables.push(entry.name);
                }
                Line::Object { root, head } => {
                    if let Some(whole) = gathered.replace(Gathered {
                        root,
                        head,
                        files: Vec::new(),
                    }) {
                        self.object(whole).await?;
                    }
                }
                Line::File(entry) => match &mut gathered {
                    Some(object) => object.files.push(entry),
                    None => return Err(damaged(manifest, "has a file of no object")),
                },
                Line::Staged(entry) => {
                    if let Some(whole) = gathered.take() {
                        self.object(whole).await?;
                    }
                    self.upload(&entry).await?;
                }
                Line::Dropped { name } => {
                    self.dropped.insert(name);
                }
            }
        }
        if let Some(whole) = gathered.take() {
            self.object(whole).await?;
        }
        self.database(&tables).await
    }

    fn table_path(&self, table: &str) -> Result<ContentPath> {
        path(&format!(
            "backups/{}/database/{table}.jsonl.gz",
            self.done.backup
        ))
    }

    /// Makes an object appear, with all its versions up to the head of this backup.
    async fn object(&mut self, object: Gathered) -> Result<()> {
        let Gathered { root, head, files } = object;
        let newest = path(&format!(
            "archive/{root}/{}/{INVENTORY}",
            VersionNum::new(head)
        ))?;
        let bytes = self.shelf.get(&newest, INVENTORY_BYTES).await?;
        let bytes = bytes.ok_or_else(|| damaged(&newest, "is not there"))?;
        let at = path(&format!("{root}/{INVENTORY}"))?;
        match self.env.objects.get(&at, INVENTORY_BYTES).await? {
            Some(there) if there == bytes => {
                self.done.there_already += 1;
                return Ok(());
            }
            Some(_) => {
                return Err(Error::Unavailable(format!(
                    "the archive here has another {root}; restore into an empty place"
                )));
            }
            None => {}
        }
        let inventory =
            Inventory::parse(&bytes).map_err(|faults| damaged(&newest, &faults[0].to_string()))?;
        let mut entries = Vec::new();
        let mut uploads = Vec::new();
        let mut in_memory = 0;
        for file in files {
            let from = path(&format!("archive/{}", file.name))?;
            let below = file.name.strip_prefix(root.as_str());
            let below = below.and_then(|b| b.strip_prefix('/'));
            let below = below.ok_or_else(|| damaged(&from, "is of another object"))?;
            let source = if file.size <= SMALL && in_memory + file.size <= IN_MEMORY {
                in_memory += file.size;
                let bytes = self.shelf.get(&from, SMALL).await?;
                let bytes = bytes.ok_or_else(|| damaged(&from, "is not there"))?;
                if digest(&bytes) != file.sha256 {
                    return Err(damaged(&from, "is not as it was written"));
                }
                EntrySource::Bytes(bytes)
            } else {
                let name = self.env.secret()?;
                self.receive(&name, &from, &file).await?;
                uploads.push(name.clone());
                EntrySource::Staged {
                    name,
                    size: file.size,
                    sha256: file
                        .sha256
                        .parse()
                        .map_err(|_| damaged(&from, "has no digest"))?,
                }
            };
            entries.push(Placed {
                path: path(below)?,
                source,
            });
        }
        let line = format!("{} {INVENTORY}\n", inventory.algorithm.hex(&bytes));
        for (name, text) in [
            (
                layout::OBJECT_DECLARATION,
                Bytes::from_static(layout::OBJECT_DECLARATION_TEXT.as_bytes()),
            ),
            (&inventory.algorithm.sidecar(), Bytes::from(line)),
            (INVENTORY, bytes),
        ] {
            entries.push(Placed {
                path: path(name)?,
                source: EntrySource::Bytes(text),
            });
        }
        let commit = Commit {
            folder: root,
            entries,
            heads: Vec::new(),
            note: None,
        };
        self.env.objects.commit(commit).await?;
        for name in uploads {
            self.env.objects.discard(&name).await?;
        }
        self.done.objects += 1;
        Ok(())
    }

    async fn upload(&mut self, file: &Entry) -> Result<()> {
        let from = path(&format!("staged/{}", file.name))?;
        self.receive(&file.name, &from, file).await?;
        self.done.uploads += 1;
        Ok(())
    }

    /// Copies a file into the staging area and makes sure that it is what it was.
    async fn receive(&self, name: &str, from: &ContentPath, file: &Entry) -> Result<()> {
        let mut reading = self.shelf.read(from).await?;
        let mut receiver = self.env.objects.receive(name)?;
        let broken = |e: std::io::Error| Error::io(from.as_str(), &e);
        while let Some(bytes) = reading.try_next().await.map_err(broken)? {
            receiver.write(bytes).await?;
        }
        let received = receiver.finish(None).await?;
        if received.size == file.size && received.sha256.to_hex() == file.sha256 {
            return Ok(());
        }
        self.env.objects.discard(name).await?;
        Err(damaged(from, "is not as it was written"))
    }

    /// All rows, in one transaction.
    async fn database(&mut self, names: &[String]) -> Result<()> {
        let tx = self.env.db.begin().await?;
        let tables = rows::tables(&tx).await?;
        // What a first start writes, such as the link for the first administrator.
        for table in tables.iter().rev() {
            tx.execute_unprepared(&format!("delete from \"{}\"", table.name))
                .await?;
        }
        for table in &tables {
            if names.contains(&table.name) && !LEFT_OUT.contains(&table.name.as_str()) {
                self.table(&tx, table).await?;
            }
        }
        // Whoever was at it when the backup was taken is not at it any more.
        for sql in [
            "update job set state = 'queued', leased_until = 0 where state = 'running'",
            "update fixity_run set leased_until = 0",
        ] {
            tx.execute_unprepared(sql).await?;
        }
        tx.commit().await?;
        self.env.db.align_counters().await
    }

    async fn table(&mut self, tx: &sea_orm::DatabaseTransaction, table: &Table) -> Result<()> {
        let at = self.table_path(&table.name)?;
        let mut lines = self.shelf.lines(&at);
        let most = rows::together(table);
        let mut some: Vec<Map<String, Value>> = Vec::with_capacity(most);
        while let Some(mut row) = next::<Map<String, Value>>(&mut lines).await? {
            if table.name == "draft_file" {
                self.announce_dropped(&mut row);
            }
            some.push(row);
            self.done.rows += 1;
            if some.len() == most {
                rows::write(tx, table, &some).await?;
                some.clear();
            }
        }
        rows::write(tx, table, &some).await
    }

    /// An upload that its owner threw away while the backup ran is a file that was announced and not received.
    fn announce_dropped(&self, row: &mut Map<String, Value>) {
        let staged = row
            .get("staged")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !self.dropped.contains(staged) {
            return;
        }
        for column in ["staged", "size", "sha256", "md5"] {
            row.insert(column.to_owned(), Value::Null);
        }
        row.insert("status".to_owned(), "pending".into());
    }
}

async fn next<T: serde::de::DeserializeOwned>(
    lines: &mut mpsc::Receiver<std::io::Result<String>>,
) -> Result<Option<T>> {
    let Some(line) = lines.recv().await else {
        return Ok(None);
    };
    let line = line.map_err(|e| Error::io("the backup", &e))?;
    serde_json::from_str(&line)
        .map(Some)
        .map_err(|e| Error::internal("a line of the backup", e))
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest;
    Sha256(sha2::Sha256::digest(bytes).into()).to_hex()
}
