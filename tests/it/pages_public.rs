//! The pages that everybody may see, asked for as a browser without scripts, a program and a robot would.

use kho::ctx::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, Client, DAY, TestApp, described, each, sha256};

const HOSTILE: &str = "</title><script>alert(1)</script> \"q\" 'a' & {{ chrome.csrf }}";

/// What a browser says that prefers Vietnamese.
async fn browse(who: &Client<'_>, path: &str) -> Answer {
    let request = who
        .request(Method::GET, path)
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("accept-language", "vi,en;q=0.5");
    who.send(request).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

/// A page with all that a page must have; gives its HTML.
#[track_caller]
fn page(answer: Answer, status: u16, lang: &str) -> String {
    let answer = answer.is(status);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("content-language"), lang);
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("form-action 'self'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let html = text(&answer);
    assert!(html.contains(&format!("<html lang=\"{lang}\"")), "{html}");
    // Nothing runs but our own file.
    for script in html.split("<script").skip(1) {
        let head = script.split('>').next().unwrap();
        assert!(
            head.contains(" src=\"/assets/") || head.contains("application/ld+json"),
            "{head}"
        );
    }
    html
}

fn bilingual(title: &str, other: &str) -> Value {
    let mut metadata = described(title);
    metadata["languages"] = json!([{"id": "vie"}]);
    metadata["additional_titles"] =
        json!([{"title": other, "type": {"id": "translated-title"}, "lang": {"id": "eng"}}]);
    metadata["description"] = json!("<p>Đo độ mặn hằng giờ tại mười trạm.</p>");
    metadata["rights"] = json!([{"id": "cc-by-4.0"}]);
    metadata["subjects"] = json!([{"subject": "độ mặn"}]);
    metadata
}

#[test]
fn a_record_is_found_read_and_downloaded_in_both_languages() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let meta = bilingual("Độ mặn sông Hậu", "Salinity of the Hau river");
        let id = lan.record_with(json!({ "metadata": meta })).await;
        app.work().await;
        let anyone = app.anyone();

        for (lang, title) in [
            ("vi", "Độ mặn sông Hậu"),
            ("en", "Salinity of the Hau river"),
        ] {
            let home = page(anyone.get(&format!("/{lang}")).await, 200, lang);
            assert!(home.contains(title), "the newest are on the first page");
            let path = format!("/{lang}/search?q=do+man");
            let found = page(anyone.get(&path).await, 200, lang);
            assert!(found.contains(&format!("/{lang}/records/{id}")), "{found}");
            assert!(found.contains("<mark>"), "what was looked for is marked");
            let landing = page(
                anyone.get(&format!("/{lang}/records/{id}")).await,
                200,
                lang,
            );
            assert!(landing.contains(&format!("{title}</h1>")), "{landing}");
            for other in ["vi", "en"] {
                let twin = format!(
                    "hreflang=\"{other}\" href=\"{}/{other}/records/{id}\"",
                    app.url
                );
                assert!(landing.contains(&twin), "{twin}");
            }
            page(anyone.get(&format!("/{lang}/about")).await, 200, lang);
        }

        // Without a language in the address the browser's is taken, and Vietnamese without any.
        let asked = anyone
            .get_with(&format!("/records/{id}"), "accept-language", "en")
            .await;
        assert!(asked.header("vary").contains("Accept-Language"));
        page(asked, 200, "en");
        let answer = anyone.get(&format!("/records/{id}")).await;
        let links = answer.header("link").to_owned();
        assert!(links.contains("rel=\"cite-as\""), "{links}");
        assert!(links.contains("rel=\"describedby\""), "{links}");
        assert!(links.contains("rel=\"item\""), "{links}");
        let etag = answer.header("etag").to_owned();
        assert!(answer.header("cache-control").starts_with("public"));
        let landing = page(answer, 200, "vi");
        let again = anyone
            .get_with(&format!("/records/{id}"), "if-none-match", &etag)
            .await
            .is(304);
        assert!(again.body.is_empty());

        let doi = lan.get(&format!("/api/records/{id}")).await.json()["pids"]["doi"]["identifier"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(landing.contains(&doi), "the DOI stands on the page");
        let block = landing
            .split("<script type=\"application/ld+json\">")
            .nth(1)
            .and_then(|rest| rest.split("</script>").next())
            .unwrap();
        let about: Value = serde_json::from_str(block).unwrap();
        assert_eq!(about["@type"], "Dataset");
        assert!(block.contains(&doi));

        // The ways to it.
        let to = format!("/records/{id}");
        for name in [format!("/doi/{doi}"), format!("/oai/oai:example:{id}")] {
            let moved = anyone.get(&name).await.is(302);
            assert_eq!(moved.header("location"), to);
        }
        let concept = lan.get(&format!("/api/records/{id}")).await.json()["parent"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let moved = anyone.get(&format!("/en/records/{concept}")).await.is(302);
        assert_eq!(moved.header("location"), format!("/en/records/{id}"));

        // The bytes.
        let bytes = b"x,y\n1,2\n";
        let file = anyone
            .get(&format!("/records/{id}/files/a.csv"))
            .await
            .is(200);
        assert_eq!(file.body, bytes);
        assert!(file.header("content-disposition").starts_with("inline"));
        assert_eq!(file.header("etag"), format!("\"{}\"", sha256(bytes)));
        let saved = format!("/records/{id}/files/a.csv?download=1");
        let saved = anyone.get(&saved).await.is(200);
        assert!(
            saved
                .header("content-disposition")
                .starts_with("attachment")
        );
        let part = anyone
            .get_with(&format!("/records/{id}/files/a.csv"), "range", "bytes=4-")
            .await
            .is(206);
        assert_eq!(part.body, &bytes[4..]);
        let sums = anyone
            .get(&format!("/records/{id}/SHA256SUMS"))
            .await
            .is(200);
        assert_eq!(text(&sums), format!("{}  a.csv\n", sha256(bytes)));
        page(
            browse(&anyone, &format!("/records/{id}/files/b.csv")).await,
            404,
            "vi",
        );

        robots_read_it(app, &id).await;
    });
}

