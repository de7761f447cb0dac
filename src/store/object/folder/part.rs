//! The temporary file of an upload: written, then given its name and synced. Removed when it never got there.

use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::{Folder, slots::Slot, sync};

#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: Arc<File>,
    failure: Arc<Failure>,
    ending: Ending,
}

/// What becomes of it when it is dropped.
#[derive(Debug)]
pub(super) enum Ending {
    /// Nobody will ask for it.
    Remove,
    /// An upload that goes on: what was durable stays. `unnamed`: its name is not durable yet.
    Cut { kept: u64, unnamed: bool },
    /// A part of a file: its room is given back.
    Punch(Slot),
    /// It came to its end.
    Stay,
}

/// What went wrong first; a lane has nobody to tell, so whoever comes next looks here. It stays: an upload
/// that failed cannot succeed any more.
#[derive(Debug, Default)]
pub(super) struct Failure(Mutex<Option<io::Error>>);

impl Failure {
    pub(super) fn check(&self) -> io::Result<()> {
        let error = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*error {
            Some(e) => Err(io::Error::new(e.kind(), e.to_string())),
            None => Ok(()),
        }
    }

    pub(super) fn keep(&self, result: io::Result<()>) {
        if let Err(e) = result {
            let mut error = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            error.get_or_insert(e);
        }
    }
}

impl Part {
    pub(super) fn create(folder: &Folder, name: &str) -> io::Result<Self> {
        let path = folder.staged_at(&format!(".{name}.{}.part", folder.number()));
        // A process id can come again after a crash, so what is there is a leftover, not a rival.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        Ok(Self::new(path, file, Ending::Remove))
    }

    pub(super) fn new(path: PathBuf, file: File, ending: Ending) -> Self {
        Self {
            path,
            file: Arc::new(file),
            failure: Arc::default(),
            ending,
        }
    }

    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    pub(super) fn failure(&self) -> Arc<Failure> {
        Arc::clone(&self.failure)
    }

    /// Writes a batch, or keeps what went wrong.
    pub(super) fn write(&mut self, batch: &[Bytes]) {
        let written = self.failure.check().and_then(|()| self.try_write(batch));
        self.failure.keep(written);
    }

    pub(super) fn try_write(&mut self, batch: &[Bytes]) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|b| IoSlice::new(b)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match (&*self.file).write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut rest, n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Gives the file its name, then syncs file and folder. The rename goes first, so that one commit of
    /// the file system's journal carries both; the name counts for nobody before this returns.
    pub(super) fn publish(mut self, folder: &Folder, name: &str) -> io::Result<Self> {
        self.failure.check()?;
        let path = folder.staged_at(name);
        std::fs::rename(&self.path, &path)?;
        self.ending = Ending::Stay;
        let file = self.file.sync_all();
        let synced = file.and_then(|()| sync::folder(&folder.0.staging));
        if synced.is_err() {
            remove(&path);
        }
        synced.map(|()| self)
    }

    /// Makes durable what came so far, to go on from later.
    pub(super) fn pause(mut self, folder: &Folder, _: &str) -> io::Result<Self> {
        let Ending::Cut { unnamed, .. } = self.ending else {
            return Err(io::Error::other("this upload cannot pause"));
        };
        self.failure.check()?;
        self.file.sync_data()?;
        if unnamed {
            sync::folder(&folder.0.staging)?;
        }
        self.ending = Ending::Stay;
        Ok(self)
    }

    /// Makes the bytes durable; that they count is somebody else's to say.
    pub(super) fn sync(self, _: &Folder, _: &str) -> io::Result<Self> {
        self.failure.check()?;
        self.file.sync_data()?;
        Ok(self)
    }

    /// It counts now.
    pub(super) fn done(mut self) {
        self.ending = Ending::Stay;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let file = Arc::clone(&self.file);
        let path = std::mem::take(&mut self.path);
        let tidy: Box<dyn FnOnce() + Send> = match std::mem::replace(&mut self.ending, Ending::Stay)
        {
            Ending::Stay => return,
            Ending::Remove => Box::new(move || remove(&path)),
            // The file is still locked; one that cannot be cut is cut when the upload goes on.
            Ending::Cut { kept, .. } => Box::new(move || drop(file.set_len(kept))),
            Ending::Punch(slot) => Box::new(move || slot.punch(&file)),
        };
        // Freeing gigabytes takes a while; not on a thread that serves requests.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(tidy)),
            Err(_) => tidy(),
        }
    }
}

fn remove(path: &Path) {
    // What stays behind is found by the sweep.
    let _ = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn full_disk(folder: &Folder) -> Part {
        let mut part = Part::create(folder, "t").unwrap();
        part.file = Arc::new(OpenOptions::new().write(true).open("/dev/full").unwrap());
        part
    }

    fn left(root: &Path) -> usize {
        std::fs::read_dir(root.join("staging")).unwrap().count()
    }

    #[test]
    fn what_failed_once_never_gets_its_name() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        let mut part = full_disk(&folder);
        part.write(&[Bytes::from_static(b"lost")]);
        assert_eq!(
            part.failure().check().unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
        part.file = Arc::new(File::create(root.path().join("room again")).unwrap());
        part.write(&[Bytes::from_static(b"kept")]);
        let full = part.publish(&folder, "t").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(left(root.path()), 0);
    }

    #[test]
    fn a_sync_that_fails_takes_the_name_back() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        // `/dev/full` cannot be synced.
        assert!(full_disk(&folder).publish(&folder, "t").is_err());
        assert_eq!(left(root.path()), 0);
    }
}
