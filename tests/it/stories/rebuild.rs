//! The database is lost: what is made again from the archive answers as the one before, record by record.

use std::collections::{BTreeMap, BTreeSet};

use kho::{
    ctx::{Env, Role},
    jobs::worker,
    people::{
        account,
        token::{self, NewToken},
    },
    rebuild, site,
    store::table::{
        deposit::parent,
        record::{record, record_file, record_revision},
    },
};
use reqwest::Method;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use super::fixity::{open_beside, verify};
use crate::app::{Client, DAY, TestApp, described, each_store};

async fn next_version(lan: &Client<'_>, id: &str, title: &str, bytes: &str) -> String {
    let next = lan.post(&format!("/api/records/{id}/versions")).await;
    let next = next.is(201).json()["id"].as_str().unwrap().to_owned();
    let body = json!({"metadata": described(title)});
    lan.put_json(&format!("/api/records/{next}/draft"), &body)
        .await
        .is(200);
    lan.upload(&next, "b.csv", bytes).await;
    lan.publish(&next).await;
    next
}

async fn correct(client: &Client<'_>, id: &str, title: &str) {
    let draft = format!("/api/records/{id}/draft");
    client.post(&draft).await.is(201);
    let body = json!({"metadata": described(title)});
    client.put_json(&draft, &body).await.is(200);
    client.publish(id).await;
}

async fn withdraw(client: &Client<'_>, id: &str) {
    let request = client.request(Method::DELETE, &format!("/api/records/{id}/delete"));
    let body = json!({"removal_reason": {"id": "retracted"}, "note": "Đo sai."});
    client.send(request.json(&body)).await.is(204);
}

/// A little of everything, each in a second of its own, since lists order by the second; gives the ids of the
/// versions.
async fn furnish(
    app: &TestApp,
    lan: &Client<'_>,
    minh: &Client<'_>,
    admin: &Client<'_>,
) -> Vec<String> {
    let mut ids = Vec::new();
    let first = lan.record("Nước sông Hồng").await;
    app.pass(1_234_567);
    ids.push(next_version(lan, &first, "Nước sông Hồng, bản hai", "u,v\n").await);
    ids.push(first.clone());
    app.pass(2_000_001);
    correct(lan, &first, "Nước sông Hồng (đã sửa)").await;
    let restricted = json!({"metadata": described("Riêng"), "access": {"record": "restricted", "files": "restricted"}});
    app.pass(1_100_000);
    ids.push(minh.record_with(restricted).await);
    let embargo = |day: &str| {
        json!({"metadata": described(&format!("Đến {day}")), "access": {"record": "public", "files": "restricted",
            "embargo": {"active": true, "until": day, "reason": "Chờ bài báo"}}})
    };
    app.pass(1_100_000);
    ids.push(minh.record_with(embargo("2026-11-26")).await);
    app.pass(1_100_000);
    ids.push(minh.record_with(embargo("2027-05-01")).await);
    app.pass(3_000_002);
    // Withdrawn; the newest of two withdrawn; withdrawn and put back, and corrected since.
    app.pass(1_100_000);
    let gone = lan.record("Sai số liệu").await;
    withdraw(admin, &gone).await;
    ids.push(gone);
    app.pass(1_100_000);
    let two = minh.record("Hai bản").await;
    app.pass(1_100_000);
    let newest = next_version(minh, &two, "Hai bản, bản sau", "1\n").await;
    withdraw(admin, &newest).await;
    app.pass(5);
    app.pass(1_100_000);
    let third = next_version(minh, &two, "Hai bản, bản ba", "2\n").await;
    ids.extend([two, newest, third]);
    app.pass(1_100_000);
    let back = lan.record("Rút rồi trả").await;
    withdraw(admin, &back).await;
    app.pass(7);
    admin
        .post(&format!("/api/records/{back}/restore"))
        .await
        .is(200);
    correct(admin, &back, "Rút rồi trả lại").await;
    ids.push(back);
    // Its own DOI, no files.
    let bare = json!({"metadata": described("Không tệp"), "files": {"enabled": false},
        "pids": {"doi": {"identifier": "10.1234/ngoai", "provider": "external"}}});
    app.pass(1_100_000);
    let bare = lan.draft_with(bare).await;
    lan.publish(&bare).await;
    ids.push(bare);
    ids
}

/// The rows that must be the same, as text.
async fn rows(env: &Env) -> BTreeMap<&'static str, Vec<String>> {
    let db = env.db.read();
    let mut all = BTreeMap::new();
    let mut records = record::Entity::find()
        .order_by_asc(record::Column::Id)
        .all(db)
        .await
        .unwrap();
    // An embargo is lifted by a job some time after its day began; a rebuilt row says the day.
    for r in &mut records {
        r.updated /= 1_000_000;
    }
    all.insert(
        "record",
        records.iter().map(|r| format!("{r:#?}")).collect(),
    );
    let mut files = record_file::Entity::find().all(db).await.unwrap();
    files.sort_by(|a, b| (&a.record_id, &a.key).cmp(&(&b.record_id, &b.key)));
    all.insert(
        "record_file",
        files.iter().map(|r| format!("{r:?}")).collect(),
    );
    let mut revisions = record_revision::Entity::find().all(db).await.unwrap();
    revisions.sort_by(|a, b| (&a.record_id, a.revision).cmp(&(&b.record_id, b.revision)));
    all.insert(
        "record_revision",
        revisions.iter().map(|r| format!("{r:#?}")).collect(),
    );
    let mut parents = parent::Entity::find()
        .order_by_asc(parent::Column::Id)
        .all(db)
        .await
        .unwrap();
    parents.retain(|p| p.versions > 0);
    // When its first draft was begun is nobody's business later.
    for p in &mut parents {
        (p.created, p.updated) = (0, 0);
    }
    all.insert(
        "parent",
        parents.iter().map(|r| format!("{r:#?}")).collect(),
    );
    all
}