async fn robots_read_it(app: &TestApp, id: &str) {
    let anyone = app.anyone();
    let robots = text(&anyone.get("/robots.txt").await.is(200));
    assert!(robots.contains(&format!("Sitemap: {}/sitemap.xml", app.url)));
    let map = text(&anyone.get("/sitemap.xml").await.is(200));
    assert!(map.contains(&format!("<loc>{}/records/{id}</loc>", app.url)));
    assert!(map.ends_with("</urlset>\n"));
    let feed = anyone.get("/feed.atom").await.is(200);
    assert_eq!(
        feed.header("content-type"),
        "application/atom+xml; charset=utf-8"
    );
    let feed = text(&feed);
    assert!(feed.contains("<title>Độ mặn sông Hậu / Salinity of the Hau river</title>"));
}

#[test]
fn a_record_comes_in_the_format_that_is_asked_for() {
    each(async |app| {
        let token = app.account("lan").await;
        let id = app.as_(&token).record("Nước mặt").await;
        let anyone = app.anyone();
        let at = format!("/records/{id}");
        for (accept, kind) in [
            ("application/ld+json", "application/ld+json"),
            ("application/x-bibtex", "application/x-bibtex"),
            (
                "application/vnd.datacite.datacite+xml",
                "application/vnd.datacite.datacite+xml",
            ),
            (
                "text/html;q=0.5, application/ld+json",
                "application/ld+json",
            ),
            ("application/ld+json;q=0.5, text/html", "text/html"),
            ("image/png", "text/html"),
        ] {
            let got = anyone.get_with(&at, "accept", accept).await.is(200);
            assert!(got.header("content-type").starts_with(kind), "{accept}");
            assert!(got.header("vary").contains("Accept"));
        }
        let json = anyone
            .get_with(&at, "accept", "application/json")
            .await
            .is(303);
        assert_eq!(
            json.header("location"),
            format!("{}/api/records/{id}", app.url)
        );
        let named = anyone.get(&format!("{at}?format=bibtex")).await.is(200);
        assert!(text(&named).starts_with('@'));
        let exported = anyone.get(&format!("{at}/export/bibtex")).await.is(200);
        assert_eq!(exported.body, named.body);
        let tag = exported.header("etag").to_owned();
        let known = anyone
            .get_with(&format!("{at}/export/bibtex"), "if-none-match", &tag)
            .await;
        known.is(304);
        page(
            browse(&anyone, &format!("{at}/export/nonsense")).await,
            404,
            "vi",
        );
        page(
            browse(&anyone, &format!("{at}?format=nonsense")).await,
            404,
            "vi",
        );
    });
}

