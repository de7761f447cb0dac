//! Where readers are sent to the bucket: whoever may have a file gets its bytes there, and nobody else an address.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::app::{described, file_path, on_bucket, sha256};

#[test]
fn readers_are_sent_to_the_bucket_and_strangers_are_not() {
    on_bucket(&[("s3_redirect", "true")], async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let bytes: Vec<u8> = (0..200_000_u32)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8)
            .collect();
        let id = lan.draft(described("Ảnh vệ tinh")).await;
        lan.upload(&id, "số liệu/ảnh 1.csv", &bytes).await;
        // A draft's bytes stay behind the door.
        let draft = format!("{}/content", file_path(&id, "/draft", "số liệu/ảnh 1.csv"));
        assert_eq!(lan.get(&draft).await.is(200).body, bytes);
        lan.publish(&id).await;

        let at = format!("{}/content", file_path(&id, "", "số liệu/ảnh 1.csv"));
        let sent = app.anyone().get(&at).await.is(302);
        assert_eq!(sent.header("cache-control"), "private, no-store");
        assert_eq!(sent.header("referrer-policy"), "no-referrer");
        assert!(sent.body.is_empty());
        let url = sent.header("location").to_owned();
        assert!(!url.starts_with(&app.url), "{url}");
        let there = app.anyone().get(&url).await.is(200);
        assert!(there.body == bytes);
        assert_eq!(there.header("content-type"), "text/csv; charset=utf-8");
        let name = there.header("content-disposition");
        assert!(name.starts_with("attachment") && name.contains("%E1%BA%A3nh"));

        // As a client that follows does it, with its Range.
        let follows = reqwest::Client::new();
        let part = follows
            .get(format!("{}{at}", app.url))
            .header("range", "bytes=1000-1999");
        let part = part.send().await.unwrap();
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.headers()["content-range"], "bytes 1000-1999/200000");
        assert_eq!(part.bytes().await.unwrap(), bytes[1000..2000]);

        // What a file is, and whether it changed, is told here.
        let head = app.anyone().head(&at).await.is(200);
        assert_eq!(head.header("content-length"), "200000");
        let etag = head.header("etag").to_owned();
        assert_eq!(etag, format!("\"{}\"", sha256(&bytes)));
        let anyone = app.anyone();
        anyone.get_with(&at, "if-none-match", &etag).await.is(304);

        // The address is for this file, for reading, and as it was signed.
        let other = url.replace(".csv?", ".cs?");
        assert_ne!(other, url);
        for (method, url) in [
            (Method::GET, other),
            (Method::GET, url.replace("text%2Fcsv", "text%2Fhtml")),
            (Method::PUT, url.clone()),
            (Method::DELETE, url),
        ] {
            let request = app.anyone().request(method, &url);
            let refused = app.anyone().send(request).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{url}");
        }

        let restricted = json!({
            "metadata": described("Vị trí tổ chim"),
            "access": {"record": "public", "files": "restricted"},
        });
        let id = lan.record_with(restricted).await;
        let at = format!("{}/content", file_path(&id, "", "a.csv"));
        let minh = app.account("minh").await;
        for refused in [
            app.anyone().get(&at).await.is(401),
            app.as_(&minh).get(&at).await.is(403),
        ] {
            assert_eq!(refused.header("location"), "");
            assert!(!String::from_utf8_lossy(&refused.body).contains("X-Amz-"));
        }
        let own = lan.get(&at).await.is(302);
        let there = app.anyone().get(own.header("location")).await;
        assert_eq!(there.is(200).body, b"x,y\n1,2\n");
    });
}

#[test]
fn parts_go_straight_to_the_bucket() {
    on_bucket(&[("s3_redirect", "true")], async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let bytes: Vec<u8> = (0..(11 << 20) + 3_u32)
            .map(|n| (n.wrapping_mul(n) >> 9) as u8)
            .collect();
        let id = lan.draft(described("Thẳng")).await;
        let files = json!([{
            "key": "a.bin", "size": bytes.len(),
            "transfer": {"type": "M", "parts": 3, "part_size": 5 << 20},
        }]);
        let made = lan
            .post_json(&format!("/api/records/{id}/draft/files"), &files)
            .await
            .is(201)
            .json();
        let links = made["entries"][0]["links"]["parts"].as_array().unwrap();
        assert_eq!(links.len(), 3);
        for (link, part) in links.iter().zip(bytes.chunks(5 << 20)).rev() {
            let url = link["url"].as_str().unwrap();
            assert!(!url.starts_with(&app.url), "{url}");
            app.anyone().put(url, part.to_vec()).await.is(200);
        }
        let at = file_path(&id, "/draft", "a.bin");
        let done = lan.post(&format!("{at}/commit")).await.is(200).json();
        assert_eq!(done["sha256"], sha256(&bytes));
        lan.publish(&id).await;
    });
}
