//! Files that Kho brings itself: fetched from a server of the story's own, unpacked from an archive that was sent.

use std::{
    convert::Infallible,
    io::{Cursor, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use kho::ctx::Role;
use serde_json::{Value, json};
use tokio::sync::Notify;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::tus::noise;
use crate::app::{Client, TestApp, described, each, file_path, sha256};

/// Stands in every URL that is asked for, and must stand in no answer.
const SECRET: &str = "chu-ky-bi-mat";

/// Another server, from which files are fetched.
struct Elsewhere {
    url: String,
    port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    asked: AtomicUsize,
    /// Lets `/slow` go on.
    gate: Notify,
}

impl Elsewhere {
    async fn start() -> Elsewhere {
        let seen = Arc::new(Seen::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new()
            .route("/d%E1%BB%AF.csv", get(whole))
            .route("/slow", get(slow))
            .route("/endless", get(endless))
            .route("/cut", get(cut))
            .route("/huge", get(huge))
            .route("/to/near", get(|| to("/d%E1%BB%AF.csv".to_owned())))
            .route("/to/itself", get(|| to("/to/itself".to_owned())))
            .route(
                "/to/private",
                get(move || to(format!("http://127.0.0.2:{port}/d%E1%BB%AF.csv"))),
            )
            .route(
                "/to/named",
                get(move || to(format!("http://localhost:{port}/d%E1%BB%AF.csv"))),
            )
            .route("/to/file", get(|| to("file:///etc/passwd".to_owned())))
            .with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Elsewhere {
            url: format!("http://127.0.0.1:{port}"),
            port,
            seen,
        }
    }
}

async fn to(place: String) -> Redirect {
    Redirect::temporary(&place)
}

async fn whole(headers: HeaderMap) -> Response {
    // A guarded client says nothing of whom it asks for.
    assert!(!headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(header::COOKIE));
    noise(300_000).into_response()
}

/// A third, then after a while another, then the rest when the story says so.
async fn slow(State(seen): State<Arc<Seen>>) -> Response {
    let bytes = noise(300_000);
    let body = async_stream::stream! {
        yield Ok::<_, Infallible>(Bytes::copy_from_slice(&bytes[..100_000]));
        tokio::time::sleep(Duration::from_millis(2_200)).await;
        yield Ok(Bytes::copy_from_slice(&bytes[100_000..200_000]));
        seen.gate.notified().await;
        yield Ok(Bytes::copy_from_slice(&bytes[200_000..]));
    };
    (
        [(header::CONTENT_LENGTH, "300000")],
        Body::from_stream(body),
    )
        .into_response()
}

async fn endless() -> Response {
    let body = async_stream::stream! {
        loop {
            yield Ok::<_, Infallible>(Bytes::from_static(&[7; 1_000]));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    Body::from_stream(body).into_response()
}

/// Says more than it sends.
async fn cut(State(seen): State<Arc<Seen>>) -> Response {
    seen.asked.fetch_add(1, Ordering::SeqCst);
    let body = Body::from_stream(async_stream::stream! {
        yield Ok(Bytes::from_static(&[7; 1_000]));
        tokio::time::sleep(Duration::from_millis(100)).await;
        yield Err(std::io::Error::other("cut"));
    });
    ([(header::CONTENT_LENGTH, "5000")], body).into_response()
}

async fn huge() -> Response {
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
    ([(header::CONTENT_LENGTH, "200000000000")], body).into_response()
}

fn from(key: &str, url: &str) -> Value {
    let url = format!("{url}?signature={SECRET}");
    json!([{"key": key, "transfer": {"type": "F", "url": url}}])
}

/// Asks for a file to be fetched; gives the entry.
async fn fetch(client: &Client<'_>, id: &str, key: &str, url: &str) -> Value {
    let at = format!("/api/records/{id}/draft/files");
    let listing = client.post_json(&at, &from(key, url)).await.is(201).json();
    assert!(!listing.to_string().contains(SECRET));
    let mut entries = listing["entries"].as_array().unwrap().iter();
    entries.find(|e| e["key"] == key).unwrap().clone()
}

async fn entry(client: &Client<'_>, id: &str, key: &str) -> Value {
    let told = client
        .get(&file_path(id, "/draft", key))
        .await
        .is(200)
        .json();
    assert!(!told.to_string().contains(SECRET), "{told}");
    told
}

async fn keys(client: &Client<'_>, id: &str) -> Vec<String> {
    let at = format!("/api/records/{id}/draft/files");
    let listing = client.get(&at).await.is(200).json();
    assert!(!listing.to_string().contains(SECRET), "{listing}");
    let mut keys: Vec<String> = listing["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["key"].as_str().unwrap().to_owned())
        .collect();
    keys.sort();
    keys
}

#[test]
fn a_file_is_fetched_and_says_how_far_it_is() {
    each(async |app| {
        let elsewhere = Elsewhere::start().await;
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Lấy từ nơi khác")).await;
        let told = fetch(&lan, &id, "slow.csv", &format!("{}/slow", elsewhere.url)).await;
        assert_eq!(
            (
                &told["transfer"]["type"],
                &told["transfer"]["state"],
                &told["status"]
            ),
            (&json!("F"), &json!("waiting"), &json!("pending"))
        );

        // Until it is there nobody else brings it, and nothing is published without it.
        let at = file_path(&id, "/draft", "slow.csv");
        for answer in [
            lan.put(&format!("{at}/content"), "x").await,
            lan.post(&format!("{at}/commit")).await,
        ] {
            assert_eq!(answer.is(400).json()["code"], "transfer-fetch");
        }
        let early = format!("/api/records/{id}/draft/actions/publish");
        lan.post(&early).await.is(400);
        let files = format!("/api/records/{id}/draft/files");
        let again = lan
            .post_json(&files, &from("slow.csv", &elsewhere.url))
            .await;
        assert!(again.status.is_client_error(), "{:?}", again.status);

        let watch = async {
            let began = tokio::time::Instant::now();
            loop {
                let transfer = entry(&lan, &id, "slow.csv").await["transfer"].clone();
                if transfer["received"].as_u64().unwrap() > 0 {
                    assert_eq!(
                        (&transfer["state"], &transfer["size"]),
                        (&json!("running"), &json!(300_000))
                    );
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(20), "{transfer}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            elsewhere.seen.gate.notify_one();
        };
        tokio::join!(app.work(), watch);
        let done = entry(&lan, &id, "slow.csv").await;
        assert_eq!(
            (&done["status"], &done["sha256"], &done["transfer"]["type"]),
            (
                &json!("completed"),
                &json!(sha256(&noise(300_000))),
                &json!("L")
            )
        );

        fetch(
            &lan,
            &id,
            "thư mục/dữ.csv",
            &format!("{}/to/near", elsewhere.url),
        )
        .await;
        app.work().await;
        let done = entry(&lan, &id, "thư mục/dữ.csv").await;
        assert_eq!(done["sha256"], sha256(&noise(300_000)), "after a redirect");
        lan.publish(&id).await;
    });
}

#[test]
fn what_cannot_be_fetched_says_why_and_can_be_removed() {
    each(async |app| {
        let elsewhere = Elsewhere::start().await;
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Không lấy được")).await;
        let there = |path: &str| format!("{}{path}", elsewhere.url);
        // What can be seen without asking anybody is refused at once.
        let files = format!("/api/records/{id}/draft/files");
        for (url, code) in [
            (
                format!("http://127.0.0.2:{}/x", elsewhere.port),
                "fetch-private",
            ),
            ("http://[::1]/x".to_owned(), "fetch-private"),
            ("http://169.254.169.254/latest".to_owned(), "fetch-private"),
            ("file:///etc/passwd".to_owned(), "fetch-url"),
            ("http://ai:mk@127.0.0.1/x".to_owned(), "fetch-url"),
            ("x".to_owned(), "fetch-url"),
        ] {
            let refused = lan.post_json(&files, &from("x", &url)).await.is(400);
            assert_eq!(refused.json()["code"], code, "{url}");
        }
        assert!(keys(&lan, &id).await.is_empty(), "nothing was announced");

        let cases = [
            ("/to/private", "fetch-private"),
            ("/to/named", "fetch-private"),
            ("/to/file", "fetch-url"),
            ("/to/itself", "fetch-redirects"),
            ("/none", "fetch-status"),
            ("/huge", "file-too-large"),
            ("/cut", "fetch-cut-off"),
        ];
        for (path, _) in cases {
            fetch(&lan, &id, &path[1..], &there(path)).await;
        }
        app.work().await;
        for (path, code) in cases {
            let told = entry(&lan, &id, &path[1..]).await;
            assert_eq!(
                (&told["status"], &told["transfer"]["code"]),
                (&json!("failed"), &json!(code)),
                "{path}"
            );
            assert!(!told["transfer"]["error"].as_str().unwrap().is_empty());
        }
        assert_eq!(elsewhere.seen.asked.load(Ordering::SeqCst), 3, "tries");

        // It can be asked again, sent by hand, or removed.
        fetch(&lan, &id, "none", &there("/d%E1%BB%AF.csv")).await;
        app.work().await;
        assert_eq!(entry(&lan, &id, "none").await["status"], "completed");
        let cut = file_path(&id, "/draft", "cut");
        lan.put(&format!("{cut}/content"), "x").await.is(200);
        lan.post(&format!("{cut}/commit")).await.is(200);
        for (path, _) in cases {
            lan.delete(&file_path(&id, "/draft", &path[1..]))
                .await
                .is(204);
        }
        assert!(keys(&lan, &id).await.is_empty());
    });
}

#[test]
fn a_fetch_ends_when_its_file_is_removed_or_the_room_is_used_up() {
    each(async |app| {
        let elsewhere = Elsewhere::start().await;
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let (lan, admin) = (app.as_(&token), app.as_(&admin));
        let id = lan.draft(described("Không bao giờ hết")).await;
        let endless = format!("{}/endless", elsewhere.url);
        fetch(&lan, &id, "a.bin", &endless).await;
        let remove = async {
            loop {
                let state = entry(&lan, &id, "a.bin").await["transfer"]["state"].clone();
                if state == "running" {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            lan.delete(&file_path(&id, "/draft", "a.bin")).await.is(204);
        };
        let ended = async { tokio::join!(app.work(), remove) };
        tokio::time::timeout(Duration::from_secs(20), ended)
            .await
            .unwrap();
        assert!(keys(&lan, &id).await.is_empty());

        let quota = format!("/api/quotas/record/{id}");
        admin
            .put_json(&quota, &json!({"quota_size": 5_000}))
            .await
            .is(200);
        fetch(&lan, &id, "a.bin", &endless).await;
        let ended = tokio::time::timeout(Duration::from_secs(20), app.work());
        ended.await.unwrap();
        assert_eq!(
            entry(&lan, &id, "a.bin").await["transfer"]["code"],
            "quota-record"
        );
    });
}

fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, deflated()).unwrap();
        } else {
            writer.start_file(*name, deflated()).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Names as they are, whatever a careful library thinks of them.
fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.len() < 100 {
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if name.ends_with('/') {
                header.set_entry_type(tar::EntryType::Directory);
            }
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        } else {
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Puts one text for another of the same length everywhere.
fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = (0..=bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

async fn ask_unpack(client: &Client<'_>, id: &str, key: &str) -> Value {
    let at = format!("{}/unpack", file_path(id, "/draft", key));
    client.post(&at).await.is(202).json()
}

#[test]
fn an_archive_becomes_the_files_in_it() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Gói")).await;
        let long = format!(
            "thư mục/{}/dữ liệu.bin",
            "đường dẫn rất dài ".repeat(8).trim()
        );
        let bytes = noise(400_000);
        let entries: [(&str, &[u8]); 5] = [
            ("thư mục/", b""),
            ("thư mục/ảnh.tif", &bytes),
            ("đọc trước.txt", "Xin chào".as_bytes()),
            ("rỗng", b""),
            (&long, b"1"),
        ];
        let archives = [
            ("một.zip", zip(&entries)),
            ("hai/gói.tar.gz", gzip(&tar(&entries))),
            ("ba/gói.TGZ", gzip(&tar(&entries))),
            ("bốn/gói.tar", tar(&entries)),
        ];
        lan.upload(&id, "có trước.csv", "1").await;
        let mut expected = vec![("có trước.csv".to_owned(), sha256(b"1"))];
        for (key, archive) in &archives {
            lan.upload(&id, key, archive).await;
            let told = ask_unpack(&lan, &id, key).await;
            assert_eq!(told["unpack"]["state"], "waiting");
            let folder = key
                .rsplit_once('/')
                .map_or(String::new(), |(f, _)| format!("{f}/"));
            for (name, bytes) in entries.iter().filter(|(name, _)| !name.ends_with('/')) {
                expected.push((format!("{folder}{name}"), sha256(bytes)));
            }
        }
        let again = lan
            .post(&format!("{}/unpack", file_path(&id, "/draft", "một.zip")))
            .await
            .is(409);
        assert_eq!(again.json()["code"], "intake-running");
        app.work().await;

        expected.sort();
        let names: Vec<&String> = expected.iter().map(|(name, _)| name).collect();
        assert_eq!(keys(&lan, &id).await.iter().collect::<Vec<_>>(), names);
        for (key, digest) in &expected {
            let entry = entry(&lan, &id, key).await;
            assert_eq!(
                (&entry["status"], &entry["sha256"]),
                (&json!("completed"), &json!(digest)),
                "{key}"
            );
            assert!(entry.get("unpack").is_none());
        }
        lan.publish(&id).await;
        let at = format!("{}/content", file_path(&id, "", "hai/thư mục/ảnh.tif"));
        assert_eq!(app.anyone().get(&at).await.is(200).body, bytes);
    });
}

/// What must not be unpacked: the archive's name, its bytes, the code.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let plain = zip(&[("a.txt", b"1234567890"), ("b.txt", b"1234567890")]);
    // Bit 0 of the flags, in the local header and in the directory.
    let mut encrypted = plain.clone();
    for (mark, at) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let begin = (0..encrypted.len()).find(|i| encrypted[*i..].starts_with(mark));
        encrypted[begin.unwrap() + at] |= 1;
    }
    let noisy = zip(&[("trước", b"1"), ("a.bin", &noise(50_000))]);
    let mut flipped = noisy.clone();
    flipped[25_000] ^= 1;
    let mut linked = ZipWriter::new(Cursor::new(Vec::new()));
    linked.add_symlink("a", "/etc/passwd", deflated()).unwrap();
    let linked = linked.finish().unwrap().into_inner();
    let mut links = tar::Builder::new(Vec::new());
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        links.append_link(&mut header, "a", "/etc/passwd").unwrap();
    }
    let links = links.into_inner().unwrap();
    let cut = gzip(&tar(&[("a.bin", &noise(50_000))]));
    vec![
        (
            "leo.zip",
            zip(&[("tốt", b"1"), ("../x", b"1")]),
            "unpack-name",
        ),
        ("gốc.zip", zip(&[("/etc/x", b"1")]), "unpack-name"),
        ("ngược.zip", zip(&[("a\\..\\b", b"1")]), "unpack-name"),
        (
            "leo.tar",
            tar(&[("tốt", b"1"), ("a/../../x", b"1")]),
            "unpack-name",
        ),
        ("gốc.tar.gz", gzip(&tar(&[("/etc/x", b"1")])), "unpack-name"),
        ("trỏ.zip", linked, "unpack-link"),
        ("trỏ.tar", links, "unpack-link"),
        (
            "trùng.zip",
            patched(plain, b"b.txt", b"a.txt"),
            "unpack-damaged",
        ),
        (
            "trùng.tar",
            tar(&[("a", b"1"), ("./a", b"2")]),
            "file-exists",
        ),
        ("đã có.zip", zip(&[("có trước.csv", b"2")]), "file-exists"),
        ("khoá.zip", encrypted, "unpack-encrypted"),
        ("hỏng.zip", flipped, "unpack-damaged"),
        (
            "cụt.zip",
            noisy[..noisy.len() - 30].to_vec(),
            "unpack-damaged",
        ),
        ("cụt.tgz", cut[..20_000].to_vec(), "unpack-damaged"),
        ("không phải.zip", noise(10_000), "unpack-damaged"),
        ("không phải.tar", noise(10_000), "unpack-damaged"),
        ("rỗng.zip", zip(&[("thư mục/", b"")]), "unpack-empty"),
    ]
}

#[test]
fn an_archive_that_is_not_what_it_should_be_changes_nothing() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Gói xấu")).await;
        lan.upload(&id, "có trước.csv", "1").await;
        let unpack = |key: &str| format!("{}/unpack", file_path(&id, "/draft", key));
        let wrong = lan.post(&unpack("có trước.csv")).await.is(400);
        assert_eq!(wrong.json()["code"], "unpack-kind");
        lan.post(&unpack("không có.zip")).await.is(404);
        let files = format!("/api/records/{id}/draft/files");
        let pending = json!([{"key": "chưa đến.zip"}]);
        lan.post_json(&files, &pending).await.is(201);
        let early = lan.post(&unpack("chưa đến.zip")).await.is(400);
        assert_eq!(early.json()["code"], "file-not-received");
        lan.delete(&file_path(&id, "/draft", "chưa đến.zip"))
            .await
            .is(204);

        let cases = refused();
        for (key, bytes, _) in &cases {
            lan.upload(&id, key, bytes).await;
        }
        let before = keys(&lan, &id).await;
        for (key, ..) in &cases {
            ask_unpack(&lan, &id, key).await;
        }
        app.work().await;
        assert_eq!(keys(&lan, &id).await, before);
        nothing_staged_but(app, before.len()).await;
        for (key, bytes, code) in &cases {
            let told = entry(&lan, &id, key).await;
            assert_eq!(
                (&told["unpack"]["state"], &told["unpack"]["code"]),
                (&json!("failed"), &json!(code)),
                "{key}"
            );
            assert_eq!(
                (&told["status"], &told["sha256"]),
                (&json!("completed"), &json!(sha256(bytes))),
                "{key}"
            );
            assert!(!told["unpack"]["error"].as_str().unwrap().is_empty());
        }
        assert_eq!(
            entry(&lan, &id, "có trước.csv").await["sha256"],
            sha256(b"1")
        );
        // Archives as they are can be published all the same.
        lan.publish(&id).await;
    });
}

#[test]
fn a_bomb_is_stopped_and_so_is_what_has_no_room() {
    each(async |app| {
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let (lan, admin) = (app.as_(&token), app.as_(&admin));
        let id = lan.draft(described("Bom")).await;
        let mut bomb = ZipWriter::new(Cursor::new(Vec::new()));
        bomb.start_file("không.bin", deflated()).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..300 {
            bomb.write_all(&zeros).unwrap();
        }
        lan.upload(&id, "bom.zip", bomb.finish().unwrap().into_inner())
            .await;
        ask_unpack(&lan, &id, "bom.zip").await;
        app.work().await;
        let told = entry(&lan, &id, "bom.zip").await;
        assert_eq!(told["unpack"]["code"], "unpack-bomb");
        lan.delete(&file_path(&id, "/draft", "bom.zip"))
            .await
            .is(204);
        app.work().await;
        nothing_staged_but(app, 0).await;

        let quota = format!("/api/quotas/record/{id}");
        let most = json!({"quota_size": 100_000});
        admin.put_json(&quota, &most).await.is(200);
        let packed = zip(&[("a", &[0; 60_000]), ("b", &[0; 60_000])]);
        lan.upload(&id, "chật.zip", packed).await;
        ask_unpack(&lan, &id, "chật.zip").await;
        app.work().await;
        let told = entry(&lan, &id, "chật.zip").await;
        assert_eq!(told["unpack"]["code"], "quota-record");
        assert_eq!(keys(&lan, &id).await, ["chật.zip"]);
        nothing_staged_but(app, 1).await;

        admin.delete(&quota).await.is(204);
        ask_unpack(&lan, &id, "chật.zip").await;
        app.work().await;
        assert_eq!(keys(&lan, &id).await, ["a", "b"]);
    });
}

/// How many staged files there are, by what a folder holds: `check` compares names, here leftovers are counted at
/// once. A bucket has no such folder.
async fn nothing_staged_but(app: &TestApp, expected: usize) {
    let mut folders = vec![app.data().join("staging")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            return;
        };
        for entry in entries {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
            }
        }
    }
    assert_eq!(files, expected, "staged files");
}
