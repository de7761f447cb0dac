//! The main job: a dataset is described, uploaded, published, found, corrected by a new version, downloaded.

use serde_json::{Value, json};

use crate::app::{
    BEGINNING, DAY, TestApp, described, each, each_store, file_path, problems, sha256,
};

const PENGUINS: &str = include_str!("../../data/penguins.csv");

fn penguins() -> Value {
    json!({
        "metadata": {
            "title": "Kích thước chim cánh cụt ở quần đảo Palmer",
            "additional_titles": [{
                "title": "Size measurements of penguins at Palmer Archipelago",
                "type": {"id": "translated-title"}, "lang": {"id": "eng"},
            }],
            "description": "<p>Số đo của ba loài chim cánh cụt.</p>",
            "publication_date": "2026-11-24",
            "resource_type": {"id": "dataset"},
            "creators": [{"person_or_org": {
                "type": "personal", "family_name": "Nguyễn", "given_name": "Thị Đào",
                "identifiers": [{"scheme": "orcid", "identifier": "0000-0002-1825-0097"}],
            }}],
            "rights": [{"id": "cc0-1.0"}],
            "subjects": [{"subject": "chim cánh cụt"}],
            "languages": [{"id": "vie"}],
        },
    })
}

#[test]
fn a_dataset_is_deposited_published_found_and_continued() {
    each_store(async |app| {
        let token = app.account("dao").await;
        let dao = app.as_(&token);

        // Nothing said yet: a draft that names everything it lacks.
        let empty = dao
            .post_json("/api/records", &json!({}))
            .await
            .is(201)
            .json();
        let missing = problems(&empty);
        for (path, code) in [
            ("metadata.title", "required"),
            ("metadata.creators", "required"),
            ("metadata.resource_type", "required"),
            ("metadata.publication_date", "required"),
            ("files.enabled", "files-missing"),
        ] {
            let problem = (path.to_owned(), code.to_owned());
            assert!(missing.contains(&problem), "{path}: {missing:?}");
        }
        let id = empty["id"].as_str().unwrap().to_owned();
        let at = format!("/api/records/{id}");
        let refused = dao
            .post(&format!("{at}/draft/actions/publish"))
            .await
            .is(400);
        assert_eq!(
            refused.problems(),
            missing,
            "publishing asks what saving said"
        );
        let saved = dao
            .put_json(&format!("{at}/draft"), &penguins())
            .await
            .is(200)
            .json();
        assert_eq!(
            problems(&saved).len(),
            1,
            "only the files are missing: {saved}"
        );

        dao.upload(&id, "số liệu/chim cánh cụt.csv", PENGUINS).await;
        dao.upload(&id, "số liệu/2007/đảo.csv", "đảo\nBiscoe\n")
            .await;
        dao.upload(&id, "ĐỌC TÔI.txt", "Đo ở trạm Palmer.").await;
        let draft = dao.get(&format!("{at}/draft")).await.is(200).json();
        assert!(problems(&draft).is_empty(), "{draft}");
        assert_eq!(draft["files"]["count"], 3);
        app.anyone().get(&at).await.is(404);

        let record = dao.publish(&id).await;
        assert_eq!(record["id"], id);
        assert_eq!(record["pids"]["doi"]["identifier"], format!("10.5072/{id}"));
        let concept = record["parent"]["id"].as_str().unwrap().to_owned();
        assert_eq!(
            record["parent"]["pids"]["doi"]["identifier"],
            format!("10.5072/{concept}")
        );
        dao.get(&format!("{at}/draft")).await.is(404);
        // Asking again is no second version.
        assert_eq!(dao.publish(&id).await["versions"]["index"], 1);

        let seen = app.anyone().get(&at).await.is(200).json();
        assert_eq!(seen["metadata"]["title"], penguins()["metadata"]["title"]);
        assert_eq!(seen["files"]["entries"].as_object().unwrap().len(), 3);
        let moved = app
            .anyone()
            .get(&format!("/api/records/{concept}"))
            .await
            .is(302);
        assert!(moved.header("location").ends_with(&at));

        app.work().await;
        for query in [
            "chim cánh cụt",
            "chim canh cut",
            "CHIM CÁNH CỤT",
            "penguins",
            "đảo",
            "nguyen thi dao",
        ] {
            let found = app.anyone().found(&format!("q={query}")).await;
            assert_eq!(found, [id.as_str()], "{query}");
        }
        assert!(app.anyone().found("q=gấu trúc").await.is_empty());
        assert_eq!(app.anyone().found("resource_type=dataset").await.len(), 1);
        assert!(
            app.anyone()
                .found("resource_type=software")
                .await
                .is_empty()
        );

        second_version(app, &token, &id).await;
    });
}

