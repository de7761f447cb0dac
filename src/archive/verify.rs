//! Checking an object against its inventory, down to every byte. It finds and reports; it mends nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Archive, Inventory, ObjectId, ObjectPath, VersionNum,
    hash::{self, Hashes},
    inventory::{Fault, INVENTORY, MAX_BYTES, Spec},
    layout,
    pace::Pace,
    read::sidecar_digest,
};
use crate::{
    error::{Error, Result},
    store::object::{ContentPath, Listed, ListedKind},
};

/// Something wrong with an object, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The object's folder, or the file.
    pub path: ContentPath,
    pub damage: Damage,
    pub fault: Fault,
}

/// What kind of damage it is; the OCFL codes do not tell these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// An inventory, a sidecar, a declaration, the order of versions.
    Structure,
    /// A file or a version that should be there and is not.
    Missing,
    /// Content whose bytes are not those that were written.
    Differs,
    /// Content that is there and cannot be read.
    Unreadable,
    /// A file or folder that nobody wrote down.
    Surplus,
    /// A whole object in the place of another.
    Misplaced,
}

/// How much of an object is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Names, sizes, inventories: no content is read.
    Listing,
    /// Also the digest by which content is named. A digest that agrees says that these are the bytes that
    /// were written, so reading on for a second digest would only tell of the inventory, which its sidecar does.
    Content,
    /// Also the further digests of the inventory's fixity block.
    Everything,
}

/// What was seen of an object.
#[derive(Debug)]
pub struct Inspection {
    pub findings: Vec<Finding>,
    /// Files of content whose bytes were read, and how many bytes that was.
    pub files: u64,
    pub bytes: u64,
    /// The object's inventory, when it can be read.
    pub inventory: Option<Inventory>,
    /// Bytes of every content file that is there.
    pub sizes: HashMap<ObjectPath, u64>,
}

/// Depth and number of files in an object beyond which it is not walked.
const MAX_FILES: usize = 5_000_000;

impl Archive {
    /// All that is wrong with an object; empty when it is sound. An absent object is one finding.
    pub async fn verify_object(&self, id: &ObjectId) -> Result<Vec<Finding>> {
        let root = layout::object_root(id)?;
        let mut findings = self.verify_at(&root).await?;
        if findings.is_empty()
            && let Some((inventory, _)) = self.inventory_at(&root).await?
            && inventory.id != *id
        {
            let fault = Fault::new("E083", format!("holds {}, not {id}", inventory.id));
            findings.push(Finding {
                path: root,
                damage: Damage::Misplaced,
                fault,
            });
        }
        Ok(findings)
    }

    /// The same for whatever object stands in a folder.
    pub async fn verify_at(&self, root: &ContentPath) -> Result<Vec<Finding>> {
        let pace = Pace::unlimited();
        let seen = self.inspect(root, Depth::Everything, &pace).await?;
        Ok(seen.findings)
    }

    /// Looks at the object in a folder, at most as fast as `pace` allows. Memory is that of its inventories,
    /// one at a time, whatever the size of its files. An error is one of the store as a whole; a file that
    /// cannot be read is a finding.
    pub async fn inspect(
        &self,
        root: &ContentPath,
        depth: Depth,
        pace: &Pace,
    ) -> Result<Inspection> {
        let mut check = Check {
            archive: self,
            root,
            depth,
            pace,
            findings: Vec::new(),
            expected: BTreeMap::new(),
            files: 0,
            bytes: 0,
            sizes: HashMap::new(),
        };
        let inventory = check.object().await?;
        Ok(Inspection {
            findings: check.findings,
            files: check.files,
            bytes: check.bytes,
            inventory,
            sizes: check.sizes,
        })
    }
}

struct Check<'a> {
    archive: &'a Archive,
    root: &'a ContentPath,
    depth: Depth,
    pace: &'a Pace,
    findings: Vec<Finding>,
    /// Path in the object → algorithm → digest, from all inventories; with the code when it does not hold.
    expected: BTreeMap<String, BTreeMap<(String, String), &'static str>>,
    files: u64,
    bytes: u64,
    sizes: HashMap<ObjectPath, u64>,
}

