//! Every setting: its names, its default, what it means, where its value came from.
//!
//! A value is taken from the first of: command-line flag, environment, `<data>/kho.toml`, default.
//! `kho config` prints the table with secrets hidden; `docs/guide/settings.md` must name each
//! (`tests/it/settings.rs`). Not here: opening what a setting names (`store`).

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

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
    plain(
        "storage_url",
        "",
        "file:PATH or s3://BUCKET/PREFIX; default: the data folder.",
    ),
    plain(
        "s3_endpoint",
        "",
        "URL of an S3 server that is not AWS; keys and region come from AWS_* as for any tool.",
    ),
    plain(
        "s3_path_style",
        "false",
        "Name the bucket in the path and not in the host.",
    ),
    plain(
        "s3_redirect",
        "false",
        "Send clients to the bucket with presigned URLs, instead of streaming through Kho.",
    ),
    plain(
        "s3_timeout",
        "10",
        "Seconds an answer of the bucket may take; a request fails after three times that.",
    ),
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
    plain("max_files", "100000", "Most files in one version."),
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
        "fixity_days",
        "30",
        "Days within which every published dataset is read and checked again; 0: never by itself.",
    ),
    plain(
        "fixity_rate",
        "100",
        "Megabytes a second that the daily check may read; 0: without a limit.",
    ),
    Setting {
        key: "ledger_key",
        default: "",
        secret: true,
        about: "Ed25519 key that signs the ledger (PEM, or base64 of 32 bytes); default: made in the data folder.",
    },
    plain(
        "ledger_origin",
        "",
        "Name of the ledger; default: the base URL without its scheme, and /ledger.",
    ),
    plain(
        "ledger_witnesses",
        "",
        "Verifier keys of witnesses whose cosignatures are taken, with spaces between.",
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

/// Where bytes are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    Folder(PathBuf),
    S3 {
        bucket: String,
        /// Without slashes at the ends; may be empty.
        prefix: String,
        endpoint: Option<String>,
        path_style: bool,
        redirect: bool,
        timeout: Duration,
    },
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
    pub storage: Storage,
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
    /// 0: off.
    pub fixity_days: u64,
    /// Megabytes a second; 0: without a limit.
    pub fixity_rate: u64,
    /// PEM or base64; empty: the one in the data folder.
    pub ledger_key: String,
    /// Empty: from the base URL.
    pub ledger_origin: String,
    /// Verifier keys.
    pub ledger_witnesses: Vec<String>,
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
        let yes = |key: &str| match text(key).as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(BadSetting(format!(
                "{key} must be true or false, not {other:?}"
            ))),
        };
        let storage_url = text("storage_url");
        let storage = match storage_url.split_once(':') {
            _ if storage_url.is_empty() => Storage::Folder(data.clone()),
            Some(("file", path)) => Storage::Folder(PathBuf::from(path.trim_start_matches("//"))),
            Some(("s3", rest)) => {
                let (bucket, prefix) = bucket(rest).ok_or_else(|| {
                    BadSetting(format!(
                        "storage_url must look like s3://bucket or s3://bucket/prefix, not {storage_url:?}"
                    ))
                })?;
                let endpoint = Some(text("s3_endpoint")).filter(|url| !url.is_empty());
                if endpoint.as_ref().is_some_and(|url| !is_http(url)) {
                    return Err(BadSetting(
                        "s3_endpoint must be an http:// or https:// URL".to_owned(),
                    ));
                }
                Storage::S3 {
                    bucket,
                    prefix,
                    endpoint,
                    path_style: yes("s3_path_style")?,
                    redirect: yes("s3_redirect")?,
                    timeout: Duration::from_secs(number("s3_timeout")?.clamp(1, 600)),
                }
            }
            _ => {
                return Err(BadSetting(format!(
                    "storage_url must be file:PATH or s3://bucket/prefix, not {storage_url:?}"
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
            fixity_days: number("fixity_days")?.min(36_500),
            fixity_rate: number("fixity_rate")?.min(1_000_000),
            ledger_key: text("ledger_key"),
            ledger_origin: text("ledger_origin"),
            ledger_witnesses: text("ledger_witnesses")
                .split_whitespace()
                .map(ToOwned::to_owned)
                .collect(),
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

    /// Where the ledger's key is kept when no setting gives it.
    pub fn ledger_key_file(&self) -> PathBuf {
        self.data.join("ledger-key.pem")
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

fn is_http(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// `//bucket/pre/fix`, as bucket and prefix.
fn bucket(rest: &str) -> Option<(String, String)> {
    let rest = rest.strip_prefix("//")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_matches('/');
    let named = (3..=63).contains(&bucket.len())
        && bucket
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    let clean = prefix.is_empty()
        || (prefix.len() <= 200
            && prefix.bytes().all(plain)
            && prefix
                .split('/')
                .all(|part| !matches!(part, "" | "." | "..")));
    (named && clean).then(|| (bucket.to_owned(), prefix.to_owned()))
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
            ("storage_url", "ftp://x"),
            ("storage_url", "s3:bucket"),
            ("storage_url", "s3://B"),
            ("storage_url", "s3://bucket/a/../b"),
        ] {
            let told = load(&[(key, value)], &[]).unwrap_err().to_string();
            assert!(told.contains(key), "{told}");
        }
    }

    #[test]
    fn a_bucket_is_named_by_its_url_and_its_settings() {
        let config = load(
            &[("storage_url", "s3://so-lieu/kho/prod/")],
            &[
                ("KHO_S3_ENDPOINT", "http://127.0.0.1:9000"),
                ("KHO_S3_PATH_STYLE", "true"),
            ],
        );
        let expected = Storage::S3 {
            bucket: "so-lieu".to_owned(),
            prefix: "kho/prod".to_owned(),
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            path_style: true,
            redirect: false,
            timeout: Duration::from_secs(10),
        };
        assert_eq!(config.unwrap().storage, expected);
        let s3 = ("storage_url", "s3://bucket");
        for (key, value) in [
            ("s3_endpoint", "127.0.0.1:9000"),
            ("s3_path_style", "maybe"),
            ("s3_timeout", "soon"),
        ] {
            let told = load(&[s3, (key, value)], &[]).unwrap_err().to_string();
            assert!(told.contains(key), "{told}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = load(&[("database_url", "postgres://u:hunter2@h/d")], &[]).unwrap();
        assert!(!format!("{:?}", config.table()).contains("hunter2"));
    }
}
