//! A partner institution harvests: everything, a set, some days, while records change, and after a withdrawal.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use kho::ctx::Role;
use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};

use crate::app::{Answer, BEGINNING, DAY, TestApp, described, each};

const SECOND: i64 = 1_000_000;
const DC: &str = "metadataPrefix=oai_dc";

/// An answer of `/oai2d`, read.
#[derive(Debug, Default)]
struct Page {
    items: Vec<Item>,
    /// `None`: there is no such element; empty: the list ends here.
    token: Option<String>,
    errors: Vec<String>,
    sets: Vec<String>,
    /// Every other element's text, the first of its name.
    texts: BTreeMap<String, String>,
    /// The attributes of `<request>`.
    asked: BTreeMap<String, String>,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Item {
    id: String,
    stamp: String,
    sets: Vec<String>,
    deleted: bool,
    payload: bool,
}

fn read(answer: Answer) -> Page {
    let answer = answer.is(200);
    assert_eq!(answer.header("content-type"), "text/xml; charset=utf-8");
    let text = String::from_utf8(answer.body).unwrap();
    valid(&text);
    let mut page = Page::default();
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<String> = Vec::new();
    loop {
        let event = reader
            .read_event()
            .unwrap_or_else(|e| panic!("{e}: {text}"));
        match event {
            Event::Eof => break,
            Event::End(_) => {
                open.pop();
            }
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let name = tag.name().0.to_owned();
                let attributes: BTreeMap<String, String> = tag
                    .attributes()
                    .map(|a| a.unwrap())
                    .map(|a| {
                        let value = quick_xml::escape::unescape(&a.value).unwrap().into_owned();
                        (a.key.0.to_owned(), value)
                    })
                    .collect();
                match name.as_str() {
                    "header" => {
                        let deleted = attributes.get("status").is_some_and(|s| s == "deleted");
                        page.items.push(Item {
                            deleted,
                            ..Item::default()
                        });
                    }
                    "metadata" => page.items.last_mut().unwrap().payload = true,
                    "resumptionToken" => page.token = Some(String::new()),
                    "error" => page.errors.push(attributes["code"].clone()),
                    "request" => page.asked = attributes,
                    _ => {}
                }
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                }
            }
            Event::Text(text) => {
                let text = text.to_string();
                let within = |name: &str| open.iter().any(|o| o == name);
                let name = open.last().map(String::as_str).unwrap_or_default();
                match name {
                    _ if within("metadata") => {}
                    "identifier" if within("header") => page.items.last_mut().unwrap().id = text,
                    "datestamp" => page.items.last_mut().unwrap().stamp = text,
                    "setSpec" if within("header") => page.items.last_mut().unwrap().sets.push(text),
                    "setSpec" => page.sets.push(text),
                    "resumptionToken" => page.token = Some(text),
                    name => {
                        page.texts.entry(name.to_owned()).or_insert(text);
                    }
                }
            }
            _ => {}
        }
    }
    page
}

/// Holds an answer against the schema of the protocol, where the standards are at hand.
fn valid(text: &str) {
    let Some(folder) = std::env::var_os("KHO_TEST_STANDARDS") else {
        eprintln!("skipped: KHO_TEST_STANDARDS names no folder with oai-pmh/OAI-PMH.xsd");
        return;
    };
    let schema = std::path::Path::new(&folder).join("oai-pmh/OAI-PMH.xsd");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    match Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .arg(file.path())
        .output()
    {
        Err(_) => eprintln!("skipped: xmllint is not installed"),
        Ok(told) => {
            assert!(
                told.status.success(),
                "{}\n{text}",
                String::from_utf8_lossy(&told.stderr)
            );
        }
    }
}

async fn ask(app: &TestApp, query: &str) -> Page {
    read(app.anyone().get(&format!("/oai2d?{query}")).await)
}

/// The rest of a list, page by page.
async fn go_on(app: &TestApp, verb: &str, mut page: Page) -> Vec<Item> {
    let mut items = Vec::new();
    loop {
        assert_eq!(page.errors, Vec::<String>::new());
        items.append(&mut page.items);
        match page.token.as_deref() {
            None | Some("") => return items,
            Some(token) => page = ask(app, &format!("verb={verb}&resumptionToken={token}")).await,
        }
    }
}

