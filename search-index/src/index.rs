//! An index in service: opened once, shared by all threads, written by one [`Batch`] at a time.
//!
//! Invariant: what a commit holds and how far the change feed is in it (the cursor) reach the disk
//! together. After a crash the index is at some earlier cursor, and the caller replays from there;
//! a half-written batch is never visible.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use crate::error::{Error, Result};
use crate::place;
use crate::request::{Request, Response};
use crate::schema::{self, Document, Fields};
use crate::search;

/// Bytes a writer may buffer while the server runs: the least tantivy takes, and enough, for a busy
/// day publishes hundreds.
pub const SERVING_MEMORY: usize = 15_000_000;
/// For rebuilds and imports, where bigger buffers mean fewer merges.
pub const REBUILD_MEMORY: usize = 50_000_000;

/// Decompressed blocks of stored texts kept in memory, for each part of the index.
const STORE_BLOCKS: usize = 4;

/// A search index in a folder. `Send + Sync`; share it in an `Arc`.
#[derive(Debug)]
pub struct Index {
    dir: PathBuf,
    generation: RwLock<Arc<Generation>>,
}

impl Index {
    /// Opens the index of a folder, making an empty one (cursor 0) where there is none.
    ///
    /// On an error for which [`Error::wants_rebuild`] holds, run a [`crate::Rebuild`] and open again.
    pub fn open(dir: &Path) -> Result<Self> {
        let generation = match place::current(dir)? {
            Some(name) => {
                let generation = place::open(dir, &name)?;
                place::clear_old(dir);
                generation
            }
            None => place::create_first(dir)?,
        };
        Ok(Self {
            dir: dir.to_owned(),
            generation: RwLock::new(Arc::new(generation)),
        })
    }

    /// Answers from the newest committed state this process has loaded.
    pub fn search(&self, request: &Request) -> Result<Response> {
        let generation = self.generation();
        search::search(&generation.reader.searcher(), &generation.fields, request)
    }

    /// Versions in the index, old ones included.
    pub fn len(&self) -> u64 {
        self.generation().reader.searcher().num_docs()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the change feed is in the index, on disk.
    pub fn cursor(&self) -> Result<u64> {
        self.generation().cursor()
    }

    /// Loads what other processes have committed, and follows the pointer to a rebuilt generation.
    /// True when it did the latter: the cursor may then have gone back, so replay from it.
    pub fn reload(&self) -> Result<bool> {
        let generation = self.generation();
        match place::current(&self.dir)? {
            Some(name) if name != generation.name => {
                let fresh = Arc::new(place::open(&self.dir, &name)?);
                *self
                    .generation
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = fresh;
                generation.retire();
                place::clear_old(&self.dir);
                Ok(true)
            }
            Some(_) => {
                generation.reader.reload()?;
                Ok(false)
            }
            None => Err(Error::Corrupt("its pointer is gone".to_owned())),
        }
    }

    /// Begins a batch of changes on the current generation, following the pointer first. Read
    /// [`Batch::cursor`], then hand over every change after it.
    ///
    /// Fails with [`Error::Busy`] while another batch is open, here or in another process.
    pub fn begin(&self) -> Result<Batch> {
        self.reload()?;
        Batch::begin(&self.generation(), SERVING_MEMORY)
    }

    /// Gives back the writer's threads and memory; the next batch opens one again. Call it when
    /// nothing was written for a while.
    pub fn rest(&self) -> Result<()> {
        let writer = self.generation().writer().take();
        match writer {
            Some(writer) => Ok(writer.wait_merging_threads()?),
            None => Ok(()),
        }
    }

    /// Reads every file and compares its checksum; names the damaged ones. Slow: for `kho verify`.
    pub fn damaged_files(&self) -> Result<Vec<PathBuf>> {
        let mut damaged: Vec<_> = self
            .generation()
            .index
            .validate_checksum()?
            .into_iter()
            .collect();
        damaged.sort();
        Ok(damaged)
    }

    fn generation(&self) -> Arc<Generation> {
        let guard = self
            .generation
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&guard)
    }
}

/// Changes that become visible together. Dropped without [`Batch::commit`], they never happened.
pub struct Batch {
    generation: Arc<Generation>,
    /// Taken out of the generation for as long as the batch lives.
    writer: IndexWriter,
    cursor: u64,
}