/// The next version takes over all files and changes one.
async fn second_version(app: &TestApp, token: &str, first: &str) {
    let dao = app.as_(token);
    app.pass(DAY);
    let versions = format!("/api/records/{first}/versions");
    let begun = dao.post(&versions).await.is(201).json();
    let id = begun["id"].as_str().unwrap().to_owned();
    assert_ne!(id, first);
    assert_eq!(
        dao.post(&versions).await.is(201).json()["id"],
        id,
        "begun once"
    );
    assert_eq!(begun["versions"]["index"], 2);
    assert_eq!(begun["metadata"].get("publication_date"), None);
    let at = format!("/api/records/{id}/draft");
    let imported = dao
        .post(&format!("{at}/actions/files-import"))
        .await
        .is(201)
        .json();
    assert_eq!(imported["entries"].as_array().unwrap().len(), 3);
    dao.delete(&file_path(&id, "/draft", "ĐỌC TÔI.txt"))
        .await
        .is(204);
    dao.upload(&id, "ĐỌC TÔI.txt", "Đo ở trạm Palmer, đã kiểm tra lại.")
        .await;
    let mut body = penguins();
    body["metadata"]["title"] = "Kích thước chim cánh cụt ở quần đảo Palmer, bản sửa".into();
    dao.put_json(&at, &body).await.is(200);
    let second = dao.publish(&id).await;
    assert_eq!(second["versions"], json!({"index": 2, "is_latest": true}));
    assert_eq!(
        second["parent"],
        dao.get(&format!("/api/records/{first}")).await.json()["parent"]
    );

    // Four contents for two versions of three files each: what did not change is there once.
    let kept = app.archived_content().await;
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert_eq!(
        kept.iter()
            .filter(|(_, size)| *size == PENGUINS.len() as u64)
            .count(),
        1
    );

    let anyone = app.anyone();
    let listed = anyone.get(&versions).await.is(200).json();
    assert_eq!(listed["hits"]["total"], 2);
    assert_eq!(listed["hits"]["hits"][0]["id"], id);
    assert_eq!(
        listed["hits"]["hits"][1]["versions"],
        json!({"index": 1, "is_latest": false})
    );
    let latest = anyone.get(&format!("{versions}/latest")).await.is(301);
    assert!(
        latest
            .header("location")
            .ends_with(&format!("/api/records/{id}"))
    );
    let old = |name| file_path(first, "", name);
    assert_eq!(
        anyone
            .get(&(old("ĐỌC TÔI.txt") + "/content"))
            .await
            .is(200)
            .body,
        "Đo ở trạm Palmer.".as_bytes()
    );
    for version in [first, id.as_str()] {
        let path = file_path(version, "", "số liệu/chim cánh cụt.csv") + "/content";
        let got = anyone.get(&path).await.is(200);
        assert_eq!(sha256(&got.body), sha256(PENGUINS.as_bytes()));
    }
    app.work().await;
    assert_eq!(
        anyone.found("q=chim canh cut").await,
        [id.as_str()],
        "only the newest"
    );
    assert_eq!(
        anyone.found("q=chim canh cut&allversions=true").await.len(),
        2
    );
}

#[test]
fn a_download_can_be_resumed_checked_and_cached() {
    each_store(async |app| {
        let token = app.account("dao").await;
        let dao = app.as_(&token);
        let id = dao.draft(described("Để tải về")).await;
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        dao.upload(&id, "thư mục/dữ liệu.bin", &bytes).await;
        dao.upload(&id, "rỗng.txt", "").await;
        dao.upload(&id, "trang.html", "<script>alert(1)</script>")
            .await;
        dao.publish(&id).await;
        let anyone = app.anyone();
        let path = file_path(&id, "", "thư mục/dữ liệu.bin") + "/content";

        let whole = anyone.get(&path).await.is(200);
        assert_eq!(whole.body, bytes);
        let etag = whole.header("etag").to_owned();
        assert_eq!(etag, format!("\"{}\"", sha256(&bytes)));
        assert_eq!(whole.header("accept-ranges"), "bytes");
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        assert!(
            whole
                .header("content-disposition")
                .contains("filename*=UTF-8''d%E1%BB%AF")
        );
        assert!(whole.header("repr-digest").starts_with("sha-256=:"));
        // The slash of a folder may also come as it is.
        let plain = format!("/api/records/{id}/files/thư mục/dữ liệu.bin/content");
        assert_eq!(anyone.get(&plain).await.is(200).body, bytes);

        let head = anyone.head(&path).await.is(200);
        assert_eq!(head.header("content-length"), bytes.len().to_string());
        assert!(head.body.is_empty());
        for (asked, from, to) in [
            ("bytes=0-9", 0, 10),
            ("bytes=399990-", 399_990, 400_000),
            ("bytes=-5", 399_995, 400_000),
            ("bytes=70000-140000", 70_000, 140_001),
        ] {
            let part = anyone.get_with(&path, "range", asked).await.is(206);
            assert_eq!(part.body, &bytes[from..to], "{asked}");
            let range = format!("bytes {from}-{}/400000", to - 1);
            assert_eq!(part.header("content-range"), range);
            assert_eq!(part.header("etag"), etag);
        }
        let beyond = anyone
            .get_with(&path, "range", "bytes=400000-")
            .await
            .is(416);
        assert_eq!(beyond.header("content-range"), "bytes */400000");
        for (tag, status) in [(etag.as_str(), 206), ("\"other\"", 200)] {
            let request = anyone.request(reqwest::Method::GET, &path);
            let request = request.header("range", "bytes=1-2").header("if-range", tag);
            anyone.send(request).await.is(status);
        }
        let known = anyone.get_with(&path, "if-none-match", &etag).await.is(304);
        assert!(known.body.is_empty());
        anyone
            .get_with(&path, "if-none-match", "\"other\"")
            .await
            .is(200);

        let empty = file_path(&id, "", "rỗng.txt") + "/content";
        assert_eq!(
            anyone.get(&empty).await.is(200).header("content-length"),
            "0"
        );
        anyone.get_with(&empty, "range", "bytes=0-0").await.is(416);
        let page = anyone
            .get(&(file_path(&id, "", "trang.html") + "/content"))
            .await
            .is(200);
        assert_eq!(page.header("content-type"), "application/octet-stream");
        anyone
            .get(&(file_path(&id, "", "không có") + "/content"))
            .await
            .is(404);
    });
}

