//! Stories of the archive on a real folder, with an OCFL validator that is not ours where one is installed.

mod crash;
mod fixtures;
mod story;

use std::path::Path;

use chrono::{DateTime, TimeZone, Utc};
use futures::TryStreamExt;

use super::{walk::Walked, *};

/// An archive in a folder that lives as long as the test.
struct Home {
    archive: Archive,
    folder: tempfile::TempDir,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = open(folder.path()).await;
        Self { archive, folder }
    }

    fn store(&self) -> &crate::store::object::folder::Folder {
        let Objects::Folder(store) = self.archive.objects() else {
            unreachable!("these tests open a folder");
        };
        store
    }

    async fn staged(&self, name: &str, text: &str) -> NewFile {
        let token = name.replace('.', "-");
        let mut receiver = self.archive.objects().receive(&token).unwrap();
        receiver.write(Bytes::from(text.to_owned())).await.unwrap();
        let received = receiver.finish(None).await.unwrap();
        NewFile {
            logical: format!("files/{name}").parse().unwrap(),
            source: Source::Staged(token),
            sha256: received.sha256,
            size: received.size,
            md5: Some(received.md5),
        }
    }

    async fn sound(&self, id: &ObjectId) {
        assert_eq!(self.archive.verify_object(id).await.unwrap(), []);
    }

    /// What a walk finds: the objects, and how many things that should not be there.
    async fn walked(&self) -> (Vec<ObjectId>, usize) {
        let walked: Vec<Walked> = self.archive.walk().try_collect().await.unwrap();
        let objects = walked.iter().filter_map(|w| match w {
            Walked::Object(_, inventory) => Some(inventory.id.clone()),
            _ => None,
        });
        let objects: Vec<ObjectId> = objects.collect();
        let strays = walked.len() - objects.len();
        (objects, strays)
    }
}

async fn open(folder: &Path) -> Archive {
    Archive::open(Objects::folder(folder).unwrap())
        .await
        .unwrap()
}

fn id(name: &str) -> ObjectId {
    ObjectId::of_parent(&name.parse().unwrap())
}

fn time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 7, 30, 0).unwrap()
}

fn version(files: Vec<NewFile>) -> NewVersion {
    NewVersion {
        files,
        message: "Published".into(),
        user: User {
            name: "Nguyễn Thị Định".into(),
            address: Some("mailto:dinh@example.org".into()),
        },
        created: time(),
    }
}

fn text(logical: &str, text: &str) -> NewFile {
    NewFile::of_bytes(logical.parse().unwrap(), text.to_owned())
}

async fn bytes(archive: &Archive, path: &ContentPath) -> Vec<u8> {
    let size = archive.objects().size(path).await.unwrap().unwrap();
    let reading = archive.open_file(path, 0..size).await.unwrap();
    let chunks: Vec<Bytes> = reading.try_collect().await.unwrap();
    chunks.concat()
}

/// Runs `ocfl-validate.py` (of ocfl-py) over storage roots; it must find no error, and no warning but that
/// SHA-512 would be preferred.
fn judged_by_others(roots: &[&Path]) {
    let program = std::env::var_os("KHO_OCFL_VALIDATOR").unwrap_or("ocfl-validate.py".into());
    let mut command = std::process::Command::new(&program);
    for root in roots {
        let archive = root.join("archive");
        // Whole roots for their layout, then the objects one by one, because only there it warns.
        command.arg(&archive);
        command.args(objects_below(&archive));
    }
    match command.output() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            eprintln!(
                "skipped: no OCFL validator (pip install ocfl-py, or set KHO_OCFL_VALIDATOR)"
            );
        }
        Err(e) => panic!("{}: {e}", program.display()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}", roots[0].display());
            let bad = |line: &&str| {
                line.contains("[E") || line.contains("[W") && !line.contains("[W004]")
            };
            assert_eq!(said.lines().find(bad), None, "{said}");
        }
    }
}

fn objects_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.join(layout::OBJECT_DECLARATION).exists() {
            found.push(path);
        } else if path.is_dir() {
            found.extend(objects_below(&path));
        }
    }
    found
}
