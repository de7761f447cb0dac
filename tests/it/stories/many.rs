//! Very many files in one record: announced at once, listed whole and in pages, shown a folder at a time, published,
//! taken over by the next version, thrown away. More than any list is read at once; `bench/run` does it with 100,000.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::app::{Client, described, each, file_path};

/// More than a step of every walk (500, 1,000) and no multiple of one.
const MANY: usize = 1_203;

fn key(n: usize) -> String {
    format!("trạm {}/đợt {}/{n:05}.csv", n % 7, n % 3)
}

fn keys(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().unwrap().iter();
    let mut keys: Vec<String> = entries
        .map(|e| e["key"].as_str().unwrap().to_owned())
        .collect();
    keys.sort_unstable();
    keys
}

fn all_keys() -> Vec<String> {
    let mut keys: Vec<String> = (0..MANY).map(key).collect();
    keys.sort_unstable();
    keys
}

async fn send(client: &Client<'_>, id: &str, n: usize) {
    let at = file_path(id, "/draft", &key(n));
    let sent = client.put(&format!("{at}/content"), n.to_string()).await;
    sent.is(200);
    client.post(&format!("{at}/commit")).await.is(200);
}

/// A draft with all files announced in one request, and so many of them sent.
async fn draft(client: &Client<'_>, sent: usize) -> String {
    let id = client.draft(described("Rất nhiều tệp")).await;
    let files = format!("/api/records/{id}/draft/files");
    let announced: Vec<Value> = (0..MANY).map(|n| json!({ "key": key(n) })).collect();
    let told = client.post_json(&files, &json!(announced)).await.is(201);
    assert_eq!(keys(&told.json()["entries"]).len(), 1_000, "the announced");
    assert_eq!(told.json()["total"], MANY);
    let id = &id;
    stream::iter(0..sent)
        .for_each_concurrent(8, async |n| send(client, id, n).await)
        .await;
    id.clone()
}

#[test]
fn very_many_files_are_deposited_listed_shown_and_published() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = draft(&lan, MANY).await;
        let record = format!("/api/records/{id}");

        // The draft counts all and names the first.
        let seen = lan.get(&format!("{record}/draft")).await.is(200).json();
        assert_eq!(seen["files"]["count"], MANY);
        let bytes: usize = (0..MANY).map(|n| n.to_string().len()).sum();
        assert_eq!(seen["files"]["total_bytes"], bytes);
        assert_eq!(seen["files"]["entries"].as_object().unwrap().len(), 1_000);
        let listed = lan.get(&format!("{record}/draft/files")).await.is(200);
        assert_eq!(keys(&listed.json()["entries"]), all_keys());
        let one = json!([{ "key": "thêm.txt" }]);
        let told = lan.post_json(&format!("{record}/draft/files"), &one).await;
        assert_eq!(keys(&told.is(201).json()["entries"]), ["thêm.txt"]);
        let twice = json!([{ "key": key(7) }]);
        lan.post_json(&format!("{record}/draft/files"), &twice)
            .await
            .is(400);
        let path = file_path(&id, "/draft", "thêm.txt");
        lan.delete(&path).await.is(204);

        lan.publish(&id).await;
        let anyone = app.anyone();
        listings(&anyone, &record).await;
        pages(&anyone, &id).await;
        let sums = anyone
            .get(&format!("/records/{id}/SHA256SUMS"))
            .await
            .is(200);
        assert_eq!(String::from_utf8(sums.body).unwrap().lines().count(), MANY);
        resumes(&anyone, &id).await;

        // The next version takes all over by reference, and a draft thrown away leaves nothing.
        let next = lan.post(&format!("{record}/versions")).await.is(201).json();
        let next = next["id"].as_str().unwrap().to_owned();
        let import = format!("/api/records/{next}/draft/actions/files-import");
        for _ in 0..2 {
            let told = lan.post(&import).await.is(201).json();
            assert_eq!(keys(&told["entries"]), all_keys());
        }
        lan.delete(&file_path(&next, "/draft", &key(0)))
            .await
            .is(204);
        let dated = json!({ "metadata": described("Rất nhiều tệp") });
        lan.put_json(&format!("/api/records/{next}/draft"), &dated)
            .await
            .is(200);
        let published = lan.publish(&next).await;
        assert_eq!(published["files"]["count"], MANY - 1);
        assert_eq!(
            app.archived_content().await.len(),
            MANY,
            "nothing is stored twice"
        );
    });
}

