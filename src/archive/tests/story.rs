//! A record's life: published, corrected, looked at, checked.

use super::*;

#[tokio::test]
async fn three_versions_store_what_did_not_change_once() {
    let home = Home::new().await;
    let object = id("k3f9a-2bq71");
    let mut writer = home.archive.lock(&object).await.unwrap();
    assert_eq!(home.archive.head(&object).await.unwrap(), 0);

    let files = vec![
        text("record.json", r#"{"title":"Chim cánh cụt"}"#),
        home.staged("penguins.csv", "species,island\n").await,
        home.staged("notes.txt", "ghi chú\n").await,
    ];
    let v1 = writer.write(0, version(files)).await.unwrap();
    home.archive
        .objects()
        .discard("penguins-csv")
        .await
        .unwrap();
    let penguins = "files/penguins.csv".parse::<LogicalPath>().unwrap();
    assert_eq!(v1.version, 1);
    assert!(
        v1.content[&penguins]
            .as_str()
            .ends_with("/v1/content/files/penguins.csv")
    );
    home.sound(&object).await;

    let mut unchanged = home.staged("notes.txt", "ghi chú\n").await;
    unchanged.source = Source::Existing;
    unchanged.logical = "files/renamed.txt".parse().unwrap();
    let files = vec![
        text("record.json", r#"{"title":"Chim cánh cụt 2"}"#),
        home.staged("penguins.csv", "species,island,year\n").await,
        unchanged,
    ];
    let v2 = writer.write(1, version(files)).await.unwrap();
    let renamed = &v2.content[&"files/renamed.txt".parse().unwrap()];
    assert!(renamed.as_str().ends_with("/v1/content/files/notes.txt"));
    assert!(v2.content[&penguins].as_str().contains("/v2/content/"));
    assert_eq!(bytes(&home.archive, renamed).await, "ghi chú\n".as_bytes());

    let files = vec![text("record.json", r#"{"title":"Chim cánh cụt 2"}"#)];
    writer.write(2, version(files)).await.unwrap();
    writer.done().await.unwrap();
    home.sound(&object).await;
    assert_eq!(home.archive.head(&object).await.unwrap(), 3);

    let first = home.archive.version(&object, 1).await.unwrap();
    assert_eq!(first.files[&penguins].content, v1.content[&penguins]);
    assert_eq!(
        bytes(&home.archive, &v1.content[&penguins]).await,
        b"species,island\n"
    );
    assert_eq!(first.version.created, time());
    let third = home.archive.version(&object, 3).await.unwrap();
    assert_eq!(third.files.len(), 1);
    assert!(home.archive.version(&object, 4).await.is_err());
    assert_eq!(home.walked().await, (vec![object], 0));
    judged_by_others(&[home.folder.path()]);
}

#[tokio::test]
async fn a_published_version_is_never_taken_for_a_leftover() {
    let home = Home::new().await;
    let object = id("aaaaa-aaaaa");
    let mut writer = home.archive.lock(&object).await.unwrap();
    writer
        .write(0, version(vec![text("record.json", "1")]))
        .await
        .unwrap();
    writer.done().await.unwrap();
    let mut writer = home.archive.lock(&object).await.unwrap();
    let again = writer
        .write(0, version(vec![text("record.json", "other")]))
        .await;
    assert!(matches!(again, Err(Error::Conflict(p)) if p.code == "archive-head"));
    assert!(
        writer
            .write(2, version(vec![text("record.json", "3")]))
            .await
            .is_err()
    );
    assert!(writer.rollback(0).await.is_err());
    assert_eq!(home.archive.head(&object).await.unwrap(), 1);

    writer
        .write(1, version(vec![text("record.json", "2")]))
        .await
        .unwrap();
    writer.rollback(1).await.unwrap();
    assert_eq!(home.archive.head(&object).await.unwrap(), 1);
    home.sound(&object).await;
    assert_eq!(
        home.archive
            .recover(async |_| panic!("nothing is open"))
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn names_that_disks_refuse_are_stored_and_come_back() {
    let home = Home::new().await;
    let object = id("bbbbb-bbbbb");
    let long = format!("files/{}/{}", "ệ".repeat(85), "x".repeat(300));
    let names = [
        "record.json",
        "files/Data.csv",
        "files/data.csv",
        "files/CON",
        "files/a:b?.txt",
        "files/e\u{301}.txt",
        "files/é.txt",
        "files/đo đạc (bản cuối).csv",
        "files/trailing. ",
        "files/a\u{7}b",
        &long,
        "files/a\\b",
        "by-digest/x",
        "files/%2e%2e",
        "files/日本語/🦆.txt",
        "files/x\"'`$(id).txt",
    ];
    let files = names.map(|name| text(name, name));
    let mut writer = home.archive.lock(&object).await.unwrap();
    let written = writer.write(0, version(files.into())).await.unwrap();
    for name in names {
        let path = &written.content[&name.parse().unwrap()];
        assert_eq!(bytes(&home.archive, path).await, name.as_bytes());
    }
    let read = home.archive.version(&object, 1).await.unwrap();
    let read: Vec<&str> = read.files.keys().map(LogicalPath::as_str).collect();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(read, expected);
    home.sound(&object).await;
    judged_by_others(&[home.folder.path()]);
}

#[tokio::test]
async fn what_cannot_be_one_version_is_refused() {
    let home = Home::new().await;
    let object = id("ccccc-ccccc");
    let mut writer = home.archive.lock(&object).await.unwrap();
    let mut wrong = text("a", "a");
    wrong.sha256 = text("b", "b").sha256;
    let mut absent = text("a", "a");
    absent.source = Source::Existing;
    let mut lost = text("a", "a");
    lost.source = Source::Staged("nowhere".into());
    for files in [
        vec![],
        vec![text("a", "1"), text("a", "2")],
        vec![text("a", "1"), text("a/b", "2")],
        vec![wrong],
        vec![absent],
        vec![lost],
    ] {
        assert!(writer.write(0, version(files)).await.is_err());
        assert_eq!(home.archive.head(&object).await.unwrap(), 0);
    }
    assert_eq!(home.walked().await, (vec![], 0));
}

#[tokio::test]
async fn damage_is_found_and_named() {
    let home = Home::new().await;
    let object = id("ddddd-ddddd");
    let mut writer = home.archive.lock(&object).await.unwrap();
    let files = vec![
        text("record.json", "{}"),
        home.staged("a.csv", "a,b\n").await,
    ];
    let written = writer.write(0, version(files)).await.unwrap();
    let content = home
        .folder
        .path()
        .join("archive")
        .join(written.content[&"files/a.csv".parse().unwrap()].as_str());
    let root = content.ancestors().nth(4).unwrap().to_owned();
    let codes = async || {
        let findings = home.archive.verify_object(&object).await.unwrap();
        findings.iter().map(|f| f.fault.code).collect::<Vec<_>>()
    };
    assert_eq!(codes().await, Vec::<&str>::new());

    std::fs::write(&content, "a,c\n").unwrap();
    assert_eq!(codes().await, ["E093", "E092"], "one flipped bit");
    std::fs::write(&content, "a,").unwrap();
    assert_eq!(codes().await, ["E093", "E092"], "cut short");
    std::fs::write(&content, "a,b\n").unwrap();
    assert_eq!(codes().await, Vec::<&str>::new());
    std::fs::remove_file(&content).unwrap();
    assert_eq!(codes().await, ["E024", "E092"]);
    std::fs::write(&content, "a,b\n").unwrap();

    std::fs::write(content.with_file_name("stray"), "").unwrap();
    assert_eq!(codes().await, ["E023"]);
    std::fs::remove_file(content.with_file_name("stray")).unwrap();
    std::fs::create_dir(root.join("v2")).unwrap();
    assert_eq!(codes().await, ["E046"]);
    std::fs::remove_dir(root.join("v2")).unwrap();
    let sidecar = root.join("inventory.json.sha256");
    let line = std::fs::read_to_string(&sidecar).unwrap();
    std::fs::write(&sidecar, line.replace(&line[..4], "0000")).unwrap();
    assert_eq!(codes().await, ["E060"]);
    std::fs::remove_file(&sidecar).unwrap();
    assert_eq!(codes().await, ["E058"]);
    std::fs::remove_file(root.join("inventory.json")).unwrap();
    assert_eq!(codes().await, ["E063"]);
}

#[tokio::test]
async fn many_files_make_one_version() {
    let home = Home::new().await;
    let object = id("eeeee-eeeee");
    let mut files = vec![text("record.json", "{}")];
    for i in 0..1000 {
        files.push(text(
            &format!("files/{}/{i}.txt", i % 50),
            &format!("{}", i % 900),
        ));
    }
    let mut writer = home.archive.lock(&object).await.unwrap();
    let written = writer.write(0, version(files)).await.unwrap();
    assert_eq!(written.content.len(), 1001);
    home.sound(&object).await;
    judged_by_others(&[home.folder.path()]);
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_not_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("archive/photos")).unwrap();
    let objects = Objects::folder(folder.path()).unwrap();
    assert!(Archive::open(objects).await.is_err());
}
