//! `--demo`: loads the sample datasets and accounts into an empty store.
use crate::{ctx::Env, error::Result};

pub async fn load(_env: &Env) -> Result<()> {
    Ok(())
}
