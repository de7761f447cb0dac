//! Files that Kho fetches itself, from a server of the story's own.

use std::{
    convert::Infallible,
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
use kho::ctx::Role;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::tus::noise;
use crate::app::{Client, described, each, file_path, sha256};

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

#[expect(clippy::unused_async, reason = "a handler")]
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

pub async fn entry(client: &Client<'_>, id: &str, key: &str) -> Value {
    let told = client
        .get(&file_path(id, "/draft", key))
        .await
        .is(200)
        .json();
    assert!(!told.to_string().contains(SECRET), "{told}");
    told
}

pub async fn keys(client: &Client<'_>, id: &str) -> Vec<String> {
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
