//! What an archive object tells of its concept, as the rows that the database should hold: for making a lost
//! database again (`rebuild`), and for comparing one that is there (`fixity`).
//!
//! Each OCFL version is an event: a publication, a corrected description, a withdrawal, a return into view.
//! Files are not listed here, because a concept may have a hundred thousand in each version; [`snapshot`]
//! gives one description with its files at a time.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveTime, Utc};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{
    snapshot::{Snapshot, SnapshotFile, SnapshotOwner},
    withdraw::{FOLDER, Withdrawal},
};
use crate::{
    access,
    archive::{Archive, Inventory, User, VersionNum},
    ctx::Ctx,
    error::Result,
    ids::Sha256,
    metadata::{Metadata, access::Visibility},
    store::{
        object::ContentPath,
        table::{deposit::parent, record::record},
    },
};

/// The description of a version: record, file list and all.
pub const DESCRIPTION: &str = "record.json";
/// More than this is no description: 100,000 files make about 40 MB.
const MAX_BYTES: u64 = 256 << 20;

/// A concept as its object tells it. Times are microseconds.
#[derive(Debug)]
pub struct Told {
    /// Its owner's number is 0: numbers belong to a database.
    pub parent: parent::Model,
    pub owner: SnapshotOwner,
    /// In the order of their publication.
    pub records: Vec<ToldRecord>,
}

#[derive(Debug)]
pub struct ToldRecord {
    pub row: record::Model,
    pub revisions: Vec<Revision>,
    /// Could anybody see it at some time?
    pub was_seen: bool,
    /// Who withdrew it, if it is withdrawn.
    pub withdrawn_by: Option<SnapshotOwner>,
    /// Is an embargo still to be lifted, and when?
    pub embargo_ends: Option<i64>,
}

/// A publication or a correction.
#[derive(Debug, Clone)]
pub struct Revision {
    pub revision: i64,
    pub version: VersionNum,
    pub metadata: String,
    pub access: String,
    pub by: Option<SnapshotOwner>,
    pub at: i64,
}

/// Something of an object that tells nothing, or not what its inventory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    pub path: String,
    pub code: &'static str,
    pub detail: String,
}

/// Reads the events of an object in their order. `None` when it describes no concept of ours at all.
pub async fn tell(
    ctx: &Ctx,
    root: &ContentPath,
    inventory: &Inventory,
) -> Result<(Option<Told>, Vec<Unclear>)> {
    let mut telling = Telling::default();
    for num in inventory.versions.keys() {
        telling.version(ctx, root, inventory, *num).await?;
    }
    Ok(telling.end(ctx, inventory))
}

/// The description in a version, with its files; what is wrong with it otherwise.
pub async fn snapshot(
    archive: &Archive,
    root: &ContentPath,
    inventory: &Inventory,
    num: VersionNum,
) -> Result<Result<Snapshot, Unclear>> {
    document(archive, root, inventory, num, DESCRIPTION).await
}

/// The digest of a logical path in a version.
fn digest_of<'a>(inventory: &'a Inventory, num: VersionNum, logical: &str) -> Option<&'a str> {
    let state = &inventory.versions.get(&num)?.state;
    let has =
        |paths: &Vec<crate::archive::LogicalPath>| paths.iter().any(|p| p.as_str() == logical);
    let found = state.iter().find(|(_, paths)| has(paths));
    found.map(|(digest, _)| digest.as_str())
}

async fn document<T: DeserializeOwned + Send + 'static>(
    archive: &Archive,
    root: &ContentPath,
    inventory: &Inventory,
    num: VersionNum,
    logical: &str,
) -> Result<Result<T, Unclear>> {
    let unclear = |path: String, code, detail: &str| {
        Ok(Err(Unclear {
            path,
            code,
            detail: detail.to_owned(),
        }))
    };
    let at = format!("{root}/{num}");
    let Some(digest) = digest_of(inventory, num, logical) else {
        return unclear(at, "description-missing", "the version has no description");
    };
    let Some(content) = inventory.content_of(digest) else {
        return unclear(at, "description-missing", "its content is in no manifest");
    };
    let Ok(path) = root.join(content.as_str()) else {
        return unclear(at, "description-missing", "its content has no path");
    };
    let bytes = match archive.objects().get(&path, MAX_BYTES).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return unclear(path.to_string(), "content-missing", "is not there"),
        Err(e) => return unclear(path.to_string(), "content-unreadable", &e.to_string()),
    };
    let expected = digest.to_ascii_lowercase();
    let read = tokio::task::spawn_blocking(move || {
        let found = Sha256(Sha256Hasher::digest(&bytes).into()).to_hex();
        if found != expected {
            return Err(("content-differs", format!("sha256 is {found}")));
        }
        serde_json::from_slice::<T>(&bytes).map_err(|e| ("description-unreadable", e.to_string()))
    });
    let read = read
        .await
        .map_err(|e| crate::error::Error::internal("reading a description", e))?;
    Ok(read.map_err(|(code, detail)| Unclear {
        path: path.to_string(),
        code,
        detail,
    }))
}

