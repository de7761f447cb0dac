//! Both directions of the page: what it shows, what it writes, and that it loses nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{metadata, text::Locale};

fn full() -> Value {
    serde_json::from_str(include_str!("../../../metadata/read/full.json")).unwrap()
}

/// The page sent back as a browser does it, after a change.
fn sent(raw: &Value, change: impl FnOnce(&mut Values)) -> Value {
    stepped(raw, None, change)
}

fn stepped(raw: &Value, step: Option<Move>, change: impl FnOnce(&mut Values)) -> Value {
    let mut values = show(raw);
    change(&mut values);
    let pairs = as_a_browser_sends(&values);
    write(
        raw,
        &parse(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))),
        step,
    )
}

#[test]
fn a_page_sent_back_unchanged_changes_nothing() {
    let odd = json!({
        "title": "Hai\ndòng\r\n", "description": "một\r\nhai", "languages": [{"id": "vi"}, {"id": "??"}],
        "creators": [
            {"person_or_org": {"type": "personal", "name": "Doe, J", "family_name": "Doe"}},
            {"person_or_org": {"name": "Viện"}, "affiliations": [{"name": "a; b"}, {"id": "nope"}, {}]},
            {}, "text", {"person_or_org": {"identifiers": [{"scheme": "isni", "identifier": "0000"}, {"identifier": 5}]}},
        ],
        "subjects": [{"subject": "x\ny"}, {"subject": " x "}, {"subject": 3}], "rights": [{"title": {"vi": "Riêng"}}],
        "funding": [{"funder": {"id": "00k4n6c32", "name": "Khác"}, "award": {"id": "a::b"}}, {"award": {"title": {"fr": "T"}}}],
        "related_identifiers": [{"identifier": "x", "scheme": "nope"}, {}], "publication_date": 2026, "invented": [1, 2],
    });
    let french = json!({"title": "Eau", "languages": [{"id": "fra"}, {"id": "eng"}], "description": "<p>Eau</p>"});
    for raw in [
        full(),
        odd,
        french,
        json!({}),
        json!({"creators": "none", "languages": 4, "title": ["a"]}),
    ] {
        assert_eq!(sent(&raw, |_| ()), raw);
    }
}

#[test]
fn what_the_page_does_not_show_stays_when_the_rest_changes() {
    let raw = full();
    let after = sent(&raw, |v| {
        v.title.en = "Air in Hanoi".to_owned();
        v.description.vi = "Bụi mịn.\n\nHai trạm.".to_owned();
        v.creators[0].family_name = "Trần Thị".to_owned();
        v.creators[0].affiliation = "Viện Hải dương học; Viện Mới".to_owned();
        v.keywords = "không khí\nbụi mịn\n\nbụi mịn".to_owned();
        v.licence = "cc0-1.0".to_owned();
        v.related[0].identifier = "https://example.vn/bai".to_owned();
        v.funding[0].award_title = "Không khí".to_owned();
        v.publication_date = "2026-02-31".to_owned();
        v.version = String::new();
    });
    let mut expected = raw.clone();
    expected["additional_titles"][0]["title"] = "Air in Hanoi".into();
    expected["description"] = "<p>Bụi mịn.</p><p>Hai trạm.</p>".into();
    expected["creators"][0]["person_or_org"]["family_name"] = "Trần Thị".into();
    expected["creators"][0]["affiliations"] =
        json!([{"name": "Viện Hải dương học"}, {"name": "Viện Mới"}]);
    expected["subjects"][2]["subject"] = "bụi mịn".into();
    expected["rights"][0]["id"] = "cc0-1.0".into();
    expected["related_identifiers"][0]["identifier"] = "https://example.vn/bai".into();
    expected["related_identifiers"][0]
        .as_object_mut()
        .unwrap()
        .remove("scheme");
    expected["funding"][0]["award"]["title"]["vi"] = "Không khí".into();
    expected["publication_date"] = "2026-02-31".into();
    expected.as_object_mut().unwrap().remove("version");
    assert_eq!(after, expected);
    // What is not a date is still in the box, for mending.
    assert_eq!(show(&after).publication_date, "2026-02-31");
}