/// All that a reader can ask for, as somebody or nobody.
async fn answers(
    at: &str,
    token: Option<&str>,
    ids: &[String],
    concepts: &[String],
) -> BTreeMap<String, (u16, String)> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut paths: Vec<String> = [
        "/api/records?q=&sort=oldest&size=100",
        "/api/records?q=nuoc&allversions=true&sort=oldest",
        "/oai2d?verb=ListRecords&metadataPrefix=oai_dc",
        "/oai2d?verb=ListRecords&metadataPrefix=oai_datacite",
        "/oai2d?verb=ListSets",
        "/en/search?q=",
        "/sitemap.xml",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    for id in ids.iter().chain(concepts) {
        paths.push(format!("/api/records/{id}"));
        paths.push(format!("/api/records/{id}/versions?allversions=true"));
        paths.push(format!("/vi/records/{id}"));
    }
    for id in ids {
        paths.push(format!("/api/records/{id}/files"));
        for key in ["a.csv", "b.csv"] {
            paths.push(format!("/api/records/{id}/files/{key}/content"));
        }
        paths.push(format!("/records/{id}?format=datacite-xml"));
    }
    let mut all = BTreeMap::new();
    for path in paths {
        let mut request = client.get(format!("{at}{path}"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let mut body = answer.text().await.unwrap();
        if path.starts_with("/oai2d") {
            body = without_stamps(&body);
        }
        all.insert(path, (status, body));
    }
    all
}

/// Records of OAI-PMH without their stamps and their order: these are new after a rebuild.
fn without_stamps(xml: &str) -> String {
    let mut records: BTreeSet<String> = BTreeSet::new();
    for record in xml.split("<record>").skip(1) {
        let record = record.split("</record>").next().unwrap();
        let (before, rest) = record.split_once("<datestamp>").unwrap();
        records.insert(format!(
            "{before}{}",
            rest.split_once("</datestamp>").unwrap().1
        ));
    }
    if records.is_empty() {
        return xml
            .split_once("</responseDate>")
            .map(|x| x.1.to_owned())
            .unwrap_or_default();
    }
    records.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn a_rebuilt_database_answers_as_the_one_before() {
    each_store(async |app| {
        let lan_token = app.account("lan").await;
        let minh_token = app.account("minh").await;
        let admin_token = app.account_as("admin", Role::Admin).await;
        let (lan, minh, admin) = (
            app.as_(&lan_token),
            app.as_(&minh_token),
            app.as_(&admin_token),
        );
        let ids = furnish(app, &lan, &minh, &admin).await;
        let draft = lan.draft(described("Chưa công bố")).await;
        app.work().await;
        // To the midnight on which the first embargo ends.
        let now = app.env.now().timestamp_micros();
        app.pass(now.div_euclid(DAY) * DAY + 2 * DAY - now);
        app.work().await;
        assert_eq!(verify(app).await, []);

        let data = tempfile::TempDir::new().unwrap();
        let env = open_beside(app, data.path()).await;
        assert!(rebuild::is_needed(&env).await.unwrap());
        let done = rebuild::rebuild(&env, |_| {}).await.unwrap();
        assert_eq!(done.skipped, []);
        assert_eq!(done.versions, ids.len() as u64);
        assert_eq!(done.withdrawn, 2);
        assert_eq!(done.accounts, 3);
        assert!(!rebuild::is_needed(&env).await.unwrap());
        assert!(
            rebuild::rebuild(&env, |_| {}).await.is_err(),
            "not over what is there"
        );
        worker::drain(&env).await.unwrap();

        let (before, after) = (rows(&app.env).await, rows(&env).await);
        for (table, rows) in &before {
            for (one, other) in rows.iter().zip(&after[table]) {
                assert_eq!(one, other, "{table}");
            }
            assert_eq!(rows.len(), after[table].len(), "{table}");
        }

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let router = site::router(env.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let concepts: Vec<String> = parent::Entity::find()
            .all(env.db.read())
            .await
            .unwrap()
            .into_iter()
            .map(|p| p.id)
            .collect();
        let person = account::by_email(&env, "minh@example.org").await.unwrap();
        let new = NewToken {
            name: "story".to_owned(),
            scopes: Vec::new(),
            days: None,
        };
        let (_, token) = token::create(&env, person.id, new).await.unwrap();
        for (old, new) in [
            (None, None),
            (Some(minh_token.as_str()), Some(token.as_str())),
        ] {
            let before = answers(&app.url, old, &ids, &concepts).await;
            let after = answers(&at, new, &ids, &concepts).await;
            let mut found = 0;
            for (path, answer) in &before {
                assert_eq!(answer, &after[path], "{path}");
                found += usize::from(answer.0 == 200);
            }
            assert!(found > 40, "{found} answers");
        }
        server.abort();

        // What was never published is not there; the archive is as it was, and checked against the new rows.
        let known: Value = serde_json::to_value(&ids).unwrap();
        assert!(!known.as_array().unwrap().contains(&json!(draft)));
        let mut found = Vec::new();
        let pace = kho::archive::Pace::unlimited();
        kho::fixity::run(&env.system(), kho::fixity::Scope::All, &pace, |f| {
            found.push(f.clone());
        })
        .await
        .unwrap();
        assert_eq!(found, []);
    });
}
