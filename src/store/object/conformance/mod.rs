//! What every variant of the store must do: the contract of `mod.rs`, line by line. A new variant is a
//! new line in [`stores`].

use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use md5::Md5 as Md5Hasher;
use proptest::prelude::*;
use sha2::{Digest, Sha256 as Sha256Hasher};

use super::*;

mod resume;

/// A store of each kind, empty; the folder lives as long as the store is used.
fn stores() -> Vec<(Objects, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    vec![(Objects::folder(folder.path()).unwrap(), folder)]
}

/// Bytes that differ from place to place.
fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect::<Vec<u8>>().into()
}

async fn put(store: &Objects, name: &str, bytes: &Bytes, chunk: usize) -> Received {
    let mut receiver = store.receive(name).unwrap();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let piece = rest.split_to(chunk.min(rest.len()));
        receiver.write(piece).await.unwrap();
    }
    receiver.finish(Some(bytes.len() as u64)).await.unwrap()
}

async fn all(reading: Result<Reading>) -> Vec<u8> {
    let chunks: Vec<Bytes> = reading.unwrap().try_collect().await.unwrap();
    chunks.concat()
}

fn path(s: &str) -> ContentPath {
    s.parse().unwrap()
}

fn entry(at: &str, name: &str, received: &Received) -> Entry {
    Entry {
        path: path(at),
        source: EntrySource::Staged {
            name: name.into(),
            size: received.size,
            sha256: received.sha256,
        },
    }
}

fn commit(folder: &str, entries: Vec<Entry>) -> Commit {
    Commit {
        folder: path(folder),
        entries,
        heads: Vec::new(),
        note: None,
    }
}

#[tokio::test]
async fn what_was_received_is_there_with_its_digests() {
    for (store, _dir) in stores() {
        for (len, chunk) in [(0, 1), (1, 1), (65_535, 999), (65_536, 8192), (200_000, 1)] {
            let bytes = noise(len);
            let got = put(&store, "token", &bytes, chunk).await;
            assert_eq!(got.size, len as u64);
            assert_eq!(got.sha256.0, <[u8; 32]>::from(Sha256Hasher::digest(&bytes)));
            assert_eq!(got.md5.0, <[u8; 16]>::from(Md5Hasher::digest(&bytes)));
            assert_eq!(store.staged("token").await.unwrap(), Some(len as u64));
            assert_eq!(
                all(store.read_staged("token", 0..got.size).await).await,
                bytes
            );
        }
    }
}

#[tokio::test]
async fn big_uploads_come_through_all_lanes() {
    for (store, _dir) in stores() {
        // Over the size after which the kernel is asked to write out, and not a multiple of anything.
        let bytes = noise((70 << 20) + 12_345);
        let got = put(&store, "big", &bytes, 300_000).await;
        assert_eq!(got.sha256.0, <[u8; 32]>::from(Sha256Hasher::digest(&bytes)));
        assert_eq!(got.md5.0, <[u8; 16]>::from(Md5Hasher::digest(&bytes)));
        assert!(all(store.read_staged("big", 0..got.size).await).await == bytes);
    }
}

#[tokio::test]
async fn nothing_shows_before_finish_and_a_wrong_length_is_refused() {
    for (store, _dir) in stores() {
        let mut receiver = store.receive("token").unwrap();
        receiver.write(noise(3 << 20)).await.unwrap();
        assert_eq!(store.staged("token").await.unwrap(), None);
        drop(receiver);
        assert_eq!(store.staged("token").await.unwrap(), None);

        let mut receiver = store.receive("token").unwrap();
        receiver.write(noise(10)).await.unwrap();
        assert!(matches!(
            receiver.finish(Some(11)).await,
            Err(Error::BadRequest(p)) if p.code == "upload-length"
        ));
        assert_eq!(store.staged("token").await.unwrap(), None);
        assert!(store.receive("../escape").is_err());
    }
}

