//! The contract of uploads that go on (`store::object::resume`), line by line.

use super::*;

async fn written(receiver: &mut Receiver, bytes: &Bytes, chunk: usize) {
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let piece = rest.split_to(chunk.min(rest.len()));
        receiver.write(piece).await.unwrap();
    }
}

fn same(got: Received, bytes: &Bytes) {
    assert_eq!(got.size, bytes.len() as u64);
    assert_eq!(got.sha256.0, <[u8; 32]>::from(Sha256Hasher::digest(bytes)));
    assert_eq!(got.md5.0, <[u8; 16]>::from(Md5Hasher::digest(bytes)));
}

#[tokio::test]
async fn an_upload_goes_on_after_every_pause() {
    for (store, _dir) in stores() {
        // Under, at and over what one batch holds, and over what the kernel is asked to write out.
        for (cuts, chunk) in [
            (vec![0], 1),
            (vec![0, 1, 1, 70_000], 999),
            (vec![5_000_000, 5_000_001, 12_000_000], 60_000),
            (vec![40 << 20], 1 << 20),
        ] {
            let len = cuts.last().unwrap() + 12_345;
            let bytes = noise(len);
            let (mut progress, mut at) = (None, 0);
            for cut in cuts {
                let mut receiver = store.resume("t", progress.as_ref()).await.unwrap();
                assert_eq!(receiver.size(), at as u64);
                written(&mut receiver, &bytes.slice(at..cut), chunk).await;
                progress = Some(receiver.pause().await.unwrap());
                assert_eq!(progress.as_ref().unwrap().size, cut as u64);
                assert_eq!(store.staged("t").await.unwrap(), None, "nothing shows yet");
                at = cut;
            }
            let mut receiver = store.resume("t", progress.as_ref()).await.unwrap();
            written(&mut receiver, &bytes.slice(at..), chunk).await;
            same(receiver.finish(Some(len as u64)).await.unwrap(), &bytes);
            assert!(all(store.read_staged("t", 0..len as u64).await).await == bytes);
            store.discard("t").await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_came_after_the_last_pause_counts_for_nothing() {
    for (store, _dir) in stores() {
        let bytes = noise(9_000_000);
        let mut receiver = store.resume("t", None).await.unwrap();
        written(&mut receiver, &bytes.slice(..6_000_000), 100_000).await;
        let progress = receiver.pause().await.unwrap();
        for lost in [10, 200_000, 3_000_000] {
            let mut receiver = store.resume("t", Some(&progress)).await.unwrap();
            written(&mut receiver, &Bytes::from(vec![7; lost]), 50_000).await;
            drop(receiver);
        }
        // A process that died wrote on without cutting off.
        let mut receiver = store.resume("t", Some(&progress)).await.unwrap();
        written(&mut receiver, &noise(2_000_000), 50_000).await;
        receiver.pause().await.unwrap();

        let text = serde_json::to_string(&progress).unwrap();
        let progress: Progress = serde_json::from_str(&text).unwrap();
        let mut receiver = store.resume("t", Some(&progress)).await.unwrap();
        written(&mut receiver, &bytes.slice(6_000_000..), 100_000).await;
        same(receiver.finish(None).await.unwrap(), &bytes);
        assert!(all(store.read_staged("t", 0..9_000_000).await).await == bytes);
    }
}

#[tokio::test]
async fn a_finish_that_nobody_noted_can_be_done_again() {
    for (store, _dir) in stores() {
        let bytes = noise(7_000_000);
        let mut receiver = store.resume("t", None).await.unwrap();
        written(&mut receiver, &bytes.slice(..6_500_000), 100_000).await;
        let progress = receiver.pause().await.unwrap();
        for _ in 0..2 {
            let mut receiver = store.resume("t", Some(&progress)).await.unwrap();
            written(&mut receiver, &bytes.slice(6_500_000..), 100_000).await;
            same(receiver.finish(None).await.unwrap(), &bytes);
        }
        assert!(all(store.read_staged("t", 0..7_000_000).await).await == bytes);

        // Once it is in the archive, nobody changes it there by going on. A folder, which has the very same bytes
        // in both places, refuses to; a bucket has a copy.
        let got = put(&store, "u", &noise(10), 10).await;
        let entries = vec![entry(
            "x",
            "t",
            &Received {
                size: 7_000_000,
                ..got
            },
        )];
        let linked = store.commit(commit("a/o", entries)).await;
        if linked.is_ok() {
            let again = store.resume("t", Some(&progress)).await;
            if let Ok(mut receiver) = again {
                assert!(matches!(store, Objects::S3(_)));
                written(&mut receiver, &Bytes::from(vec![7; 500_000]), 100_000).await;
                receiver.finish(None).await.unwrap();
            }
            let at = path("a/o/x");
            assert!(all(store.read(&at, 0..7_000_000).await).await == bytes);
        }
    }
}

#[tokio::test]
async fn a_discarded_upload_is_gone_whatever_its_kind() {
    for (store, _dir) in stores() {
        let mut receiver = store.resume("t", None).await.unwrap();
        written(&mut receiver, &noise(100_000), 10_000).await;
        let progress = receiver.pause().await.unwrap();
        store.discard("t").await.unwrap();
        assert!(store.resume("t", Some(&progress)).await.is_err());

        let plan = PartPlan {
            size: 10,
            part_size: 10,
        };
        let handle = store.begin_parts("p", plan).await.unwrap();
        part(&store, "p", &handle, plan, 1, &noise(10)).await;
        store.discard("p").await.unwrap();
        assert_eq!(
            store.arrived("p", &handle, plan).await.unwrap_or_default(),
            []
        );
        assert!(store.receive_part("p", &handle, plan, 1).await.is_err());
        store.discard("p").await.unwrap();
    }
}

async fn part(
    store: &Objects,
    name: &str,
    handle: &str,
    plan: PartPlan,
    number: u32,
    whole: &Bytes,
) -> (u32, String) {
    let range = plan.range(number);
    let bytes = whole.slice(range.start as usize..range.end as usize);
    let mut receiver = store
        .receive_part(name, handle, plan, number)
        .await
        .unwrap();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        receiver
            .write(rest.split_to(70_001.min(rest.len())))
            .await
            .unwrap();
    }
    let got = receiver.finish().await.unwrap();
    assert_eq!(got.size, bytes.len() as u64);
    assert_eq!(got.sha256.0, <[u8; 32]>::from(Sha256Hasher::digest(&bytes)));
    assert_eq!(got.md5.0, <[u8; 16]>::from(Md5Hasher::digest(&bytes)));
    (number, got.tag)
}

/// 5 MiB is the least that S3 takes for all but the last, and clients cut smaller ones.
#[tokio::test]
async fn parts_come_in_any_order_twice_and_at_once() {
    for part_size in [5 << 20, 700_000] {
        parts_come_in_any_order(part_size).await;
    }
}

async fn parts_come_in_any_order(part_size: u64) {
    for (store, _dir) in stores() {
        let plan = PartPlan {
            size: 3 * part_size + 123_456,
            part_size,
        };
        let bytes = noise(plan.size as usize);
        let other = Bytes::from(vec![7; plan.size as usize]);
        let handle = store.begin_parts("p", plan).await.unwrap();
        assert_eq!(store.arrived("p", &handle, plan).await.unwrap(), []);
        part(&store, "p", &handle, plan, 4, &other).await;
        part(&store, "p", &handle, plan, 2, &other).await;
        let mut tags = futures::future::join_all(
            [4, 1, 3].map(|n| part(&store, "p", &handle, plan, n, &bytes)),
        )
        .await;
        let stale = store.arrived("p", &handle, plan).await.unwrap();
        assert_eq!(stale.len(), 4);
        assert_eq!((stale[3].0, stale[3].1), (4, 123_456));
        tags.push(part(&store, "p", &handle, plan, 2, &bytes).await);
        tags.sort();

        // A folder has only the last of each number. Some buckets have all, and take the one that is named.
        let mut wrong = tags.clone();
        wrong[1].1.clone_from(&stale[1].2);
        if matches!(store, Objects::Folder(_)) {
            assert!(
                store
                    .complete_parts("p", &handle, plan, &wrong)
                    .await
                    .is_err(),
                "part 2 is not what it was"
            );
        }
        wrong[1].1 = "0".repeat(32);
        assert!(
            store
                .complete_parts("p", &handle, plan, &wrong)
                .await
                .is_err(),
            "there never was such a part"
        );
        assert!(
            store
                .complete_parts("p", &handle, plan, &tags[..3])
                .await
                .is_err(),
            "one is missing"
        );
        assert_eq!(store.staged("p").await.unwrap(), None);
        for _ in 0..2 {
            let got = store
                .complete_parts("p", &handle, plan, &tags)
                .await
                .unwrap();
            same(got, &bytes);
        }
        assert!(all(store.read_staged("p", 0..plan.size).await).await == bytes);
    }
}

#[tokio::test]
async fn a_part_has_its_length_and_its_number() {
    for (store, _dir) in stores() {
        let plan = PartPlan {
            size: 25,
            part_size: 10,
        };
        let handle = store.begin_parts("p", plan).await.unwrap();
        for number in [0, 4, u32::MAX] {
            assert!(matches!(
                store.receive_part("p", &handle, plan, number).await,
                Err(Error::BadRequest(p)) if p.code == "part-number"
            ));
        }
        let refused = |result: Result<()>| {
            assert!(matches!(result, Err(Error::BadRequest(p)) if p.code == "part-length"));
        };
        let mut long = store.receive_part("p", &handle, plan, 3).await.unwrap();
        long.write(noise(5)).await.unwrap();
        refused(long.write(noise(1)).await);
        drop(long);
        let mut short = store.receive_part("p", &handle, plan, 1).await.unwrap();
        short.write(noise(9)).await.unwrap();
        refused(short.finish().await.map(|_| ()));
        assert_eq!(store.arrived("p", &handle, plan).await.unwrap(), []);
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the file system stamps files with the real time"
)]
async fn the_sweep_leaves_what_goes_on_and_is_claimed() {
    for (store, _dir) in stores() {
        let mut progress = Vec::new();
        for name in ["kept", "lost"] {
            let mut receiver = store.resume(name, None).await.unwrap();
            receiver.write(noise(10)).await.unwrap();
            progress.push(receiver.pause().await.unwrap());
        }
        let plan = PartPlan {
            size: 10,
            part_size: 10,
        };
        let handle = store.begin_parts("kept-parts", plan).await.unwrap();
        let lost = store.begin_parts("lost-parts", plan).await.unwrap();
        let after = SystemTime::now() + Duration::from_secs(5);
        let keep = |name: &str| name.starts_with("kept");
        store.sweep(after, &keep).await.unwrap();
        assert!(store.resume("kept", Some(&progress[0])).await.is_ok());
        assert!(store.resume("lost", Some(&progress[1])).await.is_err());
        assert!(
            store
                .receive_part("kept-parts", &handle, plan, 1)
                .await
                .is_ok()
        );
        assert!(
            store
                .receive_part("lost-parts", &lost, plan, 1)
                .await
                .is_err()
        );
    }
}

/// Only the folder can tell that somebody else is writing; elsewhere the caller's lease says so.
#[tokio::test]
async fn a_second_writer_on_a_folder_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Objects::folder(dir.path()).unwrap();
    let busy = |refused: bool| assert!(refused, "somebody writes");
    let mut first = store.resume("t", None).await.unwrap();
    first.write(noise(3_000_000)).await.unwrap();
    busy(
        matches!(store.resume("t", None).await, Err(Error::Conflict(p)) if p.code == "upload-busy"),
    );
    let progress = first.pause().await.unwrap();
    let second = store.resume("t", Some(&progress)).await.unwrap();
    assert_eq!(second.size(), 3_000_000);

    let plan = PartPlan {
        size: 20,
        part_size: 10,
    };
    let handle = store.begin_parts("p", plan).await.unwrap();
    let first = store.receive_part("p", &handle, plan, 1).await.unwrap();
    busy(store.receive_part("p", &handle, plan, 1).await.is_err());
    part(&store, "p", &handle, plan, 2, &noise(20)).await;
    drop(first);
    let tag = part(&store, "p", &handle, plan, 1, &noise(20)).await;
    let arrived = store.arrived("p", &handle, plan).await.unwrap();
    let late = store.receive_part("p", &handle, plan, 2).await.unwrap();
    let tags = vec![tag, (2, arrived[1].2.clone())];
    let joining = store.complete_parts("p", &handle, plan, &tags).await;
    busy(joining.is_err());
    drop(late);
}

/// What is written beyond the last pause, and the room of a part that broke off, is given back: a full disk
/// must not stay full.
#[tokio::test]
async fn a_folder_gives_back_what_broke_off() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let store = Objects::folder(dir.path()).unwrap();
    let mut receiver = store.resume("t", None).await.unwrap();
    receiver.write(noise(1_000_000)).await.unwrap();
    let progress = receiver.pause().await.unwrap();
    let mut receiver = store.resume("t", Some(&progress)).await.unwrap();
    receiver.write(noise(8_000_000)).await.unwrap();
    drop(receiver);
    // Waits for the threads of the one before.
    drop(store.resume("t", Some(&progress)).await.unwrap());
    let going = std::fs::metadata(dir.path().join("staging/.t.going")).unwrap();
    assert_eq!(going.len(), 1_000_000);

    let plan = PartPlan {
        size: 1 << 40,
        part_size: 16 << 20,
    };
    let handle = store.begin_parts("p", plan).await.unwrap();
    let mut part = store
        .receive_part("p", &handle, plan, 60_000)
        .await
        .unwrap();
    part.write(noise(8 << 20)).await.unwrap();
    drop(part);
    drop(
        store
            .receive_part("p", &handle, plan, 60_000)
            .await
            .unwrap(),
    );
    let bytes = std::fs::metadata(dir.path().join("staging/.p.parts/bytes")).unwrap();
    assert!(bytes.blocks() * 512 < 1 << 20, "{} blocks", bytes.blocks());
}

