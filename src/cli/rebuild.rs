//! `kho rebuild`: database and index from the archive alone.

use std::sync::Arc;

use crate::{
    cli::{open::open, turn},
    config::Config,
    ctx::Clock,
    rebuild,
    store::db::Db,
};

#[derive(clap::Args)]
pub struct Args {
    /// Replaces a database that is not empty; the old one is kept aside.
    #[arg(long)]
    force: bool,
}

#[expect(clippy::print_stdout, reason = "the summary")]
pub(super) async fn run(config: Arc<Config>, args: Args) -> anyhow::Result<()> {
    let _alone = turn::alone(&config)?;
    if args.force {
        let stamp = Clock::System.now().format("%Y%m%dT%H%M%S").to_string();
        if let Some(aside) = Db::set_aside(&config.database_url, &stamp).await? {
            println!("The database as it was is kept as {aside}.");
        }
    }
    let env = open(config, Clock::System).await?;
    if !rebuild::is_empty(&env).await? {
        anyhow::bail!(
            "the database is not empty; `kho rebuild --force` keeps it aside and makes a new one"
        );
    }
    let done = rebuild::rebuild(&env, |n| {
        if n % 1_000 == 0 {
            tracing::info!("{n} datasets read");
        }
    })
    .await?;
    println!(
        "{} datasets with {} versions ({} withdrawn) and {} files; {} accounts; {} versions indexed.",
        done.concepts, done.versions, done.withdrawn, done.files, done.accounts, done.indexed
    );
    println!(
        "Not in the archive, and therefore not here: drafts, passwords, roles, tokens, sessions, waiting jobs. \
         Owners are accounts without a password. Uploads of drafts are still in staging/ and are tidied away \
         after some days: copy them aside if you want them."
    );
    println!(
        "What harvesters are given has new stamps: they will fetch it again, and miss nothing."
    );
    for (path, why) in &done.skipped {
        println!("skipped {path}: {why}");
    }
    if !done.skipped.is_empty() {
        anyhow::bail!("{} things could not be read", done.skipped.len());
    }
    Ok(())
}
