//! Damage of every kind is found, named with its file and its record, written down, and gone again when mended.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use kho::{
    archive::{ObjectId, Pace, layout},
    cli::open,
    config::Config,
    ctx::{Env, Role},
    fixity::{self, Finding, Scope},
    ids::RecordId,
    store::table::{
        deposit::{draft_file, parent},
        fixity::{fixity_check, fixity_finding, fixity_object},
        record::{record, record_file},
    },
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::app::{DAY, TestApp, described, each, each_store};

/// Checks everything; what was found.
pub async fn verify(app: &TestApp) -> Vec<Finding> {
    let mut found = Vec::new();
    let pace = Pace::unlimited();
    let tell = |finding: &Finding| found.push(finding.clone());
    let done = fixity::run(&app.env.system(), Scope::All, &pace, tell)
        .await
        .unwrap();
    assert_eq!(done.findings, found.len() as u64);
    found
}

/// Another Kho with an empty database of its own over the same archive.
pub async fn open_beside(app: &TestApp, data: &Path) -> Env {
    let mut flags = BTreeMap::from([
        ("base_url", app.url.clone()),
        ("storage_url", app.storage.url()),
    ]);
    if let Ok(endpoint) = std::env::var("KHO_TEST_S3_ENDPOINT") {
        flags.insert("s3_endpoint", endpoint);
        flags.insert("s3_path_style", "true".to_owned());
    }
    let config = Config::load(data.to_owned(), None, &flags, |_| None).unwrap();
    open::open(Arc::new(config), app.env.clock.clone())
        .await
        .unwrap()
}

/// Code, record and path of all findings.
async fn named(app: &TestApp) -> Vec<(&'static str, String, String)> {
    let found = verify(app).await;
    found
        .into_iter()
        .map(|f| (f.code, f.record, f.path))
        .collect()
}

async fn content(app: &TestApp, id: &str, key: &str) -> String {
    let row = record_file::Entity::find_by_id((id.to_owned(), key.to_owned()));
    row.one(app.env.db.read()).await.unwrap().unwrap().content
}

fn at(path: &str) -> String {
    format!("archive/{path}")
}

async fn root(app: &TestApp, id: &str) -> (String, String) {
    let row = record::Entity::find_by_id(id);
    let row = row.one(app.env.db.read()).await.unwrap().unwrap();
    let object = ObjectId::of_parent(&row.parent_id.parse::<RecordId>().unwrap());
    let root = layout::object_root(&object).unwrap();
    (row.parent_id, root.to_string())
}

