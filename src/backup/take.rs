//! Taking a backup.

use std::{collections::HashMap, path::Path};

use bytes::Bytes;
use futures::{StreamExt, stream};
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{About, Counts, Entry, FORMAT, Line, README, path};
use crate::{
    archive::{Inventory, ObjectId, Pace, VersionNum, inventory::INVENTORY, layout, sha256},
    ctx::Env,
    error::{Error, Result},
    ids::RecordId,
    store::{
        object::{ContentPath, ListedKind, Reading},
        rows,
        shelf::Shelf,
        table::record::record_file,
    },
    text::timestamp,
};

/// Largest inventory read whole.
const INVENTORY_BYTES: u64 = 256 << 20;
/// While this is there, files may be of a backup that a power cut ended; they are then read again before they
/// are taken for good.
const UNFINISHED: &str = "unfinished";

/// Takes a backup into a folder, which may hold earlier ones. Safe beside a serving process.
pub async fn take(env: &Env, folder: &Path) -> Result<(String, About)> {
    let shelf = Shelf::make(folder)?;
    let now = env.now();
    let mut stamp = now.format("%Y%m%dT%H%M%S%3f").to_string();
    while shelf
        .size(&path(&format!("backups/{stamp}/backup.json"))?)
        .await?
        .is_some()
    {
        stamp.push('b');
    }
    let trusted = shelf.size(&path(UNFINISHED)?).await?.is_none();
    let mark = Bytes::from(stamp.clone());
    shelf.put_bytes(&path(UNFINISHED)?, mark).await?;
    let mut taking = Taking::begin(env, shelf, stamp, trusted);
    let (migrations, rows) = taking.database().await?;
    taking.objects().await?;
    taking.uploads().await?;
    taking.root().await?;
    let about = About {
        format: FORMAT,
        moment: timestamp(now),
        kho: env!("CARGO_PKG_VERSION").to_owned(),
        base_url: env.config.base_url.clone(),
        migrations,
        rows,
        counts: taking.counts,
        manifest: String::new(),
        problems: std::mem::take(&mut taking.problems),
    };
    taking.end(about).await
}

struct Taking<'a> {
    env: &'a Env,
    shelf: Shelf,
    stamp: String,
    trusted: bool,
    counts: Counts,
    problems: Vec<(String, String)>,
    manifest: mpsc::Sender<std::io::Result<Bytes>>,
    written: tokio::task::JoinHandle<Result<crate::store::shelf::Kept>>,
}

impl<'a> Taking<'a> {
    fn begin(env: &'a Env, shelf: Shelf, stamp: String, trusted: bool) -> Self {
        let (manifest, reading) = pipe();
        let (to, at) = (shelf.clone(), format!("backups/{stamp}/manifest.jsonl.gz"));
        let written = tokio::spawn(async move { to.put(&path(&at)?, reading, true).await });
        Self {
            env,
            shelf,
            stamp,
            trusted,
            counts: Counts::default(),
            problems: Vec::new(),
            manifest,
            written,
        }
    }

    async fn say(&self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_vec(line)
            .map_err(|e| Error::internal("a manifest does not serialise", e))?;
        text.push(b'\n');
        let sent = self.manifest.send(Ok(text.into())).await;
        sent.map_err(|_| Error::internal("backup", "the manifest cannot be written"))
    }

    fn table_path(&self, table: &str) -> Result<ContentPath> {
        path(&format!("backups/{}/database/{table}.jsonl.gz", self.stamp))
    }

    /// Every table as it was at one moment.
    async fn database(&mut self) -> Result<(Vec<String>, Vec<(String, u64)>)> {
        let tx = self.env.db.snapshot().await?;
        let migrations = rows::migrations(&tx).await?;
        let mut counts = Vec::new();
        for table in rows::tables(&tx).await? {
            let (send, reading) = pipe();
            let (shelf, at) = (self.shelf.clone(), self.table_path(&table.name)?);
            let put = tokio::spawn(async move { shelf.put(&at, reading, true).await });
            match rows::read(&tx, &table, &send).await {
                Ok(count) => counts.push((table.name.clone(), count)),
                Err(e) => {
                    // So that half a table is not taken for one.
                    let _ = send.send(Err(std::io::Error::other(e.to_string()))).await;
                    return Err(e);
                }
            }
            drop(send);
            let kept = put.await.map_err(|e| Error::internal("backup", e))??;
            self.say(&Line::Table(Entry {
                name: table.name,
                size: kept.size,
                sha256: kept.sha256,
            }))
            .await?;
        }
        tx.rollback().await?;
        Ok((migrations, counts))
    }

