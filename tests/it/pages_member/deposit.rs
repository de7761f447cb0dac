//! Depositing by forms: a whole deposit in both languages, corrections, versions, files, and two who write the
//! same draft.

use kho::text::{Locale, say};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{begin, member, part, publish_one, read};
use crate::{
    app::each,
    browser::{Browser, Page},
};

#[test]
fn a_whole_deposit_by_forms_in_vietnamese_and_in_english() {
    each(async |app| {
        for lang in ["vi", "en"] {
            let locale = Locale::from_code(lang).unwrap();
            let browser = member(app, &format!("lan-{lang}"), lang).await;
            let draft = begin(&browser, lang, "Độ mặn sông Hàm Luông").await;
            let id = draft.rsplit('/').next().unwrap().to_owned();

            let page = browser.get(&format!("{draft}/files")).await.expect(200);
            let files: [(&str, &[u8]); 2] = [
                ("trạm.csv", b"ngay,man\n2026-01-01,4.2\n"),
                ("đọc.txt", b"x"),
            ];
            let page = browser
                .send_files(&page.form("/files"), &files)
                .await
                .expect(200);
            page.says("trạm.csv").says("đọc.txt").says("SHA-256");
            let page = browser
                .send(&page.form_with("đọc.txt").press("remove", "đọc.txt"))
                .await
                .expect(200);
            assert!(!page.text().contains("đọc.txt"));

            // Something is missing and something is wrong: both are told at their controls, nothing is lost.
            let form = browser
                .get(&format!("{draft}/describe"))
                .await
                .expect(200)
                .form("/describe");
            let form = form
                .set("title.vi", "Độ mặn sông Hàm Luông 2026")
                .set("title.en", "Salinity of the Hàm Luông")
                .set(
                    "description.vi",
                    "Đo bằng máy < 4 g/L.\r\n\r\nĐoạn hai & hết.",
                )
                .set("publication_date", "mùa khô")
                .set("creators.0.identifier", "0000-0002-1825-0098")
                .set("creators.0.affiliation", "Trạm Bến Tre; Trường X")
                .set("keywords", "độ mặn\r\nsalinity\r\n")
                .press("do", "continue");
            let page = browser.send(&form).await.expect(422);
            page.says(&say(locale, "problem-orcid-check-digit", &[]));
            page.says("mùa khô");
            assert_eq!(
                page.value("creators.0.identifier").as_deref(),
                Some("0000-0002-1825-0098")
            );
            assert_eq!(page.value("publication_date").as_deref(), Some("mùa khô"));
            assert_eq!(
                page.value("description.vi").as_deref(),
                Some("Đo bằng máy < 4 g/L.\r\n\r\nĐoạn hai & hết.")
            );
            for wrong in [
                "creators.0.family_name",
                "creators.0.identifier",
                "publication_date",
            ] {
                assert!(
                    page.html.contains(&format!("<a href=\"#{wrong}\">")),
                    "{wrong} is not linked"
                );
            }

            // Rows come and go without a script.
            let form = page
                .form("/describe")
                .set("publication_date", "2026-03")
                .set("creators.0.family_name", "Trần")
                .set("creators.0.given_name", "Minh Anh")
                .set("creators.0.identifier", "0000-0002-1825-0097")
                .press("do", "add.creators");
            let page = browser.send(&form).await.expect(200);
            assert!(page.at.ends_with("#creators.1.family_name"), "{}", page.at);
            let form = page
                .form("/describe")
                .only("creators.1.kind", "organizational")
                .set("creators.1.family_name", "Trạm Bến Tre")
                .press("do", "add.related");
            let page = browser.send(&form).await.expect(200);
            let form = page
                .form("/describe")
                .set("related.0.relation", "issupplementto")
                .set("related.0.identifier", "10.1234/bai")
                .press("do", "up.creators.1");
            let page = browser.send(&form).await.expect(200);
            assert_eq!(
                page.value("creators.0.family_name").as_deref(),
                Some("Trạm Bến Tre")
            );
            let form = page.form("/describe").press("do", "down.creators.0");
            let page = browser.send(&form).await.expect(200);
            let form = page
                .form("/describe")
                .set("licence", "cc-by-4.0")
                .only("languages", "vie")
                .press("do", "continue");
            let page = browser.send(&form).await.expect(200);
            assert_eq!(page.at, format!("{draft}/access"));

            // An embargo without a day is no embargo.
            let form = page
                .form("/access")
                .only("access", "embargoed")
                .press("do", "continue");
            let page = browser.send(&form).await.expect(422);
            page.says(&say(locale, "problem-embargo-without-end", &[]));
            let form = page
                .form("/access")
                .only("access", "open")
                .press("do", "continue");
            let page = browser.send(&form).await.expect(200);
            assert_eq!(page.at, format!("{draft}/publish"));
            for answer in [
                "Trạm Bến Tre",
                "2026",
                "salinity",
                "10.1234/bai",
                "Đoạn hai & hết.",
            ] {
                page.says(answer);
            }
            let page = browser.send(&page.form("/publish")).await.expect(422);
            page.says(&say(locale, "publish-confirm-missing", &[]));
            let form = page.form("/publish").choose("confirm", "yes");
            let published = browser.send(&form).await;
            assert_eq!(published.at, format!("/{lang}/records/{id}"));
            // Pressed twice, by impatience: the same place.
            assert_eq!(
                browser.send(&form).await.at,
                format!("/{lang}/records/{id}")
            );

            let record = read(&browser, &format!("/api/records/{id}")).await;
            let m = &record["metadata"];
            assert_eq!(m["title"], "Độ mặn sông Hàm Luông 2026");
            assert_eq!(
                m["additional_titles"][0]["title"],
                "Salinity of the Hàm Luông"
            );
            assert_eq!(
                m["description"],
                "<p>Đo bằng máy &lt; 4 g/L.</p><p>Đoạn hai &amp; hết.</p>"
            );
            assert_eq!(
                m["creators"][0]["person_or_org"]["identifiers"][0]["identifier"],
                "0000-0002-1825-0097"
            );
            assert_eq!(
                m["creators"][0]["affiliations"].as_array().unwrap().len(),
                2
            );
            assert_eq!(m["creators"][1]["person_or_org"]["name"], "Trạm Bến Tre");
            assert_eq!(m["related_identifiers"][0]["scheme"], "doi");
            assert_eq!(m["rights"][0]["id"], "cc-by-4.0");
            assert_eq!(record["files"]["count"], 1);
            assert_eq!(record["access"]["status"], "open");

            let mine = browser
                .get(&format!("/{lang}/me/records?show=published"))
                .await
                .expect(200);
            mine.says(if lang == "vi" {
                "Độ mặn sông"
            } else {
                "Salinity of"
            });
        }
    });
}

