//! Uploads at rest: is it there, away with it, away with what nobody wants.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{Folder, absent, blocking, commit::NOTE};
use crate::error::Result;

impl Folder {
    pub(in super::super) async fn staged(&self, name: &str) -> Result<Option<u64>> {
        let path = self.staged_at(name);
        blocking("staged upload", move || match std::fs::metadata(path) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(e) if absent(&e) => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    pub(in super::super) async fn discard(&self, name: &str) -> Result<()> {
        let (path, going) = (self.staged_at(name), self.going_at(name));
        let parts = self.parts_at(name);
        blocking("discarding an upload", move || {
            remove_file(&path)?;
            remove_file(&going)?;
            remove_folder(&parts)
        })
        .await
    }

    pub(in super::super) async fn sweep(
        &self,
        older_than: SystemTime,
        keep: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<u64> {
        let (staging, unfinished) = (self.0.staging.clone(), self.0.unfinished.clone());
        let (uploads, work) = blocking("sweeping", move || {
            Ok((old(&staging, older_than)?, old(&unfinished, older_than)?))
        })
        .await?;
        let unclaimed = uploads
            .into_iter()
            .filter(|path| !name(path).and_then(claimed).is_some_and(keep));
        let dead = work.into_iter().filter(|path| {
            !name(path).is_some_and(|n| n.starts_with("lock-") || n.starts_with(NOTE))
        });
        let all: Vec<PathBuf> = unclaimed.chain(dead).collect();
        blocking("sweeping", move || {
            for path in &all {
                if path.is_dir() {
                    remove_folder(path)?;
                } else {
                    remove_file(path)?;
                }
            }
            Ok(all.len() as u64)
        })
        .await
    }
}

/// What nobody touched since `before`.
fn old(folder: &Path, before: SystemTime) -> io::Result<Vec<PathBuf>> {
    let mut old = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Gone meanwhile is as good as swept.
        if let Ok(meta) = entry.metadata()
            && meta.modified()? < before
        {
            old.push(entry.path());
        }
    }
    Ok(old)
}

/// The name of the upload that a file belongs to, if it can be claimed: it is finished, or can go on.
fn claimed(file: &str) -> Option<&str> {
    match file.strip_prefix('.') {
        None => Some(file),
        Some(rest) => rest
            .strip_suffix(".going")
            .or_else(|| rest.strip_suffix(".parts")),
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    gone(std::fs::remove_file(path))
}

pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    gone(std::fs::remove_dir_all(path))
}

/// Gone already is as good as removed.
pub(super) fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(e) if !absent(&e) => Err(e),
        _ => Ok(()),
    }
}
