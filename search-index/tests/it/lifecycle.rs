//! Open, write, crash, reopen, rebuild, swap.

use std::fs;

use search_index::index::{REBUILD_MEMORY, SERVING_MEMORY};
use search_index::{Error, Index, Rebuild};

use crate::shelf::{Shelf, titled};

#[test]
fn what_was_committed_is_there_after_reopening_and_nothing_else() {
    let shelf = Shelf::with(&[titled("a", "salt")]);
    let mut batch = shelf.index.begin().unwrap();
    assert_eq!(batch.cursor(), 1);
    batch.upsert(&[titled("b", "salt")]).unwrap();
    batch.delete(&["a".to_owned()]);
    drop(batch);
    assert_eq!(shelf.ids("salt"), ["a"]);
    shelf.add(&[titled("c", "salt")], 7);

    let Shelf { folder, index } = shelf;
    drop(index);
    let index = Index::open(folder.path()).unwrap();
    assert_eq!((index.cursor().unwrap(), index.len()), (7, 2));
    let again = Shelf { folder, index };
    let mut found = again.ids("salt");
    found.sort();
    assert_eq!(found, ["a", "c"]);
}

#[test]
fn the_same_id_replaces_and_delete_removes() {
    let shelf = Shelf::with(&[titled("a", "salt")]);
    shelf.add(
        &[titled("a", "sugar"), titled("b", "x"), titled("b", "sugar")],
        2,
    );
    assert_eq!(shelf.search("salt").total, 0);
    assert_eq!(shelf.search("sugar").total, 2);
    let mut batch = shelf.index.begin().unwrap();
    batch.delete(&["a".to_owned(), "unknown".to_owned()]);
    batch.commit(3).unwrap();
    assert_eq!(shelf.ids("sugar"), ["b"]);
}

#[test]
fn one_batch_at_a_time() {
    let shelf = Shelf::with(&[]);
    let batch = shelf.index.begin().unwrap();
    assert!(matches!(shelf.index.begin(), Err(Error::Busy)));
    drop(batch);
    shelf.add(&[titled("a", "salt")], 2);
    shelf.index.rest().unwrap();
    shelf.index.rest().unwrap();
    shelf.add(&[titled("b", "salt")], 3);
    assert_eq!(shelf.search("salt").total, 2);
}

#[test]
fn another_process_sees_commits_after_reload() {
    let shelf = Shelf::with(&[titled("a", "salt")]);
    let reader = Index::open(shelf.folder.path()).unwrap();
    shelf.add(&[titled("b", "salt")], 2);
    assert_eq!(reader.len(), 1);
    assert!(!reader.reload().unwrap());
    assert_eq!((reader.len(), reader.cursor().unwrap()), (2, 2));
}

#[test]
fn a_rebuilt_index_takes_over_from_one_in_service() {
    let shelf = Shelf::with(&[titled("old", "salt")]);
    shelf.add(&[titled("late", "salt")], 9);
    let mut rebuild = Rebuild::begin(shelf.folder.path(), REBUILD_MEMORY).unwrap();
    assert!(matches!(
        Rebuild::begin(shelf.folder.path(), REBUILD_MEMORY),
        Err(Error::Busy)
    ));
    rebuild.upsert(&[titled("new", "salt")]).unwrap();
    // The one in service goes on reading and writing meanwhile.
    shelf.add(&[titled("later", "salt")], 10);
    assert_eq!(shelf.search("salt").total, 3);
    rebuild.finish(5).unwrap();
    assert_eq!(shelf.search("salt").total, 3);

    // The next batch is on the new one and tells how far back to replay.
    let mut batch = shelf.index.begin().unwrap();
    assert_eq!(batch.cursor(), 5);
    batch
        .upsert(&[titled("late", "salt"), titled("later", "salt")])
        .unwrap();
    batch.commit(10).unwrap();
    let mut found = shelf.ids("salt");
    found.sort();
    assert_eq!(found, ["late", "later", "new"]);
    let folders = fs::read_dir(shelf.folder.path()).unwrap().flatten();
    let generations = folders.filter(|e| e.file_name().to_string_lossy().starts_with("gen-"));
    assert_eq!(generations.count(), 1, "the old generation is cleared away");
}

