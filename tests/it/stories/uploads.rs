//! Uploads in parts (`M`), at once with restarts (`Content-Range`), and what a client declares of a file.

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use reqwest::Method;
use serde_json::{Value, json};

use super::tus::noise;
use crate::app::{Answer, Client, described, each_store, file_path, sha256};

fn md5(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    let hex: Vec<String> = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("md5:{}", hex.concat())
}

async fn announce(client: &Client<'_>, id: &str, files: Value) -> Answer {
    let at = format!("/api/records/{id}/draft/files");
    client.post_json(&at, &files).await
}

fn multipart(key: &str, size: usize, parts: u32, part_size: usize) -> Value {
    json!([{"key": key, "size": size, "transfer": {"type": "M", "parts": parts, "part_size": part_size}}])
}

#[test]
fn parts_come_in_any_order_twice_and_at_once() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Ảnh quét")).await;
        let bytes = noise(2_500_001);
        let mut files = multipart("thư mục/scan.tif", bytes.len(), 3, 1_000_000);
        files[0]["checksum"] = md5(&bytes).into();
        let listing = announce(&lan, &id, files.clone()).await.is(201).json();
        let entry = &listing["entries"][0];
        assert_eq!(
            entry["transfer"],
            json!({"type": "M", "parts": 3, "part_size": 1_000_000})
        );
        assert_eq!(entry["received_parts"], json!([]));
        assert!(entry["links"].get("content").is_none());
        let url = |n: usize| {
            listing["entries"][0]["links"]["parts"][n - 1]["url"]
                .as_str()
                .unwrap()
        };
        let at = file_path(&id, "/draft", "thư mục/scan.tif");
        assert!(url(3).ends_with("/content/3"));
        let piece = |n: usize| bytes[(n - 1) * 1_000_000..bytes.len().min(n * 1_000_000)].to_vec();

        lan.put(url(3), vec![7; 500_001]).await.is(200);
        let early = lan.post(&format!("{at}/commit")).await.is(400);
        assert_eq!(early.json()["code"], "parts-missing");
        let (one, three, two) = tokio::join!(
            lan.put(url(1), piece(1)),
            lan.put(url(3), piece(3)),
            lan.put(url(2), piece(2))
        );
        let told = one.is(200).json();
        assert_eq!(
            (told["part"].as_u64(), told["size"].as_u64()),
            (Some(1), Some(1_000_000))
        );
        assert_eq!(told["checksum"], md5(&piece(1)));
        two.is(200);
        three.is(200);
        let entry = lan.get(&at).await.is(200).json();
        assert_eq!(entry["status"], "pending");
        assert_eq!(
            entry["received_parts"],
            json!([{"part": 1, "size": 1_000_000}, {"part": 2, "size": 1_000_000}, {"part": 3, "size": 500_001}])
        );
        // Announced again after a lost answer: nothing is lost.
        announce(&lan, &id, files).await.is(201);
        let done = lan.post(&format!("{at}/commit")).await.is(200).json();
        assert_eq!(done["status"], "completed");
        assert_eq!(done["transfer"]["type"], "L");
        assert_eq!(done["sha256"], sha256(&bytes));
        let again = lan.post(&format!("{at}/commit")).await.is(200).json();
        assert_eq!(again, done);
        lan.put(url(1), "x").await.is(404);
        lan.publish(&id).await;
        let sent = app
            .anyone()
            .get(&format!(
                "{}/content",
                file_path(&id, "", "thư mục/scan.tif")
            ))
            .await;
        assert_eq!(sent.is(200).body, bytes);
    });
}

