//! Uploads by tus 1.0: what the protocol promises, and what happens to those who do not keep to it.

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, Client, DAY, described, each_store, file_path, sha256};

const CHUNK: &str = "application/offset+octet-stream";

/// Bytes that differ from place to place.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect()
}

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name} {}", BASE64_STANDARD.encode(value)));
    pairs.collect::<Vec<_>>().join(",")
}

async fn begin(client: &Client<'_>, id: &str, key: &str, more: &[(&str, &str)]) -> Answer {
    let mut request = client
        .request(Method::POST, "/api/uploads")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Metadata", metadata(&[("record", id), ("key", key)]));
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

async fn patch(
    client: &Client<'_>,
    at: &str,
    offset: usize,
    bytes: &[u8],
    more: &[(&str, &str)],
) -> Answer {
    let mut request = client
        .request(Method::PATCH, at)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", offset)
        .header("Content-Type", CHUNK)
        .body(bytes.to_vec());
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

async fn look(client: &Client<'_>, at: &str) -> Answer {
    let request = client
        .request(Method::HEAD, at)
        .header("Tus-Resumable", "1.0.0");
    client.send(request).await
}

async fn end(client: &Client<'_>, at: &str) -> Answer {
    let request = client
        .request(Method::DELETE, at)
        .header("Tus-Resumable", "1.0.0");
    client.send(request).await
}

#[test]
fn a_file_comes_in_three_requests_and_is_published() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let told = lan
            .send(lan.request(Method::OPTIONS, "/api/uploads"))
            .await
            .is(204);
        assert_eq!(told.header("tus-version"), "1.0.0");
        assert!(told.header("tus-extension").contains("concatenation"));
        assert_eq!(told.header("tus-checksum-algorithm"), "sha256,sha1,md5");

        let id = lan.draft(described("Ảnh vệ tinh")).await;
        let bytes = noise(300_000);
        let begun = begin(
            &lan,
            &id,
            "thư mục/ảnh 1.tif",
            &[("Upload-Length", "300000")],
        )
        .await
        .is(201);
        assert_eq!(begun.header("tus-resumable"), "1.0.0");
        assert_eq!(
            begun.header("upload-expires"),
            "Tue, 01 Dec 2026 08:00:00 GMT"
        );
        let at = begun.header("location").to_owned();
        assert!(at.starts_with(&app.url));

        // It waits, and publishing waits for it.
        let refused = lan
            .post(&format!("/api/records/{id}/draft/actions/publish"))
            .await
            .is(400);
        assert!(
            refused
                .problems()
                .iter()
                .any(|(_, code)| code == "files-pending")
        );

        let one = patch(&lan, &at, 0, &bytes[..100_000], &[]).await.is(204);
        assert_eq!(one.header("upload-offset"), "100000");
        app.pass(6 * DAY);
        let stands = look(&lan, &at).await.is(200);
        assert_eq!(stands.header("upload-offset"), "100000");
        assert_eq!(stands.header("upload-length"), "300000");
        assert_eq!(stands.header("cache-control"), "no-store");
        assert!(stands.header("upload-metadata").starts_with("record "));
        // Signing in again is another token, or a browser.
        let (cookie, csrf) = app.browser("lan").await;
        let nobody = app.anyone();
        let signed = [("Cookie", cookie.as_str()), ("X-CSRFToken", csrf.as_str())];
        patch(
            &nobody,
            &at,
            100_000,
            &bytes[100_000..200_000],
            &signed[..1],
        )
        .await
        .is(400);
        patch(&nobody, &at, 100_000, &bytes[100_000..200_000], &signed)
            .await
            .is(204);
        let last = lan
            .request(Method::POST, &at)
            .header("X-HTTP-Method-Override", "PATCH")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", "200000")
            .header("Content-Type", CHUNK)
            .body(bytes[200_000..].to_vec());
        assert_eq!(
            lan.send(last).await.is(204).header("upload-offset"),
            "300000"
        );

        // A client that did not hear the end asks, or says the end again.
        assert_eq!(
            look(&lan, &at).await.is(200).header("upload-offset"),
            "300000"
        );
        patch(&lan, &at, 300_000, &[], &[]).await.is(204);
        patch(&lan, &at, 200_000, &bytes[200_000..], &[])
            .await
            .is(409);
        let file = file_path(&id, "/draft", "thư mục/ảnh 1.tif");
        let entry = lan.get(&file).await.is(200).json();
        assert_eq!(entry["status"], "completed");
        assert_eq!(entry["sha256"], sha256(&bytes));
        // To end an upload that is done takes nothing away.
        end(&lan, &at).await.is(204);
        look(&lan, &at).await.is(404);
        lan.publish(&id).await;
        let file = file_path(&id, "", "thư mục/ảnh 1.tif");
        let sent = app.anyone().get(&format!("{file}/content")).await.is(200);
        assert_eq!(sent.body, bytes);
    });
}

