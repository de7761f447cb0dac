//! Archives that were sent become the files in them, or nothing changes.

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use kho::ctx::Role;
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    intake::{entry, keys},
    tus::noise,
};
use crate::app::{Client, TestApp, described, each, file_path, sha256};

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
        nothing_staged_but(app, before.len());
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
        nothing_staged_but(app, 0);

        let quota = format!("/api/quotas/record/{id}");
        let most = json!({"quota_size": 100_000});
        admin.put_json(&quota, &most).await.is(200);
        let packed = zip(&[("a", &vec![0; 60_000]), ("b", &vec![0; 60_000])]);
        lan.upload(&id, "chật.zip", packed).await;
        ask_unpack(&lan, &id, "chật.zip").await;
        app.work().await;
        let told = entry(&lan, &id, "chật.zip").await;
        assert_eq!(told["unpack"]["code"], "quota-record");
        assert_eq!(keys(&lan, &id).await, ["chật.zip"]);
        nothing_staged_but(app, 1);

        admin.delete(&quota).await.is(204);
        ask_unpack(&lan, &id, "chật.zip").await;
        app.work().await;
        assert_eq!(keys(&lan, &id).await, ["a", "b"]);
    });
}

/// How many staged files there are, by what a folder holds: `check` compares names, here leftovers are counted at
/// once. A bucket has no such folder.
fn nothing_staged_but(app: &TestApp, expected: usize) {
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
