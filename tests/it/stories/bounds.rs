//! Bad input: too much, too deep, cut off, at the same time. It is refused in the dialect's shape, and what was there is as it was.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{TestApp, described, each, file_path};

#[test]
fn too_much_is_refused_and_the_draft_is_as_it_was() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Nguyên vẹn")).await;
        let at = format!("/api/records/{id}/draft");
        let before = lan.get(&at).await.is(200).json();
        let person = json!({"person_or_org": {"type": "personal", "family_name": "A"}});
        let deep = |open: &str, close: &str| {
            format!(
                "{{\"metadata\":{}1{}}}",
                open.repeat(100_000),
                close.repeat(100_000)
            )
        };
        let bombs: [(&str, String, &[u16]); 8] = [
            (
                "a title of 2 MB",
                json!({"metadata": {"title": "a".repeat(2 << 20)}}).to_string(),
                &[413],
            ),
            (
                "100,000 creators",
                json!({"metadata": {"creators": vec![person; 100_000]}}).to_string(),
                &[413],
            ),
            ("deep arrays", deep("[", "]"), &[400]),
            ("deep objects", deep("{\"a\":", "}"), &[400]),
            ("9 MB of nothing", " ".repeat(9 << 20), &[413]),
            (
                "half of it",
                "{\"metadata\":{\"title\":\"a\"".to_owned(),
                &[400],
            ),
            ("a list", "[]".to_owned(), &[400]),
            (
                "large custom fields",
                json!({"custom_fields": {"x:y": "a".repeat(3 << 20)}}).to_string(),
                &[413],
            ),
        ];
        for (name, body, wanted) in bombs {
            for (method, path) in [(Method::POST, "/api/records"), (Method::PUT, at.as_str())] {
                let request = lan
                    .request(method, path)
                    .header("content-type", "application/json")
                    // The server hangs up on what it does not read to its end.
                    .header("connection", "close");
                let beyond = body.len() > 8 << 20;
                let answer = match lan.try_send(request.body(body.clone())).await {
                    Ok(answer) => answer,
                    // Refused by its length alone, while it was still being sent.
                    Err(_) if beyond => continue,
                    Err(e) => panic!("{name}: {e:?}"),
                };
                assert!(
                    wanted.contains(&answer.status.as_u16()),
                    "{name}: {}",
                    answer.status
                );
                assert!(answer.json()["message"].is_string(), "{name}");
            }
        }
        let request = lan
            .request(Method::PUT, &at)
            .header("content-type", "text/html");
        lan.send(request.body("<p>")).await.is(415);
        assert_eq!(lan.get(&at).await.is(200).json(), before);
        assert_eq!(
            lan.get("/api/user/records").await.json()["hits"]["total"],
            1
        );
    });
}

#[test]
fn keys_that_climb_hide_or_overflow_are_refused() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Tên tệp")).await;
        let files = format!("/api/records/{id}/draft/files");
        let long = "b".repeat(256);
        for key in [
            "",
            ".",
            "..",
            "../a",
            "a/../../b",
            "/etc/passwd",
            "a//b",
            "a/",
            "a\0b",
            "a\nb",
            "a\\b",
            "a\u{202e}b",
            &long,
            &"x/".repeat(600),
        ] {
            // One that is refused keeps the others out too.
            let body = json!([{"key": "good.txt"}, {"key": key}]);
            let refused = lan.post_json(&files, &body).await.is(400);
            assert!(
                refused.problems().iter().any(|(at, _)| at == "1.key"),
                "{key:?}"
            );
        }
        for body in [
            json!({"key": "a"}),
            json!([1]),
            json!([{"name": "a"}]),
            json!("a"),
            json!(null),
        ] {
            lan.post_json(&files, &body).await.is(400);
        }
        let twice = json!([{"key": "a.txt"}, {"key": "a.txt"}]);
        lan.post_json(&files, &twice).await.is(400);
        let many: Vec<Value> = (0..100_001)
            .map(|n| json!({"key": format!("f{n}")}))
            .collect();
        lan.post_json(&files, &many.into()).await.is(400);
        assert!(
            lan.get(&files).await.json()["entries"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        for key in ["..%2f..%2fkho.db", "%2e%2e%2fkho.db", "a%00b", "%ff"] {
            let path = format!("{files}/{key}/content");
            let answer = lan.get(&path).await;
            assert!(
                [400, 404].contains(&answer.status.as_u16()),
                "{key}: {}",
                answer.status
            );
            assert!(answer.json()["message"].is_string(), "{key}");
        }
    });
}