#[test]
fn bytes_may_come_with_the_beginning_and_the_length_at_the_end() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Cảm biến")).await;
        let request = lan
            .request(Method::POST, "/api/uploads")
            .header("Tus-Resumable", "1.0.0")
            .header(
                "Upload-Metadata",
                metadata(&[("record", &id), ("filename", "a.csv")]),
            )
            .header("Upload-Defer-Length", "1")
            .header("Content-Type", CHUNK)
            .body("one");
        let begun = lan.send(request).await.is(201);
        assert_eq!(begun.header("upload-offset"), "3");
        let at = begun.header("location");
        let stands = look(&lan, at).await.is(200);
        assert_eq!(stands.header("upload-defer-length"), "1");
        assert_eq!(stands.header("upload-length"), "");
        patch(&lan, at, 3, b" two", &[]).await.is(204);
        patch(&lan, at, 7, b"", &[("Upload-Length", "6")])
            .await
            .is(400);
        patch(&lan, at, 7, b" three", &[("Upload-Length", "13")])
            .await
            .is(204);
        patch(&lan, at, 13, b"", &[("Upload-Length", "14")])
            .await
            .is(400);
        let file = file_path(&id, "/draft", "a.csv");
        assert_eq!(
            lan.get(&format!("{file}/content")).await.is(200).body,
            b"one two three"
        );

        let empty = begin(&lan, &id, "empty", &[("Upload-Length", "0")])
            .await
            .is(201);
        assert_eq!(empty.header("upload-offset"), "0");
        let file = file_path(&id, "/draft", "empty");
        assert_eq!(lan.get(&file).await.is(200).json()["status"], "completed");
    });
}

#[test]
fn a_wrong_checksum_keeps_nothing_and_a_right_one_all() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Tổng kiểm")).await;
        let bytes = noise(2_000_000);
        let begun = begin(&lan, &id, "a", &[("Upload-Length", "2000000")])
            .await
            .is(201);
        let at = begun.header("location");
        let (first, rest) = bytes.split_at(1_500_000);
        let sum = |bytes: &[u8]| format!("md5 {}", BASE64_STANDARD.encode(Md5::digest(bytes)));
        let wrong = patch(&lan, at, 0, first, &[("Upload-Checksum", &sum(rest))])
            .await
            .is(460);
        assert_eq!(wrong.json()["code"], "chunk-checksum");
        assert_eq!(look(&lan, at).await.is(200).header("upload-offset"), "0");
        patch(&lan, at, 0, first, &[("Upload-Checksum", &sum(first))])
            .await
            .is(204);
        for bad in ["crc32 AAAA", "md5", "md5 AAAA", "sha256 !"] {
            patch(&lan, at, 1_500_000, rest, &[("Upload-Checksum", bad)])
                .await
                .is(400);
        }
        let sha1 = BASE64_STANDARD.encode(sha1_of(rest));
        let sha1 = format!("sha1 {sha1}");
        patch(&lan, at, 1_500_000, rest, &[("Upload-Checksum", &sha1)])
            .await
            .is(204);
        let entry = lan.get(&file_path(&id, "/draft", "a")).await.is(200).json();
        assert_eq!(entry["sha256"], sha256(&bytes));

        // Of the whole, as an extra of ours: bytes that are something else are given up, and it begins again.
        let declared = format!("sha256:{}", sha256(b"abc"));
        let said = metadata(&[("record", &id), ("key", "b"), ("checksum", &declared)]);
        let request = lan
            .request(Method::POST, "/api/uploads")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Metadata", said)
            .header("Upload-Length", "3");
        let begun = lan.send(request).await.is(201);
        let at = begun.header("location");
        let told = patch(&lan, at, 0, b"abd", &[]).await.is(400);
        assert_eq!(told.json()["code"], "file-checksum");
        assert_eq!(look(&lan, at).await.is(200).header("upload-offset"), "0");
        patch(&lan, at, 0, b"abc", &[]).await.is(204);
    });
}

