//! Commands that only tell: `kho openapi`, `kho config`, `kho doctor`.

use std::sync::Arc;

use crate::{api, catalog, cli::open::open, config::Config, ctx::Clock, fixity, ledger, people};

#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) fn openapi() -> anyhow::Result<()> {
    println!("{}", api::description().to_pretty_json()?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) fn config(config: &Config) {
    println!("{:<18} {:<28} {:<12} about", "setting", "value", "from");
    for (setting, value, source) in config.table() {
        println!(
            "{:<18} {:<28} {:<12} {}",
            setting.key,
            value,
            source.name(),
            setting.about
        );
    }
    println!("data folder: {}", config.data.display());
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) async fn doctor(config: Arc<Config>) -> anyhow::Result<()> {
    let env = open(config, Clock::System).await?;
    env.db.ping().await?;
    println!(
        "database: answers ({})",
        if env.db.is_sqlite() {
            "SQLite"
        } else {
            "PostgreSQL"
        }
    );
    for line in env.objects.examine().await? {
        println!("storage: {line}");
    }
    let expected = catalog::index::count(&env).await?;
    let found = env.index.len();
    println!("index: {found} versions, database: {expected}");
    println!(
        "administrator: {}",
        if people::account::has_admin(&env).await? {
            "yes"
        } else {
            "none yet"
        }
    );
    match ledger::signer(&env).await {
        Ok(Some(signer)) => println!("ledger: {}", signer.verifier()),
        Ok(None) => println!("ledger: has no name yet (base_url or ledger_origin)"),
        Err(e) => {
            println!("ledger: {e}");
            anyhow::bail!("the ledger cannot sign here");
        }
    }
    let standing = fixity::standing(&env).await?;
    println!(
        "fixity: {} of {} datasets checked, {} open findings",
        standing.checked, standing.concepts, standing.open
    );
    println!("time: {}", env.now());
    if found != expected {
        anyhow::bail!("the index does not hold what the database does; run `kho reindex`");
    }
    Ok(())
}
