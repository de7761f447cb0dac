//! A backup taken while people publish holds everything that was acknowledged before it began, and is whole.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
};

use futures::StreamExt;
use kho::{
    archive::Pace,
    backup,
    cli::open,
    config::Config,
    ctx::Env,
    deposit, files,
    fixity::{self, Scope},
    store::table::{deposit::draft_file, people::account, record::record},
};
use sea_orm::{EntityTrait, PaginatorTrait};

use crate::app::{TestApp, described, each_store};

async fn elsewhere(app: &TestApp, data: &Path) -> Env {
    let flags = BTreeMap::from([("base_url", app.url.clone())]);
    let config = Config::load(data.to_owned(), None, &flags, |_| None).unwrap();
    open::open(Arc::new(config), app.env.clock.clone())
        .await
        .unwrap()
}

async fn sound(env: &Env) {
    let mut found = Vec::new();
    let pace = Pace::unlimited();
    fixity::run(&env.system(), Scope::All, &pace, |f| found.push(f.clone()))
        .await
        .unwrap();
    assert_eq!(found, []);
}

async fn ids(env: &Env) -> Vec<String> {
    let all = record::Entity::find().all(env.db.read()).await.unwrap();
    let mut ids: Vec<String> = all.into_iter().map(|r| r.id).collect();
    ids.sort();
    ids
}

#[test]
fn a_backup_under_load_comes_back_whole() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let mut acknowledged = Vec::new();
        for n in 0..6 {
            acknowledged.push(lan.record(&format!("Trước {n}")).await);
        }
        let big = lan.draft(described("Lớn")).await;
        lan.upload(&big, "lớn/số liệu.bin", vec![3; 300_000]).await;
        lan.publish(&big).await;
        acknowledged.push(big);
        let draft = lan.draft(described("Nháp")).await;
        lan.upload(&draft, "nháp.csv", "còn dở\n").await;

        // People publish, and publish drafts whose uploads the backup is about to copy, as long as it runs.
        let waiting = futures::stream::iter(0..12)
            .then(|n| {
                let lan = &lan;
                async move {
                    let id = lan.draft(described(&format!("Trong lúc {n}"))).await;
                    lan.upload(&id, "a.csv", format!("{n}\n")).await;
                    id
                }
            })
            .collect::<Vec<_>>()
            .await;
        let folder = tempfile::TempDir::new().unwrap();
        let running = AtomicBool::new(true);
        let publishing = async {
            for id in &waiting {
                lan.publish(id).await;
                app.work().await;
            }
            while running.load(Ordering::SeqCst) {
                lan.record("Thêm nữa").await;
            }
        };
        let taking = async {
            let taken = backup::take(&app.env, folder.path()).await.unwrap();
            running.store(false, Ordering::SeqCst);
            taken
        };
        let ((name, about), ()) = futures::join!(taking, publishing);
        assert_eq!(about.problems, []);
        assert!(about.counts.objects >= 7, "{about:?}");
        app.work().await;

        let data = tempfile::TempDir::new().unwrap();
        let env = elsewhere(app, data.path()).await;
        let done = backup::restore(&env, folder.path(), None).await.unwrap();
        assert_eq!((done.backup, done.objects), (name, about.counts.objects));
        sound(&env).await;
        let restored = ids(&env).await;
        for id in &acknowledged {
            assert!(restored.contains(id), "{id} is lost");
        }
        assert_eq!(env.index.len(), restored.len() as u64);
        let ctx = env.system();
        let key = "nháp.csv".parse().unwrap();
        let id = draft.parse().unwrap();
        let read = deposit::read(&ctx, &id).await.unwrap();
        assert_eq!(read.files.len(), 1);
        let upload = draft_file::Entity::find_by_id((draft.clone(), "nháp.csv".to_owned()));
        let staged = upload
            .one(env.db.read())
            .await
            .unwrap()
            .unwrap()
            .staged
            .unwrap();
        assert_eq!(
            fs::read(data.path().join("staging").join(staged)).unwrap(),
            "còn dở\n".as_bytes()
        );
        // The draft can be gone on with, and the numbers of rows go on where they were.
        files::remove(&ctx, &id, &key).await.unwrap();
        let accounts = account::Entity::find().count(env.db.read()).await.unwrap();
        assert_eq!(accounts, 1);
        assert!(
            backup::restore(&env, folder.path(), None).await.is_err(),
            "not over what is there"
        );
    });
}

#[test]
fn a_second_backup_copies_what_is_new_and_keeps_the_first() {
    each_store(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let first = lan.record("Một").await;
        app.work().await;
        let folder = tempfile::TempDir::new().unwrap();
        let (one, about) = backup::take(&app.env, folder.path()).await.unwrap();
        let copied = about.counts.copied_files;
        assert!(copied >= 4, "{about:?}");
        let (_, about) = backup::take(&app.env, folder.path()).await.unwrap();
        assert_eq!((about.counts.copied_files, about.counts.files), (0, copied));
        app.pass(1_000_000);
        lan.record("Hai").await;
        app.work().await;
        let (_, about) = backup::take(&app.env, folder.path()).await.unwrap();
        assert_eq!(about.counts.copied_files, copied);

        let data = tempfile::TempDir::new().unwrap();
        let env = elsewhere(app, data.path()).await;
        let done = backup::restore(&env, folder.path(), Some(&one))
            .await
            .unwrap();
        assert_eq!(done.objects, 1);
        assert_eq!(ids(&env).await, [first]);
        sound(&env).await;

        // A byte of the backup changes: it is noticed before anything of the database is there; mended, it
        // goes on.
        let mut content = Vec::new();
        let mut folders = vec![folder.path().join("archive")];
        while let Some(at) = folders.pop() {
            for entry in fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.ends_with("a.csv") {
                    content.push(path);
                }
            }
        }
        assert_eq!(content.len(), 2);
        let whole = fs::read(&content[0]).unwrap();
        fs::write(&content[0], "x,z\n1,2\n").unwrap();
        let data = tempfile::TempDir::new().unwrap();
        let env = elsewhere(app, data.path()).await;
        let told = backup::restore(&env, folder.path(), None)
            .await
            .unwrap_err();
        assert!(told.to_string().contains("a.csv"), "{told}");
        assert_eq!(
            account::Entity::find().count(env.db.read()).await.unwrap(),
            0
        );
        fs::write(&content[0], whole).unwrap();
        let done = backup::restore(&env, folder.path(), None).await.unwrap();
        assert_eq!(done.objects + done.there_already, 2);
        sound(&env).await;
    });
}
