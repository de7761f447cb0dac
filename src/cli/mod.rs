//! The command line: one file a command. Errors go to stderr as one sentence; exit codes are 0, 1 (failed)
//! and 2 (usage).

mod accounts;
mod backup;
pub mod demo;
mod index;
mod inspect;
mod ledger;
pub mod open;
mod rebuild;
pub mod receipt;
mod serve;
mod turn;
mod verify;

use std::{collections::BTreeMap, io::IsTerminal, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};

use crate::config::Config;

#[derive(Parser)]
#[command(
    name = "kho",
    version,
    about = "A research-data repository in one program."
)]
struct Cli {
    /// Where everything is kept.
    #[arg(long, global = true, env = "KHO_DATA", default_value = "kho-data")]
    data: PathBuf,
    /// A settings file; by default kho.toml in the data folder.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Opens the store and serves it.
    Serve(serve::Args),
    /// Accounts.
    #[command(subcommand)]
    User(accounts::User),
    /// Personal access tokens.
    #[command(subcommand)]
    Token(accounts::Token),
    /// Builds the search index anew from the database, beside the one in use.
    Reindex,
    /// Copies everything into a folder, while the site is served.
    Backup(backup::Take),
    /// Puts a backup back into an empty place.
    Restore(backup::PutBack),
    /// Makes database and index again from the archive alone.
    Rebuild(rebuild::Args),
    /// The ledger of what was published: its key, a check, being a witness.
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Reads everything again and compares it with inventories, database and ledger; or checks a receipt.
    Verify(verify::Args),
    /// Prints the description of the API (OpenAPI 3.1).
    Openapi,
    /// Prints every setting with its value and where it came from.
    Config,
    /// Looks at the surroundings: folders, database, index, time.
    Doctor,
}

/// Runs the command the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let mut flags = BTreeMap::new();
    if let Command::Serve(args) = &cli.command {
        args.settings(&mut flags);
    }
    let config = match Config::load(cli.data, cli.config, &flags, |name| {
        std::env::var(name).ok()
    }) {
        Ok(config) => config,
        Err(e) => return fail(&e),
    };
    log(&config);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => return fail(&e),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(config, args).await,
            Command::User(what) => accounts::user(Arc::new(config), what).await,
            Command::Token(what) => accounts::token(Arc::new(config), what).await,
            Command::Reindex => index::reindex(Arc::new(config)).await,
            Command::Rebuild(args) => rebuild::run(Arc::new(config), args).await,
            Command::Backup(args) => backup::take(Arc::new(config), args).await,
            Command::Restore(args) => backup::restore(Arc::new(config), args).await,
            Command::Verify(args) => verify::run(Arc::new(config), args).await,
            Command::Ledger(what) => ledger::run(Arc::new(config), what).await,
            Command::Openapi => inspect::openapi(),
            Command::Config => {
                inspect::config(&config);
                Ok(())
            }
            Command::Doctor => inspect::doctor(Arc::new(config)).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&*e),
    }
}

fn fail(e: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("kho: {e}");
    ExitCode::from(1)
}

/// Logs go to stderr, so that stdout is what a command prints.
fn log(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log_json {
        builder.json().init();
    } else {
        builder
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .init();
    }
}
