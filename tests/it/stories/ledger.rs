//! The ledger: what happened to a dataset can be proven, and what was changed behind it is found. Proofs are checked
//! here with code of its own, after the definitions of RFC 9162 and not after the prover. It is long because what
//! verifies by hand stands beside the stories that need it.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use kho::{
    archive::ObjectId,
    cli::receipt as command,
    ctx::{Env, Role},
    ids::Sha256,
    ledger::{
        self,
        checkpoint::Checkpoint,
        entry::Event,
        note::{Note, Purpose, Signer, Verdict, VerifierKey},
        receipt::Receipt,
        witness::Shown,
    },
    store::table::{ledger as table, record::record},
};
use reqwest::Method;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use sha2::{Digest, Sha256 as Hasher};

use crate::app::{DAY, TestApp, described, each};

fn sha(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// MTH of RFC 9162 section 2.1.1, as it is defined.
fn root_of(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [] => sha(&[]),
        [one] => sha(&[&[0], one]),
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            sha(&[&[1], &root_of(&many[..k]), &root_of(&many[k..])])
        }
    }
}

/// Where an inclusion proof leads: PATH of section 2.1.3.1, read backwards.
fn led_to(leaf: [u8; 32], m: usize, n: usize, path: &[[u8; 32]]) -> [u8; 32] {
    let Some((last, before)) = path.split_last() else {
        assert_eq!((m, n), (0, 1), "the path is too short");
        return leaf;
    };
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    if m < k {
        sha(&[&[1], &led_to(leaf, m, k, before), last])
    } else {
        sha(&[&[1], last, &led_to(leaf, m - k, n - k, before)])
    }
}

/// All leaves, from the bundles that anybody may fetch.
async fn leaves(app: &TestApp, size: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    while out.len() < size {
        let (n, width) = (out.len() / 256, size - out.len());
        let part = if width < 256 {
            format!(".p/{width}")
        } else {
            String::new()
        };
        let bundle = app
            .anyone()
            .get(&format!("/ledger/tile/entries/{n:03}{part}"))
            .await
            .is(200);
        assert!(bundle.header("cache-control").contains("immutable"));
        let mut rest = bundle.body.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (leaf, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            out.push(leaf.to_vec());
            rest = after;
        }
    }
    assert_eq!(out.len(), size);
    out
}

async fn shown(app: &TestApp) -> (Checkpoint, Note, VerifierKey) {
    let about = app
        .anyone()
        .get("/api/ledger/witnesses")
        .await
        .is(200)
        .json();
    let key: VerifierKey = about["vkey"].as_str().unwrap().parse().unwrap();
    let body = app.anyone().get("/ledger/checkpoint").await.is(200).body;
    let note = Note::parse(&body).unwrap();
    assert_eq!(note.verify(&key), Verdict::Signed(0));
    (note.text.parse().unwrap(), note, key)
}

fn receipt_of(body: &Value) -> Receipt {
    serde_json::from_value(body.clone()).unwrap()
}

/// The events of a receipt, each proven by hand.
async fn proven(app: &TestApp, receipt: &Value) -> Vec<String> {
    let (checkpoint, _, key) = shown(app).await;
    receipt_of(receipt).verify(&key, &[]).unwrap();
    let all = leaves(app, checkpoint.size as usize).await;
    assert_eq!(root_of(&all), checkpoint.root.0);
    let mut events = Vec::new();
    for entry in receipt["entries"].as_array().unwrap() {
        let index = entry["index"].as_u64().unwrap() as usize;
        let text = entry["entry"].as_str().unwrap();
        let path: Vec<[u8; 32]> = entry["proof"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| {
                STANDARD
                    .decode(h.as_str().unwrap())
                    .unwrap()
                    .try_into()
                    .unwrap()
            })
            .collect();
        if entry["salt"].is_null() {
            assert_eq!(all[index], text.as_bytes());
        }
        let leaf = sha(&[&[0], &all[index]]);
        assert_eq!(led_to(leaf, index, all.len(), &path), checkpoint.root.0);
        let event: Value = serde_json::from_str(text).unwrap();
        events.push(event["event"].as_str().unwrap().to_owned());
    }
    events
}

async fn withdraw(app: &TestApp, admin: &str, id: &str) {
    let client = app.as_(admin);
    let request = client.request(Method::DELETE, &format!("/api/records/{id}/delete"));
    let reason = json!({"removal_reason": {"id": "retracted"}, "note": "Đo sai."});
    client.send(request.json(&reason)).await.is(204);
}