#[test]
fn a_rebuild_that_dies_changes_nothing_and_is_cleared_away() {
    let shelf = Shelf::with(&[titled("a", "salt")]);
    let mut rebuild = Rebuild::begin(shelf.folder.path(), SERVING_MEMORY).unwrap();
    rebuild.upsert(&[titled("b", "salt")]).unwrap();
    drop(rebuild);
    assert!(!shelf.index.reload().unwrap());
    assert_eq!(shelf.ids("salt"), ["a"]);
    Rebuild::begin(shelf.folder.path(), SERVING_MEMORY)
        .unwrap()
        .finish(1)
        .unwrap();
    assert!(shelf.index.reload().unwrap());
    assert_eq!(shelf.search("salt").total, 0);
}

#[test]
fn damage_and_other_versions_ask_for_a_rebuild_and_are_cured_by_it() {
    let stamp = |shelf: &Shelf| generation(shelf).join("stamp.json");
    type Harm = fn(&Shelf, &std::path::Path);
    let harms: [(&str, Harm); 6] = [
        ("other analyzer", |_, stamp| {
            fs::write(stamp, r#"{"schema":1,"analyzer":0}"#).unwrap();
        }),
        ("torn stamp", |_, stamp| fs::write(stamp, "{").unwrap()),
        ("no stamp", |_, stamp| fs::remove_file(stamp).unwrap()),
        ("torn meta", |shelf, _| {
            fs::write(generation(shelf).join("meta.json"), "{").unwrap();
        }),
        ("lost file", |shelf, _| {
            let files = fs::read_dir(generation(shelf)).unwrap().flatten();
            let lost = files
                .map(|e| e.path())
                .find(|p| p.extension().is_some_and(|e| e == "store"));
            fs::remove_file(lost.unwrap()).unwrap();
        }),
        ("torn pointer", |shelf, _| {
            fs::write(shelf.folder.path().join("CURRENT"), "../etc").unwrap();
        }),
    ];
    for (name, harm) in harms {
        let shelf = Shelf::with(&[titled("a", "salt")]);
        harm(&shelf, &stamp(&shelf));
        let Shelf { folder, index } = shelf;
        drop(index);
        let refused = Index::open(folder.path()).unwrap_err();
        assert!(refused.wants_rebuild(), "{name}: {refused}");
        let mut rebuild = Rebuild::begin(folder.path(), SERVING_MEMORY).unwrap();
        rebuild.upsert(&[titled("b", "salt")]).unwrap();
        rebuild.finish(4).unwrap();
        let index = Index::open(folder.path()).unwrap();
        assert_eq!((index.len(), index.cursor().unwrap()), (1, 4), "{name}");
    }
}

#[test]
fn flipped_bytes_are_named() {
    let shelf = Shelf::with(&[titled("a", "salt")]);
    assert!(shelf.index.damaged_files().unwrap().is_empty());
    let files = fs::read_dir(generation(&shelf)).unwrap().flatten();
    let store = files
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "store"))
        .unwrap();
    let mut bytes = fs::read(&store).unwrap();
    bytes[2] ^= 0xFF;
    fs::write(&store, bytes).unwrap();
    assert_eq!(shelf.index.damaged_files().unwrap().len(), 1);
}

#[test]
fn many_threads_search_while_one_writes() {
    let shelf = Shelf::with(&[titled("a", "salt")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let found = shelf.search("salt");
                    assert!(found.total >= 1);
                    assert_eq!(found.hits.len() as u64, found.total.min(10));
                }
            });
        }
        for n in 0..10 {
            shelf.add(&[titled(&format!("n{n}"), "salt")], n + 2);
        }
    });
    assert_eq!(shelf.search("salt").total, 11);
}

fn generation(shelf: &Shelf) -> std::path::PathBuf {
    let name = fs::read_to_string(shelf.folder.path().join("CURRENT")).unwrap();
    shelf.folder.path().join(name)
}