async fn harvest(app: &TestApp, verb: &str, query: &str) -> Vec<Item> {
    go_on(app, verb, ask(app, &format!("verb={verb}&{query}")).await).await
}

fn ids(items: &[Item]) -> BTreeSet<String> {
    items.iter().map(|item| item.id.clone()).collect()
}

fn oai(id: &str) -> String {
    format!("oai:127.0.0.1:{id}")
}

/// A description without files: the quickest thing to publish.
fn slip(title: &str, kind: &str) -> Value {
    let mut metadata = described(title);
    metadata["resource_type"]["id"] = kind.into();
    json!({ "metadata": metadata, "files": {"enabled": false} })
}

async fn publish(app: &TestApp, token: &str, body: Value) -> String {
    let owner = app.as_(token);
    let id = owner.draft_with(body).await;
    owner.publish(&id).await;
    id
}

/// Publishes another description of a record.
async fn correct(app: &TestApp, token: &str, id: &str, title: &str) {
    let owner = app.as_(token);
    let at = format!("/api/records/{id}/draft");
    owner.post(&at).await.is(201);
    owner.put_json(&at, &slip(title, "dataset")).await.is(200);
    owner.publish(id).await;
}

#[test]
fn a_harvest_meets_every_record_whatever_changes_meanwhile() {
    each(async |app| {
        let lan = app.account("lan").await;
        let mut all = Vec::new();
        for n in 0..250 {
            all.push(publish(app, &lan, slip(&format!("Mẫu số {n} <&>"), "dataset")).await);
            if n % 50 == 49 && n < 200 {
                app.pass(SECOND);
            }
        }
        let expected: BTreeSet<String> = all.iter().map(|id| oai(id)).collect();

        for prefix in ["oai_dc", "oai_datacite"] {
            let records = harvest(app, "ListRecords", &format!("metadataPrefix={prefix}")).await;
            assert_eq!(records.len(), 250, "each once");
            assert_eq!(ids(&records), expected);
            assert!(records.iter().all(|r| r.payload && !r.deleted));
            assert!(records.is_sorted_by_key(|r| r.stamp.clone()));
        }
        let headers = harvest(app, "ListIdentifiers", DC).await;
        assert_eq!(ids(&headers), expected);
        assert!(headers.iter().all(|h| !h.payload));

        let first = ask(app, &format!("verb=ListRecords&{DC}")).await;
        assert_eq!(first.items.len(), 100);
        let second = format!(
            "verb=ListRecords&resumptionToken={}",
            first.token.as_ref().unwrap()
        );
        let twice = [ask(app, &second).await, ask(app, &second).await];
        assert_eq!(twice[0].items, twice[1].items, "a token may be used again");

        // The last fifty all stand in the second that the clock still shows, and so will these changes.
        correct(app, &lan, &all[3], "Đã gặp, nay sửa").await;
        correct(app, &lan, &all[240], "Chưa gặp, nay sửa").await;
        let new = publish(app, &lan, slip("Mới", "dataset")).await;
        let rest = go_on(app, "ListRecords", first).await;
        let mut met: Vec<String> = rest.iter().map(|r| r.id.clone()).collect();
        let tail = met.split_off(met.len() - 3);
        assert_eq!(
            tail,
            [oai(&all[3]), oai(&all[240]), oai(&new)],
            "changes are met at the end"
        );
        assert_eq!(met.len(), 249, "and nothing else is met twice or missed");

        let again = ask(
            app,
            &format!("verb=ListRecords&{DC}&from=2026-11-24T08:00:04Z"),
        )
        .await;
        assert_eq!(
            again.items.len(),
            52,
            "the last fifty, one of them corrected, and two more"
        );
        assert_eq!(again.token, None, "a list of one page has no token");
    });
}

