//! Uploads at rest: is it there, away with it, away with what nobody wants.

use std::{ffi::OsStr, io, path::Path, time::SystemTime};

use super::{Folder, absent, blocking};
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
        let path = self.staged_at(name);
        blocking("discarding an upload", move || remove_file(&path)).await
    }

    pub(in super::super) async fn sweep(
        &self,
        older_than: SystemTime,
        keep: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<u64> {
        let (staging, unfinished) = (self.0.staging.clone(), self.0.unfinished.clone());
        let mut old = blocking("sweeping", move || {
            let mut old = Vec::new();
            for folder in [&staging, &unfinished] {
                for entry in std::fs::read_dir(folder)? {
                    let entry = entry?;
                    // Gone meanwhile is as good as swept.
                    let Ok(meta) = entry.metadata() else { continue };
                    if meta.modified()? < older_than {
                        old.push((entry.path(), meta.is_dir()));
                    }
                }
            }
            Ok(old)
        })
        .await?;
        old.retain(|(path, _)| match path.file_name().and_then(OsStr::to_str) {
            Some(name) if name.starts_with("lock-") => false,
            Some(name) => name.starts_with('.') || !keep(name),
            None => true,
        });
        blocking("sweeping", move || {
            let mut removed = 0;
            for (path, is_folder) in old {
                if is_folder {
                    remove_folder(&path)?;
                } else {
                    remove_file(&path)?;
                }
                removed += 1;
            }
            Ok(removed)
        })
        .await
    }
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if !absent(&e) => Err(e),
        _ => Ok(()),
    }
}

pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if !absent(&e) => Err(e),
        _ => Ok(()),
    }
}