async fn revise(app: &TestApp, owner: &str, id: &str, title: &str) {
    let client = app.as_(owner);
    let draft = format!("/api/records/{id}/draft");
    client.post(&draft).await.is(201);
    let body = json!({ "metadata": described(title) });
    client.put_json(&draft, &body).await.is(200);
    client.publish(id).await;
}

async fn sql(env: &Env, statement: &str) {
    env.db.write().execute_unprepared(statement).await.unwrap();
}

/// The codes and subjects of what a check finds.
async fn found(env: &Env) -> BTreeSet<(String, String)> {
    let findings = ledger::check(env).await.unwrap();
    findings
        .into_iter()
        .map(|f| (f.code.to_owned(), f.about))
        .collect()
}

fn codes(found: &BTreeSet<(String, String)>) -> BTreeSet<&str> {
    found.iter().map(|(code, _)| code.as_str()).collect()
}

#[test]
fn the_life_of_a_dataset_is_in_the_ledger() {
    each(async |app| {
        let owner = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let first = app.as_(&owner).record("Nhiệt độ").await;
        let other = app.as_(&owner).record("Độ ẩm").await;
        let at = format!("/api/records/{first}/ledger");
        app.anyone().get(&at).await.is(503);
        app.work().await;
        let before = app.anyone().get(&at).await.is(200).json();
        assert_eq!(proven(app, &before).await, ["publish"]);
        let (earlier, earlier_note, _) = shown(app).await;
        assert_eq!(earlier.size, 2);
        let metadata: Value = serde_json::from_str(before["metadata"].as_str().unwrap()).unwrap();
        assert_eq!(metadata["title"], "Nhiệt độ");

        app.pass(DAY);
        revise(app, &owner, &first, "Nhiệt độ không khí").await;
        let waiting = app.anyone().get(&at).await.is(200).json();
        assert_eq!(waiting["pending"], json!([2]));
        assert!(waiting["metadata"].is_null(), "not yet proven");
        withdraw(app, &admin, &first).await;
        app.work().await;
        let gone = app.anyone().get(&at).await.is(200).json();
        assert_eq!(proven(app, &gone).await, ["publish", "revise", "withdraw"]);
        assert!(
            gone["metadata"].is_null(),
            "a withdrawn description is not given"
        );
        app.as_(&admin)
            .post(&format!("/api/records/{first}/restore"))
            .await
            .is(200);
        // Restoring what is in view is no event.
        app.as_(&admin)
            .post(&format!("/api/records/{first}/restore"))
            .await
            .is(200);
        app.work().await;
        let back = app.anyone().get(&at).await.is(200).json();
        assert_eq!(
            proven(app, &back).await,
            ["publish", "revise", "withdraw", "restore"]
        );
        let text = back.to_string();
        assert!(!text.contains("lan@example.org"), "no personal data");
        let other = app
            .anyone()
            .get(&format!("/api/records/{other}/ledger?download=1"))
            .await
            .is(200);
        assert!(
            other
                .header("content-disposition")
                .contains(".receipt.json")
        );
        assert_eq!(proven(app, &other.json()).await, ["publish"]);

        // An old receipt stays true, and the two checkpoints are of one log.
        let (_, _, key) = shown(app).await;
        receipt_of(&before).verify(&key, &[]).unwrap();
        let path = "/api/ledger/consistency?from=2";
        let told = app.anyone().get(path).await.is(200).json();
        assert_eq!((&told["from"], &told["to"]), (&json!(2), &json!(5)));
        let (now, ..) = shown(app).await;
        let log = Shown::read(&app.anyone().get("/ledger/checkpoint").await.body, &key).unwrap();
        let proof: Vec<Sha256> = told["proof"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| {
                Sha256(
                    STANDARD
                        .decode(h.as_str().unwrap())
                        .unwrap()
                        .try_into()
                        .unwrap(),
                )
            })
            .collect();
        let body = format!(
            "{}\n{}",
            earlier_note.text,
            earlier_note.line_of(&key).unwrap()
        );
        let seen = Shown::read(body.as_bytes(), &key).unwrap();
        let seen = seen.follows(None, &key, &[]).unwrap();
        assert_eq!(
            log.follows(Some(&seen), &key, &proof).unwrap().root,
            now.root
        );
        for wrong in ["from=6", "from=3&to=2", "from=1&to=9", "from=-1", "to=2"] {
            let path = format!("/api/ledger/consistency?{wrong}");
            app.anyone().get(&path).await.is(400);
        }
        for missing in [
            "0/000",
            "0/000.p/6",
            "1/000.p/1",
            "entries/001",
            "9/000",
            "x",
            "0/0",
        ] {
            let path = format!("/ledger/tile/{missing}");
            app.anyone().get(&path).await.is(404);
        }

        let page = app.anyone().get(&format!("/records/{first}")).await.is(200);
        let page = String::from_utf8(page.body).unwrap();
        assert!(page.contains(&format!("/api/records/{first}/ledger?download=1")));
    });
}