#[test]
fn sets_and_dates_choose() {
    each(async |app| {
        let lan = app.account("lan").await;
        let data = publish(app, &lan, slip("Dữ liệu", "dataset")).await;
        app.pass(DAY);
        let code = publish(app, &lan, slip("Mã nguồn", "software")).await;
        app.pass(DAY);
        let hidden = json!({ "access": {"record": "restricted", "files": "restricted"}, "metadata": described("Kín"), "files": {"enabled": false} });
        let hidden = publish(app, &lan, hidden).await;

        let list =
            async |more: &str| ids(&harvest(app, "ListIdentifiers", &format!("{DC}{more}")).await);
        let some = |wanted: &[&String]| wanted.iter().map(|id| oai(id)).collect::<BTreeSet<_>>();
        assert_eq!(
            list("").await,
            some(&[&data, &code]),
            "what is restricted is not told"
        );
        let asked = ask(
            app,
            &format!("verb=GetRecord&{DC}&identifier={}", oai(&hidden)),
        )
        .await;
        assert_eq!(asked.errors, ["idDoesNotExist"]);

        assert_eq!(list("&set=type-dataset").await, some(&[&data]));
        assert_eq!(list("&set=openaire_data").await, some(&[&data]));
        assert_eq!(list("&set=type-software").await, some(&[&code]));
        assert_eq!(list("&set=latest").await, some(&[&data, &code]));
        let day = |days: i64| (BEGINNING + days * DAY) / SECOND;
        assert_eq!(day(0) % 86_400, 8 * 3_600, "the story's clock");
        assert_eq!(list("&until=2026-11-24").await, some(&[&data]));
        assert_eq!(list("&from=2026-11-25").await, some(&[&code]));
        assert_eq!(
            list("&from=2026-11-25T08:00:00Z&until=2026-11-25T08:00:00Z").await,
            some(&[&code])
        );
        assert_eq!(
            list("&from=2026-11-24&until=2026-11-25&set=latest").await,
            some(&[&data, &code])
        );
        for nothing in [
            "&from=2026-11-25T08:00:01Z",
            "&until=2026-11-24T07:59:59Z",
            "&set=none",
            "&from=2026-11-25&set=type-dataset",
        ] {
            let page = ask(app, &format!("verb=ListRecords&{DC}{nothing}")).await;
            assert_eq!(page.errors, ["noRecordsMatch"], "{nothing}");
        }
        let sets = ask(app, "verb=ListSets").await.sets;
        for set in [
            "latest",
            "openaire_data",
            "type-dataset",
            "type-software",
            "access-metadata-only",
        ] {
            assert!(sets.iter().any(|s| s == set), "{set} in {sets:?}");
        }

        // A new version takes its predecessor's place in `latest`, and harvesters of everything learn of both.
        let owner = app.as_(&lan);
        let made = owner
            .post(&format!("/api/records/{data}/versions"))
            .await
            .is(201)
            .json();
        let newer = made["id"].as_str().unwrap().to_owned();
        owner
            .put_json(
                &format!("/api/records/{newer}/draft"),
                &slip("Dữ liệu, bản hai", "dataset"),
            )
            .await
            .is(200);
        owner.publish(&newer).await;
        assert_eq!(list("&set=latest").await, some(&[&code, &newer]));
        assert_eq!(list("&from=2026-11-26").await, some(&[&data, &newer]));
    });
}

#[test]
fn what_is_withdrawn_stays_as_deleted() {
    each(async |app| {
        let lan = app.account("lan").await;
        let admin = app.account_as("minh", Role::Admin).await;
        let gone = publish(app, &lan, slip("Sẽ rút", "dataset")).await;
        let kept = publish(app, &lan, slip("Ở lại", "dataset")).await;
        app.pass(60 * SECOND);
        let admin = app.as_(&admin);
        let at = format!("/api/records/{gone}/delete");
        let request = admin.request(reqwest::Method::DELETE, &at);
        let why = json!({"removal_reason": {"id": "retracted"}, "note": "Sai số liệu"});
        admin.send(request.json(&why)).await.is(204);

        for verb in ["ListRecords", "ListIdentifiers"] {
            let items = harvest(app, verb, DC).await;
            assert_eq!(ids(&items), BTreeSet::from([oai(&gone), oai(&kept)]));
            let item = items.iter().find(|i| i.id == oai(&gone)).unwrap();
            assert!(item.deleted && !item.payload);
            assert_eq!(item.stamp, "2026-11-24T08:01:00Z");
        }
        let one = ask(
            app,
            &format!(
                "verb=GetRecord&metadataPrefix=oai_datacite&identifier={}",
                oai(&gone)
            ),
        )
        .await;
        assert!(one.items[0].deleted && !one.items[0].payload);
        let news = harvest(
            app,
            "ListRecords",
            &format!("{DC}&from=2026-11-24T08:01:00Z"),
        )
        .await;
        assert_eq!(ids(&news), BTreeSet::from([oai(&gone)]));

        app.pass(SECOND);
        admin
            .post(&format!("/api/records/{gone}/restore"))
            .await
            .is(200);
        let back = ask(
            app,
            &format!("verb=GetRecord&{DC}&identifier={}", oai(&gone)),
        )
        .await;
        assert!(!back.items[0].deleted && back.items[0].payload);
    });
}

