//! Every setting: its names, its default, what it means, where its value came from.
//!
//! A value is taken from the first of: command-line flag, environment, `<data>/kho.toml`, default.
//! `kho config` prints the table with secrets hidden; `docs/guide/settings.md` must name each
//! (`tests/it/settings.rs`). Not here: opening what a setting names (`store`).

use std::{collections::BTreeMap, path::PathBuf};

/// One setting as the documentation and `kho config` know it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key in `kho.toml`, snake case; the environment name is `KHO_` + upper case.
    pub key: &'static str,
    pub default: &'static str,
    pub secret: bool,
    pub about: &'static str,
}

/// All settings, in the order they are printed.
pub const SETTINGS: &[Setting] = &[
    plain(
        "listen",
        "127.0.0.1:8080",
        "Address and port to serve on; port 0 picks a free one.",
    ),
    plain(
        "base_url",
        "",
        "Public URL of the site; every link is made from it. Default: http:// and the address served on.",
    ),
    plain(
        "repository_name",
        "Kho",
        "The name in page titles, citations and OAI-PMH.",
    ),
    plain(
        "admin_email",
        "admin@localhost",
        "Shown to harvesters and on error pages.",
    ),
    Setting {
        key: "database_url",
        default: "",
        secret: true,
        about: "sqlite:PATH or postgres://…; default: sqlite in the data folder.",
    },
    plain("storage_url", "", "file:PATH; default: the data folder."),
    plain(
        "doi_prefix",
        "10.5072",
        "DOI prefix; the default is the test prefix, never registered.",
    ),
    plain(
        "max_file_size",
        "107374182400",
        "Largest file accepted, in bytes.",
    ),
    plain("max_files", "10000", "Most files in one version."),
    plain(
        "quota_record",
        "107374182400",
        "Bytes one version may hold; 0: no bound.",
    ),
    plain(
        "quota_account",
        "1099511627776",
        "Bytes kept for one account, drafts and all versions; 0: no bound.",
    ),
    plain(
        "quota_community",
        "0",
        "Bytes kept for the records of one community; 0: no bound.",
    ),
    plain(
        "upload_days",
        "7",
        "Days after which an unfinished upload without progress is given up.",
    ),
    plain(
        "fetch_allow",
        "",
        "Hosts, separated by spaces, that files may be fetched from although their address is private.",
    ),
    plain("workers", "2", "Background jobs run at the same time."),
    plain("log", "info", "Log filter, as in RUST_LOG."),
    plain("log_format", "text", "text or json."),
];

const fn plain(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting {
        key,
        default,
        secret: false,
        about,
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Flag,
    Environment,
    File,
    Default,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Flag => "flag",
            Source::Environment => "environment",
            Source::File => "kho.toml",
            Source::Default => "default",
        }
    }
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    pub data: PathBuf,
    pub listen: String,
    /// Without a trailing slash; empty until the listener knows its port.
    pub base_url: String,
    pub repository_name: String,
    pub admin_email: String,
    pub database_url: String,
    pub storage: PathBuf,
    pub doi_prefix: String,
    pub max_file_size: u64,
    pub max_files: u64,
    /// Bytes one version may hold; 0: no bound. An administrator may allow another size.
    pub quota_record: u64,
    /// The same for everything of an account.
    pub quota_account: u64,
    /// The same for everything of a community.
    pub quota_community: u64,
    /// Days without progress after which an upload is given up.
    pub upload_days: u64,
    /// Hosts that may be asked although their address is not public.
    pub fetch_allow: Vec<String>,
    pub workers: usize,
    pub log: String,
    pub log_json: bool,
    /// Sample data and accounts were asked for; every page says so.
    pub demo: bool,
    values: BTreeMap<&'static str, (String, Source)>,
}

/// A setting that cannot be used; the sentence says which and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSetting(String);

