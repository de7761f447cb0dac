//! `kho ledger …`: its key, a check of all of it, and being a witness of another's.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde::Deserialize;

use crate::{
    cli::open::open,
    config::Config,
    ctx::{Clock, Env, random},
    ids::Sha256,
    ledger::{
        self,
        note::{Purpose, Signer, VerifierKey},
        receipt,
        witness::{Seen, Shown},
    },
    store::{remote::Remote, secret},
};

#[derive(Subcommand)]
pub enum Ledger {
    /// Prints the key that partners verify checkpoints with.
    Key {
        /// Signs with this process's key and name from now on, after the key was lost or the site renamed.
        #[arg(long)]
        accept: bool,
    },
    /// Checks the whole ledger against itself, the archive and the database.
    Check,
    /// Follows the ledger of another Kho: cosigns its newest checkpoint if it continues the one seen last.
    Witness(Witness),
}

#[derive(clap::Args)]
pub struct Witness {
    /// This witness's private key; made if there is no such file. What was seen is kept beside it, in FILE.seen.json.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The witness's name, such as library.example.edu.vn/witness; the first time it is needed.
    #[arg(long)]
    name: Option<String>,
    /// The ledger's key, from a source you trust; by default the one it shows the first time, and no other later.
    #[arg(long, value_name = "VKEY")]
    log: Option<String>,
    /// Prints this witness's verifier key, which the other site puts into ledger_witnesses, and does nothing else.
    #[arg(long)]
    show: bool,
    /// The other site, `https://data.example.vn`
    #[arg(required_unless_present = "show")]
    url: Option<String>,
}

pub(super) async fn run(config: Arc<Config>, what: Ledger) -> anyhow::Result<()> {
    match what {
        Ledger::Key { accept } => key(&open(config, Clock::System).await?, accept).await,
        Ledger::Check => check(&open(config, Clock::System).await?).await,
        Ledger::Witness(args) => witness(args).await,
    }
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
async fn key(env: &Env, accept: bool) -> anyhow::Result<()> {
    let vkey = if accept {
        ledger::accept(env).await?
    } else {
        match ledger::verifier(env).await? {
            Some(vkey) => Some(vkey),
            None => ledger::signer(env).await?.map(|s| s.verifier().to_string()),
        }
    };
    let unnamed =
        "the ledger has no name yet: set base_url or ledger_origin, or start `kho serve` once";
    println!("{}", vkey.context(unnamed)?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
async fn check(env: &Env) -> anyhow::Result<()> {
    let findings = ledger::check(env).await?;
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings in the ledger", findings.len());
    }
    println!("The ledger is sound.");
    Ok(())
}

/// What `/api/ledger/witnesses` and `/api/ledger/consistency` say, as far as a witness needs it.
#[derive(Deserialize)]
struct About {
    vkey: Option<String>,
}

#[derive(Deserialize)]
struct Proof {
    proof: Vec<String>,
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
async fn witness(args: Witness) -> anyhow::Result<()> {
    let signer = own_key(&args)?;
    let Some(url) = args.url.filter(|_| !args.show) else {
        println!("{}", signer.verifier());
        return Ok(());
    };
    let file = with_ending(&args.key, "seen.json");
    let mut all: std::collections::BTreeMap<String, Seen> = match secret::read(&file)? {
        Some(text) => serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read", file.display()))?,
        None => std::collections::BTreeMap::new(),
    };
    let site = Remote::new(&url)?;
    let place = url.trim_end_matches('/').to_owned();
    let seen = all.get(&place).cloned();
    let vkey = match (&seen, args.log) {
        (Some(seen), Some(given)) if seen.vkey != given => {
            bail!("{place} was seen with the key {}, not {given}", seen.vkey)
        }
        (Some(seen), _) => seen.vkey.clone(),
        (None, Some(given)) => given,
        (None, None) => {
            let about: About = serde_json::from_slice(&site.get("/api/ledger/witnesses").await?)?;
            about.vkey.context("the site shows no key")?
        }
    };
    let log: VerifierKey = vkey.parse().with_context(|| format!("the key {vkey:?}"))?;
    let shown = Shown::read(&site.get("/ledger/checkpoint").await?, &log)?;
    let proof = match &seen {
        Some(seen) if seen.size < shown.checkpoint.size => {
            let (from, to) = (seen.size, shown.checkpoint.size);
            let path = format!("/api/ledger/consistency?from={from}&to={to}");
            let told: Proof = serde_json::from_slice(&site.get(&path).await?)?;
            let hashes = told.proof.iter().map(|h| receipt::decode(h).map(Sha256));
            hashes
                .collect::<Option<Vec<_>>>()
                .context("the proof cannot be read")?
        }
        _ => Vec::new(),
    };
    let next = shown.follows(seen.as_ref(), &log, &proof)?;
    // Remembered before it is said: whoever forgets what it signed could sign the opposite.
    all.insert(place, next.clone());
    let text = serde_json::to_string_pretty(&all)?;
    secret::replace(&file, &text)?;
    let now = Clock::System.now().timestamp().max(0) as u64;
    site.post("/ledger/add-cosignature", shown.cosigned(&signer, now))
        .await?;
    let before = seen.map_or_else(|| "nothing".to_owned(), |s| s.size.to_string());
    println!(
        "Cosigned {} entries of {} (seen before: {before}).",
        next.size,
        log.name()
    );
    Ok(())
}

fn with_ending(path: &std::path::Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// The witness's key, with its name in a file beside it: a name is part of a key.
fn own_key(args: &Witness) -> anyhow::Result<Signer> {
    let text = match secret::read(&args.key)? {
        Some(text) => text,
        None => secret::keep(&args.key, &ledger::generate(random()?)?)?,
    };
    let kept = with_ending(&args.key, "name");
    let name = match (secret::read(&kept)?, &args.name) {
        (Some(name), Some(given)) if name.trim() != given => {
            bail!("this key is named {}, not {given}", name.trim())
        }
        (Some(name), _) => name.trim().to_owned(),
        (None, Some(given)) => secret::keep(&kept, given)?,
        (None, None) => bail!("give the witness a name: --name library.example.edu.vn/witness"),
    };
    Ok(Signer::new(
        &name,
        Purpose::Cosignature,
        ledger::read_key(&text)?,
    )?)
}
