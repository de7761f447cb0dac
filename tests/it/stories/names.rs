//! DOIs: reserved before publishing, let go, brought from elsewhere, never given twice.

use serde_json::json;

use crate::app::{described, each};

#[test]
fn a_doi_is_reserved_kept_and_let_go() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let id = lan.draft(described("Sẽ được trích dẫn")).await;
        let at = format!("/api/records/{id}/draft");
        let doi = format!("10.5072/{id}");
        lan.delete(&format!("{at}/pids/doi")).await.is(404);
        let reserved = lan.post(&format!("{at}/pids/doi")).await.is(201).json();
        assert_eq!(reserved["pids"]["doi"]["identifier"], doi);
        let twice = lan.post(&format!("{at}/pids/doi")).await.is(400);
        assert!(
            twice
                .problems()
                .iter()
                .any(|(_, code)| code == "doi-already")
        );
        let kept = lan.put_json(&at, &reserved).await.is(200).json();
        assert_eq!(kept["pids"], reserved["pids"]);
        let free = lan.delete(&format!("{at}/pids/doi")).await.is(200).json();
        assert_eq!(free["pids"], json!({}));
        lan.post(&format!("{at}/pids/doi")).await.is(201);
        lan.upload(&id, "a.csv", "a").await;
        assert_eq!(lan.publish(&id).await["pids"]["doi"]["identifier"], doi);
    });
}

#[test]
fn a_doi_from_elsewhere_names_one_record_and_is_not_ours() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let with = |doi: &str| json!({"metadata": described("Đã có DOI"), "pids": {"doi": {"identifier": doi, "provider": "external"}}});
        for (doi, code) in [
            ("10.5072/abc", "doi-own-prefix"),
            ("11.1/abc", "doi"),
            ("xyz", "doi"),
        ] {
            let refused = lan.post_json("/api/records", &with(doi)).await.is(400);
            let at = ("pids.doi.identifier".to_owned(), code.to_owned());
            assert!(
                refused.problems().contains(&at),
                "{doi}: {:?}",
                refused.problems()
            );
        }
        let first = lan
            .record_with(with("https://doi.org/10.1234/Penguins"))
            .await;
        let record = app
            .anyone()
            .get(&format!("/api/records/{first}"))
            .await
            .is(200)
            .json();
        let pid = json!({"identifier": "10.1234/penguins", "provider": "external"});
        assert_eq!(record["pids"]["doi"], pid);

        let second = lan.draft_with(with("10.1234/penguins")).await;
        lan.upload(&second, "a.csv", "a").await;
        let at = format!("/api/records/{second}/draft");
        let taken = lan.post(&format!("{at}/actions/publish")).await.is(400);
        assert!(taken.problems().iter().any(|(_, code)| code == "doi-taken"));
        lan.get(&at).await.is(200);
        let other = lan
            .put_json(&at, &with("10.1234/gentoo"))
            .await
            .is(200)
            .json();
        assert_eq!(other["pids"]["doi"]["identifier"], "10.1234/gentoo");
        lan.publish(&second).await;
    });
}

#[test]
fn of_two_that_bring_the_same_doi_at_once_one_is_published() {
    each(async |app| {
        let token = app.account("lan").await;
        let lan = app.as_(&token);
        let mut drafts = Vec::new();
        for _ in 0..4 {
            let body = json!({"metadata": described("Trùng"),
                "pids": {"doi": {"identifier": "10.1234/twin", "provider": "external"}}});
            let id = lan.draft_with(body).await;
            lan.upload(&id, "a.csv", "a").await;
            drafts.push(format!("/api/records/{id}/draft/actions/publish"));
        }
        let answers = futures::future::join_all(drafts.iter().map(|at| lan.post(at))).await;
        let published = answers.iter().filter(|a| a.status == 202).count();
        assert_eq!(published, 1, "{answers:?}");
        assert!(answers.iter().all(|a| a.status == 202 || a.status == 400));
    });
}
