//! Files as the landing page lists them: rows, gathered into their folders.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    error::{Error, Result},
    files::LevelFile,
    ids::FileKey,
};

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRow {
    /// The whole key, `du_lieu/tram.csv`.
    pub key: String,
    /// Its last segment.
    pub name: String,
    /// `CSV`, `GeoPackage`; the extension in capitals where nothing better is known.
    pub format: String,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// `/records/{id}/files/{key}`, percent-encoded, without the repository's address.
    pub url: String,
}

/// What must be escaped in a path, and in any of the five languages of `snippets`: quotes, dollars
/// and the like never reach a line of code.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl FileRow {
    pub fn new(record: &str, key: &FileKey, bytes: u64, sha256: String) -> Self {
        Self {
            key: key.to_string(),
            name: key.file_name().to_owned(),
            format: format_name(&key.extension()),
            bytes,
            sha256,
            url: format!(
                "/records/{record}/files/{}",
                utf8_percent_encode(key.as_str(), PATH)
            ),
        }
    }
}

impl FileRow {
    /// The files of a level of folders.
    pub fn of_level(record: &str, files: &[LevelFile]) -> Result<Vec<Self>> {
        files
            .iter()
            .map(|f| {
                let key = f
                    .key
                    .parse()
                    .map_err(|e| Error::internal("a stored key does not parse", e))?;
                let sha256 = f.sha256.clone().unwrap_or_default();
                Ok(Self::new(record, &key, f.size.unwrap_or(0), sha256))
            })
            .collect()
    }
}

/// The name people know a format by. Proper names, the same in both languages.
fn format_name(extension: &str) -> String {
    let known = match extension {
        "parquet" => "Parquet",
        "md" => "Markdown",
        "xlsx" | "xls" => "Excel",
        "ods" => "OpenDocument",
        "geojson" => "GeoJSON",
        "gpkg" => "GeoPackage",
        "tif" | "tiff" => "TIFF",
        "jpg" | "jpeg" => "JPEG",
        "nc" => "NetCDF",
        "h5" | "hdf5" => "HDF5",
        "py" => "Python",
        "ipynb" => "Jupyter",
        "dta" => "Stata",
        "sav" => "SPSS",
        "gz" => "gzip",
        "" => "—",
        other => return other.to_uppercase(),
    };
    known.to_owned()
}

/// A folder with what is in it. The root has an empty name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Folder {
    pub name: String,
    /// Files in it and below, on this page.
    pub count: u64,
    pub bytes: u64,
    pub files: Vec<FileRow>,
    pub folders: Vec<Folder>,
}

/// Deeper levels are shown as one folder named `a/b/c`, so that no page nests without end.
const DEPTH: usize = 8;

impl Folder {
    /// Gathers rows into folders by the segments of their keys, in the order they come; `flat` are in one folder.
    pub fn of(rows: Vec<FileRow>, flat: bool) -> Self {
        let mut root = Self::default();
        for row in rows {
            let parents = row.key.strip_suffix(&row.name).filter(|_| !flat);
            let parents = parents.unwrap_or_default();
            let segments: Vec<String> = parents
                .trim_end_matches('/')
                .splitn(DEPTH, '/')
                .filter(|s| !s.is_empty())
                .map(ToOwned::to_owned)
                .collect();
            root.put(&segments, row);
        }
        root
    }

    fn put(&mut self, segments: &[String], row: FileRow) {
        self.count += 1;
        self.bytes += row.bytes;
        let Some((first, rest)) = segments.split_first() else {
            self.files.push(row);
            return;
        };
        let at = self.folders.iter().position(|f| f.name == *first);
        let at = at.unwrap_or_else(|| {
            self.folders.push(Folder {
                name: first.clone(),
                ..Folder::default()
            });
            self.folders.len() - 1
        });
        if let Some(folder) = self.folders.get_mut(at) {
            folder.put(rest, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, bytes: u64) -> FileRow {
        let key: FileKey = key.parse().unwrap();
        FileRow::new("k3f9a-2bq71", &key, bytes, String::new())
    }

    #[test]
    fn folders_count_what_is_below_them() {
        let root = Folder::of(
            vec![row("a/b/x.csv", 3), row("a/y.csv", 4), row("z.csv", 5)],
            false,
        );
        assert_eq!((root.count, root.bytes, root.files.len()), (3, 12, 1));
        let a = &root.folders[0];
        assert_eq!((a.name.as_str(), a.count, a.bytes), ("a", 2, 7));
        assert_eq!(a.folders[0].files[0].name, "x.csv");
    }

    #[test]
    fn a_deep_path_ends_in_one_folder() {
        let root = Folder::of(vec![row(&format!("{}x", "d/".repeat(200)), 1)], false);
        let mut depth = 0;
        let mut folder = &root;
        while let Some(next) = folder.folders.first() {
            depth += 1;
            folder = next;
        }
        assert_eq!(depth, DEPTH);
        assert_eq!(folder.files.len(), 1);
    }

    #[test]
    fn an_address_holds_nothing_that_code_would_read() {
        let url = row("đo mặn/it's $(x) \"q\".csv", 1).url;
        assert!(!url.contains(['\'', '"', '$', '(', ' ', '`']), "{url}");
        assert!(url.contains("/files/%C4%91o%20m%E1%BA%B7n/"), "{url}");
    }
}
