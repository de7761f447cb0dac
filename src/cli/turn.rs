//! Whose turn it is in a data folder: servers share it, `rebuild` and `restore` want it alone.

use std::fs::File;

use rustix::fs::FlockOperation;

use crate::{
    config::Config,
    error::{Error, Result},
};

/// Held while a server runs.
pub(super) fn shared(config: &Config) -> Result<File> {
    take(config, FlockOperation::NonBlockingLockShared)
}

/// Held by what replaces the database; refused while a server runs on this data folder.
pub(super) fn alone(config: &Config) -> Result<File> {
    take(config, FlockOperation::NonBlockingLockExclusive)
}

fn take(config: &Config, how: FlockOperation) -> Result<File> {
    let io = |e: std::io::Error| {
        let folder = config.data.display();
        Error::Unavailable(format!("cannot write in the data folder {folder}: {e}"))
    };
    std::fs::create_dir_all(&config.data).map_err(io)?;
    let path = config.data.join("in-use");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io)?;
    match rustix::fs::flock(&file, how) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Unavailable(format!(
            "{} is in use by another kho; stop it first",
            config.data.display()
        ))),
        Err(e) => Err(Error::internal("in-use", e)),
    }
}
