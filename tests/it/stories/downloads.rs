//! Everything at once: the zip of a version and the lists beside it, whole, in parts, and for those who may not have
//! the files. That programs of others read them is `tests/outside/bundle.py`.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use kho::store::table::record::record_file;
use reqwest::Method;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::app::{Answer, Client, TestApp, described, each_store, sha256};

/// The files of a zip by name, each checked against its CRC.
fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut reader = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = BTreeMap::new();
    for n in 0..reader.len() {
        let mut file = reader.by_index(n).unwrap();
        let name = String::from_utf8(file.name_raw().to_vec()).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        let before = out.insert(name, content);
        assert!(before.is_none(), "a name twice");
    }
    out
}

const LARGE: usize = 300_000;

/// A record with small files, one larger than what is read at once, an empty one, folders and Vietnamese names.
async fn dataset(owner: &Client<'_>) -> (String, BTreeMap<String, Vec<u8>>) {
    let id = owner.draft(described("Độ mặn")).await;
    let mut files = BTreeMap::from([
        ("đo mặn/trạm 1.csv".to_owned(), b"x,y\n1,2\n".to_vec()),
        ("đo mặn/trạm 2.csv".to_owned(), b"x,y\n3,4\n".to_vec()),
        ("trống.txt".to_owned(), Vec::new()),
        (
            "lớn.bin".to_owned(),
            (0..LARGE).map(|n| (n % 251) as u8).collect(),
        ),
    ]);
    for n in 0..20 {
        files.insert(format!("nhiều/{n:03}.txt"), vec![n; 100]);
    }
    for (key, bytes) in &files {
        owner.upload(&id, key, bytes).await;
    }
    owner.publish(&id).await;
    (id, files)
}

#[test]
fn the_zip_has_every_file_and_what_describes_it() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let (id, files) = dataset(&app.as_(&token)).await;
        let anyone = app.anyone();
        let path = format!("/records/{id}/archive");
        let whole = anyone.get(&path).await.is(200);
        assert_eq!(whole.header("content-type"), "application/zip");
        assert_eq!(
            whole.header("content-length"),
            whole.body.len().to_string(),
            "the length is told beforehand"
        );
        assert_eq!(whole.header("accept-ranges"), "bytes");
        assert_eq!(
            whole.header("cache-control"),
            "public, max-age=0, must-revalidate"
        );
        assert!(
            whole
                .header("content-disposition")
                .contains(&format!("{id}.zip"))
        );
        let found = unzip(&whole.body);
        for (key, bytes) in &files {
            assert_eq!(&found[&format!("{id}/{key}")], bytes, "{key}");
        }
        let sums = String::from_utf8(found[&format!("{id}/SHA256SUMS")].clone()).unwrap();
        let told = anyone.get(&format!("/records/{id}/SHA256SUMS")).await;
        assert_eq!(sums.as_bytes(), told.is(200).body);
        let mut lines: Vec<&str> = sums.lines().collect();
        lines.sort_unstable();
        let mut expected: Vec<String> = files
            .iter()
            .map(|(key, bytes)| format!("{}  {key}", sha256(bytes)))
            .collect();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        let datacite: serde_json::Value =
            serde_json::from_slice(&found[&format!("{id}/metadata/datacite.json")]).unwrap();
        assert!(datacite["doi"].as_str().unwrap().ends_with(&id));
        assert_eq!(found.len(), files.len() + 1 + 7);

        let api = anyone
            .get(&format!("/api/records/{id}/files-archive"))
            .await;
        assert!(api.is(200).body == whole.body);
        let record = anyone.get(&format!("/api/records/{id}")).await.is(200);
        let archive = record.json()["links"]["archive"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(anyone.get(&archive).await.is(200).body == whole.body);
        let concept = record.json()["parent"]["id"].as_str().unwrap().to_owned();
        let moved = anyone
            .get(&format!("/records/{concept}/archive"))
            .await
            .is(302);
        assert!(moved.header("location").ends_with(&path));
    });
}