fn sha1_of(bytes: &[u8]) -> Vec<u8> {
    use sha1::Digest;
    sha1::Sha1::digest(bytes).to_vec()
}

#[test]
fn partial_uploads_are_put_together() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Song song")).await;
        let bytes = noise(700_000);
        let mut urls = Vec::new();
        for piece in [&bytes[..300_000], &bytes[300_000..]] {
            let length = piece.len().to_string();
            let more = [
                ("Upload-Length", length.as_str()),
                ("Upload-Concat", "partial"),
            ];
            let begun = begin(&lan, &id, "ignored", &more).await.is(201);
            let at = begun.header("location").to_owned();
            let early = format!("final;{at}");
            begin(&lan, &id, "a", &[("Upload-Concat", &early)])
                .await
                .is(400);
            patch(&lan, &at, 0, piece, &[]).await.is(204);
            assert_eq!(
                look(&lan, &at).await.is(200).header("upload-concat"),
                "partial"
            );
            urls.push(at);
        }
        // A part of a concatenation is no file.
        let listing = lan
            .get(&format!("/api/records/{id}/draft/files"))
            .await
            .is(200)
            .json();
        assert_eq!(listing["entries"], json!([]));
        let concat = format!("final;{}", urls.join(" "));
        let other = lan.draft(described("Khác")).await;
        begin(&lan, &other, "a", &[("Upload-Concat", &concat)])
            .await
            .is(400);
        let more = [
            ("Upload-Concat", concat.as_str()),
            ("Upload-Length", "700000"),
        ];
        begin(&lan, &id, "a", &more).await.is(400);
        let joined = begin(&lan, &id, "a", &[("Upload-Concat", &concat)])
            .await
            .is(201);
        let at = joined.header("location");
        let stands = look(&lan, at).await.is(200);
        assert_eq!(stands.header("upload-concat"), concat);
        assert_eq!(stands.header("upload-length"), "700000");
        assert_eq!(stands.header("upload-offset"), "700000");
        patch(&lan, at, 700_000, b"", &[]).await.is(403);
        let entry = lan.get(&file_path(&id, "/draft", "a")).await.is(200).json();
        assert_eq!(entry["sha256"], sha256(&bytes));
        look(&lan, &urls[0]).await.is(404);
    });
}

#[test]
fn whoever_does_not_keep_to_it_is_told_why() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Sai sót")).await;
        let length = ("Upload-Length", "10");
        let request = lan.request(Method::POST, "/api/uploads");
        let other = lan.send(request).await.is(412);
        assert_eq!(other.header("tus-version"), "1.0.0");
        begin(&lan, &id, "a", &[]).await.is(400);
        begin(&lan, &id, "a", &[length, ("Upload-Defer-Length", "1")])
            .await
            .is(400);
        begin(&lan, &id, "a", &[("Upload-Defer-Length", "2")])
            .await
            .is(400);
        begin(&lan, &id, "a", &[("Upload-Length", "-1")])
            .await
            .is(400);
        begin(&lan, &id, "a", &[("Upload-Length", "999999999999999")])
            .await
            .is(413);
        begin(&lan, &id, "../a", &[length]).await.is(400);
        begin(&lan, "k3f9a-2bq71", "a", &[length]).await.is(404);
        begin(&lan, "nonsense", "a", &[length]).await.is(400);
        begin(&app.anyone(), &id, "a", &[length]).await.is(401);
        begin(&lan, &id, "a", &[length, ("Upload-Concat", "sometimes")])
            .await
            .is(400);

        let begun = begin(&lan, &id, "a", &[length]).await.is(201);
        let at = begun.header("location");
        let stranger = app.account("minh").await;
        let minh = app.as_(&stranger);
        look(&minh, at).await.is(404);
        patch(&minh, at, 0, b"x", &[]).await.is(404);
        end(&minh, at).await.is(404);
        look(&app.anyone(), at).await.is(401);
        let reader = app.token("lan", &["read"]).await;
        patch(&app.as_(&reader), at, 0, b"x", &[]).await.is(403);
        look(&lan, "/api/uploads/0123456789abcdef0123456789abcdef")
            .await
            .is(404);

        let told = patch(&lan, at, 3, b"x", &[]).await.is(409);
        assert_eq!(told.json()["code"], "upload-offset");
        patch(&lan, at, 0, b"12345678901", &[]).await.is(413);
        let typeless = lan
            .request(Method::PATCH, at)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", "0")
            .body("x");
        lan.send(typeless).await.is(415);
        let placeless = lan
            .request(Method::PATCH, at)
            .header("Tus-Resumable", "1.0.0")
            .header("Content-Type", CHUNK)
            .body("x");
        lan.send(placeless).await.is(400);
        lan.send(lan.request(Method::PATCH, at).body("x"))
            .await
            .is(412);
        patch(&lan, at, 0, b"12345", &[]).await.is(204);

        // The same file once more is another upload; the one before is given up.
        let again = begin(&lan, &id, "a", &[length]).await.is(201);
        look(&lan, at).await.is(404);
        let at = again.header("location");
        assert_eq!(look(&lan, at).await.is(200).header("upload-offset"), "0");
        end(&lan, at).await.is(204);
        patch(&lan, at, 0, b"x", &[]).await.is(404);
        let listing = lan
            .get(&format!("/api/records/{id}/draft/files"))
            .await
            .is(200)
            .json();
        assert_eq!(
            listing["entries"],
            json!([]),
            "the file that waited is gone too"
        );
        lan.upload(&id, "a", "x").await;
        begin(&lan, &id, "a", &[length]).await.is(400);
        lan.publish(&id).await;
    });
}

