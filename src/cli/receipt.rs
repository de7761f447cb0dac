//! `kho verify --receipt FILE`: checks a receipt without this store, without network: signature, inclusion, and with
//! `--files` that the files at hand are those that were entered.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256 as Hasher};

use crate::{
    archive::Inventory,
    ids::Sha256,
    ledger::{
        entry::{self, Entry},
        note::VerifierKey,
        receipt::{MOST_BYTES, Receipt},
    },
};

/// What `kho verify` takes to check a receipt.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Checks a receipt (the proof that a dataset's page offers) instead of this store.
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    /// The key of the ledger (name+id+base64), from a source you trust; by default the one that the receipt names.
    #[arg(long, value_name = "VKEY", requires = "receipt")]
    pub key: Option<String>,
    /// A witness that must have cosigned; may be given several times.
    #[arg(long, value_name = "VKEY", requires = "receipt")]
    pub witness: Vec<String>,
    /// A folder with the files of the version, or with its archive object (OCFL), that must be those entered.
    #[arg(long, value_name = "FOLDER", requires = "receipt")]
    pub files: Option<PathBuf>,
}

/// Most files looked at in a folder.
const MOST_FILES: usize = 1_000_000;
/// Deepest folder looked into.
const DEEPEST: usize = 64;
/// Most bytes of a list or an inventory.
const MOST_LIST: u64 = 512 << 20;

/// Checks the receipt and prints what it proves; everything that is wrong is the error.
#[expect(clippy::print_stdout, reason = "what the command is for")]
pub fn verify(file: &Path, args: &Args) -> anyhow::Result<()> {
    let text = bounded(file, MOST_BYTES)?;
    let receipt: Receipt = serde_json::from_slice(&text)
        .with_context(|| format!("{} is not a receipt", file.display()))?;
    let read = |text: &str| -> anyhow::Result<VerifierKey> {
        text.parse().with_context(|| format!("the key {text:?}"))
    };
    let key = read(args.key.as_deref().unwrap_or(&receipt.vkey))?;
    let witnesses = args
        .witness
        .iter()
        .map(|w| read(w))
        .collect::<Result<Vec<_>, _>>()?;
    let proven = receipt
        .verify(&key, &witnesses)
        .map_err(|wrong| anyhow::anyhow!("the receipt does not hold: {}", wrong.join("; ")))?;
    let looked = match (&args.files, proven.entries.last()) {
        (Some(folder), Some((_, last))) => Some(files(folder, last)?),
        _ => None,
    };

    println!(
        "The receipt holds: {} in the ledger {}.",
        receipt.record, proven.checkpoint.origin
    );
    for (index, entry) in &proven.entries {
        let late = if entry.late { " (entered later)" } else { "" };
        let doi = entry.doi.as_deref().unwrap_or("no DOI");
        println!(
            "  entry {index}: {} on {}, version {}, revision {}, {doi}{late}",
            entry.event.name(),
            entry.time,
            entry.version,
            entry.revision
        );
    }
    println!(
        "  in a tree of {} entries with root {}",
        proven.checkpoint.size, proven.checkpoint.root
    );
    for (name, at) in &proven.witnesses {
        let at = i64::try_from(*at)
            .ok()
            .and_then(|at| chrono::DateTime::from_timestamp(at, 0));
        println!(
            "  cosigned by {name}{}",
            at.map(|at| format!(" at {at}")).unwrap_or_default()
        );
    }
    if let Some(looked) = looked {
        println!("  {looked}");
    }
    if args.key.is_none() {
        println!(
            "The key was taken from the receipt itself. Compare it with one from another source, or give --key:"
        );
        println!("  {key}");
    }
    Ok(())
}

fn bounded(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(cannot)?;
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    if bytes.len() as u64 > most {
        bail!("{} is too long", path.display());
    }
    Ok(bytes)
}

fn hash(path: &Path) -> anyhow::Result<Sha256> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file
            .read(&mut buffer)
            .with_context(|| format!("cannot read {}", path.display()))?;
        if n == 0 {
            return Ok(Sha256(hasher.finalize().into()));
        }
        hasher.update(&buffer[..n]);
    }
}