#[test]
fn a_zip_goes_on_from_any_byte() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let (id, _) = dataset(&app.as_(&token)).await;
        let anyone = app.anyone();
        let path = format!("/records/{id}/archive");
        let whole = anyone.get(&path).await.is(200);
        let etag = whole.header("etag").to_owned();
        assert!(etag.starts_with('"'), "a strong tag: {etag}");
        let size = whole.body.len();
        // Both sides of every border are hit by steps that are no multiple of anything.
        let mut at = 0;
        while at < size {
            let end = (at + 15_923).min(size);
            let range = format!("bytes={at}-{}", end - 1);
            let part = anyone.get_with(&path, "range", &range).await.is(206);
            assert!(part.body == whole.body[at..end], "{range}");
            assert_eq!(
                part.header("content-range"),
                format!("bytes {at}-{}/{size}", end - 1)
            );
            at = end;
        }
        for last in (1..2_500).step_by(41) {
            let part = anyone
                .get_with(&path, "range", &format!("bytes=-{last}"))
                .await
                .is(206);
            assert!(part.body == whole.body[size - last..], "the last {last}");
        }
        let past = anyone
            .get_with(&path, "range", &format!("bytes={size}-"))
            .await;
        past.is(416);
        let conditional = async |tag: &str| -> Answer {
            let request = anyone.request(Method::GET, &path);
            let request = request.header("range", "bytes=10-19");
            anyone.send(request.header("if-range", tag)).await
        };
        assert!(conditional(&etag).await.is(206).body == whole.body[10..20]);
        assert!(conditional("\"another\"").await.is(200).body == whole.body);
        anyone.get_with(&path, "if-none-match", &etag).await.is(304);
        let head = anyone.head(&path).await.is(200);
        assert_eq!(head.header("content-length"), size.to_string());
        assert_eq!(head.header("etag"), etag);
    });
}

#[test]
fn a_later_version_does_not_change_a_zip_and_a_correction_does() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.record("Gió").await;
        let path = format!("/records/{id}/archive");
        let first = lan.get(&path).await.is(200);
        let next = lan.post(&format!("/api/records/{id}/versions")).await;
        let next = next.is(201).json()["id"].as_str().unwrap().to_owned();
        let dated = json!({ "metadata": described("Gió") });
        let draft = format!("/api/records/{next}/draft");
        lan.put_json(&draft, &dated).await.is(200);
        lan.upload(&next, "b.csv", "2").await;
        lan.publish(&next).await;
        app.work().await;
        let again = lan.get(&path).await.is(200);
        assert!(again.body == first.body && again.header("etag") == first.header("etag"));

        app.pass(60_000_000);
        let draft = format!("/api/records/{id}/draft");
        lan.post(&draft).await.is(201);
        let corrected = json!({ "metadata": described("Gió mùa") });
        lan.put_json(&draft, &corrected).await.is(200);
        lan.publish(&id).await;
        let after = lan.get(&path).await.is(200);
        assert_ne!(after.header("etag"), first.header("etag"));
        let found = unzip(&after.body);
        let text = String::from_utf8_lossy(&found[&format!("{id}/metadata/datacite.json")]);
        assert!(text.contains("Gió mùa"));
    });
}

#[test]
fn a_depositor_may_use_every_name_that_the_zip_uses() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Tên")).await;
        let keys = ["SHA256SUMS", "Metadata/datacite.json", "metadata/x"];
        for key in keys {
            lan.upload(&id, key, key).await;
        }
        let other = format!("metadata-{id}/y");
        lan.upload(&id, &other, "y").await;
        lan.publish(&id).await;
        let whole = app.anyone().get(&format!("/records/{id}/archive")).await;
        let found = unzip(&whole.is(200).body);
        for key in keys {
            assert_eq!(found[&format!("{id}/{key}")], key.as_bytes());
        }
        assert_eq!(found[&format!("{id}/{other}")], b"y");
        assert!(found.contains_key(&format!("{id}/SHA256SUMS-{id}")));
        let folders: Vec<&String> = found
            .keys()
            .filter(|name| name.ends_with("/citation.bib"))
            .collect();
        assert_eq!(folders.len(), 1);
        assert!(!folders[0].contains(&format!("metadata-{id}/")));
    });
}