#[test]
fn an_empty_page_filled_in_is_metadata_without_a_problem() {
    let raw = sent(&json!({}), |v| {
        v.title = Bilingual {
            vi: "Độ mặn sông Hàm Luông".to_owned(),
            en: "Salinity".to_owned(),
        };
        v.description.vi = "Đo bằng máy.".to_owned();
        v.creators = vec![
            CreatorRow {
                family_name: "Trần".to_owned(),
                given_name: "Minh".to_owned(),
                identifier: "https://orcid.org/0000-0002-1825-0097".to_owned(),
                affiliation: "01ggx4157; Trạm Bến Tre".to_owned(),
                organisation: false,
            },
            CreatorRow {
                organisation: true,
                family_name: "Trạm Bến Tre".to_owned(),
                ..CreatorRow::default()
            },
            CreatorRow::default(),
        ];
        v.resource_type = "dataset".to_owned();
        v.publication_date = "2026-03".to_owned();
        v.licence = "cc-by-4.0".to_owned();
        v.keywords = "độ mặn\nsalinity".to_owned();
        v.languages = vec!["vie".to_owned()];
        v.publisher = "Kho".to_owned();
        v.related = vec![Related {
            identifier: "10.1234/bai".to_owned(),
            relation: "issupplementto".to_owned(),
        }];
        v.funding = vec![FundingRow {
            funder: "Quỹ Bến Tre".to_owned(),
            award_number: "12".to_owned(),
            ..FundingRow::default()
        }];
    });
    let (typed, problems) = metadata::read(&raw);
    assert_eq!(problems, []);
    assert_eq!(typed.title_in(Locale::Vi), Some("Độ mặn sông Hàm Luông"));
    assert_eq!(typed.title_in(Locale::En), Some("Salinity"));
    assert_eq!(typed.description.as_deref(), Some("<p>Đo bằng máy.</p>"));
    assert_eq!(typed.creators.len(), 2);
    assert_eq!(
        typed.creators[0].person_or_org.orcid(),
        Some("0000-0002-1825-0097")
    );
    assert_eq!(
        typed.creators[0].affiliations[0]
            .id
            .as_ref()
            .unwrap()
            .as_str(),
        "01ggx4157"
    );
    assert_eq!(
        typed.creators[1].person_or_org.organisation.as_deref(),
        Some("Trạm Bến Tre")
    );
    assert_eq!(typed.related_identifiers[0].scheme, "doi");
    assert_eq!(
        typed.funding[0].award.as_ref().unwrap().number.as_deref(),
        Some("12")
    );
    assert_eq!(typed.subjects.len(), 2);
}

#[test]
fn a_title_stays_under_the_language_it_was_typed_in() {
    for (vi, en, data) in [
        ("Do man", "", &[][..]),
        ("", "Salinity", &[][..]),
        ("Do man", "", &["eng"][..]),
        ("", "Salinity", &["vie", "eng"][..]),
        ("Độ mặn", "Salinity", &["eng"][..]),
        ("Do man", "Salinity", &[][..]),
        ("", "Độ mặn Delta", &[][..]),
    ] {
        let raw = sent(&json!({}), |v| {
            v.title = Bilingual {
                vi: vi.to_owned(),
                en: en.to_owned(),
            };
            v.description = v.title.clone();
            v.languages = data.iter().map(|s| (*s).to_owned()).collect();
        });
        let again = show(&raw);
        assert_eq!(
            (again.title.vi.as_str(), again.title.en.as_str()),
            (vi, en),
            "{raw}"
        );
        assert_eq!(again.description, again.title, "{raw}");
        assert!(
            data.iter().all(|l| again.languages.iter().any(|a| a == l)),
            "{raw}"
        );
        assert_eq!(metadata::read(&raw).1, [], "{raw}");
        assert!(
            raw["title"].is_string(),
            "a record needs its main title: {raw}"
        );
    }
}

#[test]
fn the_main_language_can_change_without_a_text_being_touched() {
    let raw = full();
    let after = sent(&raw, |v| v.languages = vec!["eng".to_owned()]);
    assert_eq!(after["title"], "Air quality in Hanoi 2025");
    assert_eq!(
        after["description"],
        raw["additional_descriptions"][0]["description"]
    );
    let (before, now) = (show(&raw), show(&after));
    assert_eq!(
        (before.title, before.description),
        (now.title, now.description)
    );
    assert_eq!(
        after["additional_titles"][0], raw["additional_titles"][1],
        "the subtitle stays"
    );
}

