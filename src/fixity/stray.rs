//! What the archive has and the database does not know of.

use std::pin::Pin;

use futures::{Stream, TryStreamExt};
use sea_orm::EntityTrait;

use super::Finding;
use crate::{
    archive::{ObjectId, walk::Walked},
    ctx::Ctx,
    error::Result,
    ids::RecordId,
    store::{object::ContentPath, table::deposit::parent},
};

/// What a walk over the archive came across.
pub(super) enum Met {
    /// An object of ours that no concept with a publication names.
    Unlisted(RecordId),
    Found(Finding),
}

pub(super) struct Walk(Pin<Box<dyn Stream<Item = Result<Walked>> + Send>>);

pub(super) fn walk(ctx: &Ctx) -> Walk {
    Walk(Box::pin(ctx.env.archive.walk()))
}

impl Walk {
    /// The next thing that was not checked with its concept.
    pub(super) async fn next(&mut self, ctx: &Ctx) -> Result<Option<Met>> {
        while let Some(walked) = self.0.try_next().await? {
            let met = match walked {
                Walked::Object(root, inventory) => match inventory.id.parent() {
                    Some(id) if listed(ctx, &id).await? => None,
                    Some(id) => Some(Met::Unlisted(id)),
                    None => {
                        let told = format!("{} is no concept of this repository", inventory.id);
                        Some(Met::Found(Finding::new("object-unlisted", "", root, told)))
                    }
                },
                Walked::Damaged(root, why) => match concept_at(&root) {
                    Some(id) if listed(ctx, &id).await? => None,
                    _ => Some(Met::Found(Finding::new("object-unreadable", "", root, why))),
                },
                Walked::Stray(path) => {
                    let told = "nothing that belongs into an archive";
                    Some(Met::Found(Finding::new("stray", "", path, told)))
                }
            };
            if met.is_some() {
                return Ok(met);
            }
        }
        Ok(None)
    }
}

async fn listed(ctx: &Ctx, id: &RecordId) -> Result<bool> {
    let row = parent::Entity::find_by_id(id.as_str())
        .one(ctx.env.db.read())
        .await?;
    Ok(row.is_some_and(|row| row.versions > 0))
}

/// The concept whose object belongs into a folder: the name is the id, percent-encoded.
fn concept_at(root: &ContentPath) -> Option<RecordId> {
    let name = root.as_str().rsplit('/').next()?;
    let name = percent_encoding::percent_decode_str(name)
        .decode_utf8()
        .ok()?;
    ObjectId::from_inventory(name).parent()
}
