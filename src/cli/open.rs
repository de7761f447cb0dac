//! Opens what the settings name: folders, database, archive, index. The only place that makes an `Env`.

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

use crate::{
    archive::Archive,
    catalog,
    config::Config,
    ctx::{Clock, Env},
    error::{Error, Result},
    store::{db::Db, doi::Registrar, http::Http, object::Objects},
};

/// Opens everything. An index that is missing, from another version or damaged is built anew from the
/// database, because it holds nothing of its own.
pub async fn open(config: Arc<Config>, clock: Clock) -> Result<Env> {
    std::fs::create_dir_all(&config.data)
        .map_err(|e| Error::io(&format!("cannot make {}", config.data.display()), &e))?;
    let db = Db::open(&config.database_url).await?;
    let objects = Objects::folder(&config.storage)?;
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
    if rebuild {
        tracing::warn!("the search index was unusable and is built anew");
        catalog::index::rebuild(&env, |_| {}).await?;
    }
    Ok(env)
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