#[test]
fn what_stands_still_for_a_week_is_given_up() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Bỏ dở")).await;
        let begun = begin(&lan, &id, "a", &[("Upload-Length", "10")])
            .await
            .is(201);
        let at = begun.header("location");
        patch(&lan, at, 0, b"12345", &[]).await.is(204);
        app.pass(7 * DAY + 1);
        let gone = look(&lan, at).await.is(410);
        assert_eq!(gone.header("tus-resumable"), "1.0.0");
        let told = patch(&lan, at, 5, b"67890", &[]).await.is(410);
        assert_eq!(told.json()["code"], "upload-expired");
        kho::files::sweep(&app.env).await.unwrap();
        look(&lan, at).await.is(404);
        let listing = lan
            .get(&format!("/api/records/{id}/draft/files"))
            .await
            .is(200)
            .json();
        assert_eq!(listing["entries"], json!([]));
    });
}

#[test]
fn of_two_writers_one_waits_and_a_dead_one_is_forgotten() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Hai người ghi")).await;
        let begun = begin(&lan, &id, "a", &[("Upload-Length", "10")])
            .await
            .is(201);
        let at = begun.header("location");

        // A body that does not end.
        let (send, body) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
        let stream =
            futures::stream::unfold(body, async |mut body| Some((body.recv().await?, body)));
        let slow = lan
            .request(Method::PATCH, at)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", "0")
            .header("Content-Type", CHUNK)
            .body(reqwest::Body::wrap_stream(stream));
        let slow = async { lan.try_send(slow).await };
        let meanwhile = async {
            send.send(Ok(b"123".to_vec())).await.unwrap();
            let busy = patch(&lan, at, 0, b"456", &[]).await.is(423);
            assert_eq!(busy.json()["code"], "upload-locked");
            assert_eq!(busy.header("retry-after"), "5");
            assert_eq!(end(&lan, at).await.status, 423);
            assert_eq!(look(&lan, at).await.is(200).header("upload-offset"), "0");
            begin(&lan, &id, "a", &[("Upload-Length", "10")])
                .await
                .is(423);
            // The line breaks: what came is kept.
            send.send(Err(std::io::Error::other("cut"))).await.unwrap();
            drop(send);
        };
        let (first, ()) = tokio::join!(slow, async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            meanwhile.await;
        });
        assert!(first.is_err(), "{first:?}");
        for _ in 0..100 {
            if look(&lan, at).await.is(200).header("upload-offset") == "3" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        patch(&lan, at, 3, b"4567890", &[]).await.is(204);
        let file = file_path(&id, "/draft", "a");
        assert_eq!(
            lan.get(&format!("{file}/content")).await.is(200).body,
            b"1234567890"
        );
    });
}
