//! The rules of OCFL 3.5 for an inventory by itself. Not here: whether the files are as it says (`verify`).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::DateTime;

use super::{
    LogicalPath, ObjectId, ObjectPath, User, VersionNum,
    inventory::{Algorithm, ByDigest, Fault, Inventory, Pairs, Raw, RawVersion, Spec, Version},
};

/// More faults than this say nothing new.
const ENOUGH: usize = 50;

pub(super) fn inventory(raw: Raw) -> Result<Inventory, Vec<Fault>> {
    let mut faults = Vec::new();
    let inventory = convert(raw, &mut faults);
    if let Some(inventory) = &inventory {
        check_references(inventory, &mut faults);
    }
    faults.truncate(ENOUGH);
    match inventory {
        Some(inventory) if faults.is_empty() => Ok(inventory),
        _ => Err(faults),
    }
}

/// Field by field; `None` when something is missing that nothing can go on without.
fn convert(raw: Raw, faults: &mut Vec<Fault>) -> Option<Inventory> {
    let mut fault = |code, detail: &str| faults.push(Fault::new(code, detail));
    if raw.id.as_deref().is_none_or(str::is_empty) {
        fault("E036", "no id");
    }
    let spec = [Spec::V1_1, Spec::V1_0]
        .into_iter()
        .find(|spec| raw.inventory_type.as_deref() == Some(spec.inventory_type()));
    match (&raw.inventory_type, spec) {
        (None, _) => fault("E036", "no type"),
        (Some(_), None) => fault("E038", "type is not that of an OCFL inventory"),
        _ => {}
    }
    let algorithm = match raw.digest_algorithm.as_deref() {
        Some("sha256") => Some(Algorithm::Sha256),
        Some("sha512") => Some(Algorithm::Sha512),
        Some(_) => {
            fault("E025", "digestAlgorithm is neither sha512 nor sha256");
            None
        }
        None => {
            fault("E036", "no digestAlgorithm");
            None
        }
    };
    let head = match raw.head.as_ref() {
        None => {
            fault("E036", "no head");
            None
        }
        Some(head) => {
            let head = head.as_str().and_then(|s| s.parse::<VersionNum>().ok());
            if head.is_none() {
                fault("E040", "head is not a version");
            }
            head
        }
    };
    let content_directory = raw.content_directory.unwrap_or_else(|| "content".into());
    if matches!(content_directory.as_str(), "" | "." | "..") || content_directory.contains('/') {
        fault("E017", "contentDirectory must be one plain name");
    }
    let manifest = if let Some(pairs) = raw.manifest {
        content_paths(pairs, "E096", faults)
    } else {
        faults.push(Fault::new("E041", "no manifest"));
        BTreeMap::new()
    };
    let mut fixity = BTreeMap::new();
    for (name, pairs) in raw.fixity.map(|f| f.0).unwrap_or_default() {
        fixity.insert(name, content_paths(pairs, "E097", faults));
    }
    let versions = versions(raw.versions, head, faults)?;
    Some(Inventory {
        id: ObjectId::from_inventory(raw.id?),
        spec: spec?,
        algorithm: algorithm?,
        head: head?,
        content_directory,
        manifest,
        versions,
        fixity,
    })
}

fn versions(
    raw: Option<Pairs<RawVersion>>,
    head: Option<VersionNum>,
    faults: &mut Vec<Fault>,
) -> Option<BTreeMap<VersionNum, Version>> {
    let Some(raw) = raw else {
        faults.push(Fault::new("E043", "no versions"));
        return None;
    };
    let mut versions = BTreeMap::new();
    for (name, version) in raw.0 {
        let Ok(num) = name.parse::<VersionNum>() else {
            faults.push(Fault::new("E046", format!("{name:?} is not a version")));
            continue;
        };
        if let Some(version) = convert_version(&name, version, faults)
            && versions.insert(num, version).is_some()
        {
            faults.push(Fault::new("E011", format!("{name} is there twice")));
        }
    }
    if versions.is_empty() {
        faults.push(Fault::new("E008", "no version"));
        return None;
    }
    let widths: BTreeSet<u8> = versions.keys().map(|v| v.width()).collect();
    if widths.len() > 1 {
        faults.push(Fault::new("E012", "versions are padded differently"));
    }
    for (expected, num) in (1..).zip(versions.keys()) {
        if num.number() != expected {
            faults.push(Fault::new("E010", format!("v{expected} is missing")));
            break;
        }
    }
    if head.is_some() && head != versions.keys().next_back().copied() {
        faults.push(Fault::new("E040", "head is not the last version"));
    }
    Some(versions)
}

