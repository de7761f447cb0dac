//! A file of a draft as something to read and seek in, for libraries that know no async.
//!
//! Reads windows of the file: small after a jump, larger while it goes straight on. Only for threads that may
//! wait.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use tokio::runtime::Handle;

use crate::{ctx::Ctx, files::OpenFile, store::object::Reading};

const NARROW: u64 = 128 << 10;
const WIDE: u64 = 16 << 20;

pub(super) struct Reader {
    ctx: Ctx,
    file: OpenFile,
    runtime: Handle,
    at: u64,
    /// What is asked of the store at once.
    window: u64,
    stream: Option<Reading>,
    ready: Bytes,
}

impl Reader {
    /// Must be made where a runtime runs.
    pub(super) fn new(ctx: Ctx, file: OpenFile) -> Self {
        Self {
            ctx,
            file,
            runtime: Handle::current(),
            at: 0,
            window: NARROW,
            stream: None,
            ready: Bytes::new(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.file.size
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() {
            if self.at >= self.file.size {
                return Ok(0);
            }
            if let Some(stream) = &mut self.stream {
                match self.runtime.block_on(stream.next()) {
                    Some(part) => self.ready = part?,
                    None => self.stream = None,
                }
                continue;
            }
            let end = self.file.size.min(self.at + self.window);
            self.window = WIDE.min(self.window * 4);
            let reading = self.file.read(&self.ctx, self.at..end);
            let stream = self.runtime.block_on(reading).map_err(io::Error::other)?;
            self.stream = Some(stream);
        }
        let n = into.len().min(self.ready.len());
        self.ready.copy_to_slice(&mut into[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.file.size.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        match target.checked_sub(self.at) {
            Some(ahead) if ahead <= self.ready.len() as u64 => self.ready.advance(ahead as usize),
            _ => {
                self.ready = Bytes::new();
                self.stream = None;
                self.window = NARROW;
            }
        }
        self.at = target;
        Ok(target)
    }
}
