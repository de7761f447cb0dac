//! One level of a folder tree as a page shows it: the way to it, and the folders in it, as links that work without
//! a script.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    files,
    ids::FileKey,
    pages::parts::{Link, Pager},
};

/// What stays as it is in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A level without its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderLevel {
    /// The way here from the top, whose label is empty; the last is this folder.
    pub way: Vec<Link>,
    /// Files in it and below, and their bytes.
    pub count: u64,
    pub bytes: u64,
    pub folders: Vec<FolderLink>,
    pub pager: Option<Pager>,
}

/// A folder in the level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderLink {
    pub name: String,
    pub url: String,
    /// Files in it and below, and their bytes.
    pub count: u64,
    pub bytes: u64,
}

impl FolderLevel {
    /// `at` is the page's address; `number` what it calls the page of the list.
    pub fn new(at: &str, number: &str, folder: Option<&FileKey>, level: &files::Level) -> Self {
        let address = |folder: &str| match folder {
            "" => format!("{at}#files"),
            folder => format!("{at}?folder={}#files", utf8_percent_encode(folder, QUERY)),
        };
        let here = folder.map_or("", FileKey::as_str);
        let mut way = vec![Link::new("", address(""))];
        let mut path = String::new();
        for name in here.split('/').filter(|name| !name.is_empty()) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(name);
            way.push(Link::new(name, address(&path)));
        }
        let inner = |name: &str| match here {
            "" => address(name),
            here => address(&format!("{here}/{name}")),
        };
        let pager = Pager::new(level.page, level.last, |n| match here {
            "" => format!("{at}?{number}={n}#files"),
            here => {
                let folder = utf8_percent_encode(here, QUERY);
                format!("{at}?folder={folder}&{number}={n}#files")
            }
        });
        Self {
            way,
            count: level.count,
            bytes: level.bytes,
            folders: level
                .folders
                .iter()
                .map(|f| FolderLink {
                    url: inner(&f.name),
                    name: f.name.clone(),
                    count: f.count,
                    bytes: f.bytes,
                })
                .collect(),
            pager,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_and_the_folders_are_links() {
        let level = files::Level {
            count: 3,
            page: 2,
            last: 3,
            folders: vec![files::Folder {
                name: "số & liệu".to_owned(),
                count: 1,
                bytes: 2,
            }],
            ..files::Level::default()
        };
        let here: FileKey = "a b/c".parse().unwrap();
        let shown = FolderLevel::new("/records/x", "files_page", Some(&here), &level);
        let way: Vec<&str> = shown.way.iter().map(|l| l.url.as_str()).collect();
        assert_eq!(
            way,
            [
                "/records/x#files",
                "/records/x?folder=a%20b#files",
                "/records/x?folder=a%20b/c#files"
            ]
        );
        assert_eq!(
            shown.folders[0].url,
            "/records/x?folder=a%20b/c/s%E1%BB%91%20%26%20li%E1%BB%87u#files"
        );
        let pager = shown.pager.unwrap();
        assert_eq!(
            pager.next.unwrap(),
            "/records/x?folder=a%20b/c&files_page=3#files"
        );
    }
}