#[test]
fn a_published_record_is_corrected_and_gets_a_next_version_by_forms() {
    each(async |app| {
        let browser = member(app, "lan", "vi").await;
        let id = publish_one(&browser, "vi").await;

        let mine = browser
            .get("/vi/me/records?show=published")
            .await
            .expect(200);
        let edit = browser
            .send(&mine.form(&format!("/records/{id}/edit")))
            .await
            .expect(200);
        assert_eq!(edit.at, format!("/vi/uploads/{id}"));
        let page = browser
            .get(&format!("/vi/uploads/{id}/files"))
            .await
            .expect(200);
        page.says(&say(Locale::Vi, "files-frozen", &[]));
        assert!(
            page.forms()
                .iter()
                .all(|f| f.buttons.iter().all(|(n, _)| n != "remove"))
        );
        let form = browser
            .get(&format!("/vi/uploads/{id}/describe"))
            .await
            .form("/describe");
        let form = form.set("title.vi", "Tiêu đề đã sửa").press("do", "save");
        browser.send(&form).await.expect(200).says("Đã lưu");
        let form = browser
            .get(&format!("/vi/uploads/{id}/publish"))
            .await
            .form("/publish");
        let page = browser.send(&form.choose("confirm", "yes")).await;
        assert_eq!(page.at, format!("/vi/records/{id}"));
        let record = read(&browser, &format!("/api/records/{id}")).await;
        assert_eq!(record["metadata"]["title"], "Tiêu đề đã sửa");

        let mine = browser.get("/vi/me/records?show=published").await;
        let next = browser
            .send(&mine.form(&format!("/records/{id}/versions")))
            .await
            .expect(200);
        let second = next.at.rsplit('/').next().unwrap().to_owned();
        assert_ne!(second, id);
        let page = browser.get(&format!("{}/files", next.at)).await;
        let import = page.form_with("import");
        browser
            .send(&import.press("do", "import"))
            .await
            .expect(200)
            .says("a.csv");
        let form = browser
            .get(&format!("{}/describe", next.at))
            .await
            .form("/describe");
        let form = form
            .set("publication_date", "2026-11-30")
            .set("version", "2")
            .press("do", "continue");
        browser.send(&form).await.expect(200);
        let form = browser
            .get(&format!("{}/publish", next.at))
            .await
            .form("/publish");
        let page = browser.send(&form.choose("confirm", "yes")).await;
        assert_eq!(page.at, format!("/vi/records/{second}"));
        let record = read(&browser, &format!("/api/records/{second}")).await;
        assert_eq!(
            (&record["versions"]["index"], &record["files"]["count"]),
            (&json!(2), &json!(1))
        );
    });
}

