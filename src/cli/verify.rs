//! `kho verify`: so far, a receipt.

use crate::cli::receipt;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    receipt: receipt::Args,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.receipt.receipt {
        Some(file) => receipt::verify(file, &args.receipt),
        None => anyhow::bail!("say what to verify: --receipt FILE"),
    }
}