#[tokio::test]
async fn two_uploads_of_one_name_do_not_mix() {
    for (store, _dir) in stores() {
        let (one, two) = (noise(3 << 20), Bytes::from(vec![7; 2 << 20]));
        let (mut a, mut b) = (store.receive("t").unwrap(), store.receive("t").unwrap());
        a.write(one.clone()).await.unwrap();
        b.write(two.clone()).await.unwrap();
        a.finish(None).await.unwrap();
        assert!(all(store.read_staged("t", 0..one.len() as u64).await).await == one);
        b.finish(None).await.unwrap();
        assert_eq!(store.staged("t").await.unwrap(), Some(two.len() as u64));
        assert!(all(store.read_staged("t", 0..two.len() as u64).await).await == two);
    }
}

#[tokio::test]
async fn a_commit_shares_staged_bytes_and_a_new_upload_does_not_touch_them() {
    for (store, _dir) in stores() {
        let bytes = noise(100_000);
        let got = put(&store, "t", &bytes, 1000).await;
        let entries = vec![
            entry("v1/content/files/số liệu.csv", "t", &got),
            Entry {
                path: path("inventory.json"),
                source: EntrySource::Bytes("{}".into()),
            },
        ];
        store.commit(commit("a/b/obj", entries)).await.unwrap();
        put(&store, "t", &Bytes::from_static(b"other"), 5).await;
        store.discard("t").await.unwrap();
        store.discard("t").await.unwrap();
        assert_eq!(store.staged("t").await.unwrap(), None);
        let at = path("a/b/obj/v1/content/files/số liệu.csv");
        assert_eq!(store.size(&at).await.unwrap(), Some(100_000));
        assert!(all(store.read(&at, 0..100_000).await).await == bytes);
        let inventory = store
            .get(&path("a/b/obj/inventory.json"), 10)
            .await
            .unwrap();
        assert_eq!(inventory.unwrap(), "{}");
        assert!(store.get(&path("a/b/obj/inventory.json"), 1).await.is_err());
        let names = store.list(&path("a/b/obj")).await.unwrap();
        let names: Vec<(&str, ListedKind)> =
            names.iter().map(|l| (l.name.as_str(), l.kind)).collect();
        let expected = [
            ("inventory.json", ListedKind::File(2)),
            ("v1", ListedKind::Folder),
        ];
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn a_commit_is_refused_whole() {
    for (store, _dir) in stores() {
        let got = put(&store, "t", &noise(10), 10).await;
        let wrong = Received { size: 11, ..got };
        let entries = vec![entry("x", "t", &got), entry("y", "t", &wrong)];
        assert!(store.commit(commit("a/o", entries)).await.is_err());
        let entries = vec![entry("x", "t", &got), entry("y", "absent", &got)];
        assert!(store.commit(commit("a/o", entries)).await.is_err());
        assert_eq!(store.list(&path("a")).await.unwrap(), []);
        assert_eq!(store.list(&path("a/o")).await.unwrap(), []);

        store
            .commit(commit("a/o", vec![entry("x", "t", &got)]))
            .await
            .unwrap();
        let again = commit("a/o", vec![entry("z", "t", &got)]);
        assert!(
            store.commit(again).await.is_err(),
            "what is there is never replaced"
        );
        assert!(store.exists(&path("a/o/x")).await.unwrap());
        assert!(!store.exists(&path("a/o/z")).await.unwrap());
    }
}

#[tokio::test]
async fn heads_follow_and_removal_takes_the_empty_way_along() {
    for (store, _dir) in stores() {
        let bytes = |b: &'static str| EntrySource::Bytes(b.into());
        let head = Entry {
            path: path("head"),
            source: bytes("1"),
        };
        store.commit(commit("a/b/o", vec![head])).await.unwrap();
        let next = Commit {
            folder: path("a/b/o/v2"),
            entries: vec![Entry {
                path: path("x"),
                source: bytes("x"),
            }],
            heads: vec![(path("a/b/o/head"), "2".into())],
            note: Some(Note {
                name: "n".into(),
                text: "o".into(),
            }),
        };
        store.commit(next).await.unwrap();
        assert_eq!(
            store.get(&path("a/b/o/head"), 9).await.unwrap().unwrap(),
            "2"
        );
        store
            .replace(vec![(path("a/b/o/head"), "3".into())])
            .await
            .unwrap();
        assert_eq!(
            store.get(&path("a/b/o/head"), 9).await.unwrap().unwrap(),
            "3"
        );
        let notes = store.notes().await.unwrap();
        assert_eq!((notes.len(), notes[0].text.as_str()), (1, "o"));
        store.forget("n").await.unwrap();
        store.forget("n").await.unwrap();
        assert_eq!(store.notes().await.unwrap(), []);
        store.remove(&path("a/b/o/v2")).await.unwrap();
        assert!(store.exists(&path("a/b/o/head")).await.unwrap());
        store.remove(&path("a/b/o")).await.unwrap();
        store.remove(&path("a/b/o")).await.unwrap();
        assert_eq!(store.list(&path("a")).await.unwrap(), []);
    }
}

#[tokio::test]
async fn objects_side_by_side_do_not_get_in_each_others_way() {
    for (store, _dir) in stores() {
        let commits = (0..40).map(|i| {
            let source = EntrySource::Bytes(format!("{i}").into());
            let entry = Entry {
                path: path("x"),
                source,
            };
            store.commit(commit(&format!("a/b/c/o{i}"), vec![entry]))
        });
        futures::future::try_join_all(commits).await.unwrap();
        assert_eq!(store.list(&path("a/b/c")).await.unwrap().len(), 40);
    }
}

#[tokio::test]
async fn ranges_are_exact_and_a_short_file_is_an_error() {
    for (store, dir) in stores() {
        let bytes = noise(1_000_003);
        put(&store, "t", &bytes, 50_000).await;
        for range in [0..0, 0..1, 999_999..1_000_003, 5..600_001, 262_143..262_145] {
            let want = &bytes[range.start as usize..range.end as usize];
            assert!(all(store.read_staged("t", range).await).await == want);
        }
        assert!(store.read_staged("t", 0..1_000_004).await.is_err());
        assert!(store.read_staged("absent", 0..1).await.is_err());
        assert!(store.read(&path("absent/x"), 0..1).await.is_err());

        let mut reading = store.read_staged("t", 0..1_000_003).await.unwrap();
        let first = futures::StreamExt::next(&mut reading)
            .await
            .unwrap()
            .unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(dir.path().join("staging/t"));
        file.unwrap().set_len(first.len() as u64 + 10).unwrap();
        let rest: std::io::Result<Vec<Bytes>> = reading.try_collect().await;
        assert!(rest.is_err(), "never fewer bytes in silence");
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the file system stamps files with the real time"
)]
async fn the_sweep_takes_only_what_is_old_and_unclaimed() {
    for (store, _dir) in stores() {
        for name in ["kept", "lost"] {
            put(&store, name, &noise(10), 10).await;
        }
        let keep = |name: &str| name == "kept";
        let before = SystemTime::now() - Duration::from_hours(1);
        assert_eq!(store.sweep(before, &keep).await.unwrap(), 0);
        let after = SystemTime::now() + Duration::from_secs(5);
        assert_eq!(store.sweep(after, &keep).await.unwrap(), 1);
        assert_eq!(store.staged("kept").await.unwrap(), Some(10));
        assert_eq!(store.staged("lost").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_lock_is_held_by_one() {
    for (store, _dir) in stores() {
        let held = store.lock(7).await.unwrap();
        let _other = store.lock(8).await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(50), store.lock(7)).await;
        assert!(waiting.is_err(), "somebody holds it");
        drop(held);
        store.lock(7).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_chunks_and_any_range_give_the_same_bytes(
        lens in prop::collection::vec(0usize..400_000, 1..8),
        cut in (0.0f64..1.0, 0.0f64..1.0),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (store, _dir) in stores() {
                let bytes = noise(lens.iter().sum());
                let mut receiver = store.receive("t").unwrap();
                let mut rest = bytes.clone();
                for len in &lens {
                    receiver.write(rest.split_to(*len)).await.unwrap();
                }
                let got = receiver.finish(None).await.unwrap();
                assert_eq!(got.sha256.0, <[u8; 32]>::from(Sha256Hasher::digest(&bytes)));
                let at = |part: f64| (part * bytes.len() as f64) as usize;
                let (from, to) = (at(cut.0.min(cut.1)), at(cut.0.max(cut.1)));
                let read = all(store.read_staged("t", from as u64..to as u64).await).await;
                assert!(read == bytes[from..to]);
            }
        });
    }
}
