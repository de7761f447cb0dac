//! `kho reindex`: the search index from the database, and what harvesters are given made anew.

use std::sync::Arc;

use crate::{catalog, cli::open::open, config::Config, ctx::Clock};

#[expect(clippy::print_stdout, reason = "the summary")]
pub(super) async fn reindex(config: Arc<Config>) -> anyhow::Result<()> {
    let env = open(config, Clock::System).await?;
    let done = catalog::index::rebuild(&env, |n| tracing::info!("{n} versions read")).await?;
    let expected = catalog::index::count(&env).await?;
    println!("{done} versions indexed");
    if done < expected {
        anyhow::bail!(
            "{expected} versions were expected; run it again, and report it if that does not help"
        );
    }
    Ok(())
}