#[test]
fn what_is_not_public_is_sealed() {
    each(async |app| {
        let owner = app.account("lan").await;
        let body = json!({
            "metadata": described("Kín"),
            "access": {"record": "restricted", "files": "restricted"},
        });
        let id = app.as_(&owner).record_with(body).await;
        app.work().await;
        let all = leaves(app, 1).await;
        let leaf = String::from_utf8(all[0].clone()).unwrap();
        assert!(leaf.contains("sealed") && !leaf.contains(&id), "{leaf}");
        let at = format!("/api/records/{id}/ledger");
        app.anyone().get(&at).await.is(404);
        let receipt = app.as_(&owner).get(&at).await.is(200).json();
        assert_eq!(proven(app, &receipt).await, ["publish"]);
    });
}

#[test]
fn what_was_changed_behind_the_ledger_is_found_and_named() {
    each(async |app| {
        let owner = app.account("lan").await;
        let id = app.as_(&owner).record("Mực nước").await;
        let second = app.as_(&owner).record("Lưu lượng").await;
        app.work().await;
        let env = &app.env;
        assert_eq!(found(env).await, BTreeSet::new());

        let (good, _, key) = shown(app).await;
        let row = table::leaf::Entity::find_by_id(0)
            .one(env.db.read())
            .await
            .unwrap()
            .unwrap();
        sql(
            env,
            "update ledger_leaf set entry = replace(entry, 'publish', 'restore') where idx = 0",
        )
        .await;
        let seen = found(env).await;
        assert!(
            seen.contains(&("ledger-row".into(), "entry 0".into())),
            "{seen:?}"
        );
        assert!(codes(&seen).contains("ledger-copy") && codes(&seen).contains("ledger-checkpoint"));
        let at = format!("/api/records/{id}/ledger");
        let lie = app.anyone().get(&at).await.is(200).json();
        assert!(receipt_of(&lie).verify(&key, &[]).is_err());
        sql(
            env,
            "update ledger_leaf set entry = replace(entry, 'restore', 'publish') where idx = 0",
        )
        .await;

        sql(env, "update ledger_leaf set idx = 9 where idx = 0").await;
        let seen = found(env).await;
        assert!(
            seen.contains(&("ledger-row-missing".into(), "entry 0".into())),
            "{seen:?}"
        );
        sql(env, "update ledger_leaf set idx = 0 where idx = 9").await;

        let tile = table::tile::Entity::find_by_id((0, 0))
            .one(env.db.read())
            .await
            .unwrap()
            .unwrap();
        sql(
            env,
            &format!(
                "update ledger_tile set hashes = '{}'",
                STANDARD.encode([7; 64])
            ),
        )
        .await;
        assert!(codes(&found(env).await).contains("ledger-row"));
        sql(
            env,
            &format!("update ledger_tile set hashes = '{}'", tile.hashes),
        )
        .await;

        sql(
            env,
            "update ledger_checkpoint set root = 'other' where size = 2",
        )
        .await;
        assert!(codes(&found(env).await).contains("ledger-checkpoint"));
        let root = good.root.to_hex();
        sql(
            env,
            &format!("update ledger_checkpoint set root = '{root}' where size = 2"),
        )
        .await;

        sql(
            env,
            &format!("update record set title = title, metadata = '{{}}' where id = '{id}'"),
        )
        .await;
        let seen = found(env).await;
        let about = format!("{id} (entry 0)");
        assert_eq!(
            seen,
            BTreeSet::from([("ledger-description".into(), about.clone())])
        );
        let said: Value = serde_json::from_str(&row.entry).unwrap();
        let kept = kho::store::table::record::record_revision::Entity::find_by_id((
            id.clone(),
            said["revision"].as_i64().unwrap(),
        ))
        .one(env.db.read())
        .await
        .unwrap()
        .unwrap();
        let text = kept.metadata.replace('\'', "''");
        sql(
            env,
            &format!("update record set metadata = '{text}' where id = '{id}'"),
        )
        .await;

        sql(
            env,
            &format!("update record set withdrawn = '{{}}' where id = '{id}'"),
        )
        .await;
        assert!(codes(&found(env).await).contains("ledger-record"));
        sql(
            env,
            &format!("update record set withdrawn = null where id = '{id}'"),
        )
        .await;

        let digest = Sha256([1; 32]);
        let of_second = format!("where record_id = '{second}'");
        let file = sha256_of(env, &second).await;
        sql(
            env,
            &format!("update record_file set sha256 = '{digest}' {of_second}"),
        )
        .await;
        assert!(codes(&found(env).await).contains("ledger-files"));
        sql(
            env,
            &format!("update record_file set sha256 = '{file}' {of_second}"),
        )
        .await;

        // One byte of an inventory, which still reads as JSON and has its sidecar made to fit.
        let inventory = inventories(app).await.into_iter().next().unwrap();
        let bytes = app.storage.read(&inventory).await;
        let text = String::from_utf8(bytes.clone()).unwrap();
        let other = text.replace("Publish version 1", "Publish version l");
        app.storage.write(&inventory, other).await;
        let seen = found(env).await;
        assert_eq!(
            codes(&seen),
            BTreeSet::from(["ledger-inventory"]),
            "{seen:?}"
        );
        app.storage.remove(&inventory).await;
        assert_eq!(
            codes(&found(env).await),
            BTreeSet::from(["ledger-inventory"])
        );
        app.storage.write(&inventory, bytes).await;
        assert_eq!(found(env).await, BTreeSet::new());
    });
}