    /// Every object that the database lists, up to the version that it lists.
    async fn objects(&mut self) -> Result<()> {
        let mut lines = self.shelf.lines(&self.table_path("parent")?);
        while let Some(line) = lines.recv().await {
            let row = parse(line)?;
            let head = row["archive_head"].as_u64().unwrap_or_default() as u32;
            let id = row["id"].as_str().unwrap_or_default();
            if head == 0 {
                continue;
            }
            let id: RecordId = id
                .parse()
                .map_err(|e| Error::internal("a stored id does not parse", e))?;
            self.object(&ObjectId::of_parent(&id), head).await?;
        }
        Ok(())
    }

    async fn object(&mut self, id: &ObjectId, head: u32) -> Result<()> {
        let root = layout::object_root(id)?;
        let newest = join(&root, &format!("{}/{INVENTORY}", VersionNum::new(head)))?;
        let bytes = self.env.objects.get(&newest, INVENTORY_BYTES).await?;
        let inventory = bytes.as_deref().map(Inventory::parse);
        let (Some(bytes), Some(Ok(inventory))) = (&bytes, &inventory) else {
            let why = "the inventory of the newest version cannot be read".to_owned();
            self.problems.push((newest.to_string(), why));
            return Ok(());
        };
        let mut digests = HashMap::new();
        for (digest, paths) in &inventory.manifest {
            for content in paths {
                digests.insert(content.as_str(), digest.as_str());
            }
        }
        self.say(&Line::Object {
            root: root.clone(),
            head,
        })
        .await?;
        self.counts.objects += 1;
        let mut waiting: Vec<String> = (1..=head)
            .rev()
            .map(|n| VersionNum::new(n).to_string())
            .collect();
        while let Some(folder) = waiting.pop() {
            for entry in self.env.objects.list(&join(&root, &folder)?).await? {
                let below = format!("{folder}/{}", entry.name);
                match entry.kind {
                    ListedKind::Folder => waiting.push(below),
                    ListedKind::File(size) => {
                        let digest = digests.remove(below.as_str());
                        self.file(&join(&root, &below)?, size, digest).await?;
                    }
                    ListedKind::Other => {}
                }
            }
        }
        for content in digests.into_keys() {
            let why = "is in the inventory and not there".to_owned();
            self.problems.push((format!("{root}/{content}"), why));
        }
        // What makes the copy an OCFL object of its own; a restore makes these again.
        let sidecar = inventory.algorithm.sidecar();
        let line = format!("{} {INVENTORY}\n", inventory.algorithm.hex(bytes));
        for (name, text) in [
            (
                layout::OBJECT_DECLARATION,
                layout::OBJECT_DECLARATION_TEXT.as_bytes().to_vec().into(),
            ),
            (INVENTORY, bytes.clone()),
            (sidecar.as_str(), Bytes::from(line)),
        ] {
            let at = path(&format!("archive/{root}/{name}"))?;
            if self.shelf.get(&at, INVENTORY_BYTES).await?.as_ref() != Some(&text) {
                self.shelf.put_bytes(&at, text).await?;
            }
        }
        Ok(())
    }

    /// A file of the archive. What is there already, and good, is not copied again; a damaged source never
    /// takes the place of a good copy.
    async fn file(&mut self, from: &ContentPath, size: u64, digest: Option<&str>) -> Result<()> {
        let at = path(&format!("archive/{from}"))?;
        let expected = digest.map(str::to_ascii_lowercase);
        let there = self.shelf.size(&at).await? == Some(size);
        let mut found = None;
        if there {
            // Files without a digest in the inventory are inventories: small, and read.
            found = match &expected {
                Some(expected) if self.trusted => Some(expected.clone()),
                _ => Some(self.digest_of(&at, size).await?),
            };
        }
        let good = match (&found, &expected) {
            (Some(found), Some(expected)) => found == expected,
            (Some(found), None) => {
                let reading = self.env.objects.read(from, 0..size).await?;
                sha256(reading, size, &Pace::unlimited()).await? == *found
            }
            (None, _) => false,
        };
        let sha256 = if good {
            found.unwrap_or_default()
        } else {
            let copied = async {
                let reading = self.env.objects.read(from, 0..size).await?;
                self.shelf.put(&at, reading, false).await
            };
            match copied.await {
                Ok(kept) => {
                    self.counts.copied_files += 1;
                    self.counts.copied_bytes += kept.size;
                    kept.sha256
                }
                Err(Error::Full) => return Err(Error::Full),
                Err(e) => {
                    self.problems.push((from.to_string(), e.to_string()));
                    return Ok(());
                }
            }
        };
        if let Some(expected) = expected.filter(|e| *e != sha256) {
            let why = format!("its sha256 is {sha256}, {expected} was written");
            self.problems.push((from.to_string(), why));
            return Ok(());
        }
        self.counts.files += 1;
        self.counts.bytes += size;
        let name = from.to_string();
        self.say(&Line::File(Entry { name, size, sha256 })).await
    }

    async fn digest_of(&self, at: &ContentPath, size: u64) -> Result<String> {
        let reading = self.shelf.read(at).await?;
        sha256(reading, size, &Pace::unlimited()).await
    }