#[test]
fn a_hostile_title_is_text_and_nothing_else() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.record(HOSTILE).await;
        app.work().await;
        let anyone = app.anyone();
        for path in [
            "/vi".to_owned(),
            "/vi/search".to_owned(),
            format!("/vi/records/{id}"),
        ] {
            let html = page(anyone.get(&path).await, 200, "vi");
            assert!(
                html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
                "{path}"
            );
            assert!(
                html.contains("{{ chrome.csrf }}"),
                "no template in a template"
            );
        }
        let feed = text(&anyone.get("/feed.atom").await);
        assert!(feed.contains("&lt;/title&gt;&lt;script&gt;"), "{feed}");

        // What is typed comes back as text too.
        for typed in [
            "%3Cscript%3Ealert(1)%3C/script%3E",
            "%22%20onmouseover%3D%22alert(1)",
            "title%3A",
            "%28%28%28",
            "%5B2020%20TO",
            "*",
            "a*",
            "%22",
            "%00%FF%FE",
            "AND%20OR%20NOT",
            "creators.nonsense%3Ax",
        ] {
            let html = page(
                anyone.get(&format!("/vi/search?q={typed}")).await,
                200,
                "vi",
            );
            assert!(!html.contains("<script>alert"), "{typed}");
            assert!(!html.contains("\" onmouseover"), "{typed}");
        }
        let long = "x".repeat(6_000);
        page(
            anyone
                .get(&format!(
                    "/vi/search?q={long}&page=99999999&sort=%00&year=x"
                ))
                .await,
            200,
            "vi",
        );
    });
}

#[test]
fn what_leads_nowhere_says_so_and_helps() {
    each(async |app| {
        let token = app.account("lan").await;
        let id = app.as_(&token).record("Chất lượng nước mặt").await;
        app.work().await;
        let anyone = app.anyone();
        let html = page(
            browse(&anyone, "/vi/records/chat-luong-nuoc").await,
            404,
            "vi",
        );
        assert!(
            html.contains(&format!("/vi/records/{id}")),
            "the nearest is offered"
        );
        for path in [
            "/records/aaaaa-aaaaa",
            "/nonsense",
            "/en/nonsense",
            "/doi/10.5072/none",
            "/doi/nonsense",
            "/records/aaaaa-aaaaa/SHA256SUMS",
            "/records/aaaaa-aaaaa/files/x",
            "/assets/js/none.js",
            "/records/%00",
            "/records/..%2f..%2fetc%2fpasswd",
        ] {
            let answer = browse(&anyone, path).await.is(404);
            assert!(!answer.header("cache-control").contains("public"), "{path}");
        }
        let slash = anyone.get("/vi/search/").await.is(303);
        assert_eq!(slash.header("location"), "/vi/search");
        let dark = anyone
            .get("/theme?to=dark&back=/vi/search?q=a")
            .await
            .is(303);
        assert_eq!(dark.header("location"), "/vi/search?q=a");
        assert!(dark.header("set-cookie").starts_with("kho-theme=dark;"));
        let html = anyone.get_with("/vi", "cookie", "kho-theme=dark").await;
        assert!(page(html, 200, "vi").contains("data-theme=\"dark\""));
        for away in ["//evil.example", "https://evil.example", "/%5Cevil.example"] {
            let back = anyone
                .get(&format!("/theme?to=dark&back={away}"))
                .await
                .is(303);
            assert_eq!(back.header("location"), "/");
        }
    });
}

