//! Buckets to test with, and what only a bucket does. The contract itself is tested in `conformance`.

use std::{
    path::Path,
    sync::{Once, atomic::AtomicU32, atomic::Ordering},
};

use bytes::Bytes;
use futures::TryStreamExt;

use super::{
    super::{Commit, Entry, EntrySource, Objects, PartPlan},
    *,
};

/// Where `KHO_TEST_S3_ENDPOINT` is. The keys are in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
pub(super) fn endpoint() -> Option<String> {
    static SAID: Once = Once::new();
    let endpoint = std::env::var("KHO_TEST_S3_ENDPOINT").ok();
    if endpoint.is_none() {
        SAID.call_once(|| eprintln!("left out on S3: KHO_TEST_S3_ENDPOINT is not set"));
    }
    endpoint
}

/// A prefix that nobody else has, in a bucket that all tests share.
pub(super) fn settings(endpoint: String) -> Settings {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().unwrap();
    let unique = folder.path().file_name().unwrap().to_string_lossy();
    let unique: String = unique.chars().filter(char::is_ascii_alphanumeric).collect();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Settings {
        bucket: "kho-unit-tests".to_owned(),
        prefix: format!("{unique}/{}-{count}", std::process::id()),
        endpoint: Some(endpoint),
        path_style: true,
        redirect: false,
        patience: Patience::default(),
    }
}

/// A bucket on the test server with limits as small as the server takes them.
pub(super) async fn open(settings: Settings, folder: &Path) -> Bucket {
    let client = client(&settings).await;
    // It may be there; what else is wrong the test finds out.
    let _ = client.create_bucket().bucket(&settings.bucket).send().await;
    let sizes = Sizes {
        copy: 16 << 20,
        ..SIZES
    };
    Bucket::with(client, settings, Locks::files(folder).unwrap(), sizes)
}

/// For `conformance`: an empty store in a bucket, where there is a server.
pub(in super::super) fn bucket_for_tests() -> Option<(Objects, tempfile::TempDir)> {
    let settings = settings(endpoint()?);
    let folder = tempfile::tempdir().unwrap();
    let locks = folder.path().to_owned();
    // Tests ask for stores from inside and outside of runtimes; and a client belongs to the runtime that it
    // was used in first, so the one that makes the bucket is another.
    let opening = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            open(settings.clone(), &locks).await;
            let client = client(&settings).await;
            let sizes = Sizes {
                copy: 16 << 20,
                ..SIZES
            };
            Bucket::with(client, settings, Locks::files(&locks).unwrap(), sizes)
        })
    });
    Some((Objects::S3(opening.join().unwrap()), folder))
}

pub(super) fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect::<Vec<u8>>().into()
}

