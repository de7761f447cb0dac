//! Drafts: saved as they are, replaced by revision, discarded; and the description of a published version corrected.

use serde_json::json;

use crate::app::{described, each, each_store, file_path, problems};

#[test]
fn a_draft_is_replaced_only_at_the_revision_that_was_read() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Bản nháp")).await;
        let at = format!("/api/records/{id}/draft");
        let read = lan.get(&at).await.is(200);
        let tag = read.header("etag").to_owned();
        assert_eq!(tag, format!("\"{}\"", read.json()["revision_id"]));
        let put = |tag: &str, title: &str| {
            let request = lan.request(reqwest::Method::PUT, &at);
            let body = json!({ "metadata": described(title) });
            lan.send(request.header("if-match", tag).json(&body))
        };
        let saved = put(&tag, "Lần hai").await.is(200);
        assert_ne!(saved.header("etag"), tag);
        put(&tag, "Ai đó khác").await.is(412);
        put("\"no revision\"", "Ai đó khác").await.is(412);
        put("*", "Lần ba").await.is(200);
        assert_eq!(lan.get(&at).await.json()["metadata"]["title"], "Lần ba");
    });
}

#[test]
fn what_was_read_can_be_put_back_and_what_is_unknown_is_named() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan
            .draft_with(json!({
                "metadata": {"title": "Vòng tròn", "additional_titles": [{"title": "A circle", "lang": {"id": "eng"},
                    "type": {"id": "translated-title"}}], "dates": [{"date": "2020/2021", "type": {"id": "collected"}}]},
                "access": {"record": "public", "files": "restricted"},
            }))
            .await;
        let at = format!("/api/records/{id}/draft");
        let first = lan.get(&at).await.is(200).json();
        let second = lan.put_json(&at, &first).await.is(200).json();
        for part in [
            "metadata",
            "access",
            "custom_fields",
            "pids",
            "files",
            "parent",
            "errors",
        ] {
            assert_eq!(second[part], first[part], "{part}");
        }
        let strange =
            json!({"metadata": {"title": "Vòng tròn", "colour": "red"}, "weather": "sunny"});
        let saved = lan.put_json(&at, &strange).await.is(200).json();
        let named = problems(&saved);
        for path in ["weather", "metadata.colour"] {
            assert!(
                named.contains(&(path.to_owned(), "unknown-field".to_owned())),
                "{named:?}"
            );
        }
        // What could not be understood is still given back: nothing that was typed is lost.
        let wrong = json!({"metadata": {"publication_date": "ngày mai", "title": "Còn đây"}});
        let saved = lan.put_json(&at, &wrong).await.is(200).json();
        assert_eq!(saved["metadata"]["publication_date"], "ngày mai");
        assert!(
            problems(&saved)
                .iter()
                .any(|(path, _)| path == "metadata.publication_date")
        );
    });
}

#[test]
fn problems_are_said_in_the_callers_language() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let said = async |language: &str| {
            let request = lan.request(reqwest::Method::POST, "/api/records");
            let request = request.header("accept-language", language).json(&json!({}));
            let draft = lan.send(request).await.is(201).json();
            draft["errors"][0]["messages"][0]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let (vi, en) = (said("vi-VN,vi;q=0.9,en;q=0.5").await, said("en").await);
        assert_ne!(vi, en);
        assert!(en.is_ascii() && !vi.is_ascii(), "{vi} / {en}");
    });
}

#[test]
fn a_discarded_draft_leaves_nothing() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Bỏ đi")).await;
        lan.upload(&id, "a.csv", "a").await;
        let at = format!("/api/records/{id}/draft");
        lan.delete(&at).await.is(204);
        lan.get(&at).await.is(404);
        lan.delete(&at).await.is(404);
        lan.post(&format!("{at}/actions/publish")).await.is(404);
        assert_eq!(
            lan.get("/api/user/records").await.json()["hits"]["total"],
            0
        );
    });
}

