//! Killed between any two steps, then started again: the old head or the new one, and a sound object.

use super::*;

/// Copies a story's home to where the validator looks at all of them at once.
async fn checked(home: &Home, object: &ObjectId, head: u32, when: &str) {
    assert_eq!(home.archive.head(object).await.unwrap(), head, "{when}");
    let (objects, strays) = home.walked().await;
    assert_eq!(
        (objects.len(), strays),
        (usize::from(head > 0), 0),
        "{when}"
    );
    if head > 0 {
        home.sound(object).await;
    }
}

/// Files of version `n`; the second shares one with the first.
async fn files(home: &Home, n: u32) -> Vec<NewFile> {
    vec![
        text("record.json", &format!(r#"{{"n":{n}}}"#)),
        home.staged("same", "same").await,
        home.staged("new", &format!("new {n}")).await,
    ]
}

/// A home whose object stands at `head`.
async fn home_at(object: &ObjectId, head: u32) -> Home {
    let home = Home::new().await;
    for n in 0..head {
        let mut writer = home.archive.lock(object).await.unwrap();
        writer
            .write(n, version(files(&home, n + 1).await))
            .await
            .unwrap();
        writer.done().await.unwrap();
    }
    home
}

/// The same folder in a new process.
async fn restarted(home: Home) -> Home {
    let archive = open(home.folder.path()).await;
    Home {
        archive,
        folder: home.folder,
    }
}

/// Kills a write at a step. `None` when the write has fewer steps.
async fn killed_while_writing(object: &ObjectId, head: u32, step: u64) -> Option<Home> {
    let home = home_at(object, head).await;
    let files = files(&home, head + 1).await;
    let mut writer = home.archive.lock(object).await.unwrap();
    home.store().die_at_step(step);
    let written = writer.write(head, version(files)).await;
    if !home.store().died() {
        written.unwrap();
        return None;
    }
    // The last step comes after everything was done: then the caller died, not the write.
    drop(writer);
    Some(restarted(home).await)
}

#[tokio::test]
async fn a_killed_write_leaves_the_old_head_and_can_be_tried_again() {
    let object = id("k3f9a-2bq71");
    let mut homes = Vec::new();
    for head in 0..3 {
        let mut steps = 0;
        while let Some(home) = killed_while_writing(&object, head, steps + 1).await {
            steps += 1;
            let when = format!("head {head}, step {steps}");
            if head > 0 {
                let old = home.archive.version(&object, head).await.unwrap();
                assert!(
                    old.files.len() >= 3,
                    "{when}: the old version is readable at any moment"
                );
            }
            if steps % 2 == 0 {
                // A start that recovers, and is killed while it does, and recovers again.
                home.store().die_at_step(1);
                let _ = home.archive.recover(async |_| Ok(head)).await;
                let home = restarted(home).await;
                home.archive.recover(async |_| Ok(head)).await.unwrap();
                checked(&home, &object, head, &when).await;
                homes.push(home);
            } else {
                // A try again in the same breath, without a start in between.
                let mut writer = home.archive.lock(&object).await.unwrap();
                let next = version(files(&home, head + 1).await);
                writer.write(head, next).await.unwrap();
                writer.done().await.unwrap();
                checked(&home, &object, head + 1, &when).await;
                homes.push(home);
            }
        }
        assert!(steps >= 5, "the steps are there to be killed at: {steps}");
    }
    let roots: Vec<&Path> = homes.iter().map(|home| home.folder.path()).collect();
    judged_by_others(&roots);
}

#[tokio::test]
async fn written_and_not_said_goes_back_and_said_stays() {
    let object = id("k3f9a-2bq71");
    for head in 0..2 {
        for committed in [false, true] {
            let home = home_at(&object, head).await;
            let files = files(&home, head + 1).await;
            let mut writer = home.archive.lock(&object).await.unwrap();
            writer.write(head, version(files)).await.unwrap();
            // The process dies here, before or after the database's transaction.
            drop(writer);
            let home = restarted(home).await;
            let published = head + u32::from(committed);
            assert_eq!(
                home.archive.recover(async |_| Ok(published)).await.unwrap(),
                1
            );
            checked(&home, &object, published, "after the write").await;
            assert_eq!(home.archive.recover(async |_| Ok(9)).await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn staged_files_survive_until_the_transaction() {
    let object = id("k3f9a-2bq71");
    let home = home_at(&object, 1).await;
    let files = files(&home, 2).await;
    let mut writer = home.archive.lock(&object).await.unwrap();
    writer.write(1, version(files)).await.unwrap();
    writer.rollback(1).await.unwrap();
    assert_eq!(home.archive.objects().staged("new").await.unwrap(), Some(5));
    let next = version(self::files(&home, 2).await);
    writer.write(1, next).await.unwrap();
    home.sound(&object).await;
}
