//! A crash between the archive and the transaction that shows it: the draft is a draft, whole, and can be published.

use chrono::DateTime;
use kho::{
    archive::{NewFile, NewVersion, ObjectId, User},
    ids::RecordId,
    publish,
};
use serde_json::json;

use crate::app::{BEGINNING, TestApp, described, each, each_store, sha256};

/// Writes the next archive version of a concept, as publishing does, and dies before the database hears of it.
async fn crash_after_the_archive(app: &TestApp, parent: &str, head: u32, bytes: &str) {
    let id = ObjectId::of_parent(&parent.parse::<RecordId>().unwrap());
    let mut writer = app.env.archive.lock(&id).await.unwrap();
    let version = NewVersion {
        files: vec![
            NewFile::of_bytes("record.json".parse().unwrap(), "{}".to_owned()),
            NewFile::of_bytes("files/a.csv".parse().unwrap(), bytes.to_owned()),
        ],
        message: "never shown".to_owned(),
        user: User {
            name: "Lan".to_owned(),
            address: None,
        },
        created: DateTime::from_timestamp_micros(BEGINNING).unwrap(),
    };
    writer.write(head, version).await.unwrap();
}

#[test]
fn a_publication_that_was_cut_off_is_undone_at_the_start() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Mất điện")).await;
        lan.upload(&id, "a.csv", "x,y\n").await;
        let at = format!("/api/records/{id}/draft");
        let before = lan.get(&at).await.json();
        let parent = before["parent"]["id"].as_str().unwrap().to_owned();
        crash_after_the_archive(app, &parent, 0, "half").await;
        app.anyone()
            .get(&format!("/api/records/{id}"))
            .await
            .is(404);

        assert_eq!(publish::recover(&app.env).await.unwrap(), 1);
        assert_eq!(publish::recover(&app.env).await.unwrap(), 0);
        assert!(app.archived_content().await.is_empty());
        assert_eq!(lan.get(&at).await.is(200).json(), before);
        lan.publish(&id).await;

        // The same with a second version, and this time nobody looks before publishing again.
        let next = lan
            .post(&format!("/api/records/{id}/versions"))
            .await
            .is(201)
            .json();
        let next = next["id"].as_str().unwrap().to_owned();
        lan.upload(&next, "a.csv", "x,y\n1,2\n").await;
        let body = json!({"metadata": described("Có điện lại")});
        lan.put_json(&format!("/api/records/{next}/draft"), &body)
            .await
            .is(200);
        crash_after_the_archive(app, &parent, 1, "half again").await;
        let first = format!("/api/records/{id}/files/a.csv/content");
        assert_eq!(app.anyone().get(&first).await.is(200).body, b"x,y\n");
        lan.publish(&next).await;
        let second = app
            .anyone()
            .get(&format!("/api/records/{next}/files/a.csv/content"))
            .await;
        assert_eq!(sha256(&second.is(200).body), sha256(b"x,y\n1,2\n"));
        assert_eq!(app.archived_content().await.len(), 2);
    });
}

#[test]
fn the_index_is_made_again_from_the_database() {
    each(async |app| {
        let token = app.account("lan").await;
        for n in 0..5 {
            app.as_(&token).record(&format!("Bộ dữ liệu số {n}")).await;
        }
        // Nothing was indexed yet: what a lost index looks like.
        assert!(app.anyone().found("q=dữ liệu").await.is_empty());
        assert_eq!(
            kho::catalog::index::rebuild(&app.env, |_| {})
                .await
                .unwrap(),
            5
        );
        assert_eq!(app.anyone().found("q=du lieu").await.len(), 5);
        assert!(app.data().join("index").is_dir());
    });
}
