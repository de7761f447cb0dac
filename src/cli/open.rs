//! Opens what the settings name: folders, database, archive, index. The only place that makes an `Env`.

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

use crate::{
    archive::Archive,
    catalog,
    config::{Config, Storage},
    ctx::{Clock, Env},
    error::{Error, Result},
    ledger,
    store::{
        db::Db,
        doi::Registrar,
        http::Http,
        object::{Locks, Objects, s3},
    },
};

/// Opens everything. An index that is missing, from another version or damaged is built anew from the
/// database, because it holds nothing of its own.
pub async fn open(config: Arc<Config>, clock: Clock) -> Result<Env> {
    std::fs::create_dir_all(&config.data)
        .map_err(|e| Error::io(&format!("cannot make {}", config.data.display()), &e))?;
    let db = Db::open(&config.database_url).await?;
    let objects = open_objects(&config).await?;
    let archive = Archive::open(objects.clone()).await?;
    let (index, rebuild) = open_index(&config)?;
    let env = Env {
        db,
        objects,
        archive,
        index: Arc::new(index),
        index_turn: Arc::new(Mutex::new(())),
        registrar: Registrar::Local,
        http: Http::new(config.fetch_allow.iter().cloned())?,
        clock,
        work: Arc::new(Notify::new()),
        config,
    };
    ledger::begin(&env).await?;
    if rebuild {
        tracing::warn!("the search index was unusable and is built anew");
        catalog::index::rebuild(&env, |_| {}).await?;
    }
    Ok(env)
}

/// Locks go where all processes that share the store look: beside a folder, or, for a bucket, in their
/// database.
async fn open_objects(config: &Config) -> Result<Objects> {
    let settings = match &config.storage {
        Storage::Folder(path) => return Objects::folder(path),
        Storage::S3 {
            bucket,
            prefix,
            endpoint,
            path_style,
            redirect,
            timeout,
        } => s3::Settings {
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            endpoint: endpoint.clone(),
            path_style: *path_style,
            redirect: *redirect,
            patience: s3::Patience {
                answer: *timeout,
                ..s3::Patience::default()
            },
        },
    };
    let locks = if config.database_url.starts_with("sqlite:") {
        Locks::files(&config.data.join("locks"))?
    } else {
        Locks::postgres(&config.database_url)?
    };
    Ok(Objects::s3(settings, locks).await)
}

fn open_index(config: &Config) -> Result<(search_index::Index, bool)> {
    let dir = config.index_dir();
    match search_index::Index::open(&dir) {
        Ok(index) => Ok((index, false)),
        Err(e) if e.wants_rebuild() => {
            tracing::warn!(error = %e, "cannot use the search index");
            std::fs::remove_dir_all(&dir).map_err(|e| Error::io("cannot remove the index", &e))?;
            let index = search_index::Index::open(&dir)
                .map_err(|e| Error::internal("cannot make an index", e))?;
            Ok((index, true))
        }
        Err(e) => Err(Error::internal("cannot open the index", e)),
    }
}
