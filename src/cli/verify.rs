//! `kho verify`: is everything still what it was?

use std::sync::Arc;

use crate::{
    archive::Pace,
    cli::{open::open, receipt},
    config::Config,
    ctx::Clock,
    fixity::{self, Finding, Scope},
    ledger,
};

#[derive(clap::Args)]
pub struct Args {
    /// Checks everything: the default.
    #[arg(long, conflicts_with = "least_recent")]
    all: bool,
    /// Checks only so many datasets: those never checked, then those checked longest ago.
    #[arg(long, value_name = "N")]
    least_recent: Option<u64>,
    /// Reads at most so many megabytes a second.
    #[arg(long, value_name = "MB/s", default_value_t = 0)]
    rate: u64,
    #[command(flatten)]
    receipt: receipt::Args,
}

/// One line a finding, then a summary. Fails when anything is wrong.
#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) async fn run(config: Arc<Config>, args: Args) -> anyhow::Result<()> {
    if let Some(file) = &args.receipt.receipt {
        return receipt::verify(file, &args.receipt);
    }
    let env = open(config, Clock::System).await?;
    let scope = match args.least_recent {
        Some(n) if !args.all => Scope::LeastRecent(n),
        _ => Scope::All,
    };
    let pace = Pace::bytes_per_second(args.rate.saturating_mul(1_000_000));
    let begun = tokio::time::Instant::now();
    let tell = |found: &Finding| println!("{}", line(found));
    let done = fixity::run(&env.system(), scope, &pace, tell).await?;
    let seconds = begun.elapsed().as_secs_f64().max(0.001);
    println!(
        "{} datasets, {} files, {} bytes read in {seconds:.1} s ({:.0} MB/s): {}",
        done.objects,
        done.files,
        done.bytes,
        done.bytes as f64 / seconds / 1e6,
        match done.findings {
            0 => "all as it was".to_owned(),
            1 => "1 finding".to_owned(),
            n => format!("{n} findings"),
        }
    );
    let mut wrong = done.findings;
    if matches!(scope, Scope::All) {
        let findings = ledger::check(&env).await?;
        for found in &findings {
            println!("{found}");
        }
        wrong += findings.len() as u64;
    }
    if wrong > 0 {
        anyhow::bail!(
            "{wrong} things are not as they should be; docs/guide/operating.md says what to do"
        );
    }
    Ok(())
}

fn line(found: &Finding) -> String {
    let record = match found.record.as_str() {
        "" => "-",
        id => id,
    };
    format!(
        "{} record {record} file {}: {}",
        found.code, found.path, found.detail
    )
}