#[test]
fn an_upload_that_breaks_off_is_started_again() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Đường truyền kém")).await;
        let files = format!("/api/records/{id}/draft/files");
        lan.post_json(&files, &json!([{"key": "a.bin"}]))
            .await
            .is(201);
        let at = file_path(&id, "/draft", "a.bin");
        lan.post(&format!("{at}/commit")).await.is(400);
        half(app, &token, &format!("{at}/content")).await;
        // Longer than it says: the rest would be the next request, so the file is what was announced.
        let entry = lan.get(&at).await.is(200).json();
        assert_eq!(entry["status"], "pending");
        assert_eq!(entry.get("size"), None);
        lan.post(&format!("{at}/commit")).await.is(400);
        let blocked = lan
            .post(&format!("/api/records/{id}/draft/actions/publish"))
            .await
            .is(400);
        assert!(
            blocked
                .problems()
                .iter()
                .any(|(_, code)| code == "files-pending")
        );

        // Announced again, sent whole, sent once more, confirmed; then it is closed.
        lan.post_json(&files, &json!([{"key": "a.bin"}]))
            .await
            .is(201);
        lan.put(&format!("{at}/content"), "first").await.is(200);
        lan.put(&format!("{at}/content"), "second").await.is(200);
        lan.post_json(&files, &json!([{"key": "a.bin"}]))
            .await
            .is(400);
        lan.post(&format!("{at}/commit")).await.is(200);
        lan.post(&format!("{at}/commit")).await.is(200);
        lan.put(&format!("{at}/content"), "third").await.is(409);
        assert_eq!(
            lan.get(&format!("{at}/content")).await.is(200).body,
            b"second"
        );
        lan.publish(&id).await;
        let content = format!("/api/records/{id}/files/a.bin/content");
        assert_eq!(app.anyone().get(&content).await.is(200).body, b"second");
    });
}

/// Announces a megabyte, sends a part of it and hangs up.
async fn half(app: &TestApp, token: &str, path: &str) {
    let host = app.url.trim_start_matches("http://");
    let mut line = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-length: 1048576\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&vec![7; 300_000]).await.unwrap();
    line.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = line.read_to_end(&mut answer).await;
}

#[test]
fn a_file_removed_while_it_comes_is_gone() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Đổi ý")).await;
        let files = format!("/api/records/{id}/draft/files");
        lan.post_json(&files, &json!([{"key": "a.bin"}]))
            .await
            .is(201);
        let at = file_path(&id, "/draft", "a.bin");
        let (feed, mut fed) = tokio::sync::mpsc::channel::<Vec<u8>>(4);
        let parts = futures::stream::poll_fn(move |cx| {
            fed.poll_recv(cx)
                .map(|part| part.map(Ok::<_, std::io::Error>))
        });
        let content = format!("{at}/content");
        let sending = lan.put(&content, reqwest::Body::wrap_stream(parts));
        let removing = async {
            feed.send(vec![0; 100_000]).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            lan.delete(&at).await.is(204);
            feed.send(vec![1; 100_000]).await.unwrap();
            drop(feed);
        };
        let (answer, ()) = tokio::join!(sending, removing);
        answer.is(404);
        lan.get(&at).await.is(404);
        lan.upload(&id, "a.bin", "anew").await;
        lan.publish(&id).await;
    });
}

#[test]
fn published_at_the_same_time_it_is_one_version() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Bấm hai lần")).await;
        lan.upload(&id, "a.csv", "a").await;
        let at = format!("/api/records/{id}/draft/actions/publish");
        let answers = futures::future::join_all((0..5).map(|_| lan.post(&at))).await;
        for answer in answers {
            let record = answer.is(202).json();
            assert_eq!(
                (&record["id"], &record["versions"]["index"]),
                (&json!(id), &json!(1))
            );
        }
        let versions = format!("/api/records/{id}/versions");
        assert_eq!(app.anyone().get(&versions).await.json()["hits"]["total"], 1);
        // And so is the next one, begun by several at once.
        let begun = futures::future::join_all((0..4).map(|_| lan.post(&versions))).await;
        let ids: std::collections::BTreeSet<String> = begun
            .into_iter()
            .map(|a| a.is(201).json()["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    });
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    each(async |app| {
        let anyone = app.anyone();
        for query in [
            "page=0",
            "page=x",
            "size=0",
            "size=101",
            "sort=sideways",
            "page=100000",
            "q=*x",
            "publication_date=now",
            &format!("q={}", "a ".repeat(5_000)),
        ] {
            let answer = anyone.get(&format!("/api/records?{query}")).await.is(400);
            assert!(answer.json()["message"].is_string(), "{query}");
        }
        for path in [
            "/api/nowhere",
            "/api/records/not-an-id",
            "/api/records/aaaaa-aaaaa",
            "/api/records/aaaaa-aaaaa/draft/x",
        ] {
            let answer = anyone.get(path).await.is(404);
            assert!(answer.json()["message"].is_string(), "{path}");
        }
        assert_eq!(anyone.get("/healthz").await.is(200).body, b"ok\n");
        anyone.get("/readyz").await.is(200);
    });
}
