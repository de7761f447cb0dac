//! `kho reindex`: the search index from the database, and what harvesters are given made anew.

use std::sync::Arc;

use crate::{catalog, cli::open::open, config::Config, ctx::Clock, publish};

#[expect(clippy::print_stdout, reason = "the summary")]
pub(super) async fn reindex(config: Arc<Config>) -> anyhow::Result<()> {
    let env = open(config, Clock::System).await?;
    let done = catalog::index::rebuild(&env, |n| tracing::info!("{n} versions read")).await?;
    let expected = catalog::index::count(&env).await?;
    println!("{done} versions indexed");
    let refreshed = publish::refresh_harvest(&env.system()).await?;
    println!("{refreshed} harvest items made anew");
    if done < expected {
        anyhow::bail!(
            "{expected} versions were expected; run it again, and report it if that does not help"
        );
    }
    Ok(())
}