#[test]
fn rows_move_and_go_with_what_the_page_does_not_show() {
    let raw = full();
    let up = stepped(&raw, Some(Move::Up(List::Creators, 1)), |_| ());
    assert_eq!(
        up["creators"],
        json!([raw["creators"][1], raw["creators"][0]])
    );
    let down = stepped(&raw, Some(Move::Down(List::Creators, 0)), |v| {
        v.creators[0].given_name = "An".to_owned();
    });
    assert_eq!(down["creators"][1]["role"], json!({"id": "datacollector"}));
    assert_eq!(down["creators"][1]["person_or_org"]["given_name"], "An");
    let gone = stepped(&raw, Some(Move::Remove(List::Creators, 0)), |_| ());
    assert_eq!(gone["creators"], json!([raw["creators"][1]]));
    // The other lists, and steps that lead nowhere.
    let gone = stepped(&raw, Some(Move::Remove(List::Funding, 0)), |_| ());
    assert!(gone.get("funding").is_none() && gone["creators"] == raw["creators"]);
    for step in [
        Move::Up(List::Related, 0),
        Move::Down(List::Related, 0),
        Move::Remove(List::Related, 7),
        Move::Add(List::Creators),
    ] {
        assert_eq!(stepped(&raw, Some(step), |_| ()), raw, "{step:?}");
    }
}

#[test]
fn rows_written_over_a_newer_order_keep_their_own_role() {
    let seen = show(&full());
    let mut moved = full();
    moved["creators"].as_array_mut().unwrap().reverse();
    let mut typed = seen.clone();
    typed.creators[0].affiliation = "Viện Mới".to_owned();
    let after = write(&moved, &typed, None);
    assert_eq!(after["creators"][0]["role"], json!({"id": "datacollector"}));
    assert!(after["creators"][1].get("role").is_none());
}

#[test]
fn rows_beyond_what_is_shown_stay() {
    let one = |n: usize| json!({"person_or_org": {"type": "personal", "family_name": format!("Người {n}")}});
    let raw = json!({"creators": (0..SHOWN + 50).map(one).collect::<Vec<_>>()});
    assert_eq!(show(&raw).creators.len(), SHOWN);
    let after = stepped(&raw, Some(Move::Remove(List::Creators, 3)), |_| ());
    let mut expected = raw.clone();
    expected["creators"].as_array_mut().unwrap().remove(3);
    assert_eq!(after, expected);
}

#[test]
fn a_person_made_an_organisation_keeps_what_was_typed() {
    let raw = json!({"creators": [{"person_or_org": {"type": "personal", "family_name": "Trạm", "given_name": "B"}}]});
    let after = sent(&raw, |v| v.creators[0].organisation = true);
    assert_eq!(
        after["creators"][0]["person_or_org"],
        json!({"type": "organizational", "name": "Trạm", "given_name": "B"})
    );
    assert_eq!(sent(&after, |v| v.creators[0].organisation = false), raw);
}

#[test]
fn a_known_organisation_is_linked_by_its_name() {
    let entry =
        crate::metadata::vocabulary::list(crate::metadata::vocabulary::Vocabulary::Affiliations)[0];
    let raw = sent(&json!({}), |v| {
        v.creators = vec![CreatorRow {
            family_name: "A".to_owned(),
            affiliation: entry.vi.to_uppercase(),
            ..CreatorRow::default()
        }];
    });
    assert_eq!(raw["creators"][0]["affiliations"][0]["id"], entry.id);
}

#[test]
fn whoever_was_overtaken_sees_what_differs_and_nothing_else() {
    let saved = show(&full());
    assert_eq!(differences(&saved, &saved, Locale::En), []);
    let mut typed = saved.clone();
    typed.title.en = "Mine".to_owned();
    typed.licence = String::new();
    typed.related.clear();
    typed.creators.push(CreatorRow::default());
    typed.creators[0].given_name = "Khác".to_owned();
    let found = differences(&saved, &typed, Locale::En);
    let controls: Vec<_> = found.iter().map(|(c, _)| c.as_str()).collect();
    let expected = ["title.en", "creators.0.family_name", "licence", "related"];
    assert_eq!(controls, expected);
    assert_eq!(found[0].1, "Air quality in Hanoi 2025");
    assert_eq!(found[2].1, "Creative Commons Attribution 4.0 International");
    assert_eq!(found[3].1, "Is supplement to 10.1000/xyz");
}