#[derive(Default)]
struct Telling {
    /// Digest of the description before.
    before: Option<String>,
    /// Digests of the tombstones that were read, by path.
    stones: BTreeMap<String, String>,
    order: Vec<String>,
    stories: BTreeMap<String, Story>,
    newest: Option<Snapshot>,
    parent_doi: Option<String>,
    changed: i64,
    unclear: Vec<Unclear>,
}

struct Story {
    first: Snapshot,
    last: Snapshot,
    revisions: Vec<Revision>,
    withdrawal: Option<Withdrawal>,
    was_seen: bool,
    updated: i64,
    files: i64,
    bytes: i64,
    /// Of files that no earlier version has.
    own_bytes: i64,
}

impl Telling {
    async fn version(
        &mut self,
        ctx: &Ctx,
        root: &ContentPath,
        inventory: &Inventory,
        num: VersionNum,
    ) -> Result<()> {
        let archive = &ctx.env.archive;
        let described = digest_of(inventory, num, DESCRIPTION).map(ToOwned::to_owned);
        if described.is_none() || described != self.before {
            match snapshot(archive, root, inventory, num).await? {
                Ok(document) => self.event(document, inventory, num),
                Err(unclear) => self.unclear.push(unclear),
            }
            self.before = described;
        }
        let Some(version) = inventory.versions.get(&num) else {
            return Ok(());
        };
        for (digest, paths) in &version.state {
            for path in paths.iter().filter(|p| p.as_str().starts_with(FOLDER)) {
                if self.stones.get(path.as_str()) == Some(digest) {
                    continue;
                }
                self.stones.insert(path.as_str().to_owned(), digest.clone());
                let read =
                    document::<Withdrawal>(archive, root, inventory, num, path.as_str()).await?;
                match read {
                    Ok(stone) => self.stone(stone),
                    Err(unclear) => self.unclear.push(unclear),
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, mut document: Snapshot, inventory: &Inventory, num: VersionNum) {
        let version = inventory.versions.get(&num);
        let written = version.map_or(0, |v| v.created.timestamp_micros());
        let recorded = document.recorded.as_deref().unwrap_or_default();
        let at = micros(recorded).unwrap_or(written);
        let access = document.access.to_string();
        let seen = day(at)
            .is_some_and(|day| access::parse(&access).effective(day).record == Visibility::Public);
        // The files of a hundred thousand are read again when they are wanted.
        let files = std::mem::take(&mut document.files);
        let revision = Revision {
            revision: document.revision,
            version: num,
            metadata: document.metadata.to_string(),
            access,
            by: match document.recorded {
                Some(_) => document.by.clone(),
                None => version.and_then(|v| v.user.as_ref()).and_then(named),
            },
            at,
        };
        self.changed = self.changed.max(at);
        if document.parent_doi.is_some() {
            self.parent_doi.clone_from(&document.parent_doi);
        }
        self.newest = Some(document.clone());
        if let Some(story) = self.stories.get_mut(&document.id) {
            story.last = document;
            story.revisions.push(revision);
            story.was_seen |= seen;
            story.updated = at;
            return;
        }
        self.order.push(document.id.clone());
        let story = Story {
            first: document.clone(),
            last: document,
            revisions: vec![revision],
            withdrawal: None,
            was_seen: seen,
            updated: at,
            files: files.len() as i64,
            bytes: files.iter().map(|f| f.size).sum(),
            own_bytes: own_bytes(&files, inventory, num),
        };
        self.stories.insert(story.first.id.clone(), story);
    }

    fn stone(&mut self, stone: Withdrawal) {
        let Some(story) = self.stories.get_mut(&stone.id) else {
            self.unclear.push(Unclear {
                path: format!("{FOLDER}{}.json", stone.id),
                code: "description-unreadable",
                detail: "tells of a version that is not in this object".to_owned(),
            });
            return;
        };
        let said = stone.restored.as_deref();
        let at = micros(said.unwrap_or(&stone.tombstone.removal_date)).unwrap_or(story.updated);
        story.updated = at;
        self.changed = self.changed.max(at);
        story.withdrawal = stone.restored.is_none().then_some(stone);
    }

    fn end(self, ctx: &Ctx, inventory: &Inventory) -> (Option<Told>, Vec<Unclear>) {
        let Some(newest) = self.newest else {
            return (None, self.unclear);
        };
        let mut stories = self.stories;
        let mut records: Vec<ToldRecord> = self
            .order
            .iter()
            .filter_map(|id| stories.remove(id))
            .map(|story| story.told(ctx))
            .collect();
        let in_view = records.iter().rev().find(|r| r.row.withdrawn.is_none());
        let latest = in_view.or(records.last()).map(|r| r.row.id.clone());
        for told in &mut records {
            told.row.is_latest = Some(&told.row.id) == latest.as_ref();
        }
        let created = records.iter().map(|r| r.row.created).min();
        let parent = parent::Model {
            id: newest.parent,
            owner_id: 0,
            doi: self.parent_doi,
            communities: newest.communities.join(" "),
            versions: records
                .iter()
                .map(|r| r.row.version_index)
                .max()
                .unwrap_or_default(),
            latest,
            archive_head: i64::from(inventory.head.number()),
            created: created.unwrap_or_default(),
            updated: self.changed,
        };
        let told = Told {
            parent,
            owner: newest.owner,
            records,
        };
        (Some(told), self.unclear)
    }
}

/// Bytes of the files whose content lies in the folder of this version.
fn own_bytes(files: &[SnapshotFile], inventory: &Inventory, num: VersionNum) -> i64 {
    let sizes: HashMap<String, i64> = files
        .iter()
        .map(|f| (format!("files/{}", f.key), f.size))
        .collect();
    let folder = format!("{num}/");
    let state = inventory.versions.get(&num).map(|v| &v.state);
    let brought = state.into_iter().flatten().filter(|(digest, _)| {
        let place = inventory.content_of(digest);
        place.is_some_and(|place| place.as_str().starts_with(&folder))
    });
    brought
        .flat_map(|(_, paths)| paths)
        .filter_map(|path| sizes.get(path.as_str()))
        .sum()
}

impl Story {
    fn told(self, ctx: &Ctx) -> ToldRecord {
        let Story { first, last, .. } = self;
        let external = first.doi_provider.as_deref() == Some("external");
        let published = micros(&first.published).unwrap_or_default();
        let metadata: Option<Metadata> = serde_json::from_value(last.metadata.clone()).ok();
        let newest = self.revisions.last();
        let stored = access::parse(&last.access.to_string());
        let now = stored.effective(ctx.today());
        let lifted = now != stored;
        let ends = stored.embargo.until.filter(|_| stored.embargo.active);
        let ends = ends.map(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
        let access = if lifted {
            serde_json::to_string(&now).unwrap_or_default()
        } else {
            last.access.to_string()
        };
        let updated = match ends {
            Some(at) if lifted => at.max(self.updated),
            _ => self.updated,
        };
        let stone = self.withdrawal.as_ref();
        let row = record::Model {
            id: first.id,
            parent_id: first.parent,
            version_index: first.version_index,
            metadata: last.metadata.to_string(),
            access,
            custom_fields: last.custom_fields.to_string(),
            doi_provider: first
                .doi
                .as_ref()
                .map(|_| if external { "external" } else { "local" }.to_owned()),
            doi: first.doi,
            doi_state: if external { "external" } else { "reserved" }.to_owned(),
            files_enabled: first.files_enabled,
            file_count: self.files,
            total_bytes: self.bytes,
            own_bytes: Some(self.own_bytes),
            default_preview: last.default_preview,
            title: metadata.and_then(|m| m.title).unwrap_or_default(),
            revision: last.revision,
            archive_version: newest.map_or(0, |r| i64::from(r.version.number())),
            is_latest: false,
            withdrawn: stone.and_then(|s| serde_json::to_string(&s.tombstone).ok()),
            created: published,
            updated,
            published,
        };
        ToldRecord {
            row,
            revisions: self.revisions,
            was_seen: self.was_seen || lifted,
            withdrawn_by: self.withdrawal.and_then(|s| s.by),
            embargo_ends: ends.filter(|_| !lifted),
        }
    }
}

/// Who made a version, as its inventory says. Their number is not known there.
fn named(user: &User) -> Option<SnapshotOwner> {
    let email = user.address.as_deref()?.strip_prefix("mailto:")?;
    Some(SnapshotOwner {
        email: email.to_owned(),
        name: user.name.clone(),
        account: None,
    })
}

/// An ISO 8601 moment as tables hold it.
pub fn micros(text: &str) -> Option<i64> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.timestamp_micros())
}

fn day(micros: i64) -> Option<chrono::NaiveDate> {
    DateTime::<Utc>::from_timestamp_micros(micros).map(|at| at.date_naive())
}
