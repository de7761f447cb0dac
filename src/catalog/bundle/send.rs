//! The bytes of the zip of a version, any range of them, made as they are sent.
//!
//! A range costs what lies in it: descriptions before it are skipped, the walk along the rows begins at the page the
//! range begins in, and of a file only the wanted part is read.

use std::{io, ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use super::{
    Row,
    manifest::line,
    plan::{Bundle, Mark, known},
    rows_after,
};
use crate::{
    ctx::Ctx,
    error::{Error, Result},
    formats::zip::{self, Item, Place},
    store::object::{ContentPath, Reading},
};

/// Bytes gathered before they are sent: headers and small files alone would each be a write to the socket.
const GATHERED: usize = 64 << 10;
/// Files up to this are read whole, several at once; larger ones pass through.
const SMALL: u64 = 64 << 10;
/// Small files read at once, so that a store with slow answers does not make each file wait for the one before.
const AT_ONCE: usize = 8;

impl Bundle {
    /// Bytes `range` of the zip. Ends with an error when a file cannot be read; never leaves one out.
    pub fn read(
        self: Arc<Self>,
        ctx: &Ctx,
        range: Range<u64>,
    ) -> BoxStream<'static, io::Result<Bytes>> {
        let ctx = ctx.clone();
        let stream = async_stream::try_stream! {
            let bundle = self;
            let mut pen = Pen::new(range);
            for small in &bundle.front {
                let header = zip::local_header(&small.item(), bundle.stamp, pen.at);
                pen.put(&header);
                pen.put(&small.bytes);
            }
            let mut page = bundle.first(&mut pen, bundle.after_files.local, |mark| mark.place.local);
            while let Some(mark) = page.take() {
                let rows = rows_after(&ctx, &bundle.record, &mark.after).await.map_err(broken)?;
                let Some(last) = rows.last() else { break };
                let next = last.key.clone();
                let mut files = bundle.ahead(&ctx, rows, pen.at, &pen);
                while let Some(file) = files.next().await {
                    let file = file?;
                    pen.put(&file.header);
                    match file.bytes {
                        Wanted::None => {}
                        Wanted::Ready(bytes) => pen.add(&bytes),
                        Wanted::Later(part) => {
                            if let Some(bytes) = pen.take() {
                                yield bytes;
                            }
                            let mut reading = open(&ctx, &file.content, part).await.map_err(broken)?;
                            while let Some(bytes) = reading.try_next().await? {
                                yield bytes;
                            }
                        }
                    }
                    pen.at = file.end;
                    if pen.is_full() && let Some(bytes) = pen.take() {
                        yield bytes;
                    }
                }
                drop(files);
                if !pen.is_done() {
                    page = Some(Mark { after: next, ..mark });
                }
            }
            if !pen.is_done() {
                let sums = bundle.sums.item();
                pen.at = bundle.after_files.local;
                let header = zip::local_header(&sums, bundle.stamp, pen.at);
                pen.put(&header);
                let text = pen.at;
                pen.put(bundle.sums.list.head().as_bytes());
                let mut page = bundle.first(&mut pen, bundle.end.local, |mark| text + mark.sums);
                while let Some(mark) = page.take() {
                    let rows = rows_after(&ctx, &bundle.record, &mark.after).await.map_err(broken)?;
                    let Some(last) = rows.last() else { break };
                    for row in &rows {
                        pen.put(line(&bundle.sums.list, row).as_bytes());
                    }
                    if pen.is_full() && let Some(bytes) = pen.take() {
                        yield bytes;
                    }
                    if !pen.is_done() {
                        page = Some(Mark { after: last.key.clone(), ..mark });
                    }
                }
            }
            if !pen.is_done() {
                let central = bundle.end.local;
                pen.at = central;
                let mut place = Place::default();
                for small in &bundle.front {
                    let item = small.item();
                    pen.put(&zip::central_entry(&item, bundle.stamp, place.local));
                    place = place.after(&item);
                }
                let sums_at = central + bundle.after_files.central;
                let mut page = bundle.first(&mut pen, sums_at, |mark| central + mark.place.central);
                if let Some(mark) = &page {
                    place = mark.place;
                }
                while let Some(mark) = page.take() {
                    let rows = rows_after(&ctx, &bundle.record, &mark.after).await.map_err(broken)?;
                    let Some(last) = rows.last() else { break };
                    for row in &rows {
                        let name = bundle.name(&row.key);
                        let item = item(&name, row).map_err(broken)?;
                        pen.put(&zip::central_entry(&item, bundle.stamp, place.local));
                        place = place.after(&item);
                    }
                    if pen.is_full() && let Some(bytes) = pen.take() {
                        yield bytes;
                    }
                    if !pen.is_done() {
                        page = Some(Mark { after: last.key.clone(), ..mark });
                    }
                }
                pen.at = sums_at;
                pen.put(&zip::central_entry(&bundle.sums.item(), bundle.stamp, bundle.after_files.local));
                pen.put(&zip::end(bundle.end));
            }
            if let Some(bytes) = pen.take() {
                yield bytes;
            }
        };
        stream.boxed()
    }

    /// The page of rows that the wanted bytes begin in, in a part of the zip that ends at `end`, with the pen moved
    /// there; none when the part is not wanted.
    fn first(&self, pen: &mut Pen, end: u64, at: impl Fn(&Mark) -> u64) -> Option<Mark> {
        if pen.is_done() || pen.start >= end {
            return None;
        }
        let wanted = pen.start.max(pen.at);
        let mark = self.marks.iter().rev().find(|mark| at(mark) <= wanted);
        let mark = mark.or(self.marks.first())?;
        pen.at = at(mark);
        Some(mark.clone())
    }

    /// The files of a page that the range touches, the first at `at`, small ones read a few at a time.
    fn ahead(
        &self,
        ctx: &Ctx,
        rows: Vec<Row>,
        mut at: u64,
        pen: &Pen,
    ) -> BoxStream<'static, io::Result<Sent>> {
        let mut sent = Vec::with_capacity(rows.len());
        for row in rows {
            let name = self.name(&row.key);
            let item = match item(&name, &row) {
                Ok(item) => item,
                Err(e) => {
                    sent.push(Err(broken(e)));
                    break;
                }
            };
            let header = zip::local_header(&item, self.stamp, at);
            let body = at + header.len() as u64;
            let part = pen.part(body, item.size);
            let end = body + item.size;
            sent.push(Ok(Sent {
                bytes: part.map_or(Wanted::None, Wanted::Later),
                content: row.content,
                header,
                end,
            }));
            at = end;
            if at >= pen.end {
                break;
            }
        }
        let ctx = ctx.clone();
        stream::iter(sent)
            .map(move |file| {
                let ctx = ctx.clone();
                async move {
                    let mut file = file?;
                    if let Wanted::Later(part) = &file.bytes
                        && part.end - part.start <= SMALL
                    {
                        let bytes = whole(&ctx, &file.content, part.clone()).await?;
                        file.bytes = Wanted::Ready(bytes);
                    }
                    Ok(file)
                }
            })
            .buffered(AT_ONCE)
            .boxed()
    }
}

