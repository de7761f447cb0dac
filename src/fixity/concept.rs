//! One concept: its object read whole, then held against the rows.

use std::collections::BTreeSet;

use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use tokio::time::Instant;

use super::{Checked, Finding, compare};
use crate::{
    archive::{Depth, ObjectId, Pace, layout},
    ctx::Ctx,
    error::Result,
    ids::RecordId,
    store::table::{deposit::parent, record::record},
};

/// Checks a concept's object and rows. What is found while somebody publishes may be the publication itself: so
/// everything but the reading of content, which no publication changes, is done again under the concept's
/// lock, and only what is still so is given.
pub(super) async fn check(ctx: &Ctx, concept: &RecordId, pace: &Pace) -> Result<Checked> {
    let begun = Instant::now();
    let first = look(ctx, concept, Depth::Content, pace).await?;
    let mut findings = first.findings;
    if !findings.is_empty() {
        let lock = ctx.env.archive.lock(&ObjectId::of_parent(concept)).await?;
        let again = look(ctx, concept, Depth::Listing, &Pace::unlimited()).await?;
        drop(lock);
        findings.retain(|f| f.is_about_bytes() && again.content.contains(&f.path));
        findings.extend(again.findings);
        merge(&mut findings);
    }
    Ok(Checked {
        object: concept.to_string(),
        findings,
        files: first.files,
        bytes: first.bytes,
        millis: begun.elapsed().as_millis() as u64,
    })
}

struct Look {
    findings: Vec<Finding>,
    /// Content files that the inventory names, as paths below the archive's root.
    content: BTreeSet<String>,
    files: u64,
    bytes: u64,
}

async fn look(ctx: &Ctx, concept: &RecordId, depth: Depth, pace: &Pace) -> Result<Look> {
    let db = ctx.env.db.read();
    let object = ObjectId::of_parent(concept);
    let root = layout::object_root(&object)?;
    let parent = parent::Entity::find_by_id(concept.as_str()).one(db).await?;
    let records = record::Entity::find()
        .filter(record::COLUMN.parent_id.eq(concept.as_str()))
        .order_by_asc(record::Column::VersionIndex)
        .all(db)
        .await?;
    let mut seen = Look {
        findings: Vec::new(),
        content: BTreeSet::new(),
        files: 0,
        bytes: 0,
    };
    if ctx.env.objects.list(&root).await?.is_empty() {
        for row in &records {
            let told = "the archive has no object for this version";
            seen.findings
                .push(Finding::new("object-missing", &row.id, &root, told));
        }
        return Ok(seen);
    }
    let inspection = ctx.env.archive.inspect(&root, depth, pace).await?;
    (seen.files, seen.bytes) = (inspection.files, inspection.bytes);
    let newest = records.last().map_or(concept.as_str(), |r| r.id.as_str());
    let Some(inventory) = &inspection.inventory else {
        for found in &inspection.findings {
            let mut finding = Finding::of_archive(newest, found);
            finding.code = "object-unreadable";
            seen.findings.push(finding);
        }
        return Ok(seen);
    };
    if inventory.id != object {
        let told = format!("holds {} where {object} belongs", inventory.id);
        seen.findings
            .push(Finding::new("object-misplaced", newest, &root, told));
        return Ok(seen);
    }
    for path in inventory.manifest.values().flatten() {
        seen.content.insert(format!("{root}/{path}"));
    }
    // Names of versions for what is found in the content: which record does a file belong to?
    let owners = compare::owners(&records, inventory, &root);
    for found in &inspection.findings {
        let record = owners
            .get(found.path.as_str())
            .map_or(newest, String::as_str);
        seen.findings.push(Finding::of_archive(record, found));
    }
    match parent {
        Some(parent) => {
            let compared =
                compare::compare(ctx, &parent, &records, &root, inventory, &inspection.sizes);
            seen.findings.extend(compared.await?);
        }
        None => seen.findings.push(Finding::new(
            "object-unlisted",
            concept.as_str(),
            &root,
            "the database has no such concept",
        )),
    }
    merge(&mut seen.findings);
    Ok(seen)
}

/// One finding a file and code. Of several ways to say that content is not what it was, the most telling
/// one stays: cut off or grown says more than another digest.
fn merge(findings: &mut Vec<Finding>) {
    let sized: BTreeSet<String> = findings
        .iter()
        .filter(|f| matches!(f.code, "content-truncated" | "content-grown"))
        .map(|f| f.path.clone())
        .collect();
    findings.retain(|f| f.code != "content-differs" || !sized.contains(&f.path));
    // A description that is damaged is found as content of a version, and again as what should be told of the
    // concept: the first stays, since the order of equals does.
    findings.sort_by(|a, b| (a.code, &a.path).cmp(&(b.code, &b.path)));
    let mut said = BTreeSet::new();
    findings.retain(|f| {
        let whose = if f.code.starts_with("content-") {
            String::new()
        } else {
            format!("{} {}", f.record, f.detail)
        };
        said.insert((f.code, f.path.clone(), whose))
    });
}
