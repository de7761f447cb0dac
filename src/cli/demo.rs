//! `--demo`: loads the sample datasets of `deploy/demo` and three accounts into an empty store, the way a
//! depositor would: draft, files, checklist, publication, next version. Nothing here writes a table.
//!
//! A store that has any account is left as it is, so that the flag may stay in a start script.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use rust_embed::RustEmbed;
use serde_json::Value;

use crate::{
    api::body,
    ctx::{Actor, Ctx, Env, Person, Role},
    deposit,
    error::{Error, Result},
    files::{self, Incoming, NewFile},
    ids::{FileKey, RecordId},
    people::account::{self, NewAccount},
    publish,
    text::{Locale, say_problem},
};

/// The datasets and where they come from: `deploy/demo/README.md`.
#[derive(RustEmbed)]
#[folder = "deploy/demo/"]
#[exclude = "README.md"]
struct Samples;

/// Who the demo's people are: role, address, name.
const PEOPLE: [(Role, &str, &str); 3] = [
    (
        Role::Depositor,
        "depositor@demo.kho.test",
        "Người gửi dữ liệu (mẫu)",
    ),
    (
        Role::Curator,
        "curator@demo.kho.test",
        "Người kiểm duyệt (mẫu)",
    ),
    (Role::Admin, "admin@demo.kho.test", "Quản trị viên (mẫu)"),
];

/// Files received at the same time: enough that one waits for its disk while another is hashed.
const TOGETHER: usize = 8;

/// What was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// Addresses, in the order depositor, curator, admin.
    pub accounts: Vec<&'static str>,
    /// The password of all three. Kept nowhere else.
    pub password: String,
    /// The versions, in the order of their publication.
    pub versions: Vec<RecordId>,
}

/// Loads everything, or nothing when the store is not empty.
pub async fn load(env: &Env) -> Result<Option<Loaded>> {
    if account::any(env).await? {
        return Ok(None);
    }
    let mut password = env.secret()?;
    password.truncate(16);
    let mut people = Vec::new();
    for (role, email, name) in PEOPLE {
        let new = NewAccount {
            email: email.to_owned(),
            name: name.to_owned(),
            role,
            password: Some(password.clone()),
            locale: Locale::Vi,
        };
        account::create(env, new).await?;
        people.push(account::by_email(env, email).await?);
    }
    let depositor = people.swap_remove(0);
    let mut known = BTreeMap::new();
    let mut versions = Vec::new();
    for sample in samples()? {
        let before = known.get(&sample.slug);
        let published = publish_one(&as_person(env, &depositor), &sample, before)
            .await
            .map_err(|e| told(&sample, &e))?;
        known.insert(sample.slug.clone(), published.clone());
        versions.push(published);
    }
    Ok(Some(Loaded {
        accounts: PEOPLE.iter().map(|(_, email, _)| *email).collect(),
        password,
        versions,
    }))
}

fn as_person(env: &Env, person: &Person) -> Ctx {
    Ctx {
        env: env.clone(),
        actor: Actor::Person(person.clone()),
        locale: Locale::Vi,
        request_id: String::new(),
    }
}

/// A version of a sample dataset.
#[derive(Debug)]
struct Sample {
    slug: String,
    number: u32,
    /// `record.json`: the body of the dialect's create.
    record: Value,
    /// Its new and changed files.
    files: Vec<FileKey>,
    /// Files of the version before that are gone.
    removed: Vec<String>,
}

impl Sample {
    fn date(&self) -> &str {
        self.record["metadata"]["publication_date"]
            .as_str()
            .unwrap_or_default()
    }
}

