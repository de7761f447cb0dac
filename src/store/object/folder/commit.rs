//! Changing the archive tree: a folder appears whole, heads are replaced, a folder goes.
//!
//! Order of a commit: write and link everything under `unfinished/`, sync all of it at once, rename into
//! place, sync the parents, then rename each head over the old one. A crash leaves at most a tree in
//! `unfinished/` (swept), or the new folder with old heads (the archive's to roll back).

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rustix::fs::CWD;
use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{
    super::{Commit, Entry, EntrySource, Note},
    ContentPath, Folder, absent, blocking, staging, sync,
};
use crate::{error::Result, ids::Sha256};

/// What names of notes begin with, beside the folders of work.
pub(super) const NOTE: &str = "note-";
/// Files kept open until they are synced; under every usual limit of open files.
const OPEN: usize = 128;

impl Folder {
    pub(in super::super) async fn commit(&self, commit: Commit) -> Result<()> {
        let folder = self.clone();
        let what = format!("writing {}", commit.folder);
        blocking(&what, move || folder.commit_now(&commit)).await
    }

    pub(in super::super) async fn replace(&self, files: Vec<(ContentPath, Bytes)>) -> Result<()> {
        let folder = self.clone();
        blocking("replacing", move || {
            let work = Work::start(&folder)?;
            let mut pending = Pending::default();
            work.write_heads(&files, &mut pending)?;
            pending.sync()?;
            work.swap_heads(&files)?;
            work.finish();
            Ok(())
        })
        .await
    }

    pub(in super::super) async fn remove(&self, path: &ContentPath) -> Result<()> {
        let folder = self.clone();
        let target = self.at(path);
        blocking(&format!("removing {path}"), move || {
            let work = Work::start(&folder)?;
            match std::fs::rename(&target, work.path.join("removed")) {
                Err(e) if !absent(&e) => return Err(e),
                _ => folder.step()?,
            }
            // Folders that held nothing else go too: OCFL allows no empty ones (E073). Also when the target
            // was gone before, because a crash may have come in between.
            let mut parent = target.parent();
            while let Some(empty) = parent
                && empty != folder.0.archive
                && staging::gone(std::fs::remove_dir(empty)).is_ok()
            {
                parent = empty.parent();
            }
            sync::folder(parent.unwrap_or(&folder.0.archive))?;
            folder.step()?;
            work.finish();
            Ok(())
        })
        .await
    }

    pub(in super::super) async fn notes(&self) -> Result<Vec<Note>> {
        let unfinished = self.0.unfinished.clone();
        let names = blocking("notes", move || {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(unfinished)? {
                let name = entry?.file_name();
                names.extend(
                    name.to_str()
                        .and_then(|n| n.strip_prefix(NOTE))
                        .map(str::to_owned),
                );
            }
            names.sort();
            Ok(names)
        });
        let mut notes = Vec::new();
        for name in names.await? {
            notes.extend(self.note(&name).await?);
        }
        Ok(notes)
    }