#[test]
fn who_may_not_have_the_files_gets_the_description_and_is_told() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let closed = json!({"metadata": described("Phỏng vấn"),
            "access": {"record": "public", "files": "restricted"}});
        let id = lan.record_with(closed).await;
        let anyone = app.anyone();
        let path = format!("/records/{id}/archive");
        let whole = anyone.get(&path).await.is(200);
        assert_eq!(whole.header("cache-control"), "private, no-store");
        let found = unzip(&whole.body);
        assert!(found.contains_key(&format!("{id}/metadata/datacite.json")));
        let sums = String::from_utf8_lossy(&found[&format!("{id}/SHA256SUMS")]).into_owned();
        assert!(
            sums.starts_with("# The files of this record are withheld"),
            "{sums}"
        );
        assert!(sums.contains("# Các tệp"), "{sums}");
        assert!(!String::from_utf8_lossy(&whole.body).contains("a.csv"));
        for name in ["SHA256SUMS", "files.meta4", "files.aria2"] {
            let list = anyone.get(&format!("/records/{id}/{name}")).await.is(200);
            let text = String::from_utf8_lossy(&list.body).into_owned();
            assert!(
                text.contains("withheld") && !text.contains("a.csv"),
                "{text}"
            );
            assert_eq!(list.header("cache-control"), "private, no-store");
        }
        let own = lan.get(&format!("/api/records/{id}/files-archive")).await;
        let own = own.is(200);
        assert_eq!(own.header("cache-control"), "private, no-store");
        assert_ne!(own.header("etag"), whole.header("etag"));
        assert!(unzip(&own.body).contains_key(&format!("{id}/a.csv")));
    });
}

#[test]
fn files_that_came_before_their_crc_was_kept_are_read_once() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let (id, files) = dataset(&app.as_(&token)).await;
        forget(app).await;
        let whole = app.anyone().get(&format!("/records/{id}/archive")).await;
        let found = unzip(&whole.is(200).body);
        assert_eq!(found.len(), files.len() + 8);
        let left = record_file::Entity::find()
            .filter(record_file::COLUMN.crc32.is_null())
            .all(app.env.db.read())
            .await
            .unwrap();
        assert!(left.is_empty(), "{left:?}");
        // The job does the same, twice if need be.
        forget(app).await;
        let id = id.parse().unwrap();
        for _ in 0..2 {
            kho::files::read_crc32(&app.env.system(), &id)
                .await
                .unwrap();
        }
        let rows = record_file::Entity::find().all(app.env.db.read()).await;
        for row in rows.unwrap() {
            let crc32 = i64::from(crc32fast::hash(&files[&row.key]));
            assert_eq!(row.crc32, Some(crc32), "{}", row.key);
        }
    });
}

async fn forget(app: &TestApp) {
    let sql = "update record_file set crc32 = null";
    app.env.db.write().execute_unprepared(sql).await.unwrap();
}

#[test]
fn lists_for_fetching_name_every_file_with_its_digest() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let (id, files) = dataset(&app.as_(&token)).await;
        let anyone = app.anyone();
        let list = anyone
            .get(&format!("/records/{id}/files.meta4"))
            .await
            .is(200);
        assert_eq!(list.header("content-type"), "application/metalink4+xml");
        let metalink = String::from_utf8(list.body).unwrap();
        let aria2 = anyone
            .get(&format!("/records/{id}/files.aria2"))
            .await
            .is(200);
        let aria2 = String::from_utf8(aria2.body).unwrap();
        for (key, bytes) in &files {
            let digest = sha256(bytes);
            assert!(
                metalink.contains(&format!("<file name=\"{id}/{key}\">")),
                "{key}"
            );
            assert!(metalink.contains(&format!("<hash type=\"sha-256\">{digest}</hash>")));
            assert!(aria2.contains(&format!(
                "\n  out={id}/{key}\n  checksum=sha-256={digest}\n"
            )));
        }
        assert_eq!(metalink.matches("<file ").count(), files.len());
        let urls: Vec<&str> = aria2.lines().filter(|l| l.starts_with("http")).collect();
        assert_eq!(urls.len(), files.len());
        for url in urls {
            assert!(metalink.contains(&format!("<url>{url}</url>")), "{url}");
            anyone.get(url).await.is(200);
        }
    });
}