impl Config {
    /// Reads file and environment. `flags` are the command line's, by key; `env` is a parameter so
    /// that tests need not touch the process.
    pub fn load(
        data: PathBuf,
        file: Option<PathBuf>,
        flags: &BTreeMap<&'static str, String>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Config, BadSetting> {
        let named = file.is_some();
        let path = file.unwrap_or_else(|| data.join("kho.toml"));
        let table = match std::fs::read_to_string(&path) {
            Ok(text) => text
                .parse::<toml::Table>()
                .map_err(|e| BadSetting(format!("{} is not valid TOML: {e}", path.display())))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !named => toml::Table::new(),
            Err(e) => return Err(BadSetting(format!("cannot read {}: {e}", path.display()))),
        };
        if let Some(unknown) = table.keys().find(|k| SETTINGS.iter().all(|s| s.key != *k)) {
            return Err(BadSetting(format!(
                "{} has a setting named {unknown}, which does not exist; `kho config` lists all",
                path.display()
            )));
        }
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let from_file = table.get(setting.key).map(|v| match v {
                toml::Value::String(s) => s.clone(),
                other => other.to_string(),
            });
            let env_name = format!("KHO_{}", setting.key.to_uppercase());
            let value = if let Some(v) = flags.get(setting.key) {
                (v.clone(), Source::Flag)
            } else if let Some(v) = env(&env_name).filter(|v| !v.is_empty()) {
                (v, Source::Environment)
            } else if let Some(v) = from_file {
                (v, Source::File)
            } else {
                (setting.default.to_owned(), Source::Default)
            };
            values.insert(setting.key, value);
        }
        Self::from_values(data, values)
    }

    fn from_values(
        data: PathBuf,
        values: BTreeMap<&'static str, (String, Source)>,
    ) -> Result<Config, BadSetting> {
        let text = |key: &str| values.get(key).map(|(v, _)| v.clone()).unwrap_or_default();
        let number = |key: &str| {
            text(key).parse::<u64>().map_err(|_| {
                BadSetting(format!("{key} must be a whole number, not {:?}", text(key)))
            })
        };
        let storage_url = text("storage_url");
        let storage = match storage_url.split_once(':') {
            _ if storage_url.is_empty() => data.clone(),
            Some(("file", path)) => PathBuf::from(path.trim_start_matches("//")),
            Some(("s3", _)) => {
                return Err(BadSetting(
                    "storage_url: this version stores in a folder only; use file:PATH".to_owned(),
                ));
            }
            _ => {
                return Err(BadSetting(format!(
                    "storage_url must be file:PATH, not {storage_url:?}"
                )));
            }
        };
        let database_url = match text("database_url") {
            url if url.is_empty() => format!("sqlite:{}", data.join("kho.db").display()),
            url if url.starts_with("sqlite:") || url.starts_with("postgres") => url,
            _ => {
                return Err(BadSetting(
                    "database_url must begin with sqlite: or postgres://".to_owned(),
                ));
            }
        };
        let doi_prefix = text("doi_prefix");
        if format!("{doi_prefix}/x")
            .parse::<crate::ids::Doi>()
            .is_err()
        {
            return Err(BadSetting(format!(
                "doi_prefix must look like 10.5072, not {doi_prefix:?}"
            )));
        }
        let base_url = text("base_url").trim_end_matches('/').to_owned();
        if !base_url.is_empty() && url::Url::parse(&base_url).is_err() {
            return Err(BadSetting(format!(
                "base_url must be a URL, not {base_url:?}"
            )));
        }
        Ok(Config {
            listen: text("listen"),
            base_url,
            repository_name: text("repository_name"),
            admin_email: text("admin_email"),
            database_url,
            storage,
            doi_prefix,
            max_file_size: number("max_file_size")?,
            max_files: number("max_files")?,
            quota_record: number("quota_record")?,
            quota_account: number("quota_account")?,
            quota_community: number("quota_community")?,
            upload_days: number("upload_days")?.clamp(1, 3_650),
            fetch_allow: text("fetch_allow")
                .split_whitespace()
                .map(str::to_ascii_lowercase)
                .collect(),
            workers: number("workers")?.clamp(1, 64) as usize,
            log: text("log"),
            log_json: text("log_format") == "json",
            demo: false,
            data,
            values,
        })
    }

    /// The search index, a working copy that can be made again.
    pub fn index_dir(&self) -> PathBuf {
        self.data.join("index")
    }

    /// Is the site reached over TLS? Then cookies are `Secure`.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Every setting with its value (secrets hidden) and where it came from.
    pub fn table(&self) -> Vec<(&'static Setting, String, Source)> {
        SETTINGS
            .iter()
            .filter_map(|s| {
                let (value, source) = self.values.get(s.key)?;
                let shown = if s.secret && !value.is_empty() {
                    "…".to_owned()
                } else {
                    value.clone()
                };
                Some((s, shown, *source))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: &[(&'static str, &str)], env: &[(&str, &str)]) -> Result<Config, BadSetting> {
        let flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        Config::load(PathBuf::from("/nowhere"), None, &flags, |name| {
            env.iter()
                .find(|(k, _)| *k == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn a_flag_beats_the_environment_and_that_the_default() {
        let config = load(
            &[("listen", "0.0.0.0:1")],
            &[("KHO_LISTEN", "x"), ("KHO_LOG", "debug")],
        )
        .unwrap();
        assert_eq!(
            (config.listen.as_str(), config.log.as_str()),
            ("0.0.0.0:1", "debug")
        );
        assert_eq!(config.doi_prefix, "10.5072");
        assert!(config.database_url.starts_with("sqlite:"));
    }

    #[test]
    fn a_wrong_value_is_refused_by_name() {
        for (key, value) in [
            ("doi_prefix", "abc"),
            ("base_url", "not a url"),
            ("max_files", "many"),
            ("database_url", "mysql://x"),
        ] {
            let told = load(&[(key, value)], &[]).unwrap_err().to_string();
            assert!(told.contains(key), "{told}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = load(&[("database_url", "postgres://u:hunter2@h/d")], &[]).unwrap();
        assert!(!format!("{:?}", config.table()).contains("hunter2"));
    }
}