#[test]
fn a_part_is_what_was_said_of_it() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Từng phần")).await;
        announce(&lan, &id, multipart("a", 25, 3, 10)).await.is(201);
        let at = file_path(&id, "/draft", "a");
        let part = |n: u32| format!("{at}/content/{n}");
        let code = |answer: Answer| answer.is(400).json()["code"].clone();
        assert_eq!(code(lan.put(&part(1), "123456789").await), "part-length");
        assert_eq!(code(lan.put(&part(3), "123456").await), "part-length");
        assert_eq!(code(lan.put(&part(4), "1").await), "part-number");
        assert_eq!(code(lan.put(&part(0), "1").await), "part-number");
        assert_eq!(
            code(lan.put(&format!("{at}/content"), "1").await),
            "transfer-multipart"
        );
        let ranged = lan
            .request(Method::PUT, &format!("{at}/content"))
            .header("Content-Range", "bytes 0-9/25")
            .body("1234567890");
        assert_eq!(code(lan.send(ranged).await), "transfer-multipart");
        let with = |name: &'static str, value: String| {
            let request = lan.request(Method::PUT, &part(1));
            lan.send(request.header(name, value).body("1234567890"))
        };
        let wrong = BASE64_STANDARD.encode(Md5::digest(b"other"));
        assert_eq!(code(with("Content-MD5", wrong).await), "part-checksum");
        assert_eq!(code(with("Content-MD5", "x".into()).await), "header");
        let right = BASE64_STANDARD.encode(sha2_of(b"1234567890"));
        assert_eq!(
            lan.get(&at).await.is(200).json()["received_parts"],
            json!([]),
            "what was refused does not count"
        );
        with("Content-Digest", format!("sha-256=:{right}:"))
            .await
            .is(200);

        let stranger = app.account("minh").await;
        app.as_(&stranger).put(&part(2), "1234567890").await.is(404);
        app.anyone().put(&part(2), "1234567890").await.is(401);
        lan.delete(&at).await.is(204);
        lan.put(&part(2), "1234567890").await.is(404);

        for (files, expected) in [
            (multipart("b", 25, 2, 10), "parts-plan"),
            (multipart("b", 25, 4, 10), "parts-plan"),
            (multipart("b", 0, 0, 10), "parts-plan"),
            (multipart("b", 25, 25, 0), "parts-plan"),
            (multipart("b", 20_000, 20_000, 1), "parts-plan"),
            (
                json!([{"key": "b", "transfer": {"type": "M", "parts": 2}}]),
                "size-missing",
            ),
            (
                json!([{"key": "b", "size": 5, "transfer": {"type": "M"}}]),
                "parts-required",
            ),
        ] {
            let told = announce(&lan, &id, files).await.is(400);
            assert!(
                told.problems().iter().any(|(_, code)| code == expected),
                "{expected}"
            );
        }
        announce(&lan, &id, multipart("b", 1 << 50, 1, 1 << 50))
            .await
            .is(413);
    });
}

fn sha2_of(bytes: &[u8]) -> Vec<u8> {
    sha2::Sha256::digest(bytes).to_vec()
}

#[test]
fn a_whole_that_is_not_what_was_declared_begins_again() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Khai báo")).await;
        let mut files = multipart("a", 15, 2, 10);
        files[0]["checksum"] = md5(b"123456789012345").into();
        announce(&lan, &id, files).await.is(201);
        let at = file_path(&id, "/draft", "a");
        for last in ["12346", "12345"] {
            lan.put(&format!("{at}/content/1"), "1234567890")
                .await
                .is(200);
            lan.put(&format!("{at}/content/2"), last).await.is(200);
            let done = lan.post(&format!("{at}/commit")).await;
            if last == "12345" {
                done.is(200);
            } else {
                assert_eq!(done.is(400).json()["code"], "file-checksum");
                assert_eq!(
                    lan.get(&at).await.is(200).json()["received_parts"],
                    json!([])
                );
            }
        }

        // At once, too.
        let declared = json!([{"key": "b", "size": 3, "checksum": md5(b"abc")}]);
        announce(&lan, &id, declared).await.is(201);
        let at = file_path(&id, "/draft", "b");
        for (bytes, code) in [("ab", "file-size"), ("abd", "file-checksum")] {
            let told = lan.put(&format!("{at}/content"), bytes).await.is(400);
            assert_eq!(told.json()["code"], code);
            lan.post(&format!("{at}/commit")).await.is(400);
        }
        lan.put(&format!("{at}/content"), "abc").await.is(200);
        lan.post(&format!("{at}/commit")).await.is(200);
        for wrong in [json!("abc"), json!("sha512:00"), json!(7)] {
            let told = announce(&lan, &id, json!([{"key": "c", "checksum": wrong}]))
                .await
                .is(400);
            assert!(
                told.problems()
                    .contains(&("0.checksum".into(), "checksum".into()))
            );
        }
    });
}

async fn ranged(client: &Client<'_>, at: &str, range: &str, bytes: &[u8]) -> Answer {
    let request = client
        .request(Method::PUT, &format!("{at}/content"))
        .header("Content-Range", range)
        .body(bytes.to_vec());
    client.send(request).await
}

