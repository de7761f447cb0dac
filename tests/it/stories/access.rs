//! What is not for everybody: restricted records, restricted files, embargoes; and whose drafts are whose.

use kho::ctx::Role;
use serde_json::{Value, json};

use crate::app::{DAY, described, each, problems};

fn closed(title: &str, access: Value) -> Value {
    json!({ "metadata": described(title), "access": access })
}

#[test]
fn a_restricted_record_is_not_there_for_others() {
    each(async |app| {
        let (owner, stranger) = (app.account("owner").await, app.account("stranger").await);
        let curator = app.account_as("curator", Role::Curator).await;
        let body = closed(
            "Bí mật quốc gia",
            json!({"record": "restricted", "files": "restricted"}),
        );
        let id = app.as_(&owner).record_with(body).await;
        app.work().await;
        let record = format!("/api/records/{id}");
        let parent = app.as_(&owner).get(&record).await.is(200).json()["parent"]["id"].clone();
        let concept = format!("/api/records/{}", parent.as_str().unwrap());
        let nobody = [app.anyone(), app.as_(&stranger)];
        for client in &nobody {
            for path in [
                record.clone(),
                format!("{record}/files"),
                format!("{record}/files/a.csv"),
                format!("{record}/files/a.csv/content"),
                format!("{record}/versions"),
                format!("{record}/versions/latest"),
                format!("{concept}/versions"),
                format!("{concept}/versions/latest"),
            ] {
                let answer = client.get(&path).await.is(404);
                assert!(!String::from_utf8_lossy(&answer.body).contains("Bí mật"));
            }
            assert!(client.found("q=bí mật").await.is_empty());
            assert_eq!(client.get("/api/records").await.json()["hits"]["total"], 0);
            let facets = client.get("/api/records").await.json()["aggregations"].to_string();
            assert!(!facets.contains("dataset"), "{facets}");
        }
        // Nor does the concept's address say that there is something.
        let seen: Vec<_> = futures::future::join_all(nobody.iter().map(|c| c.get(&concept)))
            .await
            .into_iter()
            .map(|a| a.status.as_u16())
            .collect();
        assert_eq!(seen, [404, 404], "the concept of a restricted record");
        app.as_(&stranger)
            .post(&format!("{record}/versions"))
            .await
            .is(404);
        app.as_(&stranger)
            .post(&format!("{record}/draft"))
            .await
            .is(404);
        for token in [&owner, &curator] {
            let client = app.as_(token);
            assert_eq!(client.found("q=bí mật").await, [id.as_str()]);
            let read = client
                .get(&format!("{record}/files/a.csv/content"))
                .await
                .is(200);
            assert_eq!(read.header("cache-control"), "private, no-store");
            let read = client.get(&record).await.is(200);
            assert_eq!(read.header("cache-control"), "private, no-store");
        }
        let harvested = kho::store::table::harvest::harvest_item::Entity::load_all(app).await;
        assert!(
            harvested.is_empty(),
            "a restricted record is given to harvesters"
        );
    });
}

/// Rows that harvesters are given.
trait LoadAll: sea_orm::EntityTrait {
    async fn load_all(app: &crate::app::TestApp) -> Vec<Self::Model> {
        Self::find().all(app.env.db.read()).await.unwrap()
    }
}
impl LoadAll for kho::store::table::harvest::harvest_item::Entity {}

#[test]
fn restricted_files_are_named_by_nobody_who_may_not_have_them() {
    each(async |app| {
        let (owner, stranger) = (app.account("owner").await, app.account("stranger").await);
        let body = closed(
            "Phỏng vấn",
            json!({"record": "public", "files": "restricted"}),
        );
        let id = app.as_(&owner).record_with(body).await;
        app.work().await;
        let record = format!("/api/records/{id}");
        let content = format!("{record}/files/a.csv/content");
        for (client, status) in [(app.anyone(), 401), (app.as_(&stranger), 403)] {
            client.get(&content).await.is(status);
            client.head(&content).await.is(status);
            client
                .get(&format!("{record}/files/a.csv"))
                .await
                .is(status);
            client.get(&format!("{record}/files")).await.is(status);
            let seen = client.get(&record).await.is(200);
            assert!(!String::from_utf8_lossy(&seen.body).contains("a.csv"));
            assert_eq!(seen.json()["access"]["status"], "restricted");
            assert_eq!(
                client.found("access_status=restricted").await,
                [id.as_str()]
            );
        }
        let got = app.as_(&owner).get(&content).await.is(200);
        assert_eq!(got.header("cache-control"), "private, no-store");
    });
}