#[test]
fn a_withdrawn_version_leaves_a_tombstone_at_once() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.record("Bản ghi sẽ rút").await;
        app.work().await;
        let anyone = app.anyone();
        // Twice, so that the page is kept.
        for _ in 0..2 {
            page(anyone.get(&format!("/vi/records/{id}")).await, 200, "vi");
        }
        let admin = app.account_as("quan-tri", Role::Admin).await;
        let reason = json!({"removal_reason": {"id": "retracted"}, "note": "Sai <b>toạ độ</b>"});
        let admin = app.as_(&admin);
        let request = admin
            .request(Method::DELETE, &format!("/api/records/{id}/delete"))
            .json(&reason);
        admin.send(request).await.is(204);

        let html = page(anyone.get(&format!("/vi/records/{id}")).await, 410, "vi");
        assert!(html.contains("Bản ghi sẽ rút"), "the citation stays");
        assert!(html.contains("Sai &lt;b&gt;toạ độ&lt;/b&gt;"), "{html}");
        page(anyone.get(&format!("/en/records/{id}")).await, 410, "en");
        browse(&anyone, &format!("/records/{id}/files/a.csv"))
            .await
            .is(410);
        browse(&anyone, &format!("/records/{id}/export/bibtex"))
            .await
            .is(410);
        assert!(!text(&anyone.get("/sitemap.xml").await).contains(&id));
        assert!(!text(&anyone.get("/feed.atom").await).contains(&id));
        assert!(!text(&anyone.get("/vi").await).contains(&id));
    });
}

#[test]
fn nothing_restricted_is_told_to_whoever_may_not_know() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let secret = json!({"metadata": described("Hồ sơ mật Zyxw"),
            "access": {"record": "restricted", "files": "restricted"}});
        let hidden = lan.record_with(secret).await;
        let closed = json!({"metadata": described("Tệp đóng Qrst"),
            "access": {"record": "public", "files": "restricted",
                "embargo": {"active": true, "until": "2026-12-24", "reason": "Chờ bài báo"}}});
        let embargoed = lan.record_with(closed).await;
        app.work().await;
        let anyone = app.anyone();
        let doi =
            lan.get(&format!("/api/records/{hidden}")).await.json()["pids"]["doi"]["identifier"]
                .as_str()
                .unwrap()
                .to_owned();
        for path in [
            format!("/records/{hidden}"),
            format!("/records/{hidden}/latest"),
            format!("/records/{hidden}/export/bibtex"),
            format!("/records/{hidden}/SHA256SUMS"),
            format!("/records/{hidden}/files/a.csv"),
            format!("/doi/{doi}"),
        ] {
            let html = text(&browse(&anyone, &path).await.is(404));
            assert!(!html.contains("Zyxw"), "{path}");
        }
        for path in [
            "/vi",
            "/vi/search?q=Zyxw",
            "/vi/search?q=hồ+sơ",
            "/sitemap.xml",
            "/feed.atom",
            "/vi/records/ho-so-mat",
        ] {
            let seen = text(&browse(&anyone, path).await);
            assert!(
                !seen.contains(&hidden) && !seen.contains("mật Zyxw"),
                "{path}"
            );
        }
        let home = text(&anyone.get("/en").await);
        assert!(home.contains("<dd>1</dd>"), "one of two is counted: {home}");
        // Its owner sees it, and no cache may keep what they see.
        let (cookie, _) = app.browser("lan").await;
        let path = format!("/vi/records/{hidden}");
        let own = anyone.get_with(&path, "cookie", &cookie).await;
        assert_eq!(own.header("cache-control"), "private, no-store");
        assert!(page(own, 200, "vi").contains("Zyxw"));

        // Under embargo the page is there, the files are not, not even their names.
        let html = page(
            anyone.get(&format!("/vi/records/{embargoed}")).await,
            200,
            "vi",
        );
        assert!(
            html.contains("Chờ bài báo") && !html.contains("a.csv"),
            "{html}"
        );
        let file = format!("/records/{embargoed}/files/a.csv");
        anyone.get(&file).await.is(401);
        let asked = browse(&anyone, &file).await.is(303);
        let login = format!("/vi/login?next=/vi{file}");
        assert_eq!(asked.header("location"), login);
        let sums = anyone
            .get(&format!("/records/{embargoed}/SHA256SUMS"))
            .await;
        let sums = text(&sums.is(200));
        assert!(
            sums.contains("24/12/2026") && !sums.contains("a.csv"),
            "{sums}"
        );
        // On its day it opens by itself, on the page that was kept too.
        app.pass(31 * DAY);
        let html = page(
            anyone.get(&format!("/vi/records/{embargoed}")).await,
            200,
            "vi",
        );
        assert!(html.contains("a.csv"), "{html}");
        anyone.get(&file).await.is(200);
    });
}