async fn sha256_of(env: &Env, id: &str) -> String {
    use kho::store::table::record::record_file;
    let found = record_file::Entity::find_by_id((id.to_owned(), "a.csv".to_owned()));
    found.one(env.db.read()).await.unwrap().unwrap().sha256
}

/// The inventories of all first versions.
async fn inventories(app: &TestApp) -> Vec<String> {
    let mut found = app.storage.files("archive").await;
    found.retain(|path| path.ends_with("v1/inventory.json"));
    found
}

#[test]
fn a_database_that_was_lost_or_set_back_cannot_tell_another_story() {
    each(async |app| {
        let owner = app.account("lan").await;
        app.as_(&owner).record("Một").await;
        app.as_(&owner).record("Hai").await;
        // The process dies between the rows and the tree; the next one goes on.
        let env = &app.env;
        assert!(ledger::checkpoint(env).await.is_err());
        ledger::begin(env).await.unwrap();
        assert_eq!(ledger::integrate(env).await.unwrap(), 2);
        assert_eq!(ledger::integrate(env).await.unwrap(), 2);
        let (before, ..) = shown(app).await;

        // It dies after the archive's copy and before the database: the same again.
        sql(env, "delete from ledger_checkpoint").await;
        sql(env, "delete from ledger_tile").await;
        assert_eq!(ledger::integrate(env).await.unwrap(), 2);
        assert_eq!(shown(app).await.0, before);

        // The database is lost: the log comes back from the archive, under its name and key.
        for gone in ["checkpoint", "tile", "leaf", "state"] {
            sql(env, &format!("delete from ledger_{gone}")).await;
        }
        ledger::begin(env).await.unwrap();
        let rows = table::leaf::Entity::find().count(env.db.read()).await;
        assert_eq!(rows.unwrap(), 2);
        ledger::integrate(env).await.unwrap();
        assert_eq!(shown(app).await.0, before);
        assert_eq!(found(env).await, BTreeSet::new());

        // It is set back to a state with other entries: it does not sign, and nothing of what was shown is replaced.
        for gone in ["checkpoint", "tile"] {
            sql(env, &format!("delete from ledger_{gone}")).await;
        }
        sql(
            env,
            "update ledger_leaf set entry = replace(entry, 'publish', 'restore') where idx = 1",
        )
        .await;
        assert!(ledger::integrate(env).await.is_err());
        app.anyone().get("/ledger/checkpoint").await.is(503);
        sql(
            env,
            "update ledger_leaf set entry = replace(entry, 'restore', 'publish') where idx = 1",
        )
        .await;
        ledger::integrate(env).await.unwrap();
        assert_eq!(shown(app).await.0, before);
    });
}

