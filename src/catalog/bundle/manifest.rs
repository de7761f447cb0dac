//! The files of a version as a list, sent as it is made.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use super::{super::Version, Row, rows_after, withheld};
use crate::{
    ctx::{Ctx, moment},
    error::Result,
    formats::manifest::{File, Form, Listed},
    text::timestamp,
};

/// What the lines of a version's list have in common.
pub(super) fn listed(ctx: &Ctx, of: &Version, form: Form) -> Listed {
    Listed {
        form,
        base_url: ctx.env.config.base_url.clone(),
        record: of.row().id.clone(),
        published: timestamp(moment(of.row().published)),
        withheld: withheld(of),
    }
}

pub(super) fn line(list: &Listed, row: &Row) -> String {
    list.file(&File {
        key: &row.key,
        size: row.size as u64,
        sha256: &row.sha256,
    })
}

/// The list of a version in a form: of what its reader may see.
pub fn manifest(ctx: &Ctx, of: &Version, form: Form) -> BoxStream<'static, Result<Bytes>> {
    let list = listed(ctx, of, form);
    let begin = stream::iter([Ok(Bytes::from(list.head()))]);
    let end = stream::iter([Ok(Bytes::from_static(list.tail().as_bytes()))]);
    if !of.files_open {
        return begin.chain(end).boxed();
    }
    let walk = (ctx.clone(), list, String::new());
    let files = stream::try_unfold(walk, async |(ctx, list, after)| {
        let rows = rows_after(&ctx, &list.record, &after).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let after = last.key.clone();
        let text: String = rows.iter().map(|row| line(&list, row)).collect();
        Ok(Some((Bytes::from(text), (ctx, list, after))))
    });
    begin.chain(files).chain(end).boxed()
}
