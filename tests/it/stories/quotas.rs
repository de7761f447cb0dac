//! How much may be stored, and who says so.

use kho::ctx::Role;
use serde_json::json;

use crate::app::{described, each, each_store, file_path, sha256};

#[test]
fn a_dataset_has_the_room_an_administrator_allows() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let (lan, admin) = (app.as_(&token), app.as_(&admin));
        let id = lan.draft(described("Chật")).await;
        let quota = format!("/api/quotas/record/{id}");
        let told = admin
            .put_json(&quota, &json!({"quota_size": 10, "notes": "Thử nghiệm"}))
            .await
            .is(200)
            .json();
        assert_eq!(
            (&told["quota_size"], &told["notes"]),
            (&json!(10), &json!("Thử nghiệm"))
        );
        lan.upload(&id, "a.txt", "123456").await;

        // Announced as too long: refused before a byte is taken; without a length, when it passes the bound.
        lan.post_json(
            &format!("/api/records/{id}/draft/files"),
            &json!([{"key": "b.txt"}]),
        )
        .await
        .is(201);
        let content = file_path(&id, "/draft", "b.txt") + "/content";
        let refused = lan.put(&content, "12345").await.is(413);
        assert_eq!(refused.json()["code"], "quota-record");
        let pieces = futures::stream::iter(["12", "34", "5"].map(Ok::<_, std::io::Error>));
        lan.put(&content, reqwest::Body::wrap_stream(pieces))
            .await
            .is(413);
        lan.put(&content, "1234").await.is(200);
        // A second upload in place of the first does not count twice.
        lan.put(&content, "4321").await.is(200);
        let used = lan
            .get(&format!("/api/records/{id}/draft/quota"))
            .await
            .is(200)
            .json();
        let of_record = &used["hits"]["hits"][0];
        assert_eq!(
            (&of_record["scope"], &of_record["used"], &of_record["left"]),
            (&json!("record"), &json!(10), &json!(0))
        );

        // The default holds again, and the next file fits.
        admin.delete(&quota).await.is(204);
        assert_eq!(
            admin.get("/api/quotas").await.is(200).json()["hits"]["total"],
            0
        );
        lan.upload(&id, "c.txt", "c").await;
    });
}

#[test]
fn an_account_pays_once_for_what_is_stored_once() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let (lan, admin) = (app.as_(&token), app.as_(&admin));
        let used = async || lan.get("/api/user/quota").await.is(200).json()["used"].clone();
        assert_eq!(used().await, 0);
        let id = lan.draft(described("Một lần")).await;
        lan.upload(&id, "a.txt", "12345").await;
        assert_eq!(used().await, 5);
        lan.publish(&id).await;
        assert_eq!(used().await, 5);
        let next = lan
            .post(&format!("/api/records/{id}/versions"))
            .await
            .is(201)
            .json();
        let next = next["id"].as_str().unwrap();
        lan.post(&format!("/api/records/{next}/draft/actions/files-import"))
            .await
            .is(201);
        assert_eq!(used().await, 5, "what was taken over is not stored again");
        lan.upload(next, "b.txt", "678").await;
        assert_eq!(used().await, 8);
        lan.put_json(
            &format!("/api/records/{next}/draft"),
            &json!({"metadata": described("Một lần"), "files": {"enabled": true}}),
        )
        .await
        .is(200);
        lan.publish(next).await;
        assert_eq!(used().await, 8);

        // By address or by number; less than what is kept already harms nothing that is there.
        let quota = "/api/quotas/account/lan@example.org";
        let now = admin
            .put_json(quota, &json!({"quota_size": 6}))
            .await
            .is(200)
            .json();
        assert_eq!((&now["used"], &now["left"]), (&json!(8), &json!(0)));
        let other = lan.draft(described("Hết chỗ")).await;
        lan.post_json(
            &format!("/api/records/{other}/draft/files"),
            &json!([{"key": "c"}]),
        )
        .await
        .is(201);
        let content = file_path(&other, "/draft", "c") + "/content";
        let refused = lan.put(&content, "9").await.is(413);
        assert_eq!(refused.json()["code"], "quota-account");
        lan.get(&file_path(&id, "", "a.txt")).await.is(200);

        for (bad, status) in [
            (json!({"quota_size": "big"}), 400),
            (json!({}), 400),
            (json!({"quota_size": -1}), 400),
            (json!({"quota_size": 1, "notes": "a".repeat(1_001)}), 400),
        ] {
            admin.put_json(quota, &bad).await.is(status);
        }
        for nobody in [
            "account/nobody@example.org",
            "record/zzzzz-zzzzz",
            "planet/earth",
        ] {
            admin.get(&format!("/api/quotas/{nobody}")).await.is(404);
        }
    });
}

#[test]
fn uploads_side_by_side_share_the_room_that_is_left() {
    each(async |app| {
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let (lan, admin) = (app.as_(&token), app.as_(&admin));
        let id = lan.draft(described("Cùng lúc")).await;
        admin
            .put_json(
                &format!("/api/quotas/record/{id}"),
                &json!({"quota_size": 10_000}),
            )
            .await
            .is(200);
        let keys = ["a", "b", "c", "d"];
        let announced: Vec<_> = keys.iter().map(|key| json!({ "key": key })).collect();
        lan.post_json(&format!("/api/records/{id}/draft/files"), &json!(announced))
            .await
            .is(201);
        let content = |key: &str| format!("{}/content", file_path(&id, "/draft", key));
        // No length is told, so all of them begin: only what has come shows that they do not fit together.
        let sending = keys.map(|key| {
            let pieces = std::iter::repeat_n(vec![7_u8; 1_000], 4).map(Ok::<_, std::io::Error>);
            lan.send(
                lan.request(reqwest::Method::PUT, &content(key))
                    .body(reqwest::Body::wrap_stream(futures::stream::iter(pieces))),
            )
        });
        let answers = futures::future::join_all(sending).await;
        let taken = answers.iter().filter(|a| a.status == 200).count();
        assert_eq!(taken, 2, "two of four fit");
        for answer in answers {
            if answer.status != 200 {
                assert_eq!(answer.is(413).json()["code"], "quota-record");
            }
        }

        // Of two that bring the same file one stands, whole, and the other leaves nothing.
        lan.delete(&file_path(&id, "/draft", "a")).await.is(204);
        lan.post_json(
            &format!("/api/records/{id}/draft/files"),
            &json!([{"key": "e"}]),
        )
        .await
        .is(201);
        for key in ["b", "c", "d"] {
            lan.delete(&file_path(&id, "/draft", key)).await.is(204);
        }
        let (one, two) = (vec![1; 5_000], vec![2; 6_000]);
        let at = content("e");
        let (first, second) = tokio::join!(lan.put(&at, one.clone()), lan.put(&at, two.clone()));
        first.is(200);
        second.is(200);
        let done = lan
            .post(&format!("{}/commit", file_path(&id, "/draft", "e")))
            .await
            .is(200)
            .json();
        let whole = [sha256(&one), sha256(&two)].map(serde_json::Value::String);
        assert!(whole.contains(&done["sha256"]), "{done}");
    });
}
