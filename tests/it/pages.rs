//! Every page with every sample in both languages, undefined names being errors; and what can be
//! said of any page: one heading, labelled controls, guarded forms, no inline code, a size. With
//! `KHO_PAGES_DIR` set the pages are left there, to be looked at and given to axe-core.

use std::{collections::BTreeSet, fs, io::Write, path::PathBuf};

use kho::{
    pages,
    text::{self, Locale},
    web::{
        assets,
        render::{self, Chrome, Notice, NoticeKind, Person},
    },
};

struct Rendered {
    name: String,
    template: &'static str,
    html: String,
}

fn all() -> Vec<Rendered> {
    let mut out = Vec::new();
    for locale in Locale::ALL {
        let plain = Chrome::sample(locale);
        let mut busy = plain.clone();
        busy.demo = true;
        busy.signed_in = Some(Person {
            name: "Đặng Thị Ngọc Thịnh".to_owned(),
            role: "depositor".to_owned(),
        });
        busy.theme = render::Theme::Dark;
        busy.notice = Some(Notice {
            kind: NoticeKind::Done,
            text: "Đã lưu.".to_owned(),
        });
        for (look, chrome) in [("plain", plain), ("busy", busy)] {
            for (n, (template, html)) in pages::samples(&chrome).into_iter().enumerate() {
                let stem = template
                    .trim_start_matches("pages/")
                    .trim_end_matches(".html");
                let name = format!("{n:02}-{}-{look}.{}", stem.replace('/', "-"), locale.code());
                let html = html.unwrap_or_else(|e| panic!("{name}: {e}"));
                out.push(Rendered {
                    name,
                    template,
                    html,
                });
            }
        }
    }
    out
}

#[test]
fn every_page_renders_in_both_languages() {
    let rendered = all();
    let seen: BTreeSet<&str> = rendered.iter().map(|p| p.template).collect();
    for name in render::sources().keys().filter(|n| n.starts_with("pages/")) {
        assert!(
            seen.contains(name.as_str()),
            "{name} is in no list of samples"
        );
    }
    if let Some(folder) = std::env::var_os("KHO_PAGES_DIR").map(PathBuf::from) {
        fs::create_dir_all(&folder).unwrap();
        let policy = assets::content_security_policy();
        fs::write(folder.join("policy.txt"), policy).unwrap();
        for page in &rendered {
            fs::write(folder.join(format!("{}.html", page.name)), &page.html).unwrap();
        }
    }
}

#[test]
fn every_page_keeps_the_rules_of_the_house() {
    for Rendered { name, html, .. } in all() {
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one main heading");
        assert_eq!(html.matches("<main").count(), 1, "{name}: one main part");
        assert!(
            !html.contains(" style="),
            "{name}: the CSP forbids style attributes"
        );
        assert!(
            !html.contains(" onclick=") && !html.contains("javascript:"),
            "{name}"
        );
        for script in html.split("<script").skip(1) {
            let (tag, _) = script.split_once('>').unwrap();
            let data = tag.contains("application/ld+json");
            assert!(
                data || tag.contains("src=\"/assets/"),
                "{name}: inline script"
            );
        }
        for form in html.split("<form").skip(1) {
            let (form, _) = form.split_once("</form>").unwrap();
            let (tag, inside) = form.split_once('>').unwrap();
            if tag.contains("method=\"post\"") {
                assert!(
                    inside.contains("name=\"csrf_token\""),
                    "{name}: unguarded form"
                );
                assert!(inside.contains("<button"), "{name}: a form nobody can send");
            }
        }
        let mut ids = BTreeSet::new();
        for piece in html.split(" id=\"").skip(1) {
            let (id, _) = piece.split_once('"').unwrap();
            assert!(ids.insert(id), "{name}: two elements are called {id}");
        }
        for attribute in [
            " for=\"",
            " aria-labelledby=\"",
            " aria-describedby=\"",
            " href=\"#",
        ] {
            for piece in html.split(attribute).skip(1) {
                let (targets, _) = piece.split_once('"').unwrap();
                for target in targets.split_whitespace() {
                    assert!(
                        ids.contains(target),
                        "{name}:{attribute}{target} leads nowhere"
                    );
                }
            }
        }
    }
}

#[test]
fn a_page_fits_the_first_flight_and_its_scripts_the_budget() {
    for Rendered { name, html, .. } in all() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(html.as_bytes()).unwrap();
        let size = gz.finish().unwrap().len();
        // A page of fifty checksums cannot be squeezed: they are random.
        let limit = if html.matches("SHA-256").count() > 20 {
            28
        } else {
            14
        };
        assert!(size <= limit * 1024, "{name}: {size} bytes compressed");
    }
    let mut scripts = 0;
    for entry in fs::read_dir("templates/static/js").unwrap() {
        let about = entry.unwrap().metadata().unwrap();
        scripts += if about.is_file() { about.len() } else { 0 };
    }
    assert!(scripts <= 8 * 1024, "all scripts together: {scripts} bytes");
    // Of others, for the page of a draft's files alone.
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&fs::read("templates/static/js/vendor/tus.min.js").unwrap())
        .unwrap();
    let size = gz.finish().unwrap().len();
    assert!(
        size <= 40 * 1024,
        "the uploading library: {size} bytes compressed"
    );
}

#[test]
fn every_sentence_a_template_names_is_written_in_both_languages() {
    for (name, source) in render::sources() {
        for call in ["t(\"", "t('"] {
            for (at, _) in source.match_indices(call) {
                let before = source[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let quote = &call[2..];
                let (key, after) = source[at + call.len()..].split_once(quote).unwrap();
                if after.trim_start().starts_with('~') {
                    continue; // put together; the samples reach it
                }
                for locale in Locale::ALL {
                    assert!(text::has(locale, key), "{name}: {key} in {}", locale.code());
                }
            }
        }
    }
}