#[test]
fn a_subject_is_listed_in_the_readers_language() {
    each(async |app| {
        let token = app.account("lan").await;
        let mut metadata = described("Toán");
        metadata["subjects"] = json!([
            {"id": "http://www.oecd.org/science/inno/38235147.pdf?1.1"},
            {"subject": "độ mặn"},
        ]);
        let body = json!({ "metadata": metadata });
        app.as_(&token).record_with(body).await;
        app.work().await;
        for (lang, own, other) in [
            ("vi", "Toán học", "Mathematics"),
            ("en", "Mathematics", "Toán học"),
        ] {
            for path in ["", "/search"] {
                let html = page(app.anyone().get(&format!("/{lang}{path}")).await, 200, lang);
                assert!(html.contains(own) && html.contains("độ mặn"), "{html}");
                assert!(!html.contains(other), "{lang}{path}");
            }
        }
    });
}

#[test]
fn versions_know_each_other_and_many_files_come_in_pages() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let first = lan.draft(described("Nhiều tệp")).await;
        for n in 0..55 {
            lan.upload(&first, &format!("thư mục/tệp {n:03}.txt"), format!("{n}"))
                .await;
        }
        lan.publish(&first).await;
        let anyone = app.anyone();
        // A folder at a time; `stories::many` looks closer.
        let folder = "?folder=th%C6%B0%20m%E1%BB%A5c";
        let shows = |html: &str, n: u32| html.contains(&format!(">tệp {n:03}.txt"));
        let at = async |query: &str| {
            let path = format!("/vi/records/{first}{query}");
            page(anyone.get(&path).await, 200, "vi")
        };
        let top = at("?files_page=999999999").await;
        assert!(top.contains(&format!("{first}{folder}#files")) && !shows(&top, 7));
        let one = at(folder).await;
        assert!(shows(&one, 24) && !shows(&one, 25), "{one}");
        let two = at(&format!("{folder}&files_page=2")).await;
        assert!(shows(&two, 25) && !shows(&two, 24), "{two}");
        let sums = text(&anyone.get(&format!("/records/{first}/SHA256SUMS")).await);
        assert_eq!(sums.lines().count(), 55);
        assert!(sums.contains(&format!("{}  thư mục/tệp 007.txt\n", sha256(b"7"))));
        let url = one
            .split("href=\"")
            .filter_map(|rest| rest.split('"').next())
            .find(|href| href.contains("/files/") && href.contains("007"))
            .unwrap();
        assert_eq!(anyone.get(url).await.is(200).body, b"7");

        let next = lan
            .post(&format!("/api/records/{first}/versions"))
            .await
            .is(201)
            .json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        lan.put_json(
            &format!("/api/records/{next}/draft"),
            &json!({"metadata": described("Nhiều tệp"), "files": {"enabled": true}}),
        )
        .await
        .is(200);
        lan.upload(&next, "mới.txt", "mới").await;
        lan.publish(&next).await;
        // The page of the first was kept; it tells of the second all the same.
        let old = page(anyone.get(&format!("/vi/records/{first}")).await, 200, "vi");
        assert!(old.contains(&format!("/vi/records/{next}")), "{old}");
        let newest = anyone
            .get(&format!("/records/{first}/latest"))
            .await
            .is(302);
        assert_eq!(newest.header("location"), format!("/records/{next}"));
    });
}

#[test]
fn pages_are_compressed_and_files_are_not() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Nén")).await;
        let bytes = "a,b\n".repeat(2_000);
        lan.upload(&id, "a.csv", &bytes).await;
        lan.publish(&id).await;
        let anyone = app.anyone();
        let path = format!("/vi/records/{id}");
        let small = anyone
            .get_with(&path, "accept-encoding", "gzip")
            .await
            .is(200);
        assert_eq!(small.header("content-encoding"), "gzip");
        let whole = anyone.get(&path).await.is(200);
        assert_eq!(whole.header("content-encoding"), "");
        assert!(small.body.len() * 2 < whole.body.len());
        let file = format!("/records/{id}/files/a.csv");
        let file = anyone
            .get_with(&file, "accept-encoding", "gzip, br")
            .await
            .is(200);
        assert_eq!(file.header("content-encoding"), "");
        assert_eq!(file.body, bytes.as_bytes());
    });
}