#[test]
fn a_put_goes_on_where_it_stopped() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Đường truyền kém")).await;
        announce(&lan, &id, json!([{"key": "a/b.csv"}]))
            .await
            .is(201);
        let at = file_path(&id, "/draft", "a/b.csv");
        let bytes = noise(250_000);
        let asked = ranged(&lan, &at, "bytes */250000", b"").await.is(308);
        assert_eq!(
            (asked.header("range"), asked.header("upload-offset")),
            ("", "0")
        );
        let one = ranged(&lan, &at, "bytes 0-99999/250000", &bytes[..100_000])
            .await
            .is(202);
        assert_eq!(one.header("range"), "bytes=0-99999");
        assert_eq!(one.header("upload-offset"), "100000");
        for (range, piece) in [
            ("bytes 0-99999/250000", &bytes[..100_000]),
            ("bytes 150000-199999/250000", &bytes[150_000..200_000]),
        ] {
            let told = ranged(&lan, &at, range, piece).await.is(409);
            assert_eq!(told.json()["code"], "upload-offset");
            assert_eq!(told.header("range"), "bytes=0-99999");
        }
        let asked = ranged(&lan, &at, "bytes */250000", b"").await.is(308);
        assert_eq!(asked.header("range"), "bytes=0-99999");
        for bad in [
            "bytes 0-9/*",
            "bytes 9-0/10",
            "0-9/10",
            "bytes 0-9/9",
            "bytes */*",
        ] {
            ranged(&lan, &at, bad, b"1234567890").await.is(400);
        }
        ranged(&lan, &at, "bytes 100000-249999/250000", b"short")
            .await
            .is(400);
        let done = ranged(&lan, &at, "bytes 100000-249999/250000", &bytes[100_000..])
            .await
            .is(200);
        assert_eq!(done.json()["sha256"], sha256(&bytes));
        assert_eq!(done.json()["status"], "pending");
        let asked = ranged(&lan, &at, "bytes */250000", b"").await.is(200);
        assert_eq!(asked.json()["size"], 250_000);
        let late = ranged(&lan, &at, "bytes 100000-249999/250000", &bytes[100_000..])
            .await
            .is(409);
        assert_eq!(late.header("upload-offset"), "250000");
        assert_eq!(
            lan.post(&format!("{at}/commit")).await.is(200).json()["status"],
            "completed"
        );
        ranged(&lan, &at, "bytes 0-9/10", b"1234567890")
            .await
            .is(409);
    });
}

#[test]
fn a_put_without_a_range_starts_afresh() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Từ đầu")).await;
        announce(&lan, &id, json!([{"key": "a"}])).await.is(201);
        let at = file_path(&id, "/draft", "a");
        ranged(&lan, &at, "bytes 0-4/10", b"12345").await.is(202);
        lan.put(&format!("{at}/content"), "whole").await.is(200);
        let asked = ranged(&lan, &at, "bytes */5", b"").await.is(200);
        assert_eq!(asked.json()["sha256"], sha256(b"whole"));
        // Another length is another attempt.
        ranged(&lan, &at, "bytes 0-2/6", b"abc").await.is(202);
        ranged(&lan, &at, "bytes 0-3/8", b"abcd").await.is(202);
        ranged(&lan, &at, "bytes 4-7/8", b"efgh").await.is(200);
        lan.post(&format!("{at}/commit")).await.is(200);
        lan.publish(&id).await;
        let sent = app
            .anyone()
            .get(&format!("{}/content", file_path(&id, "", "a")))
            .await;
        assert_eq!(sent.is(200).body, b"abcdefgh");
    });
}

#[test]
fn a_draft_thrown_away_takes_its_uploads_along() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Bỏ")).await;
        announce(&lan, &id, multipart("a", 25, 3, 10)).await.is(201);
        announce(&lan, &id, json!([{"key": "b"}])).await.is(201);
        lan.put(
            &format!("{}/content/1", file_path(&id, "/draft", "a")),
            "1234567890",
        )
        .await
        .is(200);
        ranged(
            &lan,
            &file_path(&id, "/draft", "b"),
            "bytes 0-4/10",
            b"12345",
        )
        .await
        .is(202);
        lan.delete(&format!("/api/records/{id}/draft"))
            .await
            .is(204);
        app.work().await;
        let left = app.storage.files("staging").await;
        assert!(left.is_empty(), "{left:?}");
    });
}