/// All versions, the eldest first, so that lists by date and lists by publication agree.
fn samples() -> Result<Vec<Sample>> {
    let mut found: BTreeMap<(String, u32), Vec<String>> = BTreeMap::new();
    for path in Samples::iter() {
        let mut parts = path.splitn(3, '/');
        let (Some(slug), Some(version), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let number = version.strip_prefix('v').and_then(|n| n.parse().ok());
        let number = number.ok_or_else(|| Error::internal("demo", &path))?;
        found
            .entry((slug.to_owned(), number))
            .or_default()
            .push(rest.to_owned());
    }
    let mut samples = Vec::new();
    for ((slug, number), paths) in found {
        let files = paths.iter().filter_map(|p| p.strip_prefix("files/"));
        let files = files
            .map(|key| key.parse().map_err(|e| Error::internal(key, e)))
            .collect::<Result<_>>()?;
        let removed = match document(&format!("{slug}/v{number}/version.json"))? {
            Some(said) => serde_json::from_value(said["files"]["remove"].clone())
                .map_err(|e| Error::internal(&slug, e))?,
            None => Vec::new(),
        };
        let path = format!("{slug}/v{number}/record.json");
        samples.push(Sample {
            record: document(&path)?.ok_or_else(|| Error::internal("demo", path))?,
            slug,
            number,
            files,
            removed,
        });
    }
    samples.sort_by(|a, b| (a.date(), &a.slug, a.number).cmp(&(b.date(), &b.slug, b.number)));
    Ok(samples)
}

fn document(path: &str) -> Result<Option<Value>> {
    let Some(file) = Samples::get(path) else {
        return Ok(None);
    };
    serde_json::from_slice(&file.data)
        .map(Some)
        .map_err(|e| Error::internal(path, e))
}

async fn publish_one(ctx: &Ctx, sample: &Sample, before: Option<&RecordId>) -> Result<RecordId> {
    let new = body::draft(sample.record.clone())?;
    let id = match before {
        None => stored(&deposit::create(ctx, new, None).await?)?,
        Some(before) => {
            let id = stored(&deposit::new_version(ctx, before).await?)?;
            deposit::replace(ctx, &id, None, new).await?;
            inherit(ctx, &id, sample).await?;
            id
        }
    };
    let announced = sample.files.iter().map(|key| NewFile {
        key: key.clone(),
        metadata: Value::Null,
    });
    files::start(ctx, &id, announced.collect()).await?;
    let (of, id) = (&sample, &id);
    futures::stream::iter(&sample.files)
        .map(|key| async move {
            let path = format!("{}/v{}/files/{key}", of.slug, of.number);
            let file = Samples::get(&path).ok_or_else(|| Error::internal("demo", path))?;
            let bytes = match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            let incoming = Incoming {
                length: Some(bytes.len() as u64),
                body: futures::stream::iter([Ok(bytes)]),
            };
            files::receive(ctx, id, key, incoming).await?;
            files::commit(ctx, id, key).await
        })
        .buffer_unordered(TOGETHER)
        .try_for_each(|_| std::future::ready(Ok(())))
        .await?;
    publish::release(ctx, id).await
}

/// The files of the version before, but for those that are gone or come anew.
async fn inherit(ctx: &Ctx, id: &RecordId, sample: &Sample) -> Result<()> {
    files::import_previous(ctx, id).await?;
    let have: BTreeSet<String> = deposit::read(ctx, id)
        .await?
        .files
        .into_iter()
        .map(|f| f.key)
        .collect();
    let changed = sample.files.iter().map(|key| key.as_str().to_owned());
    for key in sample.removed.iter().cloned().chain(changed) {
        if have.contains(&key) {
            let key = key.parse().map_err(|e| Error::internal("demo", e))?;
            files::remove(ctx, id, &key).await?;
        }
    }
    Ok(())
}

fn stored(draft: &deposit::Draft) -> Result<RecordId> {
    draft
        .row
        .id
        .parse()
        .map_err(|e| Error::internal("a stored id does not parse", e))
}

/// Which sample could not be loaded, with everything that is wrong with it.
fn told(sample: &Sample, e: &Error) -> Error {
    let what = format!("demo dataset {} version {}", sample.slug, sample.number);
    match e {
        Error::Invalid(problems) => {
            let said = problems
                .iter()
                .map(|p| format!("{}: {}", p.path, say_problem(Locale::En, p)));
            Error::internal(&what, said.collect::<Vec<_>>().join(" "))
        }
        e => Error::internal(&what, e),
    }
}