#[test]
fn a_large_file_comes_back_as_it_went() {
    each_store(async |app| {
        let token = app.account("dao").await;
        let dao = app.as_(&token);
        let id = dao.draft(described("Tệp lớn")).await;
        // 64 MiB that do not repeat, made as they are sent.
        let block = |n: u64| -> Vec<u8> {
            (0..8_192_u64)
                .flat_map(|i| {
                    (n * 8_192 + i)
                        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                        .to_le_bytes()
                })
                .collect()
        };
        let files = format!("/api/records/{id}/draft/files");
        dao.post_json(&files, &json!([{"key": "big.bin"}]))
            .await
            .is(201);
        let parts = (0..1_024_u64).map(move |n| Ok::<_, std::io::Error>(block(n)));
        let body = reqwest::Body::wrap_stream(futures::stream::iter(parts));
        let sent = dao
            .put(&format!("{files}/big.bin/content"), body)
            .await
            .is(200)
            .json();
        assert_eq!(sent["size"], 64 << 20);
        dao.post(&format!("{files}/big.bin/commit")).await.is(200);
        dao.publish(&id).await;
        let path = format!("/api/records/{id}/files/big.bin/content");
        let got = app.anyone().get(&path).await.is(200).body;
        assert_eq!(got.len(), 64 << 20);
        assert_eq!(sent["sha256"], sha256(&got));
        assert!((0..1_024_u64).all(|n| got[n as usize * 65_536..][..65_536] == block(n)));
    });
}

#[test]
fn a_version_of_a_thousand_files_is_whole() {
    each(async |app| {
        let token = app.account("dao").await;
        let dao = app.as_(&token);
        let id = dao.draft(described("Nhiều tệp")).await;
        let files = format!("/api/records/{id}/draft/files");
        let keys: Vec<String> = (0..1_000)
            .map(|n| format!("thư mục {}/tệp {n}.txt", n % 7))
            .collect();
        let announced: Vec<Value> = keys.iter().map(|key| json!({ "key": key })).collect();
        let listed = dao
            .post_json(&files, &announced.into())
            .await
            .is(201)
            .json();
        assert_eq!(listed["entries"].as_array().unwrap().len(), 1_000);
        let sends = keys.iter().map(|key| {
            let dao = app.as_(&token);
            let at = file_path(&id, "/draft", key);
            async move {
                dao.put(&format!("{at}/content"), key.clone()).await.is(200);
                dao.post(&format!("{at}/commit")).await.is(200);
            }
        });
        futures::StreamExt::collect::<Vec<()>>(futures::StreamExt::buffer_unordered(
            futures::stream::iter(sends),
            8,
        ))
        .await;
        dao.publish(&id).await;
        let listed = app
            .anyone()
            .get(&format!("/api/records/{id}/files"))
            .await
            .is(200)
            .json();
        assert_eq!(listed["entries"].as_array().unwrap().len(), 1_000);
        let key = "thư mục 6/tệp 6.txt";
        let one = app
            .anyone()
            .get(&(file_path(&id, "", key) + "/content"))
            .await
            .is(200);
        assert_eq!(one.body, key.as_bytes());
        let next = dao
            .post(&format!("/api/records/{id}/versions"))
            .await
            .is(201)
            .json();
        let next = next["id"].as_str().unwrap();
        let imported = dao
            .post(&format!("/api/records/{next}/draft/actions/files-import"))
            .await;
        assert_eq!(
            imported.is(201).json()["entries"].as_array().unwrap().len(),
            1_000
        );
        dao.delete(&format!("/api/records/{next}/draft/files"))
            .await
            .is(204);
        dao.delete(&format!("/api/records/{next}/draft"))
            .await
            .is(204);
        assert_eq!(app.archived_content().await.len(), 1_000);
    });
}

#[test]
fn times_are_those_of_the_clock() {
    each(async |app| {
        let token = app.account("dao").await;
        let id = app.as_(&token).record("Thời gian").await;
        let record = app.anyone().get(&format!("/api/records/{id}")).await.json();
        let began = chrono::DateTime::from_timestamp_micros(BEGINNING).unwrap();
        let created: chrono::DateTime<chrono::Utc> =
            record["created"].as_str().unwrap().parse().unwrap();
        assert_eq!(created, began);
    });
}
