//! "Use this data": the lines that open a file where people work. Made for the first table of a
//! version, or its first file; every address is whole, and every name is quoted for its language.

use serde::Serialize;

use super::files::FileRow;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// `Python`, `R`, `DuckDB`: proper names; `sheets` and `shell` are named by the template.
    pub tool: &'static str,
    pub code: String,
}

/// The snippets for a version with `count` files, of which these are the first; none without files.
pub fn of(base_url: &str, record: &str, count: u64, files: &[FileRow]) -> Vec<Snippet> {
    let table = files
        .iter()
        .find_map(|f| Some((f, Table::of(&f.key.to_lowercase())?)));
    let mut out = Vec::new();
    if let Some((file, kind)) = &table {
        let url = format!("{base_url}{}", file.url);
        if *kind == Table::Csv {
            out.push(snippet("sheets", format!("=IMPORTDATA(\"{url}\")")));
        }
        let (python, r, duckdb) = kind.readers();
        out.push(snippet(
            "Python",
            format!(
                "import pandas as pd\n\ndf = pd.{}",
                python.replace('@', &url)
            ),
        ));
        out.push(snippet("R", r.replace('@', &url)));
        if let Some(duckdb) = duckdb {
            let from = duckdb.replace('@', &url);
            out.push(snippet(
                "DuckDB",
                format!("SELECT * FROM {from} LIMIT 100;"),
            ));
        }
    }
    if let Some(file) = table.map(|(f, _)| f).or(files.first()) {
        let name = shell(&file.name);
        out.push(snippet(
            "shell",
            format!(
                "curl -fL -C - -o {name} '{base_url}{}'\nprintf '%s  %s\\n' {} {name} | sha256sum -c -",
                file.url, file.sha256
            ),
        ));
    }
    if count > 1 {
        let at = format!("{base_url}/records/{record}");
        out.push(snippet(
            "everything",
            format!(
                "curl -fL -C - -o {record}.zip '{at}/archive'\nunzip -q {record}.zip\n(cd {record} && sha256sum -c --quiet SHA256SUMS)"
            ),
        ));
        // Fetches several at once, goes on where it was cut off, and compares every digest by itself.
        out.push(snippet(
            "aria2",
            format!("aria2c -c -V -j 4 '{at}/files.meta4'"),
        ));
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Csv,
    Tsv,
    Parquet,
    Excel,
}

impl Table {
    fn of(key: &str) -> Option<Self> {
        let (_, extension) = key.rsplit_once('.')?;
        match extension {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "parquet" => Some(Self::Parquet),
            "xlsx" => Some(Self::Excel),
            _ => None,
        }
    }

    /// How pandas, R and DuckDB read it; `@` stands for the address.
    fn readers(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Csv => (
                "read_csv(\"@\")",
                "df <- readr::read_csv(\"@\")",
                Some("read_csv('@')"),
            ),
            Self::Tsv => (
                "read_csv(\"@\", sep=\"\\t\")",
                "df <- readr::read_tsv(\"@\")",
                Some("read_csv('@', delim = '\\t')"),
            ),
            Self::Parquet => (
                "read_parquet(\"@\")",
                "df <- arrow::read_parquet(\"@\")",
                Some("read_parquet('@')"),
            ),
            Self::Excel => (
                "read_excel(\"@\")",
                "file <- tempfile(fileext = \".xlsx\")\ndownload.file(\"@\", file, mode = \"wb\")\ndf <- readxl::read_excel(file)",
                None,
            ),
        }
    }
}

fn snippet(tool: &'static str, code: String) -> Snippet {
    Snippet { tool, code }
}

/// Quotes a name for a POSIX shell, and keeps one that starts with a dash from being an option.
fn shell(name: &str) -> String {
    let dot = if name.starts_with('-') { "./" } else { "" };
    format!("'{dot}{}'", name.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str) -> FileRow {
        FileRow::new("k3f9a-2bq71", &key.parse().unwrap(), 9, "ab".repeat(32))
    }

    #[test]
    fn the_first_table_is_chosen_and_else_the_first_file() {
        let tools = |keys: &[&str]| {
            let rows: Vec<FileRow> = keys.iter().map(|k| row(k)).collect();
            of(
                "https://kho.example.org",
                "k3f9a-2bq71",
                rows.len() as u64,
                &rows,
            )
            .iter()
            .map(|s| s.tool)
            .collect::<Vec<_>>()
        };
        assert_eq!(
            tools(&["a.md", "b.csv"]),
            [
                "sheets",
                "Python",
                "R",
                "DuckDB",
                "shell",
                "everything",
                "aria2"
            ]
        );
        assert_eq!(
            tools(&["a.md", "b.xlsx"]),
            ["Python", "R", "shell", "everything", "aria2"]
        );
        assert_eq!(tools(&["a.md"]), ["shell"]);
        assert!(tools(&[]).is_empty());
    }

    #[test]
    fn a_name_cannot_become_a_command() {
        let code = &of(
            "https://kho.example.org",
            "k3f9a-2bq71",
            1,
            &[row("-x'; rm -rf ~; '.bin")],
        )[0]
        .code;
        assert!(
            code.contains("-o './-x'\\''; rm -rf ~; '\\''.bin' 'https://"),
            "{code}"
        );
    }
}
