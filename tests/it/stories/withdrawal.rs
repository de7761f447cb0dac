//! Withdrawing: a tombstone where the record was, and back again.

use kho::ctx::Role;
use serde_json::json;

use crate::app::{described, each_store};

#[test]
fn a_withdrawn_version_leaves_a_tombstone_and_can_come_back() {
    each_store(async |app| {
        let owner = app.account("owner").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let id = app.as_(&owner).record("Sai số liệu").await;
        app.work().await;
        let record = format!("/api/records/{id}");
        let withdraw = async |body: serde_json::Value| {
            let client = app.as_(&admin);
            let request = client.request(reqwest::Method::DELETE, &format!("{record}/delete"));
            client.send(request.json(&body)).await
        };
        withdraw(json!({})).await.is(400);
        withdraw(json!({"removal_reason": {"id": "because"}}))
            .await
            .is(400);
        let said = json!({"removal_reason": {"id": "retracted"}, "note": "Đo sai."});
        withdraw(said).await.is(204);
        for client in [app.anyone(), app.as_(&owner), app.as_(&admin)] {
            let gone = client.get(&record).await.is(410).json();
            assert_eq!(gone["tombstone"]["removal_reason"]["id"], "retracted");
            assert_eq!(gone["tombstone"]["note"], "Đo sai.");
            let citation = gone["tombstone"]["citation_text"].as_str().unwrap();
            assert!(citation.contains("Sai số liệu"), "{citation}");
            client
                .get(&format!("{record}/files/a.csv/content"))
                .await
                .is(410);
            client.get(&format!("{record}/files")).await.is(410);
        }
        app.as_(&owner)
            .post(&format!("{record}/draft"))
            .await
            .is(410);
        app.work().await;
        assert!(app.anyone().found("q=sai số liệu").await.is_empty());
        app.as_(&owner)
            .post(&format!("{record}/restore"))
            .await
            .is(403);
        app.as_(&admin)
            .post(&format!("{record}/restore"))
            .await
            .is(200);
        app.work().await;
        assert_eq!(app.anyone().found("q=sai số liệu").await, [id.as_str()]);
        app.anyone()
            .get(&format!("{record}/files/a.csv/content"))
            .await
            .is(200);
    });
}

#[test]
fn the_version_before_a_withdrawn_one_is_the_newest_again() {
    each_store(async |app| {
        let owner = app.account("owner").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let lan = app.as_(&owner);
        let first = lan.record("Bản đầu").await;
        let next = lan
            .post(&format!("/api/records/{first}/versions"))
            .await
            .is(201)
            .json();
        let second = next["id"].as_str().unwrap().to_owned();
        let body = json!({"metadata": described("Bản sau")});
        lan.put_json(&format!("/api/records/{second}/draft"), &body)
            .await
            .is(200);
        lan.upload(&second, "a.csv", "other").await;
        lan.publish(&second).await;
        let client = app.as_(&admin);
        let request = client.request(
            reqwest::Method::DELETE,
            &format!("/api/records/{second}/delete"),
        );
        client
            .send(request.json(&json!({"removal_reason": {"id": "retracted"}})))
            .await
            .is(204);
        app.work().await;

        let anyone = app.anyone();
        let seen = anyone
            .get(&format!("/api/records/{first}"))
            .await
            .is(200)
            .json();
        assert_eq!(seen["versions"], json!({"index": 1, "is_latest": true}));
        let concept = format!("/api/records/{}", seen["parent"]["id"].as_str().unwrap());
        assert!(
            anyone
                .get(&concept)
                .await
                .is(302)
                .header("location")
                .ends_with(&first)
        );
        assert_eq!(anyone.found("q=bản").await, [first.as_str()]);
        assert_eq!(
            anyone.get(&format!("{concept}/versions")).await.json()["hits"]["total"],
            1
        );

        // Its number is not given again.
        let third = lan
            .post(&format!("/api/records/{first}/versions"))
            .await
            .is(201)
            .json();
        assert_eq!(third["versions"]["index"], 3);
        let third = third["id"].as_str().unwrap();
        let body = json!({"metadata": described("Bản ba")});
        lan.put_json(&format!("/api/records/{third}/draft"), &body)
            .await
            .is(200);
        lan.post(&format!("/api/records/{third}/draft/actions/files-import"))
            .await
            .is(201);
        assert_eq!(
            lan.publish(third).await["versions"],
            json!({"index": 3, "is_latest": true})
        );
        client
            .post(&format!("/api/records/{second}/restore"))
            .await
            .is(200);
        app.work().await;
        assert!(
            anyone
                .get(&concept)
                .await
                .is(302)
                .header("location")
                .ends_with(third)
        );
        assert_eq!(anyone.found("q=bản").await, [third]);
    });
}
