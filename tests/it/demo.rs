//! The demo: every sample is published as it lies in `deploy/demo`, without a problem, and only into an empty store.

use std::{collections::BTreeMap, fs, path::Path};

use kho::cli::demo;
use serde_json::Value;

use crate::app::{each, file_path, sha256};

/// The files of a folder by their path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let key = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.insert(key, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_demo_is_loaded_whole_and_once() {
    each(async |app| {
        let began = std::time::Instant::now();
        let loaded = demo::load(&app.env)
            .await
            .unwrap()
            .expect("the store is empty");
        eprintln!("loaded in {:?}", began.elapsed());
        assert_eq!(loaded.accounts.len(), 3);
        assert!(
            demo::load(&app.env).await.unwrap().is_none(),
            "it is not empty now"
        );
        app.work().await;

        // By title, because ids are given by chance.
        let mut shown = BTreeMap::new();
        for id in &loaded.versions {
            let record = app
                .anyone()
                .get(&format!("/api/records/{id}"))
                .await
                .is(200)
                .json();
            let title = record["metadata"]["title"].as_str().unwrap().to_owned();
            let index = record["versions"]["index"].as_u64().unwrap();
            shown.insert((title, index), record);
        }
        let mut samples = 0;
        for entry in fs::read_dir("deploy/demo").unwrap() {
            let folder = entry.unwrap().path();
            if !folder.is_dir() {
                continue;
            }
            let mut expected = BTreeMap::new();
            for number in 1.. {
                let version = folder.join(format!("v{number}"));
                if !version.is_dir() {
                    assert!(number > 1, "{} holds no version", folder.display());
                    break;
                }
                samples += 1;
                if version.join("version.json").exists() {
                    for key in json(&version.join("version.json"))["files"]["remove"]
                        .as_array()
                        .unwrap()
                    {
                        assert!(
                            expected.remove(key.as_str().unwrap()).is_some(),
                            "{key} was not there"
                        );
                    }
                }
                expected.extend(files(&version.join("files")));
                let said = json(&version.join("record.json"));
                let title = said["metadata"]["title"].as_str().unwrap().to_owned();
                let record = shown
                    .remove(&(title.clone(), number))
                    .unwrap_or_else(|| panic!("{title}, version {number}, was not loaded"));
                compare(app, &record, &said, &expected).await;
            }
        }
        assert!(shown.is_empty(), "loaded from nowhere: {:?}", shown.keys());
        assert_eq!(samples, loaded.versions.len());

        let newest = app.anyone().get("/api/records?size=100").await.json();
        assert_eq!(newest["hits"]["total"], 13);
        let found = app.anyone().found("q=chim canh cut").await;
        assert_eq!(found.len(), 1);
    });
}

async fn compare(
    app: &crate::app::TestApp,
    record: &Value,
    said: &Value,
    expected: &BTreeMap<String, Vec<u8>>,
) {
    let id = record["id"].as_str().unwrap();
    let title = record["metadata"]["title"].as_str().unwrap();
    for (field, value) in said["metadata"].as_object().unwrap() {
        assert!(
            record["metadata"].get(field).is_some(),
            "{title}: {field} was lost: {value}"
        );
    }
    let open = record["access"]["status"] == "open";
    assert_eq!(open, said["access"]["files"] == "public", "{title}");
    if !open {
        app.anyone()
            .get(&format!("/api/records/{id}/files"))
            .await
            .is(401);
        return;
    }
    let listed = app
        .anyone()
        .get(&format!("/api/records/{id}/files"))
        .await
        .is(200)
        .json();
    let listed: BTreeMap<String, String> = listed["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            (
                f["key"].as_str().unwrap().to_owned(),
                f["sha256"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(key, bytes)| (key.clone(), sha256(bytes)))
        .collect();
    assert_eq!(listed, expected, "{title}");
    let (key, digest) = expected.iter().next().unwrap();
    let got = app
        .anyone()
        .get(&(file_path(id, "", key) + "/content"))
        .await
        .is(200);
    assert_eq!(sha256(&got.body), *digest);
}