    /// The uploads that drafts name.
    async fn uploads(&mut self) -> Result<()> {
        let mut lines = self.shelf.lines(&self.table_path("draft_file")?);
        while let Some(line) = lines.recv().await {
            let row = parse(line)?;
            let Some(name) = row["staged"].as_str() else {
                continue;
            };
            // Without a digest it was not all there yet: it comes back as announced.
            let sha256 = row["sha256"].as_str().unwrap_or_default();
            let draft = row["draft_id"].as_str().unwrap_or_default();
            let size = row["size"].as_u64().unwrap_or_default();
            let at = path(&format!("staged/{name}"))?;
            let there =
                self.trusted && !sha256.is_empty() && self.shelf.size(&at).await? == Some(size);
            let copied =
                there || !sha256.is_empty() && self.upload(&at, name, draft, sha256, size).await?;
            if !copied {
                self.counts.dropped_uploads += 1;
                let name = name.to_owned();
                self.say(&Line::Dropped { name }).await?;
                continue;
            }
            self.counts.uploads += 1;
            self.say(&Line::Staged(Entry {
                name: name.to_owned(),
                size,
                sha256: sha256.to_owned(),
            }))
            .await?;
        }
        Ok(())
    }

    /// Copies an upload from the staging area, or from the archive if it was published meanwhile. False when
    /// it is in neither.
    async fn upload(
        &mut self,
        at: &ContentPath,
        name: &str,
        draft: &str,
        sha256: &str,
        size: u64,
    ) -> Result<bool> {
        let staged = match self.env.objects.staged(name).await? {
            Some(found) if found == size => self.env.objects.read_staged(name, 0..size).await.ok(),
            _ => None,
        };
        let reading = match staged {
            Some(reading) => Some(reading),
            None => self.published(draft, sha256, size).await?,
        };
        let Some(reading) = reading else {
            return Ok(false);
        };
        let kept = self.shelf.put(at, reading, false).await?;
        self.counts.copied_files += 1;
        self.counts.copied_bytes += kept.size;
        if kept.sha256 != sha256 {
            let why = format!("its sha256 is {}, {sha256} arrived", kept.sha256);
            self.problems.push((format!("staging/{name}"), why));
        }
        Ok(kept.sha256 == sha256)
    }

    /// The bytes of an upload whose draft was published since the database was read.
    async fn published(&self, draft: &str, sha256: &str, size: u64) -> Result<Option<Reading>> {
        let row = record_file::Entity::find()
            .filter(record_file::COLUMN.record_id.eq(draft))
            .filter(record_file::COLUMN.sha256.eq(sha256))
            .one(self.env.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let content = path(&row.content)?;
        Ok(Some(self.env.objects.read(&content, 0..size).await?))
    }

    /// What makes the copied archive an OCFL root.
    async fn root(&mut self) -> Result<()> {
        for (name, text) in layout::ROOT_FILES {
            let at = path(&format!("archive/{name}"))?;
            if self.shelf.size(&at).await?.is_none() {
                self.shelf.put_bytes(&at, Bytes::from(text)).await?;
            }
        }
        Ok(())
    }

    /// The manifest is whole, everything is on the disk, and only then this backup is the newest.
    async fn end(self, mut about: About) -> Result<(String, About)> {
        drop(self.manifest);
        let written = self
            .written
            .await
            .map_err(|e| Error::internal("backup", e))??;
        about.manifest = written.sha256;
        let text = serde_json::to_vec_pretty(&about)
            .map_err(|e| Error::internal("backup.json does not serialise", e))?;
        let at = path(&format!("backups/{}/backup.json", self.stamp))?;
        self.shelf.put_bytes(&at, text.into()).await?;
        self.shelf
            .put_bytes(&path("README.txt")?, Bytes::from(README))
            .await?;
        self.shelf.settle().await?;
        let latest = Bytes::from(format!("{}\n", self.stamp));
        self.shelf.put_bytes(&path("latest")?, latest).await?;
        self.shelf.remove(&path(UNFINISHED)?).await?;
        self.shelf.settle().await?;
        Ok((self.stamp, about))
    }
}

/// What is sent comes out as a reading.
fn pipe() -> (mpsc::Sender<std::io::Result<Bytes>>, Reading) {
    let (send, receive) = mpsc::channel(4);
    let reading = stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|item| (item, receive))
    });
    (send, reading.boxed())
}

fn parse(line: std::io::Result<String>) -> Result<Value> {
    let line = line.map_err(|e| Error::io("a table of the backup", &e))?;
    serde_json::from_str(&line).map_err(|e| Error::internal("a table of the backup", e))
}

fn join(root: &ContentPath, below: &str) -> Result<ContentPath> {
    root.join(below)
        .map_err(|e| Error::internal("archive path", format!("{below:?}: {e}")))
}