/// Are these the files that were entered? Says what was looked at.
fn files(folder: &Path, entry: &Entry) -> anyhow::Result<String> {
    if folder.join("0=ocfl_object_1.1").exists() || folder.join("inventory.json").exists() {
        object(folder, entry)
    } else {
        plain(folder, entry)
    }
}

/// An archive object: the inventory of the version is the one entered, and everything it names is as it says.
fn object(folder: &Path, entry: &Entry) -> anyhow::Result<String> {
    let path = folder.join(format!("v{}/inventory.json", entry.archive_version));
    let bytes = bounded(&path, MOST_LIST)?;
    let found = entry::digest(&bytes);
    if found != entry.inventory_sha256 {
        bail!(
            "{} is {found}, entered was {}",
            path.display(),
            entry.inventory_sha256
        );
    }
    let inventory = Inventory::parse(&bytes).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}: {}", path.display(), faults.join("; "))
    })?;
    let mut wrong = Vec::new();
    let mut count = 0;
    for (digest, places) in &inventory.manifest {
        for place in places {
            count += 1;
            match hash(&folder.join(place.as_str())) {
                Ok(found) if found.to_hex() == *digest => {}
                Ok(found) => wrong.push(format!("{place} is {found}, not {digest}")),
                Err(e) => wrong.push(format!("{e:#}")),
            }
        }
    }
    refuse(wrong)?;
    Ok(format!(
        "the archive object is the one entered, all {count} files of it"
    ))
}

/// Files under their own names. With the `SHA256SUMS` that was entered beside them, what else is there does not matter.
fn plain(folder: &Path, entry: &Entry) -> anyhow::Result<String> {
    let list = folder.join("SHA256SUMS");
    if list.exists() {
        let bytes = bounded(&list, MOST_LIST)?;
        if entry::digest(&bytes) == entry.files_sha256 {
            return listed(folder, &bytes);
        }
    }
    let mut names = BTreeSet::new();
    names_in(folder, "", 0, &mut names)?;
    names.remove("SHA256SUMS");
    let mut found = Vec::new();
    for name in &names {
        found.push((name.as_str(), hash(&folder.join(name))?));
    }
    if entry::files_digest(found.iter().copied()) != entry.files_sha256 {
        let told: Vec<String> = found
            .iter()
            .take(20)
            .map(|(n, d)| format!("{d}  {n}"))
            .collect();
        bail!(
            "the files in {} are not those that were entered ({} were found: {})",
            folder.display(),
            found.len(),
            told.join(", ")
        );
    }
    Ok(format!(
        "the {} files are those that were entered, and all of them",
        found.len()
    ))
}

/// Every line of the list that was entered.
fn listed(folder: &Path, list: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(list).context("SHA256SUMS is not UTF-8")?;
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let (digest, name) = line
            .split_once("  ")
            .context("SHA256SUMS has a malformed line")?;
        let name: crate::ids::FileKey = name.parse().context("SHA256SUMS has a malformed name")?;
        count += 1;
        match hash(&folder.join(name.as_str())) {
            Ok(found) if found.to_hex() == digest => {}
            Ok(found) => wrong.push(format!("{name} is {found}, not {digest}")),
            Err(e) => wrong.push(format!("{e:#}")),
        }
    }
    refuse(wrong)?;
    Ok(format!(
        "the {count} files of SHA256SUMS are those that were entered"
    ))
}

fn refuse(mut wrong: Vec<String>) -> anyhow::Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    let more = wrong.len().saturating_sub(20);
    wrong.truncate(20);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    bail!("these files are not what was entered: {}", wrong.join("; "))
}

fn names_in(
    folder: &Path,
    at: &str,
    depth: usize,
    names: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    if depth > DEEPEST {
        bail!("{} is too deep", folder.display());
    }
    for found in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let found = found?;
        let name = found.file_name();
        let name = name.to_str().context("a name is not UTF-8")?;
        let whole = if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}/{name}")
        };
        if found.file_type()?.is_dir() {
            names_in(&found.path(), &whole, depth + 1, names)?;
        } else {
            names.insert(whole);
        }
        if names.len() > MOST_FILES {
            bail!("too many files");
        }
    }
    Ok(())
}