pub(super) async fn put(bucket: &Bucket, name: &str, bytes: &Bytes) -> super::super::Received {
    let mut receiver = bucket.receive(name);
    for piece in bytes.chunks(100_000) {
        receiver.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    receiver.finish().await.unwrap()
}

#[tokio::test]
async fn files_over_the_limit_of_one_copy_are_copied_in_parts() {
    let Some(endpoint) = endpoint() else { return };
    let folder = tempfile::tempdir().unwrap();
    let bucket = open(settings(endpoint), folder.path()).await;
    let bytes = noise((37 << 20) + 5);
    let got = put(&bucket, "large", &bytes).await;
    let staged = |size| Entry {
        path: "files/large.bin".parse().unwrap(),
        source: EntrySource::Staged {
            name: "large".to_owned(),
            size,
            sha256: got.sha256,
        },
    };
    let commit = |size| Commit {
        folder: "a/o/v1".parse().unwrap(),
        entries: vec![staged(size)],
        heads: Vec::new(),
        note: None,
    };
    assert!(bucket.commit(commit(got.size - 1)).await.is_err());
    bucket.commit(commit(got.size)).await.unwrap();
    let at: ContentPath = "a/o/v1/files/large.bin".parse().unwrap();
    let reading = bucket.read(&at, 0..got.size).await.unwrap();
    let chunks: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert!(chunks.concat() == bytes);
    assert_eq!(bucket.open_uploads(&bucket.0.root).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_dropped_upload_leaves_no_parts_and_the_sweep_takes_what_a_crash_left() {
    let Some(endpoint) = endpoint() else { return };
    let folder = tempfile::tempdir().unwrap();
    let bucket = open(settings(endpoint), folder.path()).await;
    let mut receiver = bucket.receive("dropped");
    receiver.write(noise(20 << 20)).await.unwrap();
    drop(receiver);
    for _ in 0..100 {
        if bucket
            .open_uploads(&bucket.0.root)
            .await
            .unwrap()
            .is_empty()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(bucket.open_uploads(&bucket.0.root).await.unwrap().len(), 0);
    let key = bucket.staged_at("crashed");
    let id = bucket.begin(&key, true).await.unwrap();
    bucket
        .send_part(&key, &id, 1, noise(1000), true)
        .await
        .unwrap();
    let later = std::time::UNIX_EPOCH + Duration::from_secs(1 << 35);
    let kept = bucket.sweep(later, &|name| name == "crashed").await;
    assert_eq!(kept.unwrap(), 0);
    assert_eq!(bucket.sweep(later, &|_| false).await.unwrap(), 1);
    assert_eq!(bucket.open_uploads(&bucket.0.root).await.unwrap().len(), 0);
}

#[tokio::test]
async fn whoever_is_sent_to_the_bucket_gets_the_bytes_the_name_and_the_range() {
    let Some(endpoint) = endpoint() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(endpoint);
    let at: ContentPath = "a/số liệu.csv".parse().unwrap();
    let closed = open(settings.clone(), folder.path()).await;
    let bytes = noise(100_000);
    closed
        .replace(vec![(at.clone(), bytes.clone())])
        .await
        .unwrap();
    let minute = Duration::from_mins(1);
    let name = "attachment; filename*=UTF-8''s%E1%BB%91.csv";
    let url = closed.read_url(&at, minute, "text/csv", name).await;
    assert_eq!(url.unwrap(), None, "only where the operator says so");

    settings.redirect = true;
    let bucket = open(settings, folder.path()).await;
    let url = bucket.read_url(&at, minute, "text/csv", name).await;
    let asked = reqwest::Client::new()
        .get(url.unwrap().unwrap())
        .header("range", "bytes=10-19");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-type"], "text/csv");
    assert_eq!(answer.headers()["content-disposition"], name);
    assert_eq!(answer.bytes().await.unwrap(), bytes[10..20]);

    let plan = PartPlan {
        size: 1000,
        part_size: 1000,
    };
    let handle = bucket.begin_parts("p", plan).await.unwrap();
    let url = bucket.part_url("p", &handle, 1, minute).await.unwrap();
    let sent = reqwest::Client::new()
        .put(url.unwrap())
        .body(bytes.slice(..1000));
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let arrived = bucket.arrived("p", &handle).await.unwrap();
    let tags = vec![(1, arrived[0].2.clone())];
    let got = bucket.complete_parts("p", &handle, plan, &tags).await;
    assert_eq!(
        got.unwrap().sha256,
        put::digest(&bytes.slice(..1000)).await.unwrap()
    );
}

#[tokio::test]
async fn a_part_too_large_to_hold_passes_through() {
    let Some(endpoint) = endpoint() else { return };
    let folder = tempfile::tempdir().unwrap();
    let bucket = open(settings(endpoint), folder.path()).await;
    let plan = PartPlan {
        size: (21 << 20) + 1,
        part_size: 20 << 20,
    };
    let bytes = noise(plan.size as usize);
    let handle = bucket.begin_parts("p", plan).await.unwrap();
    let mut tags = Vec::new();
    for number in 1..=plan.count() {
        let range = plan.range(number);
        let mut receiver = bucket
            .receive_part("p", &handle, plan, number)
            .await
            .unwrap();
        for piece in bytes[range.start as usize..range.end as usize].chunks(77_777) {
            receiver.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        tags.push((number, receiver.finish().await.unwrap().tag));
    }
    let got = bucket.complete_parts("p", &handle, plan, &tags).await;
    assert_eq!(got.unwrap().sha256, put::digest(&bytes).await.unwrap());
}

#[tokio::test]
async fn an_examination_finds_a_bucket_that_is_not_there() {
    let Some(endpoint) = endpoint() else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(endpoint);
    let bucket = open(settings.clone(), folder.path()).await;
    assert_eq!(bucket.examine().await.unwrap().len(), 4);
    let found: Vec<_> = bucket.below(String::new()).try_collect().await.unwrap();
    assert!(found.iter().all(|f| !f.key.contains("examination")));
    let absent = Settings {
        bucket: "kho-is-not-there".to_owned(),
        ..settings
    };
    let locks = Locks::files(folder.path()).unwrap();
    let absent = Bucket::with(client(&absent).await, absent, locks, SIZES);
    assert!(absent.examine().await.is_err());
}

#[tokio::test]
async fn parts_of_a_request_that_broke_do_not_get_in_the_way() {
    let Some(endpoint) = endpoint() else { return };
    let folder = tempfile::tempdir().unwrap();
    let bucket = open(settings(endpoint), folder.path()).await;
    let bytes = noise(40 << 20);
    let mut receiver = bucket.resume("t", None).await.unwrap();
    receiver.write(bytes.slice(..9 << 20)).await.unwrap();
    let mut progress = receiver.pause().await.unwrap();
    for round in 1..4 {
        // Other bytes, in parts that the server acknowledges, and then the process dies.
        let mut lost = bucket.resume("t", Some(&progress)).await.unwrap();
        let other = Bytes::from(vec![round; 17 << 20]);
        lost.write(other).await.unwrap();
        lost.settle().await.unwrap();
        assert!(lost.upload.as_ref().is_some_and(|u| u.parts.len() >= 2));
        drop(lost);
        let at = progress.size as usize;
        let mut receiver = bucket.resume("t", Some(&progress)).await.unwrap();
        receiver
            .write(bytes.slice(at..at + (9 << 20)))
            .await
            .unwrap();
        progress = receiver.pause().await.unwrap();
    }
    let at = progress.size as usize;
    let mut receiver = bucket.resume("t", Some(&progress)).await.unwrap();
    receiver.write(bytes.slice(at..)).await.unwrap();
    let got = receiver.finish().await.unwrap();
    assert_eq!(got.sha256, put::digest(&bytes).await.unwrap());
    let reading = bucket.read_staged("t", 0..got.size).await.unwrap();
    let chunks: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert!(chunks.concat() == bytes);
}