/// A file on its way.
struct Sent {
    header: Vec<u8>,
    bytes: Wanted,
    content: String,
    /// Where it ends in the zip.
    end: u64,
}

/// What of a file's bytes the range wants.
enum Wanted {
    None,
    Ready(Bytes),
    Later(Range<u64>),
}

fn item<'a>(name: &'a str, row: &Row) -> Result<Item<'a>> {
    Ok(Item {
        name,
        size: row.size as u64,
        crc32: known(row.crc32, &row.key)?,
    })
}

async fn open(ctx: &Ctx, content: &str, part: Range<u64>) -> Result<Reading> {
    let path: ContentPath = content
        .parse()
        .map_err(|e| Error::internal("a file row does not parse", e))?;
    ctx.env.objects.read(&path, part).await
}

async fn whole(ctx: &Ctx, content: &str, part: Range<u64>) -> io::Result<Bytes> {
    let mut reading = open(ctx, content, part).await.map_err(broken)?;
    let Some(first) = reading.try_next().await? else {
        return Ok(Bytes::new());
    };
    let mut more = BytesMut::new();
    while let Some(bytes) = reading.try_next().await? {
        more.extend_from_slice(&bytes);
    }
    if more.is_empty() {
        return Ok(first);
    }
    let mut all = BytesMut::from(first.as_ref());
    all.extend_from_slice(&more);
    Ok(all.freeze())
}

/// Too late for a status: the connection breaks, the client sees it and resumes, and the log has the reason.
fn broken(e: Error) -> io::Error {
    tracing::error!(error = %e, "a zip broke off");
    io::Error::other(e.to_string())
}

/// Where the writing is in the zip, and what of it is wanted.
struct Pen {
    /// Of the next byte.
    at: u64,
    start: u64,
    end: u64,
    gathered: BytesMut,
}

impl Pen {
    fn new(range: Range<u64>) -> Self {
        Self {
            at: 0,
            start: range.start,
            end: range.end,
            gathered: BytesMut::new(),
        }
    }

    /// Writes what is wanted of these bytes.
    fn put(&mut self, bytes: &[u8]) {
        if let Some(part) = self.part(self.at, bytes.len() as u64) {
            let part = part.start as usize..part.end as usize;
            self.gathered.extend_from_slice(&bytes[part]);
        }
        self.at += bytes.len() as u64;
    }

    /// Adds bytes that were cut already.
    fn add(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
    }

    /// What is wanted of `len` bytes that begin at `at`, counted from there.
    fn part(&self, at: u64, len: u64) -> Option<Range<u64>> {
        let from = self.start.saturating_sub(at).min(len);
        let to = self.end.saturating_sub(at).min(len);
        (from < to).then_some(from..to)
    }

    fn take(&mut self) -> Option<Bytes> {
        (!self.gathered.is_empty()).then(|| self.gathered.split().freeze())
    }

    fn is_full(&self) -> bool {
        self.gathered.len() >= GATHERED
    }

    fn is_done(&self) -> bool {
        self.at >= self.end
    }
}