#[test]
fn a_draft_of_very_many_files_is_thrown_away_whole() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = draft(&lan, 20).await;
        let path = format!("/api/records/{id}/draft/files");
        lan.delete(&path).await.is(204);
        let listed = lan.get(&path).await.is(200).json();
        assert_eq!(listed["entries"], json!([]));
        // That nothing is left in the staging area is looked at after every story.
        app.work().await;
    });
}

/// Whole, in pages, and below a folder.
async fn listings(anyone: &Client<'_>, record: &str) {
    let whole = anyone.get(&format!("{record}/files")).await.is(200).json();
    assert_eq!(keys(&whole["entries"]), all_keys());
    assert!(
        whole["links"]["archive"]
            .as_str()
            .unwrap()
            .ends_with("/files-archive")
    );
    let mut path = format!("{record}/files?size=500");
    let mut found = Vec::new();
    for expected in [500, 500, 203] {
        let page = anyone.get(&path).await.is(200).json();
        assert_eq!(page["total"], MANY);
        let page_keys = keys(&page["entries"]);
        assert_eq!(page_keys.len(), expected);
        found.extend(page_keys);
        let next = page["links"]["next"].as_str();
        next.unwrap_or_default().clone_into(&mut path);
    }
    assert!(path.is_empty(), "after the last page comes none: {path}");
    found.sort_unstable();
    assert_eq!(found, all_keys());
    let folder = "tr%E1%BA%A1m%203/%C4%91%E1%BB%A3t%201/";
    let below = anyone.get(&format!("{record}/files?prefix={folder}")).await;
    let below = below.is(200).json();
    let mut expected: Vec<String> = (0..MANY).filter(|n| n % 21 == 10).map(key).collect();
    expected.sort_unstable();
    assert_eq!(keys(&below["entries"]), expected);
    assert_eq!(below["total"], expected.len());
    anyone.get(&format!("{record}/files?page=0")).await.is(400);
}

/// The landing page shows one level at a time.
async fn pages(anyone: &Client<'_>, id: &str) {
    let text = async |query: &str| {
        let page = anyone
            .get(&format!("/vi/records/{id}{query}"))
            .await
            .is(200);
        String::from_utf8(page.body).unwrap()
    };
    let top = text("").await;
    assert!(
        top.contains("trạm 6/</a>") && top.contains("171 tệp"),
        "{top}"
    );
    assert!(
        !top.contains(".csv</td>") && !top.contains("00003.csv\n<details"),
        "{top}"
    );
    let level = text("?folder=tr%E1%BA%A1m%203").await;
    assert!(
        level.contains("đợt 2/</a>") && !level.contains("trạm 6/</a>"),
        "{level}"
    );
    let files = "?folder=tr%E1%BA%A1m%203/%C4%91%E1%BB%A3t%201";
    let one = text(files).await;
    assert!(
        one.contains("00010.csv") && one.contains("files_page=2"),
        "{one}"
    );
    let two = text(&format!("{files}&files_page=2")).await;
    assert!(!two.contains("00010.csv") && two.contains(".csv"), "{two}");
    for nowhere in ["?folder=kh%C3%B4ng", "?folder=../x", "?folder=/"] {
        anyone
            .get(&format!("/vi/records/{id}{nowhere}"))
            .await
            .is(404);
    }
}

/// Ranges that begin in another page of rows than the first, in each part of the zip.
async fn resumes(anyone: &Client<'_>, id: &str) {
    let path = format!("/records/{id}/archive");
    let whole = anyone.get(&path).await.is(200);
    let size = whole.body.len();
    for tenths in 1..40 {
        let from = size * tenths / 40;
        let range = format!("bytes={from}-{}", (from + 3_000).min(size - 1));
        let part = anyone.get_with(&path, "range", &range).await.is(206);
        assert!(
            part.body == whole.body[from..(from + 3_001).min(size)],
            "{range}"
        );
    }
    let last = anyone
        .get_with(&path, "range", "bytes=-100000")
        .await
        .is(206);
    assert!(last.body == whole.body[size - 100_000..]);
}