#[test]
fn the_draft_of_somebody_else_is_not_there() {
    each(async |app| {
        let lan = member(app, "lan", "vi").await;
        let draft = begin(&lan, "vi", "Bí mật").await;
        let minh = member(app, "minh", "vi").await;
        let theirs = begin(&minh, "vi", "Của Minh").await;
        let nothing = begin(&minh, "vi", "Bỏ đi").await;
        let discard = minh.get(&nothing).await.form("/discard");
        minh.send(&discard)
            .await
            .expect(200)
            .says(&say(Locale::Vi, "notice-discarded", &[]));
        let token = minh.get(&theirs).await.form("/discard").fields[0].1.clone();
        for page in ["", "/files", "/describe", "/access", "/publish"] {
            let secret = minh.get(&format!("{draft}{page}")).await.expect(404);
            assert!(!secret.html.contains("Bí mật"));
            // As one that never was, or is no more.
            minh.get(&format!("{nothing}{page}")).await.expect(404);
            let nobody = Browser::new(&app.url).get(&format!("{draft}{page}")).await;
            assert!(nobody.at.contains("/login?next="), "{}", nobody.at);
        }
        for page in [
            "/files",
            "/describe",
            "/access",
            "/publish",
            "/doi",
            "/doi/release",
            "/discard",
        ] {
            let fields = [
                ("csrf_token", token.as_str()),
                ("revision", "1"),
                ("do", "disable"),
                ("confirm", "yes"),
            ];
            let sent = minh
                .request(Method::POST, &format!("{draft}{page}"))
                .form(&fields)
                .send()
                .await
                .unwrap();
            assert_eq!(sent.status(), StatusCode::NOT_FOUND, "{page}");
        }
        let parts = reqwest::multipart::Form::new()
            .text("csrf_token", token)
            .part("file", part("a.txt"));
        let sent = minh
            .request(Method::POST, &format!("{draft}/files"))
            .multipart(parts)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), StatusCode::NOT_FOUND);
        lan.get(&draft).await.expect(200).says("Bí mật");
        assert!(!minh.get("/vi/me/records").await.text().contains("Bí mật"));
    });
}