/// Nothing is durable on a disk that is full, and what was durable stays so.
#[tokio::test]
async fn a_progress_that_the_store_has_not_got_is_refused() {
    for (store, _dir) in stores() {
        let mut receiver = store.resume("t", None).await.unwrap();
        receiver.write(noise(100)).await.unwrap();
        let mut progress = receiver.pause().await.unwrap();
        progress.size = 101;
        assert!(store.resume("t", Some(&progress)).await.is_err());
        progress.size = 100;
        progress.state = "nonsense".to_owned();
        assert!(store.resume("t", Some(&progress)).await.is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_cuts_and_any_interruptions_give_the_same_bytes(
        pieces in prop::collection::vec((0usize..300_000, prop::bool::ANY, 0usize..200_000), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (store, _dir) in stores() {
                let bytes = noise(pieces.iter().map(|(len, _, _)| len).sum());
                let (mut progress, mut at): (Option<Progress>, usize) = (None, 0);
                for (len, broken, surplus) in &pieces {
                    if *broken {
                        let mut lost = store.resume("t", progress.as_ref()).await.unwrap();
                        lost.write(noise(*surplus)).await.unwrap();
                    }
                    let mut receiver = store.resume("t", progress.as_ref()).await.unwrap();
                    receiver.write(bytes.slice(at..at + len)).await.unwrap();
                    progress = Some(receiver.pause().await.unwrap());
                    at += len;
                }
                let receiver = store.resume("t", progress.as_ref()).await.unwrap();
                same(receiver.finish(None).await.unwrap(), &bytes);
            }
        });
    }
}
