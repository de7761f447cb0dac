//! A whole Kho for one story: the real router on a free port, an empty store, a clock that stands still until
//! it is moved, and jobs that run when the story says so. `each` tells a story once on every database, `each_store`
//! also on a bucket.
//!
//! What holds at the end of every story is looked at here and not in the stories: no job is left over or failed,
//! the archive is sound to the last byte, the index holds what the database shows, nothing is staged without an owner.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use futures::{FutureExt, StreamExt};
use kho::{
    archive::{ObjectId, walk::Walked},
    catalog,
    cli::open,
    config::Config,
    ctx::{Clock, Env, Role},
    ids::RecordId,
    jobs::worker,
    people::{
        account::{self, NewAccount},
        session,
        token::{self, NewToken},
    },
    site,
    store::{
        object::{ContentPath, ListedKind},
        table::{deposit, upload, work},
    },
    text::Locale,
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use sea_orm::{ConnectionTrait, Database, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::storage::Storage;

/// When every story begins: 2026-11-24 08:00 UTC, in microseconds.
pub const BEGINNING: i64 = 1_795_507_200_000_000;
pub const DAY: i64 = 86_400_000_000;

/// Tells a story on SQLite and a folder, and on PostgreSQL where `KHO_TEST_POSTGRES_URL` names one.
pub fn each(story: impl AsyncFn(&TestApp)) {
    told(async {
        on_databases(&story).await;
    });
}

/// The same for a story in which bytes matter: also with a bucket, where `KHO_TEST_S3_ENDPOINT` names a server.
pub fn each_store(story: impl AsyncFn(&TestApp)) {
    told(async {
        on_databases(&story).await;
        if let Some(server) = bucket_server() {
            eprintln!("on S3:");
            tell(TestApp::start(None, Some(&server), &[]).await, &story).await;
        }
    });
}

/// Tells a story that only a bucket has, with these settings.
pub fn on_bucket(settings: &[(&'static str, &str)], story: impl AsyncFn(&TestApp)) {
    told(async {
        if let Some(server) = bucket_server() {
            tell(TestApp::start(None, Some(&server), settings).await, &story).await;
        }
    });
}

fn told(telling: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(telling);
}

async fn on_databases(story: &impl AsyncFn(&TestApp)) {
    eprintln!("on SQLite:");
    tell(TestApp::start(None, None, &[]).await, story).await;
    match std::env::var("KHO_TEST_POSTGRES_URL") {
        Ok(server) => {
            eprintln!("on PostgreSQL:");
            tell(TestApp::start(Some(&server), None, &[]).await, story).await;
        }
        Err(_) => eprintln!("left out on PostgreSQL: KHO_TEST_POSTGRES_URL is not set"),
    }
}

fn bucket_server() -> Option<String> {
    let server = std::env::var("KHO_TEST_S3_ENDPOINT").ok();
    if server.is_none() {
        eprintln!("left out on S3: KHO_TEST_S3_ENDPOINT is not set");
    }
    server
}

async fn tell(app: TestApp, story: &impl AsyncFn(&TestApp)) {
    let told = AssertUnwindSafe(async {
        story(&app).await;
        app.check().await;
    });
    let outcome = told.catch_unwind().await;
    app.close().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

pub struct TestApp {
    pub env: Env,
    pub url: String,
    clock: Arc<AtomicI64>,
    client: reqwest::Client,
    server: tokio::task::JoinHandle<()>,
    folder: TempDir,
    /// Where the bytes are, past the store.
    pub storage: Storage,
    /// The PostgreSQL server and the database made in it.
    database: Option<(String, String)>,
}

impl TestApp {
    async fn start(
        postgres: Option<&str>,
        s3: Option<&str>,
        settings: &[(&'static str, &str)],
    ) -> TestApp {
        let folder = TempDir::new().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Stories have servers of their own to fetch from, at this address and no other.
        let mut flags = BTreeMap::from([
            ("base_url", url.clone()),
            ("fetch_allow", "127.0.0.1".to_owned()),
        ]);
        let mut database = None;
        if let Some(server) = postgres {
            let name = format!("kho_story_{:016x}", unique());
            let admin = Database::connect(server).await.unwrap();
            let sql = format!("create database {name}");
            admin.execute_unprepared(&sql).await.unwrap();
            admin.close().await.unwrap();
            let mut at = url::Url::parse(server).unwrap();
            at.set_path(&name);
            flags.insert("database_url", at.to_string());
            database = Some((server.to_owned(), name));
        }
        let mut storage = Storage::Folder(folder.path().to_owned());
        if let Some(endpoint) = s3 {
            let prefix = format!("story-{:016x}", unique());
            storage = Storage::bucket(endpoint, prefix).await;
            flags.insert("storage_url", storage.url());
            flags.insert("s3_endpoint", endpoint.to_owned());
            flags.insert("s3_path_style", "true".to_owned());
        }
        flags.extend(settings.iter().map(|(k, v)| (*k, (*v).to_owned())));
        let config = Config::load(folder.path().to_owned(), None, &flags, |_| None).unwrap();
        let clock = Arc::new(AtomicI64::new(BEGINNING));
        let env = open::open(Arc::new(config), Clock::Fixed(clock.clone()))
            .await
            .unwrap();
        let router = site::router(env.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A refusal that comes before the body was read ends the connection, and the next request must not be on it.
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        TestApp {
            env,
            url,
            clock,
            client,
            server,
            folder,
            storage,
            database,
        }
    }

    pub fn data(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Lets time pass, in microseconds.
    pub fn pass(&self, time: i64) {
        self.clock.fetch_add(time, Ordering::SeqCst);
    }

    /// Runs all jobs that are due, and lets the ledger sign.
    pub async fn work(&self) {
        worker::drain(&self.env).await.unwrap();
        kho::ledger::integrate(&self.env).await.unwrap();
    }

    /// A depositor's account; gives an unlimited token.
    pub async fn account(&self, name: &str) -> String {
        self.account_as(name, Role::Depositor).await
    }

    pub async fn account_as(&self, name: &str, role: Role) -> String {
        let email = format!("{name}@example.org");
        let new = NewAccount {
            email: email.clone(),
            name: name.to_owned(),
            role,
            password: None,
            locale: Locale::Vi,
        };
        account::create(&self.env, new).await.unwrap();
        self.token(name, &[]).await
    }

    /// A further token of an account, limited to scopes.
    pub async fn token(&self, name: &str, scopes: &[&str]) -> String {
        self.token_for(name, scopes, None).await
    }

    pub async fn token_for(&self, name: &str, scopes: &[&str], days: Option<u32>) -> String {
        let email = format!("{name}@example.org");
        let owner = account::by_email(&self.env, &email).await.unwrap();
        let new = NewToken {
            name: "story".to_owned(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            days,
        };
        let (_, secret) = token::create(&self.env, owner.id, new).await.unwrap();
        secret
    }

    /// A signed-in browser: the `Cookie` header and what its scripts send as `X-CSRFToken`.
    pub async fn browser(&self, name: &str) -> (String, String) {
        let email = format!("{name}@example.org");
        let person = account::by_email(&self.env, &email).await.unwrap();
        let secret = session::start(&self.env.system(), person.id).await.unwrap();
        let found = session::find(&self.env, &secret).await.unwrap().unwrap();
        (format!("kho={secret}"), found.csrf)
    }

    /// Somebody with a token.
    pub fn as_(&self, token: &str) -> Client<'_> {
        Client {
            app: self,
            token: Some(token.to_owned()),
        }
    }

    /// Nobody in particular.
    pub fn anyone(&self) -> Client<'_> {
        Client {
            app: self,
            token: None,
        }
    }

    /// The files that the archive holds outside of inventories and descriptions, with their sizes in bytes.
    pub async fn archived_content(&self) -> Vec<(String, u64)> {
        let objects = &self.env.objects;
        let mut found = Vec::new();
        let mut folders: Vec<ContentPath> = Vec::new();
        for top in objects.list_top().await.unwrap() {
            if top.kind == ListedKind::Folder {
                folders.push(top.name.parse().unwrap());
            }
        }
        while let Some(folder) = folders.pop() {
            for entry in objects.list(&folder).await.unwrap() {
                let path = folder.join(&entry.name).unwrap();
                match entry.kind {
                    ListedKind::Folder => folders.push(path),
                    ListedKind::File(size) if path.as_str().contains("/content/files/") => {
                        found.push((entry.name, size));
                    }
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }

    /// What holds after every story.
    async fn check(&self) {
        self.work().await;
        let now = self.env.now().timestamp_micros();
        let jobs = work::job::Entity::find()
            .filter(work::job::COLUMN.state.ne("done"))
            .all(self.env.db.read())
            .await
            .unwrap();
        for job in jobs {
            let waits = job.state == "queued" && job.attempts == 0 && job.run_at > now;
            assert!(waits, "a job is left over or failed: {job:?}");
        }
        let shown = catalog::index::count(&self.env).await.unwrap();
        assert_eq!(self.env.index.len(), shown, "versions in the index");
        self.check_archive().await;
        let findings = kho::ledger::check(&self.env).await.unwrap();
        assert!(findings.is_empty(), "in the ledger: {findings:?}");
        let mut staged: BTreeSet<String> = deposit::draft_file::Entity::find()
            .all(self.env.db.read())
            .await
            .unwrap()
            .into_iter()
            .filter_map(|f| f.staged)
            .collect();
        let uploads = upload::upload::Entity::find()
            .all(self.env.db.read())
            .await
            .unwrap();
        staged.extend(uploads.into_iter().filter_map(|u| u.name));
        let removed = self
            .env
            .objects
            .sweep(
                std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 40),
                &|name| staged.contains(name),
            )
            .await
            .unwrap();
        assert_eq!(removed, 0, "staged bytes that no draft and no upload names");
    }

    /// Every object is sound, is listed, and stands at the head the database knows.
    async fn check_archive(&self) {
        let parents = deposit::parent::Entity::find()
            .all(self.env.db.read())
            .await
            .unwrap();
        let published: BTreeMap<String, i64> = parents
            .into_iter()
            .filter(|p| p.versions > 0)
            .map(|p| (p.id, p.archive_head))
            .collect();
        let mut objects = 0;
        let mut walk = std::pin::pin!(self.env.archive.walk());
        while let Some(found) = walk.next().await {
            match found.unwrap() {
                Walked::Object(..) => objects += 1,
                other => panic!("in the archive: {other:?}"),
            }
        }
        assert_eq!(objects, published.len(), "objects in the archive");
        for (parent, head) in published {
            let id = ObjectId::of_parent(&parent.parse::<RecordId>().unwrap());
            let findings = self.env.archive.verify_object(&id).await.unwrap();
            assert!(findings.is_empty(), "{id}: {findings:?}");
            assert_eq!(i64::from(self.env.archive.head(&id).await.unwrap()), head);
        }
        assert!(self.env.objects.notes().await.unwrap().is_empty());
    }

    async fn close(self) {
        self.server.abort();
        let Some((server, name)) = self.database else {
            return;
        };
        drop(self.env);
        // `with (force)` ends the pool's connections.
        let admin = Database::connect(server).await.unwrap();
        let sql = format!("drop database if exists {name} with (force)");
        admin.execute_unprepared(&sql).await.unwrap();
        admin.close().await.unwrap();
    }
}

/// A number that no other database of this run has.
fn unique() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

/// Calls as somebody.
pub struct Client<'a> {
    app: &'a TestApp,
    token: Option<String>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    asked: String,
}

impl Answer {
    /// The answer, if it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}: {}",
            self.asked,
            String::from_utf8_lossy(&self.body[..self.body.len().min(2_000)])
        );
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| {
            panic!(
                "{}: not JSON ({e}): {}",
                self.asked,
                String::from_utf8_lossy(&self.body[..self.body.len().min(500)])
            )
        })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|v| v.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The codes of all problems, with their paths.
    pub fn problems(&self) -> BTreeSet<(String, String)> {
        problems(&self.json())
    }
}

/// The problems of a draft or of an error: path and code.
pub fn problems(body: &Value) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for error in body["errors"].as_array().into_iter().flatten() {
        for code in error["codes"].as_array().unwrap() {
            out.insert((
                error["field"].as_str().unwrap().to_owned(),
                code.as_str().unwrap().to_owned(),
            ));
        }
        for message in error["messages"].as_array().unwrap() {
            assert!(!message.as_str().unwrap().is_empty());
        }
    }
    out
}

impl Client<'_> {
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let at = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.app.url)
        };
        let request = self.app.client.request(method, at);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// The answer, or why there is none.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let request = request.build()?;
        let asked = format!("{} {}", request.method(), request.url());
        let response = self.app.client.execute(request).await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
            asked,
        })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A GET (or HEAD) with one more header.
    pub async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.send(self.request(Method::GET, path).header(name, value))
            .await
    }

    pub async fn head(&self, path: &str) -> Answer {
        self.send(self.request(Method::HEAD, path)).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put_json(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.request(Method::PUT, path).body(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    // Deposits, in the steps of the dialect.

    /// A draft of this description; gives its id.
    pub async fn draft(&self, metadata: Value) -> String {
        self.draft_with(json!({ "metadata": metadata })).await
    }

    pub async fn draft_with(&self, body: Value) -> String {
        let made = self.post_json("/api/records", &body).await.is(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Announces, sends and confirms a file.
    pub async fn upload(&self, id: &str, key: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        let digest = sha256(&bytes);
        let files = format!("/api/records/{id}/draft/files");
        self.post_json(&files, &json!([{ "key": key }]))
            .await
            .is(201);
        let at = file_path(id, "/draft", key);
        let sent = self
            .put(&format!("{at}/content"), bytes)
            .await
            .is(200)
            .json();
        assert_eq!(sent["sha256"], digest, "{key}");
        let done = self.post(&format!("{at}/commit")).await.is(200).json();
        assert_eq!(done["status"], "completed");
    }

    pub async fn publish(&self, id: &str) -> Value {
        let at = format!("/api/records/{id}/draft/actions/publish");
        self.post(&at).await.is(202).json()
    }

    /// A published record with one file `a.csv`; gives its id.
    pub async fn record(&self, title: &str) -> String {
        self.record_with(json!({ "metadata": described(title) }))
            .await
    }

    pub async fn record_with(&self, body: Value) -> String {
        let id = self.draft_with(body).await;
        self.upload(&id, "a.csv", "x,y\n1,2\n").await;
        self.publish(&id).await;
        id
    }

    /// The ids a search finds.
    pub async fn found(&self, query: &str) -> Vec<String> {
        let path = format!("/api/records?{query}");
        let hits = self.get(&path).await.is(200).json();
        hits["hits"]["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The path of a file, its key in one segment.
pub fn file_path(id: &str, at: &str, key: &str) -> String {
    let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
    format!("/api/records/{id}{at}/files/{key}")
}

/// Just enough to publish.
pub fn described(title: &str) -> Value {
    json!({
        "title": title,
        "publication_date": "2026-11",
        "resource_type": {"id": "dataset"},
        "creators": [{"person_or_org": {"type": "personal", "family_name": "Trần", "given_name": "Lan"}}],
    })
}

pub fn sha256(bytes: &[u8]) -> String {
    kho::ids::Sha256(Sha256::digest(bytes).into()).to_hex()
}