impl Check<'_> {
    fn find(&mut self, path: &str, code: &'static str, detail: impl std::fmt::Display) {
        self.find_as(Damage::Structure, path, code, detail);
    }

    fn find_as(
        &mut self,
        damage: Damage,
        path: &str,
        code: &'static str,
        detail: impl std::fmt::Display,
    ) {
        let path = self.root.join(path).unwrap_or_else(|_| self.root.clone());
        let fault = Fault::new(code, detail);
        self.findings.push(Finding {
            path,
            damage,
            fault,
        });
    }

    async fn object(&mut self) -> Result<Option<Inventory>> {
        let listed = self.archive.objects.list(self.root).await?;
        self.declaration(&listed).await?;
        let Some((root, digest)) = self.inventory("").await? else {
            return Ok(None);
        };
        // A version that somebody writes right now is not a finding.
        let unfinished = self.archive.unfinished(&root.id).await?;
        self.root_entries(&listed, &root, unfinished);
        self.expect(&root, "E092");
        let mut spec = None;
        for num in root.versions.keys() {
            spec = self.version(*num, &root, &digest, spec).await?.or(spec);
        }
        self.content(&root).await?;
        Ok(Some(root))
    }

    async fn declaration(&mut self, listed: &[Listed]) -> Result<()> {
        let declares = |l: &&Listed| l.name.starts_with("0=");
        let names: Vec<String> = listed
            .iter()
            .filter(declares)
            .map(|l| l.name.clone())
            .collect();
        let [name] = names.as_slice() else {
            self.find("", "E003", "one declaration of the object is needed");
            return Ok(());
        };
        let known = ["0=ocfl_object_1.0", layout::OBJECT_DECLARATION];
        let text = self.archive.objects.get(&self.path(name)?, 64).await?;
        let expected = format!("{}\n", name.trim_start_matches("0="));
        if !known.contains(&name.as_str()) || text.as_deref() != Some(expected.as_bytes()) {
            self.find(name, "E007", "not the declaration of an OCFL object");
        }
        Ok(())
    }

    /// The inventory in a folder of the object and its digest; its sidecar is checked.
    async fn inventory(&mut self, folder: &str) -> Result<Option<(Inventory, String)>> {
        let path = |name: &str| match folder {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let at = path(INVENTORY);
        let Some(bytes) = self
            .archive
            .objects
            .get(&self.path(&at)?, MAX_BYTES)
            .await?
        else {
            if folder.is_empty() {
                self.find_as(Damage::Missing, &at, "E063", "no inventory");
            }
            return Ok(None);
        };
        let inventory = match Inventory::parse(&bytes) {
            Ok(inventory) => inventory,
            Err(faults) => {
                for fault in faults {
                    self.find(&at, fault.code, fault.detail);
                }
                return Ok(None);
            }
        };
        let sidecar = path(&inventory.algorithm.sidecar());
        let line = self
            .archive
            .objects
            .get(&self.path(&sidecar)?, 1024)
            .await?;
        let digest = inventory.algorithm.hex(&bytes);
        match line.map(|line| sidecar_digest(&line)) {
            None => self.find(&sidecar, "E058", "no sidecar"),
            Some(None) => self.find(&sidecar, "E061", "not a digest and inventory.json"),
            Some(Some(said)) if said != digest => {
                self.find(&sidecar, "E060", "the inventory has another digest");
            }
            Some(Some(_)) => {}
        }
        Ok(Some((inventory, digest)))
    }

    fn root_entries(
        &mut self,
        listed: &[Listed],
        inventory: &Inventory,
        unfinished: Option<VersionNum>,
    ) {
        let mut versions = BTreeSet::new();
        for entry in listed {
            let name = entry.name.as_str();
            let sidecar = inventory.algorithm.sidecar();
            match entry.kind {
                ListedKind::Folder if matches!(name, "logs" | "extensions") => {}
                ListedKind::Folder => match name.parse::<VersionNum>() {
                    Ok(num) if inventory.versions.contains_key(&num) => {
                        versions.insert(num);
                    }
                    Ok(num) if Some(num) == unfinished => {}
                    Ok(_) => {
                        let told = "the inventory has no such version";
                        self.find_as(Damage::Surplus, name, "E046", told);
                    }
                    Err(_) => self.find_as(Damage::Surplus, name, "E001", "does not belong here"),
                },
                ListedKind::File(_) if name == INVENTORY || name == sidecar => {}
                ListedKind::File(_) if name.starts_with("0=") => {}
                _ => self.find_as(Damage::Surplus, name, "E001", "does not belong here"),
            }
        }
        for num in inventory.versions.keys() {
            if !versions.contains(num) {
                self.find_as(
                    Damage::Missing,
                    &num.to_string(),
                    "E010",
                    "the folder of the version is missing",
                );
            }
        }
    }

    /// A version's own inventory, if it has one: a prefix of the object's history. Returns the version of
    /// OCFL that it follows; `before` is that of the version before.
    async fn version(
        &mut self,
        num: VersionNum,
        root: &Inventory,
        root_digest: &str,
        before: Option<Spec>,
    ) -> Result<Option<Spec>> {
        let folder = num.to_string();
        let Some((old, digest)) = self.inventory(&folder).await? else {
            return Ok(None);
        };
        if before.is_some_and(|before| before > old.spec) {
            self.find(
                &folder,
                "E103",
                "follows an older OCFL than the version before",
            );
        }
        let at = format!("{folder}/{INVENTORY}");
        if old.id != root.id {
            self.find(&at, "E037", "has another id than the object");
        }
        if old.head != num {
            self.find(&at, "E040", format!("head is {}", old.head));
        }
        if old.content_directory != root.content_directory {
            self.find(&at, "E019", "has another contentDirectory");
        }
        if num == root.head && digest != root_digest {
            self.find(&at, "E064", "differs from the object's inventory");
        }
        self.expect(&old, "E092");
        for (num, version) in &old.versions {
            let same = root.versions.get(num).is_some_and(|in_root| {
                places(&old, &version.state) == places(root, &in_root.state)
            });
            if !same {
                self.find(
                    &at,
                    "E066",
                    format!("{num} differs from the object's inventory"),
                );
            }
        }
        Ok(Some(old.spec))
    }

    fn expect(&mut self, inventory: &Inventory, code: &'static str) {
        let manifest = std::iter::once((inventory.algorithm.as_str(), &inventory.manifest, code));
        let fixity = inventory
            .fixity
            .iter()
            .map(|(name, block)| (name.as_str(), block, "E093"));
        for (algorithm, block, code) in manifest.chain(fixity) {
            for (digest, paths) in block {
                for path in paths {
                    let of_path = self.expected.entry(path.as_str().to_owned()).or_default();
                    let key = (algorithm.to_owned(), digest.to_ascii_lowercase());
                    of_path.entry(key).or_insert(code);
                }
            }
        }
    }

    /// Every file in the version folders is in the manifest, every file of the manifest is there and whole.
    async fn content(&mut self, root: &Inventory) -> Result<()> {
        let manifest: BTreeSet<&str> = root
            .manifest
            .values()
            .flatten()
            .map(ObjectPath::as_str)
            .collect();
        let mut missing = manifest.clone();
        let mut waiting: Vec<String> = root.versions.keys().map(ToString::to_string).collect();
        waiting.push("extensions".into());
        let mut seen = 0;
        while let Some(folder) = waiting.pop() {
            let listed = self.archive.objects.list(&self.path(&folder)?).await?;
            let is_version = folder.parse::<VersionNum>().is_ok();
            if listed.is_empty() && !is_version && folder != "extensions" {
                self.find_as(Damage::Surplus, &folder, "E024", "an empty folder");
            }
            for entry in listed {
                seen += 1;
                if seen > MAX_FILES {
                    return Err(Error::internal("archive", "too many files to check"));
                }
                let path = format!("{folder}/{}", entry.name);
                match entry.kind {
                    ListedKind::File(_) if folder == "extensions" => {
                        let told = "a file among the extensions";
                        self.find_as(Damage::Surplus, &path, "E067", told);
                    }
                    _ if folder == "extensions" => {}
                    // Other folders of a version are not content; OCFL only warns of them.
                    ListedKind::Folder if is_version && entry.name != root.content_directory => {}
                    ListedKind::Folder => waiting.push(path),
                    ListedKind::File(_) if is_version => {
                        if !entry.name.starts_with(INVENTORY) {
                            let told = "a file beside the content";
                            self.find_as(Damage::Surplus, &path, "E015", told);
                        }
                    }
                    ListedKind::File(size) if missing.remove(path.as_str()) => {
                        self.digests(&path, size).await?;
                    }
                    _ => self.find_as(Damage::Surplus, &path, "E023", "not in the manifest"),
                }
            }
        }
        for path in missing {
            self.find_as(
                Damage::Missing,
                path,
                "E092",
                "in the manifest and not there",
            );
        }
        for path in self.expected.keys().cloned().collect::<Vec<_>>() {
            if !manifest.contains(path.as_str()) {
                self.find(
                    &path,
                    "E023",
                    "an older inventory has it, the object's has not",
                );
            }
        }
        Ok(())
    }

    async fn digests(&mut self, path: &str, size: u64) -> Result<()> {
        if let Ok(known) = path.parse() {
            self.sizes.insert(known, size);
        }
        let expected: Vec<((String, String), &'static str)> = match self.expected.get(path) {
            Some(all) => all
                .iter()
                .filter(|(_, code)| match self.depth {
                    Depth::Listing => false,
                    Depth::Content => **code == "E092",
                    Depth::Everything => true,
                })
                .map(|(key, code)| (key.clone(), *code))
                .collect(),
            None => Vec::new(),
        };
        if expected.is_empty() {
            return Ok(());
        }
        let hashes = Hashes::for_algorithms(expected.iter().map(|((name, _), _)| name.as_str()));
        let full = self.path(path)?;
        self.files += 1;
        self.bytes += size;
        let reading = self.archive.objects.read(&full, 0..size).await;
        let found = match reading {
            Ok(reading) => hash::digest(reading, size, hashes, self.pace).await,
            Err(e) => Err(e),
        };
        match found {
            // A store that does not answer says nothing about the file.
            Err(e @ Error::Unavailable(_)) => return Err(e),
            Err(e) => self.find_as(
                Damage::Unreadable,
                path,
                "E092",
                format!("cannot be read: {e}"),
            ),
            Ok(found) => {
                for ((algorithm, digest), code) in expected {
                    if let Some(found) = found.get(algorithm.as_str())
                        && *found != digest
                    {
                        let told = format!("{algorithm} is {found}, {digest} was written");
                        self.find_as(Damage::Differs, path, code, told);
                    }
                }
            }
        }
        Ok(())
    }

    fn path(&self, below: &str) -> Result<ContentPath> {
        let path = self.root.join(below);
        path.map_err(|e| Error::internal("archive path", format!("{below:?}: {e}")))
    }
}

/// Logical path → all places its content stands at, whatever the digests are called.
fn places<'a>(
    inventory: &'a Inventory,
    state: &'a BTreeMap<String, Vec<super::LogicalPath>>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut all = BTreeMap::new();
    for (digest, paths) in state {
        let content = inventory.manifest.get(digest).into_iter().flatten();
        let content: BTreeSet<&str> = content.map(ObjectPath::as_str).collect();
        all.extend(paths.iter().map(|path| (path.as_str(), content.clone())));
    }
    all
}
