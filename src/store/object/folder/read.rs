//! Sending a file: what the page cache has is read right here, what it has not on a blocking thread.
//!
//! `preadv2(RWF_NOWAIT)` and `openat2(RESOLVE_CACHED)` answer from memory or say that they would have to
//! wait; so a warm file costs no thread at all and a cold one borrows a thread per chunk, one chunk ahead
//! of the client. Buffers are used again and again: they stay in the processor's cache, and no page of
//! theirs has to be faulted in twice. Measured against `sendfile` and mapped files in ADR 0004.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use rustix::{
    fs::{Advice, Mode, OFlags, ResolveFlags},
    io::ReadWriteFlags,
};
use tokio::task::JoinHandle;

use super::{super::Reading, ContentPath, Folder, blocking};
use crate::error::{Error, Result};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;
/// Less than this from the cache is not worth a write to the socket of its own.
const WORTH: usize = 64 << 10;
/// Buffers kept for the next reader: 4 MiB.
const KEPT: usize = 16;

impl Folder {
    pub(in super::super) async fn read(
        &self,
        path: &ContentPath,
        range: Range<u64>,
    ) -> Result<Reading> {
        self.read_at(format!("archive/{path}"), range).await
    }

    pub(in super::super) async fn read_staged(
        &self,
        name: &str,
        range: Range<u64>,
    ) -> Result<Reading> {
        self.read_at(format!("staging/{name}"), range).await
    }

    pub(super) async fn read_at(&self, path: String, range: Range<u64>) -> Result<Reading> {
        let file = if let Some(file) = self.open_cached(&path) {
            file
        } else {
            let at = self.0.path.join(&path);
            blocking(&path, move || File::open(at)).await?
        };
        let size = file.metadata().map_err(|e| Error::io(&path, &e))?.len();
        if range.end > size {
            let wanted = format!("has {size} bytes, {} were wanted", range.end);
            return Err(Error::internal(&path, wanted));
        }
        if range.end.saturating_sub(range.start) > CHUNK as u64 {
            // Only advice; a file system that takes none still reads.
            let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        }
        let cursor = Cursor {
            file: Arc::new(file),
            at: range.start,
            end: range.end,
            ahead: None,
        };
        Ok(stream::unfold(cursor, Cursor::next).boxed())
    }

    /// Opens a file whose path the kernel has in memory; `None` when it would have to look on the disk
    /// (or cannot tell), and when the path leads out of the store.
    fn open_cached(&self, path: &str) -> Option<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::CACHED | ResolveFlags::BENEATH;
        rustix::fs::openat2(&self.0.root, path, flags, Mode::empty(), resolve)
            .ok()
            .map(File::from)
    }
}

struct Cursor {
    file: Arc<File>,
    at: u64,
    end: u64,
    /// The next chunk, being read while the client takes this one.
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Cursor {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        if self.at >= self.end {
            return None;
        }
        let wanted = self.wanted(self.at);
        let cached = match self.ahead {
            Some(_) => None,
            None => read_cached(&self.file, self.at, wanted),
        };
        let chunk = if let Some(bytes) = cached {
            Ok(bytes)
        } else {
            let now = match self.ahead.take() {
                Some(ahead) => ahead,
                None => self.spawn(self.at, wanted),
            };
            let chunk = now.await.unwrap_or_else(|e| Err(io::Error::other(e)));
            // Once cold, the rest is taken for cold: the disk reads on while the client takes this chunk.
            let after = self.at + wanted as u64;
            if chunk.is_ok() && after < self.end {
                self.ahead = Some(self.spawn(after, self.wanted(after)));
            }
            chunk
        };
        match &chunk {
            Ok(bytes) => self.at += bytes.len() as u64,
            // An error is the last item.
            Err(_) => self.at = self.end,
        }
        Some((chunk, self))
    }

    /// Bytes of the chunk that starts at `at`.
    fn wanted(&self, at: u64) -> usize {
        (self.end - at).min(CHUNK as u64) as usize
    }

    fn spawn(&self, at: u64, wanted: usize) -> JoinHandle<io::Result<Bytes>> {
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || {
            let mut buffer = Buffer::with(wanted);
            // Short means the file was cut under us: `UnexpectedEof`, and the client sees a broken transfer.
            file.read_exact_at(buffer.space(), at)?;
            Ok(buffer.into())
        })
    }
}

/// What the page cache has at `at`: all that was wanted, or enough to be worth sending.
fn read_cached(file: &File, at: u64, wanted: usize) -> Option<Bytes> {
    let mut buffer = Buffer::with(wanted);
    let space = &mut [IoSliceMut::new(buffer.space())];
    let n = rustix::io::preadv2(file, space, at, ReadWriteFlags::NOWAIT).ok()?;
    (n == wanted || n >= WORTH).then(|| {
        buffer.filled = n;
        buffer.into()
    })
}

/// A buffer that goes back on the shelf when its last `Bytes` is dropped.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

static SHELF: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

impl Buffer {
    fn with(wanted: usize) -> Self {
        // A small range should not sit in a big buffer while a slow client takes it.
        let bytes = if wanted <= CHUNK / 4 {
            vec![0; wanted]
        } else {
            let shelved = SHELF.lock().ok().and_then(|mut shelf| shelf.pop());
            shelved.unwrap_or_else(|| vec![0; CHUNK])
        };
        Self {
            bytes,
            filled: wanted,
        }
    }

    fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.filled]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Self {
        Bytes::from_owner(buffer)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() == CHUNK
            && let Ok(mut shelf) = SHELF.lock()
            && shelf.len() < KEPT
        {
            shelf.push(std::mem::take(&mut self.bytes));
        }
    }
}
