//! `kho backup DIR` and `kho restore DIR`.

use std::{path::PathBuf, sync::Arc};

use crate::{
    backup,
    cli::{open::open, turn},
    config::Config,
    ctx::Clock,
};

#[derive(clap::Args)]
pub struct Take {
    /// The folder; earlier backups in it are added to.
    dir: PathBuf,
}

#[derive(clap::Args)]
pub struct PutBack {
    /// The folder of the backup.
    dir: PathBuf,
    /// Not the newest backup but this one: a name in DIR/backups.
    #[arg(long, value_name = "NAME")]
    at: Option<String>,
}

#[expect(clippy::print_stdout, reason = "the summary")]
pub(super) async fn take(config: Arc<Config>, args: Take) -> anyhow::Result<()> {
    let env = open(config, Clock::System).await?;
    let (name, about) = backup::take(&env, &args.dir).await?;
    let counts = about.counts;
    println!(
        "Backup {name} of {}: {} objects, {} files, {} bytes; {} uploads of drafts; {} rows.",
        about.moment,
        counts.objects,
        counts.files,
        counts.bytes,
        counts.uploads,
        about.rows.iter().map(|(_, n)| n).sum::<u64>()
    );
    println!(
        "New since the last one: {} files, {} bytes. Manifest SHA-256 {}.",
        counts.copied_files, counts.copied_bytes, about.manifest
    );
    println!("Settings (kho.toml, environment) are not part of it: keep them too.");
    for (path, why) in &about.problems {
        println!("not copied {path}: {why}");
    }
    if !about.problems.is_empty() {
        anyhow::bail!(
            "{} files could not be copied; run `kho verify`",
            about.problems.len()
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the summary")]
pub(super) async fn restore(config: Arc<Config>, args: PutBack) -> anyhow::Result<()> {
    let _alone = turn::alone(&config)?;
    let env = open(config, Clock::System).await?;
    let done = backup::restore(&env, &args.dir, args.at.as_deref())
        .await
        .map_err(|e| match e {
            crate::error::Error::Conflict(_) => {
                anyhow::anyhow!("the database is not empty; restore into an empty place")
            }
            e => e.into(),
        })?;
    println!(
        "Restored backup {} of {}: {} objects ({} were there already), {} uploads, {} rows; {} versions indexed.",
        done.backup,
        done.about.moment,
        done.objects,
        done.there_already,
        done.uploads,
        done.rows,
        done.indexed
    );
    println!("Everybody has to sign in again. Run `kho verify` to see that all is well.");
    for (path, why) in &done.about.problems {
        println!("the backup has no {path}: {why}");
    }
    if !done.about.problems.is_empty() {
        anyhow::bail!("the backup was not complete");
    }
    Ok(())
}