    pub(in super::super) async fn note(&self, name: &str) -> Result<Option<Note>> {
        let (path, name) = (self.note_at(name), name.to_owned());
        blocking("note", move || match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(Note { name, text })),
            Err(e) if absent(&e) => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    pub(in super::super) async fn forget(&self, name: &str) -> Result<()> {
        let path = self.note_at(name);
        blocking("forgetting a note", move || staging::remove_file(&path)).await
    }

    fn note_at(&self, name: &str) -> PathBuf {
        self.0.unfinished.join(format!("{NOTE}{name}"))
    }

    fn commit_now(&self, commit: &Commit) -> io::Result<()> {
        let target = self.at(&commit.folder);
        let work = Work::start(self)?;
        let mut pending = Pending::default();
        // The highest folder that is not there yet is what gets renamed, so that no crash leaves
        // empty folders on the way to the object.
        let top = self.first_missing(&target);
        let new = work.path.join("new");
        let tree = below(&new, &top, &target);
        for entry in &commit.entries {
            self.write_entry(&tree, entry, &new, &mut pending)?;
            self.step()?;
        }
        work.write_heads(&commit.heads, &mut pending)?;
        if let Some(note) = &commit.note {
            let path = work.path.join("note");
            pending.write(&path, note.text.as_bytes())?;
            std::fs::rename(path, self.note_at(&note.name))?;
            pending.folders.insert(self.0.unfinished.clone());
        }
        pending.sync()?;
        self.step()?;
        self.move_in(&new, &top, &target)?;
        self.step()?;
        work.swap_heads(&commit.heads)?;
        work.finish();
        Ok(())
    }

    fn write_entry(
        &self,
        tree: &Path,
        entry: &Entry,
        top: &Path,
        pending: &mut Pending,
    ) -> io::Result<()> {
        let path = tree.join(entry.path.as_str());
        let parent = path.parent().unwrap_or(tree);
        if !pending.folders.contains(parent) {
            std::fs::create_dir_all(parent)?;
            let new = parent.ancestors().take_while(|p| p.starts_with(top));
            pending.folders.extend(new.map(Path::to_owned));
        }
        match &entry.source {
            EntrySource::Bytes(bytes) => pending.write(&path, bytes),
            EntrySource::Staged { name, size, sha256 } => {
                let staged = self.staged_at(name);
                let found = std::fs::metadata(&staged)?.len();
                if found != *size {
                    return Err(io::Error::other(format!(
                        "staged {name} has {found} bytes, not {size}"
                    )));
                }
                match std::fs::hard_link(&staged, &path) {
                    // Its bytes were synced when it was received; only the name is new.
                    Ok(()) => Ok(()),
                    Err(e) if cannot_link(&e) => pending.copy(&staged, &path, *sha256),
                    Err(e) => Err(e),
                }
            }
        }
    }

    /// `target` or the highest ancestor of it that is not there.
    fn first_missing(&self, target: &Path) -> PathBuf {
        let missing = target
            .ancestors()
            .take_while(|p| *p != self.0.archive && !p.exists());
        missing.last().unwrap_or(target).to_owned()
    }

    /// Renames the new tree (`new` stands for `top`) into place and syncs the folder it went into.
    fn move_in(&self, new: &Path, top: &Path, target: &Path) -> io::Result<()> {
        loop {
            // Another object may have made some of the way meanwhile, or taken it away again.
            let now = self.first_missing(target);
            if !now.starts_with(top) {
                return Err(io::Error::other("the way to the object vanished"));
            }
            let from = below(new, top, &now);
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            let renamed = match rustix::fs::renameat_with(CWD, &from, CWD, &now, flags) {
                // A file system that cannot promise it: an empty folder may be replaced, which is harmless.
                Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                    std::fs::rename(&from, &now)
                }
                other => other.map_err(io::Error::from),
            };
            match renamed {
                Ok(()) => return sync::folder(now.parent().unwrap_or(&self.0.archive)),
                Err(e) if now != target && taken(&e) => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// A place where a test may kill the process.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps))]
    fn step(&self) -> io::Result<()> {
        #[cfg(test)]
        {
            use std::sync::atomic::Ordering::SeqCst;
            let left = self.0.dies_in.load(SeqCst);
            if left == 1 {
                return Err(io::Error::other("killed"));
            }
            self.0.dies_in.store(left.saturating_sub(1), SeqCst);
        }
        Ok(())
    }
}

/// A folder under `unfinished/`, removed at the end however that comes.
struct Work<'a> {
    folder: &'a Folder,
    path: PathBuf,
    done: bool,
}

impl<'a> Work<'a> {
    fn start(folder: &'a Folder) -> io::Result<Self> {
        loop {
            let path = folder.0.unfinished.join(folder.number());
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    return Ok(Self {
                        folder,
                        path,
                        done: false,
                    });
                }
                // Left by a process of the same id before a crash; the sweep takes it.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn write_heads(&self, heads: &[(ContentPath, Bytes)], pending: &mut Pending) -> io::Result<()> {
        for (i, (_, bytes)) in heads.iter().enumerate() {
            pending.write(&self.path.join(format!("head-{i}")), bytes)?;
        }
        Ok(())
    }

    fn swap_heads(&self, heads: &[(ContentPath, Bytes)]) -> io::Result<()> {
        let mut parents = BTreeSet::new();
        for (i, (path, _)) in heads.iter().enumerate() {
            let target = self.folder.at(path);
            std::fs::rename(self.path.join(format!("head-{i}")), &target)?;
            parents.extend(target.parent().map(Path::to_owned));
            self.folder.step()?;
        }
        sync::all(&[], &parents.into_iter().collect::<Vec<_>>())
    }

    /// What was committed stays committed when tidying fails; the sweep tidies later.
    fn finish(mut self) {
        self.done = true;
        let _ = staging::remove_folder(&self.path);
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        #[cfg(test)]
        if self
            .folder
            .0
            .dies_in
            .load(std::sync::atomic::Ordering::SeqCst)
            == 1
        {
            return;
        }
        if !self.done {
            let _ = staging::remove_folder(&self.path);
        }
    }
}

/// What is written and not yet synced.
#[derive(Default)]
struct Pending {
    files: Vec<File>,
    folders: BTreeSet<PathBuf>,
}

impl Pending {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        self.add(file)
    }

    /// For stores over several devices. What is copied is hashed: reading may go wrong as well as writing.
    fn copy(&mut self, from: &Path, to: &Path, expected: Sha256) -> io::Result<()> {
        let (mut from, mut file) = (File::open(from)?, File::create_new(to)?);
        let (mut hasher, mut buffer) = (Sha256Hasher::new(), vec![0; 256 << 10]);
        loop {
            let n = from.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            file.write_all(&buffer[..n])?;
        }
        let found = Sha256(hasher.finalize().into());
        if found != expected {
            return Err(io::Error::other(format!(
                "copied bytes have the digest {found}, not {expected}"
            )));
        }
        self.add(file)
    }

    fn add(&mut self, file: File) -> io::Result<()> {
        self.files.push(file);
        if self.files.len() >= OPEN {
            sync::all(&self.files, &[])?;
            self.files.clear();
        }
        Ok(())
    }

    fn sync(self) -> io::Result<()> {
        let folders: Vec<PathBuf> = self.folders.into_iter().collect();
        sync::all(&self.files, &folders)
    }
}

/// Where `place`, a path at or below `top`, is in a tree that stands for `top`.
fn below(tree: &Path, top: &Path, place: &Path) -> PathBuf {
    match place.strip_prefix(top) {
        Ok(rest) if rest.as_os_str().is_empty() => tree.to_owned(),
        Ok(rest) => tree.join(rest),
        Err(_) => tree.to_owned(),
    }
}

fn cannot_link(e: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(
        e.kind(),
        CrossesDevices | TooManyLinks | Unsupported | PermissionDenied
    )
}

fn taken(e: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty};
    matches!(e.kind(), AlreadyExists | DirectoryNotEmpty) || absent(e)
}