#[test]
fn damaged_bytes_are_found_and_named() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let first = lan.draft(described("Nước sông")).await;
        lan.upload(&first, "đo/a.csv", "x,y\n1,2\n").await;
        lan.upload(&first, "lớn.bin", vec![7; 700_000]).await;
        lan.publish(&first).await;
        let second = lan.record("Nước hồ").await;
        assert_eq!(verify(app).await, []);

        let path = content(app, &first, "lớn.bin").await;
        let storage = &app.storage;
        let file = at(&path);
        let whole = storage.read(&file).await;
        let named_once = |code| vec![(code, first.clone(), path.clone())];

        let mut flipped = whole.clone();
        flipped[350_001] ^= 4;
        storage.write(&file, &flipped).await;
        assert_eq!(named(app).await, named_once("content-differs"));
        // Written down once, and not again by the next check.
        assert_eq!(named(app).await, named_once("content-differs"));
        let rows = fixity_finding::Entity::find().all(app.env.db.read()).await;
        let rows = rows.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].record_id.as_str(), rows[0].gone),
            (first.as_str(), None)
        );

        storage.write(&file, &whole[..600_000]).await;
        assert_eq!(named(app).await, named_once("content-truncated"));
        storage.write(&file, [&whole[..], b"more"].concat()).await;
        assert_eq!(named(app).await, named_once("content-grown"));
        storage.remove(&file).await;
        assert_eq!(named(app).await, named_once("content-missing"));
        storage.write(&file, &whole).await;
        assert_eq!(verify(app).await, []);

        // Two files of the same record in each other's place, and a file that nobody wrote.
        let small = content(app, &first, "đo/a.csv").await;
        let text = storage.read(&at(&small)).await;
        storage.write(&at(&small), "2,1\n1,2\n").await;
        let surplus = format!("{}/extra", path.rsplit_once('/').unwrap().0);
        storage.write(&at(&surplus), "?").await;
        let expected = vec![
            ("content-differs", first.clone(), small.clone()),
            ("content-surplus", first.clone(), surplus.clone()),
        ];
        assert_eq!(named(app).await, expected);
        storage.write(&at(&small), text).await;
        storage.remove(&at(&surplus)).await;

        // What another dataset's object holds where this one's belongs; and none at all.
        let (concept, own) = root(app, &first).await;
        let (_, other) = root(app, &second).await;
        let aside = "aside";
        storage.rename(&at(&own), aside).await;
        let folder = own.rsplit_once('/').unwrap().0.to_owned();
        let mut expected = vec![("object-missing", first.clone(), own.clone())];
        if app.is_folder() {
            expected.push(("stray", String::new(), folder));
        }
        assert_eq!(named(app).await, expected);
        storage.rename(&at(&other), &at(&own)).await;
        storage.rename(aside, &at(&other)).await;
        let mut found = named(app).await;
        found.sort_by_key(|f| f.2.clone());
        let mut expected = vec![
            ("object-misplaced", first.clone(), own.clone()),
            ("object-misplaced", second.clone(), other.clone()),
        ];
        expected.sort_by_key(|f| f.2.clone());
        assert_eq!(found, expected);
        storage.rename(&at(&other), aside).await;
        storage.rename(&at(&own), &at(&other)).await;
        storage.rename(aside, &at(&own)).await;

        // The inventory itself, and something at the top that belongs to nobody.
        let inventory = at(&format!("{own}/inventory.json"));
        let text = storage.read(&inventory).await;
        storage.write(&inventory, &text[..text.len() / 2]).await;
        storage.write(&at("abc/notes.txt"), "?").await;
        let found = named(app).await;
        assert!(
            found.contains(&(
                "object-unreadable",
                first.clone(),
                format!("{own}/inventory.json")
            )),
            "{found:?}"
        );
        assert!(
            found.contains(&("stray", String::new(), "abc/notes.txt".to_owned())),
            "{found:?}"
        );
        storage.write(&inventory, &text).await;
        storage.remove_all(&at("abc")).await;

        assert_eq!(verify(app).await, []);
        let rows = fixity_finding::Entity::find().all(app.env.db.read()).await;
        assert!(rows.unwrap().iter().all(|row| row.gone.is_some()));
        let known = fixity_object::Entity::find_by_id(concept.as_str());
        let known = known.one(app.env.db.read()).await.unwrap().unwrap();
        assert_eq!(known.good, Some(known.checked));
        assert_eq!(known.findings, 0);
        let checks = fixity_check::Entity::find()
            .filter(fixity_check::COLUMN.object.eq(concept))
            .all(app.env.db.read());
        assert!(checks.await.unwrap().iter().any(|c| c.outcome == "bad"));
    });
}

#[test]
fn rows_that_say_something_else_than_the_archive_are_found() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.record("Đất").await;
        let draft = lan.draft(described("Chưa xong")).await;
        lan.upload(&draft, "b.csv", "u,v\n").await;
        assert_eq!(verify(app).await, []);
        let (concept, _) = root(app, &id).await;
        let tampered = [
            (
                "update record_file set size = 9",
                "update record_file set size = 8",
                "file-row-differs",
            ),
            (
                "update record_file set sha256 = replace(sha256, substr(sha256, 1, 2), 'zz')",
                "",
                "file-row-differs",
            ),
            (
                "update record_file set key = 'b.csv'",
                "update record_file set key = 'a.csv'",
                "file-row-missing",
            ),
            (
                "update record set title = 'Cát'",
                "update record set title = 'Đất'",
                "row-differs",
            ),
            ("update record set metadata = '{}'", "", "row-differs"),
            (
                "update record set withdrawn = '{\"reason\": \"spam\"}'",
                "update record set withdrawn = null",
                "row-differs",
            ),
            (
                "update parent set archive_head = 2 where versions = 1",
                "update parent set archive_head = 1 where versions = 1",
                "head-differs",
            ),
            (
                "update record_revision set archive_version = 7",
                "update record_revision set archive_version = 1",
                "revision-missing",
            ),
            (
                "update parent set versions = 0",
                "update parent set versions = 1 where latest is not null",
                "",
            ),
        ];
        let db = app.env.db.write();
        let file = record_file::Entity::find().one(db).await.unwrap().unwrap();
        let row = record::Entity::find().one(db).await.unwrap().unwrap();
        for (tamper, mend, code) in tampered {
            db.execute_unprepared(tamper).await.unwrap();
            let found = named(app).await;
            if code.is_empty() {
                // Not counted as published, and yet there, and sound: nothing to say.
                assert_eq!(found, [], "{tamper}");
            } else {
                let named = found
                    .iter()
                    .any(|f| f.0 == code && (f.1 == id || f.1 == concept));
                assert!(named, "{tamper}: {found:?}");
            }
            if mend.is_empty() {
                let file: record_file::ActiveModel = file.clone().into();
                record_file::Entity::update(file.reset_all())
                    .exec(db)
                    .await
                    .unwrap();
                let row: record::ActiveModel = row.clone().into();
                record::Entity::update(row.reset_all())
                    .exec(db)
                    .await
                    .unwrap();
            } else {
                db.execute_unprepared(mend).await.unwrap();
            }
        }
        assert_eq!(verify(app).await, []);

        // The uploads of drafts.
        let staged = draft_file::Entity::find()
            .one(db)
            .await
            .unwrap()
            .unwrap()
            .staged
            .unwrap();
        let storage = &app.storage;
        let upload = format!("staging/{staged}");
        storage.write(&upload, "u,w\n").await;
        let expected = |code| vec![(code, draft.clone(), format!("staging/{staged}"))];
        assert_eq!(named(app).await, expected("staged-differs"));
        storage.remove(&upload).await;
        assert_eq!(named(app).await, expected("staged-missing"));
        storage.write(&upload, "u,v\n").await;
        assert_eq!(verify(app).await, []);
    });
}

