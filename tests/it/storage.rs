//! What stands in the storage of a story, past the store: to look at it and to damage it, in a folder and in a
//! bucket alike. Paths begin with `archive/` or `staging/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aws_sdk_s3::{Client, primitives::ByteStream};

use crate::app::TestApp;

/// Each story has a prefix of its own in it.
pub const BUCKET: &str = "kho-stories";

#[derive(Debug)]
pub enum Storage {
    Folder(PathBuf),
    Bucket { client: Client, prefix: String },
}

impl Storage {
    pub async fn bucket(endpoint: &str, prefix: String) -> Storage {
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .load()
            .await;
        let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true);
        let client = Client::from_conf(config.build());
        // Another story may have made it; what else is wrong shows soon.
        let _ = client.create_bucket().bucket(BUCKET).send().await;
        Storage::Bucket { client, prefix }
    }

    /// As `storage_url` has it.
    pub fn url(&self) -> String {
        match self {
            Storage::Folder(root) => format!("file:{}", root.display()),
            Storage::Bucket { prefix, .. } => format!("s3://{BUCKET}/{prefix}"),
        }
    }

    pub async fn read(&self, path: &str) -> Vec<u8> {
        match self {
            Storage::Folder(root) => fs::read(root.join(path)).unwrap(),
            Storage::Bucket { client, prefix } => {
                let asked = client.get_object().bucket(BUCKET);
                let asked = asked.key(format!("{prefix}/{path}")).send().await;
                let body = asked.unwrap().body.collect().await.unwrap();
                body.into_bytes().to_vec()
            }
        }
    }

    pub async fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        match self {
            Storage::Folder(root) => {
                let at = root.join(path);
                fs::create_dir_all(at.parent().unwrap()).unwrap();
                fs::write(at, bytes).unwrap();
            }
            Storage::Bucket { client, prefix } => {
                let asked = client.put_object().bucket(BUCKET);
                let asked = asked.key(format!("{prefix}/{path}"));
                asked.body(ByteStream::from(bytes)).send().await.unwrap();
            }
        }
    }

    pub async fn remove(&self, path: &str) {
        match self {
            Storage::Folder(root) => fs::remove_file(root.join(path)).unwrap(),
            Storage::Bucket { client, prefix } => {
                let asked = client.delete_object().bucket(BUCKET);
                let asked = asked.key(format!("{prefix}/{path}"));
                asked.send().await.unwrap();
            }
        }
    }

    /// A folder with all that is in it.
    pub async fn remove_all(&self, path: &str) {
        if let Storage::Folder(root) = self {
            return fs::remove_dir_all(root.join(path)).unwrap();
        }
        for file in self.files(path).await {
            self.remove(&file).await;
        }
    }

    /// Moves a folder to where none is.
    pub async fn rename(&self, from: &str, to: &str) {
        if let Storage::Folder(root) = self {
            return fs::rename(root.join(from), root.join(to)).unwrap();
        }
        for file in self.files(from).await {
            let bytes = self.read(&file).await;
            self.write(&format!("{to}{}", &file[from.len()..]), bytes)
                .await;
            self.remove(&file).await;
        }
    }

    /// The paths of all files in a folder, however deep, in order.
    pub async fn files(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        match self {
            Storage::Folder(root) => walk(root, &root.join(folder), &mut found),
            Storage::Bucket { client, prefix } => {
                let asked = client.list_objects_v2().bucket(BUCKET);
                let asked = asked.prefix(format!("{prefix}/{folder}/"));
                let mut pages = asked.into_paginator().send();
                while let Some(page) = pages.next().await {
                    for object in page.unwrap().contents() {
                        let path = object.key().unwrap().strip_prefix(prefix).unwrap();
                        found.push(path[1..].to_owned());
                    }
                }
            }
        }
        found.sort();
        found
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            let path = path.strip_prefix(root).unwrap().to_str().unwrap();
            found.push(path.to_owned());
        }
    }
}

impl TestApp {
    /// Folders that are empty stay in a folder, and in a bucket there is no such thing.
    pub fn is_folder(&self) -> bool {
        matches!(self.storage, Storage::Folder(_))
    }
}