fn convert_version(name: &str, raw: RawVersion, faults: &mut Vec<Fault>) -> Option<Version> {
    let before = faults.len();
    let mut fault = |code, detail: &str| faults.push(Fault::new(code, format!("{name}: {detail}")));
    let created = raw.created.as_ref().and_then(|v| v.as_str());
    let created = created.and_then(|s| DateTime::parse_from_rfc3339(s).ok());
    match (&raw.created, &created) {
        (None, _) => fault("E048", "no created"),
        (Some(_), None) => fault("E049", "created is not an RFC 3339 time to the second"),
        _ => {}
    }
    let message = raw.message.map(|m| m.as_str().map(str::to_owned));
    if message == Some(None) {
        fault("E094", "message is not a string");
    }
    let user = raw.user.map(|u| serde_json::from_value::<User>(u).ok());
    if !matches!(&user, None | Some(Some(_))) || user.iter().flatten().any(|u| u.name.is_empty()) {
        fault("E054", "user has no name");
    }
    let Some(state) = raw.state else {
        fault("E048", "no state");
        return None;
    };
    let (mut converted, mut all) = (BTreeMap::new(), HashSet::new());
    for (digest, paths) in state.0 {
        let mut good = Vec::new();
        for path in paths {
            match path.parse::<LogicalPath>() {
                Ok(path) if all.insert(path.clone()) => good.push(path),
                Ok(_) => faults.push(Fault::new(
                    "E095",
                    format!("{name}: {path:?} is there twice"),
                )),
                Err(_) => {
                    let absolute = path.starts_with('/') || path.ends_with('/');
                    let code = if absolute { "E053" } else { "E052" };
                    faults.push(Fault::new(
                        code,
                        format!("{name}: {path:?} is no logical path"),
                    ));
                }
            }
        }
        if converted.insert(digest, good).is_some() {
            faults.push(Fault::new(
                "E050",
                format!("{name}: a digest is there twice"),
            ));
        }
    }
    let names: HashSet<&str> = all.iter().map(LogicalPath::as_str).collect();
    if let Some(path) = file_and_folder(&names) {
        faults.push(Fault::new(
            "E095",
            format!("{name}: {path:?} is file and folder"),
        ));
    }
    (faults.len() == before).then_some(Version {
        created: created?,
        message: message.flatten(),
        user: user.flatten(),
        state: converted,
    })
}

/// A path that others have as a folder.
pub(super) fn file_and_folder(paths: &HashSet<&str>) -> Option<String> {
    let folders = paths
        .iter()
        .flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at]));
    let mut folders = folders;
    folders
        .find(|folder| paths.contains(folder))
        .map(str::to_owned)
}

/// A block of digests and content paths; `repeated` is the code for a digest that is there twice.
fn content_paths(
    pairs: Pairs<Vec<String>>,
    repeated: &'static str,
    faults: &mut Vec<Fault>,
) -> ByDigest<ObjectPath> {
    let (mut out, mut digests, mut all) = (BTreeMap::new(), HashSet::new(), HashSet::new());
    for (digest, paths) in pairs.0 {
        if !digests.insert(digest.to_ascii_lowercase()) {
            faults.push(Fault::new(repeated, format!("{digest} is there twice")));
        }
        let mut good = Vec::new();
        for path in paths {
            match path.parse::<ObjectPath>() {
                Ok(path) if all.insert(path.clone()) => good.push(path),
                Ok(path) => faults.push(Fault::new("E101", format!("{path} is there twice"))),
                Err(_) => {
                    let absolute = path.starts_with('/') || path.ends_with('/');
                    let code = if absolute { "E100" } else { "E099" };
                    faults.push(Fault::new(code, format!("{path:?} is no content path")));
                }
            }
        }
        out.insert(digest, good);
    }
    let names: HashSet<&str> = all.iter().map(ObjectPath::as_str).collect();
    if let Some(path) = file_and_folder(&names) {
        faults.push(Fault::new("E101", format!("{path:?} is file and folder")));
    }
    out
}

/// What the parts say about each other.
fn check_references(inventory: &Inventory, faults: &mut Vec<Fault>) {
    let mut used = HashSet::new();
    for (num, version) in &inventory.versions {
        for digest in version.state.keys() {
            if inventory.manifest.contains_key(digest) {
                used.insert(digest);
            } else {
                faults.push(Fault::new(
                    "E050",
                    format!("{num}: {digest} is not in the manifest"),
                ));
            }
        }
    }
    for (digest, paths) in &inventory.manifest {
        if !used.contains(digest) {
            faults.push(Fault::new("E107", format!("{digest} is in no version")));
        }
        if paths.is_empty() {
            faults.push(Fault::new("E092", format!("{digest} has no content path")));
        }
        for path in paths {
            check_content_path(inventory, path, faults);
        }
    }
    let known: HashSet<&ObjectPath> = inventory.manifest.values().flatten().collect();
    for path in inventory
        .fixity
        .values()
        .flat_map(BTreeMap::values)
        .flatten()
    {
        if !known.contains(path) {
            faults.push(Fault::new(
                "E093",
                format!("fixity has {path}, the manifest has not"),
            ));
        }
    }
}

/// `vN/<contentDirectory>/…` with a version that exists.
fn check_content_path(inventory: &Inventory, path: &ObjectPath, faults: &mut Vec<Fault>) {
    let mut parts = path.as_str().splitn(3, '/');
    let version = parts.next().and_then(|v| v.parse::<VersionNum>().ok());
    let known = version.is_some_and(|v| inventory.versions.contains_key(&v));
    let directory = parts.next() == Some(inventory.content_directory.as_str());
    if !known || !directory || parts.next().is_none() {
        faults.push(Fault::new(
            "E042",
            format!("{path} is not in the content of a version"),
        ));
    }
}
