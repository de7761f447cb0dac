//! The bytes that drafts name: still there, still what arrived?

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::time::Instant;

use super::{Checked, Finding};
use crate::{
    archive::{self, Pace},
    ctx::Ctx,
    error::Result,
    store::table::deposit::draft_file,
};

/// Rows read at a time.
const STEP: u64 = 1_000;

pub(super) async fn check(ctx: &Ctx, pace: &Pace) -> Result<Checked> {
    let begun = Instant::now();
    let mut checked = Checked {
        object: "staging".to_owned(),
        ..Checked::default()
    };
    let mut after = String::new();
    loop {
        let rows = draft_file::Entity::find()
            .filter(draft_file::Column::Staged.is_not_null())
            .filter(draft_file::Column::Staged.gt(after.as_str()))
            .order_by_asc(draft_file::Column::Staged)
            .limit(STEP)
            .all(ctx.env.db.read())
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.staged.clone().unwrap_or_default();
        for row in rows {
            let found = one(ctx, &row, pace, &mut checked).await?;
            // A draft that was published, discarded or changed meanwhile has other bytes, or none.
            if let Some(finding) = found
                && still(ctx, &row).await?
            {
                checked.findings.push(finding);
            }
        }
    }
    checked.millis = begun.elapsed().as_millis() as u64;
    Ok(checked)
}

async fn one(
    ctx: &Ctx,
    row: &draft_file::Model,
    pace: &Pace,
    checked: &mut Checked,
) -> Result<Option<Finding>> {
    let name = row.staged.as_deref().unwrap_or_default();
    let objects = &ctx.env.objects;
    let wrong = |code, told: String| {
        let told = format!("{:?}: {told}", row.key);
        let path = format!("staging/{name}");
        Ok(Some(Finding::new(code, &row.draft_id, path, told)))
    };
    let Some(size) = objects.staged(name).await? else {
        return wrong("staged-missing", "the upload is not there".to_owned());
    };
    if let Some(expected) = row.size
        && expected as u64 != size
    {
        let told = format!("has {size} bytes, {expected} arrived");
        return wrong("staged-differs", told);
    }
    let Some(expected) = &row.sha256 else {
        return Ok(None);
    };
    checked.files += 1;
    checked.bytes += size;
    let read = async {
        let reading = objects.read_staged(name, 0..size).await?;
        archive::sha256(reading, size, pace).await
    };
    match read.await {
        Ok(found) if found == *expected => Ok(None),
        Ok(found) => wrong("staged-differs", format!("sha256 is {found}")),
        Err(e) => wrong("staged-differs", format!("cannot be read: {e}")),
    }
}

async fn still(ctx: &Ctx, row: &draft_file::Model) -> Result<bool> {
    let key = (row.draft_id.clone(), row.key.clone());
    let now = draft_file::Entity::find_by_id(key)
        .one(ctx.env.db.read())
        .await?;
    Ok(now.is_some_and(|now| now.staged == row.staged))
}