#[test]
fn buttons_of_rows_are_read_and_others_are_not() {
    assert_eq!(
        Move::from_code("add.creators"),
        Some(Move::Add(List::Creators))
    );
    assert_eq!(
        Move::from_code("down.related.12"),
        Some(Move::Down(List::Related, 12))
    );
    for wrong in [
        "save",
        "continue",
        "up.creators",
        "up.creators.-1",
        "up.nothing.1",
        "remove.funding.99999",
        "",
    ] {
        assert_eq!(Move::from_code(wrong), None, "{wrong}");
    }
}

proptest! {
    /// Whatever stands in the text of a record, sending the page back does not touch it.
    #[test]
    fn any_text_survives(title in "\\PC{0,40}", about in "[\\PC\n\r<>&;]{0,80}", word in "\\PC{0,20}", name in "\\PC{0,20}") {
        let raw = json!({
            "title": title, "description": about, "subjects": [{"subject": word}, {"subject": "b"}],
            "creators": [{"person_or_org": {"type": "personal", "family_name": name}, "affiliations": [{"name": word}, {"name": name}]}],
            "additional_descriptions": [{"description": format!("<p>{about}</p>"), "lang": {"id": "eng"}}],
        });
        prop_assert_eq!(sent(&raw, |_| ()), raw);
    }

    /// What was typed as paragraphs is shown as it was typed.
    #[test]
    fn typed_prose_comes_back(about in "[a-zđ <>&.]{1,40}(\n\n?[a-zđ<>&]{1,40}){0,3}") {
        let raw = sent(&json!({}), |v| v.description.vi = about.clone());
        let shown = show(&raw).description.vi;
        let squeeze = |s: &str| s.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned();
        prop_assert_eq!(squeeze(&shown), squeeze(&about));
    }
}
/// Keeps text boxes honest: what a browser sends back is what it was given.
fn as_a_browser_sends(values: &Values) -> Vec<(String, String)> {
    let area = |s: &str| s.replace('\n', "\r\n");
    let mut out = vec![
        ("title.vi".to_owned(), values.title.vi.clone()),
        ("title.en".to_owned(), values.title.en.clone()),
        ("description.vi".to_owned(), area(&values.description.vi)),
        ("description.en".to_owned(), area(&values.description.en)),
        ("resource_type".to_owned(), values.resource_type.clone()),
        (
            "publication_date".to_owned(),
            values.publication_date.clone(),
        ),
        ("licence".to_owned(), values.licence.clone()),
        ("keywords".to_owned(), area(&values.keywords)),
        ("publisher".to_owned(), values.publisher.clone()),
        ("version".to_owned(), values.version.clone()),
    ];
    out.extend(
        values
            .languages
            .iter()
            .map(|l| ("languages".to_owned(), l.clone())),
    );
    for (n, c) in values.creators.iter().enumerate() {
        let kind = if c.organisation {
            "organizational"
        } else {
            "personal"
        };
        for (field, value) in [
            ("kind", kind),
            ("family_name", &c.family_name),
            ("given_name", &c.given_name),
            ("identifier", &c.identifier),
            ("affiliation", &c.affiliation),
        ] {
            out.push((format!("creators.{n}.{field}"), value.to_owned()));
        }
    }
    for (n, r) in values.related.iter().enumerate() {
        out.push((format!("related.{n}.relation"), r.relation.clone()));
        out.push((format!("related.{n}.identifier"), r.identifier.clone()));
    }
    for (n, f) in values.funding.iter().enumerate() {
        out.push((format!("funding.{n}.funder"), f.funder.clone()));
        out.push((format!("funding.{n}.award_number"), f.award_number.clone()));
        out.push((format!("funding.{n}.award_title"), f.award_title.clone()));
    }
    out
}
