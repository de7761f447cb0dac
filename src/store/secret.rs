//! A secret that is made once and kept in a file that only its owner may read.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::error::{Error, Result};

/// Most bytes of such a file.
const MOST: u64 = 16 << 10;

/// The text of the file, or none. Blocking, and short.
pub fn read(path: &Path) -> Result<Option<String>> {
    let failed = |e| Error::io(&format!("cannot read {}", path.display()), &e);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// Writes the file if there is none, and gives what is in it: of two that start together one writes. Whoever finds
/// it finds it whole.
pub fn keep(path: &Path, text: &str) -> Result<String> {
    let failed = |e| Error::io(&format!("cannot write {}", path.display()), &e);
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        });
    written.map_err(failed)?;
    // A link does not take the place of what is there, as a rename would.
    let linked = std::fs::hard_link(&part, path);
    let _ = std::fs::remove_file(&part);
    match linked {
        Ok(()) => sync_folder(path)?,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(failed(e)),
    }
    read(path)?.ok_or_else(|| Error::internal("a secret is gone", path.display()))
}

/// Replaces the file at once and durably.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let failed = |e| Error::io(&format!("cannot write {}", path.display()), &e);
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(|e| Error::io(&format!("cannot sync {}", folder.display()), &e))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_written_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        assert_eq!(read(&path).unwrap(), None);
        assert_eq!(keep(&path, "first").unwrap(), "first");
        assert_eq!(keep(&path, "second").unwrap(), "first");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        replace(&path, "third").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("third"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