#[test]
fn the_description_of_a_version_is_corrected_and_its_files_are_not() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.record("Có lỗi chính tả").await;
        let record = format!("/api/records/{id}");
        let before = lan.get(&record).await.json();
        let at = format!("{record}/draft");
        let open = lan.post(&at).await.is(201).json();
        assert_eq!(
            (&open["is_published"], &open["status"]),
            (&json!(true), &json!("published"))
        );
        assert_eq!(
            lan.post(&at).await.is(201).json()["created"],
            open["created"],
            "opened once"
        );

        let file = file_path(&id, "/draft", "a.csv");
        lan.delete(&file).await.is(409);
        lan.put(&format!("{file}/content"), "changed").await.is(409);
        lan.post_json(&format!("{at}/files"), &json!([{"key": "b.csv"}]))
            .await
            .is(409);
        lan.delete(&format!("{at}/files")).await.is(409);
        lan.delete(&format!("{at}/pids/doi")).await.is(409);

        // Neither the files nor the DOI can be talked away.
        let said = json!({
            "metadata": described("Không còn lỗi chính tả"), "files": {"enabled": false},
            "pids": {"doi": {"identifier": "10.1234/elsewhere", "provider": "external"}},
        });
        lan.put_json(&at, &said).await.is(200);
        assert_eq!(
            app.anyone().get(&record).await.json()["metadata"],
            before["metadata"]
        );
        let after = lan.publish(&id).await;
        assert_eq!(after["metadata"]["title"], "Không còn lỗi chính tả");
        assert_eq!(after["versions"], before["versions"]);
        assert_eq!(after["pids"], before["pids"]);
        assert_eq!(after["files"], before["files"]);
        assert!(after["revision_id"].as_i64() > before["revision_id"].as_i64());
        assert_eq!(app.archived_content().await.len(), 1);
        let content = format!("{record}/files/a.csv/content");
        assert_eq!(app.anyone().get(&content).await.is(200).body, b"x,y\n1,2\n");
        let archived = snapshot(app, &before).await;
        assert_eq!(archived["files_enabled"], true);
        assert_eq!(archived["files"].as_array().unwrap().len(), 1);
        assert_eq!(archived["doi"], before["pids"]["doi"]["identifier"]);

        // An abandoned correction changes nothing.
        lan.post(&at).await.is(201);
        lan.put_json(&at, &json!({"metadata": described("Bỏ")}))
            .await
            .is(200);
        lan.delete(&at).await.is(204);
        assert_eq!(app.anyone().get(&record).await.json(), lan_sees(&after));
        app.work().await;
        assert_eq!(app.anyone().found("q=không còn lỗi").await, [id.as_str()]);
    });
}

/// `record.json` of the newest archive version.
async fn snapshot(app: &crate::app::TestApp, record: &serde_json::Value) -> serde_json::Value {
    let parent: kho::ids::RecordId = record["parent"]["id"].as_str().unwrap().parse().unwrap();
    let object = kho::archive::ObjectId::of_parent(&parent);
    let head = app.env.archive.head(&object).await.unwrap();
    let state = app.env.archive.version(&object, head).await.unwrap();
    let path = &state.files[&"record.json".parse().unwrap()].content;
    let bytes = app.env.objects.get(path, 1 << 20).await.unwrap().unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The record as somebody sees it who does not manage it.
fn lan_sees(record: &serde_json::Value) -> serde_json::Value {
    let mut out = record.clone();
    let access = out["parent"]["access"].as_object_mut().unwrap();
    access.remove("grants");
    access.remove("links");
    out
}

#[test]
fn an_entity_tag_changes_with_what_is_shown() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.record("Một").await;
        let path = format!("/api/records/{id}");
        let anyone = app.anyone();
        let tag = anyone.get(&path).await.is(200).header("etag").to_owned();
        anyone.get_with(&path, "if-none-match", &tag).await.is(304);
        // A next version changes what the first says of itself.
        let next = lan.post(&format!("{path}/versions")).await.is(201).json();
        let next = next["id"].as_str().unwrap();
        lan.upload(next, "a.csv", "new").await;
        let body = json!({"metadata": described("Hai")});
        lan.put_json(&format!("/api/records/{next}/draft"), &body)
            .await
            .is(200);
        lan.publish(next).await;
        let now = anyone.get_with(&path, "if-none-match", &tag).await.is(200);
        assert_eq!(now.json()["versions"]["is_latest"], false);
        // Another format is another representation.
        let request = anyone.request(reqwest::Method::GET, &path);
        let request = request.header("accept", "application/vnd.inveniordm.v1+json");
        let request = request.header("if-none-match", now.header("etag"));
        assert!(anyone.send(request).await.is(200).json()["ui"].is_object());
    });
}

#[test]
fn the_same_key_makes_the_same_draft() {
    each(async |app| {
        let token = app.account("lan").await;
        let other = app.account("binh").await;
        let create = async |token: &str, key: &str, title: &str| {
            let client = app.as_(token);
            let request = client.request(reqwest::Method::POST, "/api/records");
            let body = json!({ "metadata": described(title) });
            client
                .send(request.header("idempotency-key", key).json(&body))
                .await
        };
        let first = create(&token, "k-1", "Một lần").await.is(201).json();
        let again = create(&token, "k-1", "Một lần").await.is(201).json();
        assert_eq!(again["id"], first["id"]);
        create(&token, "k-1", "Nội dung khác").await.is(409);
        assert_ne!(
            create(&token, "k-2", "Một lần").await.is(201).json()["id"],
            first["id"]
        );
        assert_ne!(
            create(&other, "k-1", "Một lần").await.is(201).json()["id"],
            first["id"]
        );
        create(&token, "", "Một lần").await.is(400);
        create(&token, &"k".repeat(256), "Một lần").await.is(400);
        // Together: one makes it, the others are given it or told to come back.
        let many =
            futures::future::join_all((0..6).map(|_| create(&token, "k-3", "Cùng lúc"))).await;
        let made: std::collections::BTreeSet<String> = many
            .into_iter()
            .filter(|a| a.status == 201)
            .map(|a| a.json()["id"].to_string())
            .collect();
        assert_eq!(made.len(), 1);
        assert_eq!(
            app.as_(&token).get("/api/user/records").await.json()["hits"]["total"],
            3
        );
    });
}