impl Batch {
    pub(crate) fn begin(generation: &Arc<Generation>, memory: usize) -> Result<Self> {
        let kept = generation.writer().take();
        let writer = match kept {
            Some(writer) => writer,
            None => generation.open_writer(memory)?,
        };
        Ok(Self {
            cursor: generation.cursor()?,
            writer,
            generation: Arc::clone(generation),
        })
    }

    /// The cursor of the last commit: changes after it are missing.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Adds versions, replacing those with the same id.
    pub fn upsert(&mut self, documents: &[Document]) -> Result<()> {
        for document in documents {
            let doc = document.to_tantivy(&self.generation.fields)?;
            self.delete_one(&document.id);
            self.writer.add_document(doc)?;
        }
        Ok(())
    }

    /// Removes versions; unknown ids are ignored.
    pub fn delete(&mut self, ids: &[String]) {
        for id in ids {
            self.delete_one(id);
        }
    }

    /// Writes the changes and the cursor to disk and shows them to this process's searches.
    pub fn commit(mut self, cursor: u64) -> Result<()> {
        self.write(cursor)?;
        let Self {
            generation, writer, ..
        } = self;
        generation.reader.reload()?;
        *generation.writer() = Some(writer);
        Ok(())
    }

    pub(crate) fn commit_and_merge(mut self, cursor: u64) -> Result<()> {
        self.write(cursor)?;
        Ok(self.writer.wait_merging_threads()?)
    }

    fn write(&mut self, cursor: u64) -> Result<()> {
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&cursor.to_string());
        prepared.commit()?;
        Ok(())
    }

    fn delete_one(&self, id: &str) {
        let term = Term::from_field_text(self.generation.fields.id, id);
        self.writer.delete_term(term);
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("generation", &self.generation)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

/// One folder of tantivy files, open.
pub(crate) struct Generation {
    pub(crate) name: String,
    index: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    /// Kept between batches, because opening one starts threads; `None` while a batch has it.
    writer: Mutex<Option<IndexWriter>>,
}

impl Generation {
    pub(crate) fn create(name: &str, folder: &Path) -> Result<Self> {
        let (schema, _) = schema::schema();
        let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = tantivy::Index::create(directory, schema, IndexSettings::default())?;
        Self::of(name, index)
    }

    pub(crate) fn open(name: &str, folder: &Path) -> Result<Self> {
        let damaged = |error: tantivy::TantivyError| Error::Corrupt(error.to_string());
        let directory = MmapDirectory::open(folder).map_err(|error| damaged(error.into()))?;
        let index = tantivy::Index::open(directory).map_err(damaged)?;
        Self::of(name, index).map_err(|error| match error {
            Error::Engine(text) => Error::Corrupt(text),
            Error::Io(error) => Error::Corrupt(error.to_string()),
            error => error,
        })
    }

    fn of(name: &str, index: tantivy::Index) -> Result<Self> {
        let (schema, fields) = schema::schema();
        if index.schema() != schema {
            return Err(Error::Corrupt("its fields are not ours".to_owned()));
        }
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(STORE_BLOCKS)
            .try_into()?;
        Ok(Self {
            name: name.to_owned(),
            index,
            fields,
            reader,
            writer: Mutex::new(None),
        })
    }

    fn cursor(&self) -> Result<u64> {
        match self.index.load_metas()?.payload {
            None => Ok(0),
            Some(cursor) => cursor
                .parse()
                .map_err(|_| Error::Corrupt("its cursor is no number".to_owned())),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_writer(&self, memory: usize) -> Result<IndexWriter> {
        // One thread each: the machine's cores belong to the server, and order is kept.
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(memory)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer = self.index.writer_with_options::<TantivyDocument>(options)?;
        let mut policy = LogMergePolicy::default();
        // Every correction replaces a document; without this the dead ones would pile up.
        policy.set_del_docs_ratio_before_merge(0.3);
        writer.set_merge_policy(Box::new(policy));
        Ok(writer)
    }

    /// Lets go of the writer of a generation that was replaced; searches under way go on.
    fn retire(&self) {
        drop(self.writer().take());
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
