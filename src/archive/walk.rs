//! Walking over all objects, for rebuilding the database and for checks of everything.

use futures::Stream;

use super::{Archive, Inventory, VersionNum, inventory::INVENTORY, layout, parse_path};
use crate::{
    error::Result,
    store::object::{ContentPath, Listed, ListedKind},
};

/// What a walk comes across.
#[derive(Debug)]
pub enum Walked {
    /// A readable object, with its folder.
    Object(ContentPath, Box<Inventory>),
    /// An object that cannot be read, and why.
    Damaged(ContentPath, String),
    /// A file or an empty folder where only objects should be.
    Stray(ContentPath),
}

/// Folders above an object; the layout has three and the object's own.
const MAX_DEPTH: usize = 8;

impl Archive {
    /// Every object, in the order of their folders. Constant memory; objects written meanwhile may be missed.
    pub fn walk(&self) -> impl Stream<Item = Result<Walked>> + Send + 'static {
        let archive = self.clone();
        async_stream::try_stream! {
            let mut waiting = Vec::new();
            for listed in archive.objects.list_top().await?.into_iter().rev() {
                // Files at the top are the root's own and whatever OCFL tells us to ignore.
                if listed.kind == ListedKind::Folder && listed.name != "extensions" {
                    waiting.push(parse_path(&listed.name)?);
                }
            }
            while let Some(folder) = waiting.pop() {
                let mut listed = archive.objects.list(&folder).await?;
                // Where nothing can be renamed an object appears bit by bit, its inventory last.
                if half_object(&listed) {
                    if archive.appears(&folder).await? {
                        continue;
                    }
                    // Done meanwhile, or rolled back.
                    listed = archive.objects.list(&folder).await?;
                    if listed.is_empty() {
                        continue;
                    }
                }
                if is_object(&listed) {
                    yield archive.read_object(folder).await;
                    continue;
                }
                if listed.is_empty() {
                    yield Walked::Stray(folder.clone());
                }
                for entry in listed.into_iter().rev() {
                    let Ok(path) = folder.join(&entry.name) else { continue };
                    let depth = path.as_str().matches('/').count();
                    if entry.kind == ListedKind::Folder && depth < MAX_DEPTH {
                        waiting.push(path);
                    } else {
                        yield Walked::Stray(path);
                    }
                }
            }
        }
    }

    async fn read_object(&self, root: ContentPath) -> Walked {
        match self.inventory_at(&root).await {
            Ok(Some((inventory, true))) => match layout::object_root(&inventory.id) {
                Ok(expected) if expected == root => Walked::Object(root, Box::new(inventory)),
                _ => Walked::Damaged(root, format!("holds {}", inventory.id)),
            },
            Ok(Some((_, false))) => Walked::Damaged(root, "inventory and sidecar differ".into()),
            Ok(None) => Walked::Damaged(root, "no inventory".into()),
            Err(e) => Walked::Damaged(root, e.to_string()),
        }
    }
}

fn is_object(listed: &[Listed]) -> bool {
    let declares = |l: &Listed| l.name.starts_with("0=ocfl_object_");
    listed.iter().any(declares)
}

/// Versions, but no inventory over them.
fn half_object(listed: &[Listed]) -> bool {
    let version = |l: &Listed| l.kind == ListedKind::Folder && l.name.parse::<VersionNum>().is_ok();
    listed.iter().any(version) && listed.iter().all(|l| l.name != INVENTORY)
}