#[test]
fn a_store_older_than_its_ledger_gets_its_entries() {
    each(async |app| {
        let owner = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let first = app.as_(&owner).record("Cũ lắm").await;
        app.pass(DAY);
        revise(app, &owner, &first, "Cũ hơn").await;
        let second = app.as_(&owner).record("Đã rút").await;
        withdraw(app, &admin, &second).await;
        let third = app.as_(&owner).record("Rút sau").await;
        let env = &app.env;
        sql(env, "delete from ledger_leaf").await;
        sql(env, "delete from ledger_state").await;
        // Withdrawn before the backfill came to it.
        withdraw(app, &admin, &third).await;
        ledger::begin(env).await.unwrap();
        app.work().await;
        let events = async |id: &str| {
            let at = format!("/api/records/{id}/ledger");
            let receipt = app.anyone().get(&at).await.is(200).json();
            assert!(
                receipt["entries"][0]["entry"]
                    .as_str()
                    .unwrap()
                    .contains("\"late\":true")
            );
            proven(app, &receipt).await
        };
        assert_eq!(events(&first).await, ["publish", "revise"]);
        assert_eq!(events(&second).await, ["publish", "withdraw"]);
        assert_eq!(events(&third).await, ["publish", "withdraw"]);
        assert_eq!(ledger::backfill(env).await.unwrap(), 0);
    });
}

