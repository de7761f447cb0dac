//! How things stand is shown to administrators, counted for Prometheus, and a failed job is tried again by a button.

use kho::{ctx::Role, store::table::work::job};
use reqwest::Method;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::Value;

use super::fixity::verify;
use crate::app::{TestApp, each};

async fn section(app: &TestApp, token: &str, name: &str) -> Value {
    let all = app
        .as_(token)
        .get("/api/admin/storage")
        .await
        .is(200)
        .json();
    let sections = all["sections"].as_array().unwrap().clone();
    let found = sections.into_iter().find(|s| s["name"] == name);
    found.unwrap_or_else(|| panic!("no section {name}"))
}

#[test]
fn administrators_see_how_things_stand() {
    each(async |app| {
        let token = app.account("lan").await;
        let admin = app.account_as("admin", Role::Admin).await;
        let lan = app.as_(&token);
        lan.record("Mực nước").await;
        app.work().await;
        verify(app).await;
        let files = section(app, &admin, "files").await;
        assert_eq!(files["facts"]["versions"], 1);
        assert_eq!(files["facts"]["bytes"], 8);
        // A bucket does not say how much room it has.
        let free = files["facts"]["free"].as_u64();
        assert_eq!(free.is_some_and(|free| free > 0), app.is_folder());
        let fixity = section(app, &admin, "fixity").await;
        assert_eq!(
            (&fixity["level"], &fixity["facts"]["checked"]),
            (&"good".into(), &1.into())
        );
        assert_eq!(section(app, &admin, "index").await["facts"]["lag"], 0);

        // Damage raises an alert, on the page too, until it is mended.
        let files = app.storage.files("archive").await;
        let file = files.into_iter().find(|path| path.ends_with("/a.csv"));
        let file = file.unwrap();
        let whole = app.storage.read(&file).await;
        app.storage.write(&file, "x,y\n1,3\n").await;
        assert_eq!(verify(app).await.len(), 1);
        let fixity = section(app, &admin, "fixity").await;
        assert_eq!(fixity["level"], "alert");
        assert_eq!(fixity["rows"][0]["code"], "finding-content-differs");
        let metrics = app.anyone().get("/metrics").await.is(200);
        let metrics = String::from_utf8(metrics.body).unwrap();
        assert!(
            metrics.contains("\nkho_fixity_findings_open 1\n"),
            "{metrics}"
        );
        assert!(
            metrics.contains("kho_jobs{state=\"failed\"} 0"),
            "{metrics}"
        );
        assert_eq!(metrics.matches("# TYPE kho_jobs gauge").count(), 1);

        // A job that cannot be run: shown with its error, tried again by the button and not without its proof.
        let db = app.env.db.write();
        db.execute_unprepared("update job set state = 'failed', last_error = 'hỏng', attempts = 40 where kind = 'register_doi'")
            .await
            .unwrap();
        let failed = job::Entity::find().all(db).await.unwrap();
        let failed = failed.iter().find(|j| j.state == "failed").unwrap().id;
        let (cookie, csrf) = app.browser("admin").await;
        let page = app.anyone();
        let show = |path: &str| page.request(Method::GET, path).header("cookie", &cookie);
        for (path, alert) in [
            ("/vi/admin/storage", "Báo động"),
            ("/en/admin/storage", "Alert"),
        ] {
            let html = page.send(show(path)).await.is(200);
            let html = String::from_utf8(html.body).unwrap();
            assert!(html.contains(alert) && html.contains("hỏng"), "{html}");
        }
        let retry = format!("/en/admin/storage/jobs/{failed}/retry");
        let press = |proof: &str| {
            page.request(Method::POST, &retry)
                .header("cookie", &cookie)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("csrf_token={proof}"))
        };
        page.send(press("guessed")).await.is(400);
        page.send(press(&csrf)).await.is(303);
        app.work().await;
        let again = job::Entity::find_by_id(failed)
            .one(db)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((again.state.as_str(), again.last_error), ("done", None));
        page.send(press(&csrf)).await.is(404);

        // Nobody else.
        let (cookie, csrf) = app.browser("lan").await;
        let own = page
            .request(Method::GET, "/en/admin/storage")
            .header("cookie", &cookie);
        page.send(own).await.is(403);
        let press = page.request(Method::POST, &retry).header("cookie", &cookie);
        let press = press
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("csrf_token={csrf}"));
        page.send(press).await.is(403);
        page.get_with("/en/admin/storage", "accept", "text/html")
            .await
            .is(303);
        app.storage.write(&file, whole).await;
        verify(app).await;
        assert_eq!(section(app, &admin, "fixity").await["level"], "good");
    });
}

#[test]
fn every_finding_has_its_sentence() {
    for locale in kho::text::Locale::ALL {
        for code in kho::fixity::CODES {
            assert!(kho::text::has(locale, &format!("finding-{code}")), "{code}");
        }
    }
}