#[test]
fn the_door_says_who_it_is_and_what_is_wrong() {
    each(async |app| {
        let who = ask(app, "verb=Identify").await;
        assert_eq!(who.texts["baseURL"], format!("{}/oai2d", app.url));
        assert_eq!(who.texts["deletedRecord"], "persistent");
        assert_eq!(who.texts["granularity"], "YYYY-MM-DDThh:mm:ssZ");
        assert_eq!(
            ask(app, "verb=ListSets").await.sets,
            ["latest", "openaire_data"]
        );
        assert_eq!(
            ask(app, &format!("verb=ListRecords&{DC}")).await.errors,
            ["noRecordsMatch"]
        );

        let lan = app.account("lan").await;
        let id = oai(&publish(app, &lan, slip("Một", "dataset")).await);
        assert_eq!(
            ask(app, "verb=Identify").await.texts["earliestDatestamp"],
            "2026-11-24T08:00:00Z"
        );
        assert_eq!(
            ask(app, "verb=ListMetadataFormats").await.texts["metadataPrefix"],
            "oai_dc"
        );
        assert!(
            ask(app, &format!("verb=ListMetadataFormats&identifier={id}"))
                .await
                .errors
                .is_empty()
        );
        let one = ask(app, &format!("verb=GetRecord&{DC}&identifier={id}")).await;
        assert_eq!(one.asked["identifier"], id);
        assert_eq!(one.asked["metadataPrefix"], "oai_dc");

        for (query, code) in [
            ("", "badVerb"),
            ("verb=Harvest", "badVerb"),
            ("verb=Identify&verb=Identify", "badVerb"),
            ("verb=Identify&x=%00%01%EF%BF%BF%3C", "badArgument"),
            ("verb=ListRecords", "badArgument"),
            (
                "verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-25&until=2026-11-24",
                "badArgument",
            ),
            (
                "verb=ListRecords&metadataPrefix=%3Cmarc%3E",
                "cannotDisseminateFormat",
            ),
            (
                "verb=ListRecords&resumptionToken=%22%3E%00",
                "badResumptionToken",
            ),
            (
                "verb=GetRecord&metadataPrefix=oai_dc&identifier=%25%25+%07%3C%3E%F0%9D%84%9E",
                "idDoesNotExist",
            ),
            (
                "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:elsewhere.example:k3f9a-2bq71",
                "idDoesNotExist",
            ),
            (
                "verb=ListMetadataFormats&identifier=oai:127.0.0.1:aaaaa-aaaaa",
                "idDoesNotExist",
            ),
        ] {
            let page = ask(app, query).await;
            assert_eq!(page.errors, [code], "{query}");
            let repeated = !matches!(code, "badVerb" | "badArgument");
            assert_eq!(page.asked.contains_key("verb"), repeated, "{query}");
        }

        let form = |text: &'static str| {
            let nobody = app.anyone();
            let request = nobody.request(reqwest::Method::POST, "/oai2d").body(text);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            async move { app.anyone().send(request).await }
        };
        let posted = read(form("verb=ListRecords&metadataPrefix=oai_dc").await);
        assert_eq!(ids(&posted.items), BTreeSet::from([id]));
        assert_eq!(
            read(form("verb=GetRecord").await).errors,
            ["badArgument", "badArgument"]
        );

        let small = app
            .anyone()
            .get_with("/oai2d?verb=Identify", "accept-encoding", "gzip")
            .await
            .is(200);
        assert_eq!(small.header("content-encoding"), "gzip");
        assert!(small.header("vary").contains("accept-encoding"));
    });
}