#[test]
fn whoever_is_overtaken_sees_both_and_decides() {
    each(async |app| {
        let browser = member(app, "lan", "vi").await;
        let draft = begin(&browser, "vi", "Một").await;
        let stale = browser
            .get(&format!("{draft}/describe"))
            .await
            .form("/describe");
        let first = stale
            .clone()
            .set("title.vi", "Của người kia")
            .press("do", "save");
        browser.send(&first).await.expect(200);
        let second = stale
            .set("title.vi", "Của tôi")
            .set("version", "7")
            .press("do", "continue");
        let page = browser.send(&second).await.expect(409);
        page.says(&say(Locale::Vi, "conflict-lead", &[]))
            .says("Của người kia");
        assert_eq!(page.value("title.vi").as_deref(), Some("Của tôi"));
        assert_eq!(page.value("version").as_deref(), Some("7"));
        assert!(
            browser.get(&draft).await.text().contains("Của người kia"),
            "nothing is saved yet"
        );
        browser
            .send(&page.form("/describe").press("do", "save"))
            .await
            .expect(200);
        let saved = browser.get(&format!("{draft}/describe")).await;
        assert_eq!(saved.value("title.vi").as_deref(), Some("Của tôi"));

        let stale = browser
            .get(&format!("{draft}/access"))
            .await
            .form("/access");
        browser
            .send(
                &saved
                    .form("/describe")
                    .set("version", "8")
                    .press("do", "save"),
            )
            .await
            .expect(200);
        let page = browser
            .send(&stale.only("access", "restricted").press("do", "save"))
            .await
            .expect(409);
        browser
            .send(&page.form("/access").press("do", "save"))
            .await
            .expect(200);
        let saved = browser.get(&format!("{draft}/describe")).await;
        assert_eq!(
            saved.value("version").as_deref(),
            Some("8"),
            "the other page's answers stay"
        );
    });
}

#[test]
fn files_without_a_script() {
    each(async |app| {
        let browser = member(app, "lan", "en").await;
        let draft = begin(&browser, "en", "Rain").await;
        let here = format!("{draft}/files");
        let form = |page: &Page| page.form("/files");
        let page = browser.get(&here).await.expect(200);
        let page = browser.send_files(&form(&page), &[]).await.expect(422);
        page.says(&say(Locale::En, "upload-none", &[]));
        // One is taken, one is refused, and both are told.
        let big = vec![7_u8; 3_000_000];
        let page = browser
            .send_files(
                &form(&page),
                &[("big.bin", &big), ("../x", b"x"), ("rain.csv", b"1")],
            )
            .await
            .expect(422);
        page.says("../x: ")
            .says("big.bin")
            .says("3.0 MB")
            .says("rain.csv");
        let page = browser
            .send_files(&form(&page), &[("rain.csv", b"2")])
            .await
            .expect(422);
        page.says("rain.csv: ");
        // Without files after all.
        for name in ["big.bin", "rain.csv"] {
            let page = browser.get(&here).await;
            let rows = page.form_with(name);
            browser.send(&rows.press("remove", name)).await.expect(200);
        }
        let page = browser.get(&here).await;
        let off = page.form_with("disable");
        let page = browser.send(&off.press("do", "disable")).await.expect(200);
        page.says(&say(Locale::En, "files-on-help", &[]));
        let on = page.form_with("enable");
        browser
            .send(&on.press("do", "enable"))
            .await
            .expect(200)
            .says(&say(Locale::En, "upload-choose", &[]));
        app.work().await;
    });
}

#[test]
fn a_reserved_doi_is_shown_kept_and_let_go() {
    each(async |app| {
        let browser = member(app, "lan", "vi").await;
        let draft = begin(&browser, "vi", "Gió").await;
        let id = draft.rsplit('/').next().unwrap();
        let doi = format!("10.5072/{id}");
        let page = browser.get(&draft).await.expect(200);
        let page = browser.send(&page.form("/doi")).await.expect(200);
        page.says(&doi);
        let form = browser
            .get(&format!("{draft}/describe"))
            .await
            .form("/describe");
        browser
            .send(&form.set("version", "1").press("do", "save"))
            .await
            .expect(200);
        let page = browser.get(&draft).await;
        page.says(&doi);
        let page = browser.send(&page.form("/doi/release")).await.expect(200);
        assert!(!page.text().contains(&doi));
    });
}