#[test]
fn a_thousand_entries_are_proven_from_tiles() {
    each(async |app| {
        let owner = app.account("lan").await;
        let id = app.as_(&owner).record("Nhiều").await;
        app.work().await;
        let row = record::Entity::find_by_id(id.as_str())
            .one(app.env.db.read())
            .await
            .unwrap()
            .unwrap();
        let ctx = app.env.system();
        let tx = ctx.env.db.begin().await.unwrap();
        let object = ObjectId::of_parent(&row.parent_id.parse().unwrap());
        let digests = ctx.env.archive.digests(&object, 1).await.unwrap().unwrap();
        for _ in 0..1_000 {
            ledger::append_again(
                &ctx,
                &tx,
                Event::Restore,
                &row,
                (1, digests.inventory),
                row.updated,
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        let last = app.as_(&owner).record("Cuối").await;
        app.work().await;
        let (checkpoint, ..) = shown(app).await;
        assert_eq!(checkpoint.size, 1_002);
        let receipt = app
            .anyone()
            .get(&format!("/api/records/{last}/ledger"))
            .await
            .is(200)
            .json();
        assert_eq!(proven(app, &receipt).await, ["publish"]);
        assert!(receipt["entries"][0]["proof"].as_array().unwrap().len() <= 10);
        let many = app
            .anyone()
            .get(&format!("/api/records/{id}/ledger"))
            .await
            .is(200)
            .json();
        assert_eq!(many["entries"].as_array().unwrap().len(), 1_000);
        assert_eq!(many["entries"][0]["index"], 0);
        let (_, _, key) = shown(app).await;
        receipt_of(&many).verify(&key, &[]).unwrap();

        // Tiles hold what their names say.
        let all = leaves(app, 1_002).await;
        let tile = app.anyone().get("/ledger/tile/0/002").await.is(200).body;
        let hashes: Vec<u8> = all[512..768].iter().flat_map(|l| sha(&[&[0], l])).collect();
        assert_eq!(tile, hashes);
        let above = app
            .anyone()
            .get("/ledger/tile/1/000.p/3")
            .await
            .is(200)
            .body;
        let roots: Vec<u8> = all[..768].chunks(256).flat_map(root_of).collect();
        assert_eq!(above, roots);
    });
}

#[test]
fn witnesses_that_are_known_cosign_and_others_do_not() {
    each(async |app| {
        let owner = app.account("lan").await;
        app.as_(&owner).record("Có chứng").await;
        app.work().await;
        let signer = |seed: u8, name: &str| {
            let key = SigningKey::from_bytes(&[seed; 32]);
            Signer::new(name, Purpose::Cosignature, key).unwrap()
        };
        let known = signer(3, "library.example/witness");
        let stranger = signer(4, "stranger.example/witness");
        let mut config = (*app.env.config).clone();
        config.ledger_witnesses = vec![known.verifier().to_string()];
        let mut env = app.env.clone();
        env.config = std::sync::Arc::new(config);

        let (_, _, key) = shown(app).await;
        let body = app.anyone().get("/ledger/checkpoint").await.is(200).body;
        let log = Shown::read(&body, &key).unwrap();
        let now = env.now().timestamp() as u64;
        let good = log.cosigned(&known, now);
        let refused = async |sent: String| {
            assert!(
                ledger::add_cosignature(&env, sent.as_bytes())
                    .await
                    .is_err(),
                "{sent}"
            );
        };
        refused(log.cosigned(&stranger, now)).await;
        refused(log.cosigned(&known, now + 100_000)).await;
        refused(good.replace("\n1\n", "\n2\n")).await;
        refused(good.replace(known.verifier().name(), "library.example/other")).await;
        refused(String::from_utf8(body).unwrap()).await;
        refused("nonsense".to_owned()).await;
        // To the site itself this witness is a stranger.
        let post = app
            .anyone()
            .request(Method::POST, "/ledger/add-cosignature");
        app.anyone().send(post.body(good.clone())).await.is(400);

        assert_eq!(
            ledger::add_cosignature(&env, good.as_bytes())
                .await
                .unwrap(),
            1
        );
        let later = log.cosigned(&known, now + 60);
        ledger::add_cosignature(&env, later.as_bytes())
            .await
            .unwrap();
        // An older one, sent again by somebody, takes nothing's place.
        ledger::add_cosignature(&env, good.as_bytes())
            .await
            .unwrap();
        let note = ledger::checkpoint(&env).await.unwrap();
        let note = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(note.verify(known.verifier()), Verdict::Signed(now + 60));
        let followed = ledger::witnesses(&env).await.unwrap();
        assert_eq!(followed[0].newest, Some((1, now as i64 + 60)));
        // Whoever is configured no more is shown no more.
        assert_eq!(shown(app).await.1.verify(known.verifier()), Verdict::Absent);
    });
}

#[test]
fn a_receipt_is_checked_beside_the_files() {
    each(async |app| {
        let owner = app.account("lan").await;
        let id = app.as_(&owner).record("Biên nhận").await;
        app.work().await;
        let text = app
            .anyone()
            .get(&format!("/api/records/{id}/ledger"))
            .await
            .is(200)
            .body;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("receipt.json");
        std::fs::write(&file, &text).unwrap();
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        std::fs::write(files.join("a.csv"), "x,y\n1,2\n").unwrap();
        let with = |files: Option<std::path::PathBuf>, key: Option<String>| {
            let args = command::Args {
                receipt: Some(file.clone()),
                key,
                witness: Vec::new(),
                files,
            };
            command::verify(&file, &args)
        };
        with(None, None).unwrap();
        with(Some(files.clone()), Some(shown(app).await.2.to_string())).unwrap();
        // The object, as whoever has a copy of the archive finds it.
        let root = inventories(app).await[0].replace("/v1/inventory.json", "");
        let object = folder.path().join("object");
        for path in app.storage.files(&root).await {
            let at = object.join(&path[root.len() + 1..]);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, app.storage.read(&path).await).unwrap();
        }
        with(Some(object.clone()), None).unwrap();
        let stranger = Signer::new(
            &shown(app).await.0.origin,
            Purpose::Log,
            SigningKey::from_bytes(&[8; 32]),
        );
        assert!(with(None, Some(stranger.unwrap().verifier().to_string())).is_err());

        std::fs::write(files.join("a.csv"), "x,y\n1,3\n").unwrap();
        let wrong = with(Some(files.clone()), None).unwrap_err().to_string();
        assert!(wrong.contains("a.csv"), "{wrong}");
        // With the list that was entered beside them, the changed file is named.
        let list = format!("{}  a.csv\n", crate::app::sha256(b"x,y\n1,2\n"));
        std::fs::write(files.join("SHA256SUMS"), list).unwrap();
        let wrong = with(Some(files.clone()), None).unwrap_err().to_string();
        assert!(wrong.contains("a.csv is "), "{wrong}");
        std::fs::write(files.join("a.csv"), "x,y\n1,2\n").unwrap();
        with(Some(files.clone()), None).unwrap();
        std::fs::write(files.join("b.csv"), "more").unwrap();
        std::fs::remove_file(files.join("SHA256SUMS")).unwrap();
        assert!(with(Some(files), None).is_err(), "one more file");

        let content = object.join("v1/content/files/a.csv");
        let bytes = std::fs::read(&content).unwrap();
        std::fs::write(&content, "x,y\n1,9\n").unwrap();
        let wrong = with(Some(object.clone()), None).unwrap_err().to_string();
        assert!(wrong.contains("v1/content/files/a.csv"), "{wrong}");
        std::fs::write(&content, bytes).unwrap();
        let changed = String::from_utf8(text)
            .unwrap()
            .replace("publish", "restore");
        std::fs::write(&file, changed).unwrap();
        assert!(with(None, None).is_err());
    });
}