#[test]
fn an_embargo_ends_on_its_day() {
    each(async |app| {
        let owner = app.account("owner").await;
        let embargo = |until: &str| {
            let embargo = json!({"active": true, "until": until, "reason": "Chờ bài báo"});
            closed(
                "Sẽ mở",
                json!({"record": "public", "files": "restricted", "embargo": embargo}),
            )
        };
        // Only one that lies ahead can be published.
        let past = app
            .as_(&owner)
            .post_json("/api/records", &embargo("2026-11-23"))
            .await
            .is(201)
            .json();
        let problem = ("access.embargo.until".to_owned(), "embargo-past".to_owned());
        assert!(problems(&past).contains(&problem), "{past}");

        let id = app.as_(&owner).record_with(embargo("2026-11-27")).await;
        let record = format!("/api/records/{id}");
        let content = format!("{record}/files/a.csv/content");
        app.work().await;
        let anyone = app.anyone();
        let seen = anyone.get(&record).await.is(200);
        let tag = seen.header("etag").to_owned();
        assert_eq!(seen.json()["access"]["status"], "embargoed");
        anyone.get(&content).await.is(401);
        assert_eq!(anyone.found("access_status=embargoed").await, [id.as_str()]);

        app.pass(2 * DAY);
        app.work().await;
        anyone.get(&content).await.is(401);
        app.pass(DAY);
        // Readers do not wait for the job.
        anyone.get(&content).await.is(200);
        anyone
            .get_with(&record, "if-none-match", &tag)
            .await
            .is(200);
        app.work().await;
        let open = anyone.get(&record).await.is(200).json();
        assert_eq!(open["access"]["status"], "open");
        assert_eq!(open["access"]["embargo"]["active"], false);
        assert_eq!(anyone.found("access_status=open").await, [id.as_str()]);
        assert!(anyone.found("access_status=embargoed").await.is_empty());
        // Correcting the description afterwards is not refused for an embargo that has ended.
        let lan = app.as_(&owner);
        lan.post(&format!("{record}/draft")).await.is(201);
        lan.publish(&id).await;
    });
}

#[test]
fn drafts_are_their_owners() {
    each(async |app| {
        let (owner, stranger) = (app.account("owner").await, app.account("stranger").await);
        let id = app.as_(&owner).draft(described("Của tôi")).await;
        let mine = |list: Value| -> Vec<String> {
            let hits = list["hits"]["hits"].as_array().unwrap().clone();
            hits.iter()
                .map(|h| h["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let own = app
            .as_(&owner)
            .get("/api/user/records")
            .await
            .is(200)
            .json();
        assert_eq!(mine(own), [id.as_str()]);
        let other = app
            .as_(&stranger)
            .get("/api/user/records")
            .await
            .is(200)
            .json();
        assert!(mine(other).is_empty());
        app.as_(&owner).upload(&id, "a.csv", "a").await;
        app.as_(&owner).publish(&id).await;
        app.work().await;
        let own = app
            .as_(&owner)
            .get("/api/user/records?q=của tôi")
            .await
            .is(200)
            .json();
        assert_eq!(mine(own), [id.as_str()]);
        let other = app
            .as_(&stranger)
            .get("/api/user/records?q=của tôi")
            .await
            .is(200)
            .json();
        assert!(mine(other).is_empty());
        // An open correction is the same work, and is listed once.
        app.as_(&owner)
            .post(&format!("/api/records/{id}/draft"))
            .await
            .is(201);
        let own = app
            .as_(&owner)
            .get("/api/user/records")
            .await
            .is(200)
            .json();
        assert_eq!(mine(own), [id.as_str()]);
    });
}