#[test]
fn an_object_that_no_concept_names_is_found() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let id = app.as_(&token).record("Lạc").await;
        app.work().await;
        let (concept, root) = root(app, &id).await;
        // The same archive, and a database that never heard of it.
        let elsewhere = tempfile::TempDir::new().unwrap();
        let env = open_beside(app, elsewhere.path()).await;
        let mut found = Vec::new();
        let pace = Pace::unlimited();
        fixity::run(&env.system(), Scope::All, &pace, |f| found.push(f.clone()))
            .await
            .unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.code, f.record.clone(), f.path.clone()))
            .collect();
        assert_eq!(found, [("object-unlisted", concept, root)]);
    });
}

#[test]
fn withdrawals_and_corrections_are_in_the_archive() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let id = app.as_(&token).record("Gió").await;
        let withdraw = app
            .as_(&admin)
            .request(
                reqwest::Method::DELETE,
                &format!("/api/records/{id}/delete"),
            )
            .json(&json!({"removal_reason": {"id": "retracted"}}));
        app.as_(&admin).send(withdraw).await.is(204);
        assert_eq!(verify(app).await, []);
        let (_, root) = root(app, &id).await;
        let stone = at(&format!("{root}/v2/content/withdrawn/{id}.json"));
        let stone = app.storage.read(&stone).await;
        let stone: serde_json::Value = serde_json::from_slice(&stone).unwrap();
        assert_eq!(stone["tombstone"]["reason"], "retracted");
        assert_eq!(stone["by"]["email"], "admin@example.org");

        app.as_(&admin)
            .post(&format!("/api/records/{id}/restore"))
            .await
            .is(200);
        assert_eq!(verify(app).await, []);
        app.as_(&token)
            .post(&format!("/api/records/{id}/draft"))
            .await
            .is(201);
        let body = json!({"metadata": described("Gió mùa")});
        app.as_(&token)
            .put_json(&format!("/api/records/{id}/draft"), &body)
            .await
            .is(200);
        app.as_(&token).publish(&id).await;
        assert_eq!(verify(app).await, []);
        let parents = parent::Entity::find().all(app.env.db.read()).await.unwrap();
        assert_eq!(parents[0].archive_head, 4);
    });
}

#[test]
fn a_share_a_day_checks_everything_within_the_period() {
    each(async |app| {
        let token = app.account("lan").await;
        for n in 0..40 {
            app.as_(&token).record(&format!("Bộ {n}")).await;
        }
        app.work().await;
        // 40 in 30 days: two a day, and each day once.
        assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 2);
        assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 0);
        for _ in 0..19 {
            app.pass(DAY);
            assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 2);
        }
        let checked = fixity_object::Entity::find().all(app.env.db.read()).await;
        assert_eq!(checked.unwrap().len(), 40);
        let standing = fixity::standing(&app.env).await.unwrap();
        assert_eq!(
            (standing.concepts, standing.recently, standing.open),
            (40, 40, 0)
        );

        // A share that was cut off goes on, when its lease is over, with what was left.
        app.pass(DAY);
        let cut = "insert into fixity_run (kind, day, state, quota, started, leased_until, objects, files, bytes, findings)
            values ('share', '2026-12-14', 'running', 5, 0, 1797300000000000, 3, 0, 0, 0)";
        app.env.db.write().execute_unprepared(cut).await.unwrap();
        assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 0);
        app.pass(DAY);
        assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 2);
        assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 2);
        assert_eq!(fixity::share_of_today(&app.env).await.unwrap(), 0);
    });
}
