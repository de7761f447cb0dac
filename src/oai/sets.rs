//! What the sets are called, in both languages at once: a set has one name in the protocol.
//!
//! Which sets a version is in is decided where its item is written (`publish::harvest`).

use crate::{
    metadata::{
        access::AccessStatus,
        vocabulary::{self, Vocabulary},
    },
    text::{Locale, say},
};

/// Sets that are named even while they are empty.
const STANDING: [&str; 2] = ["latest", "openaire_data"];

/// The sets that have items and those that stand always, in order.
pub fn with_standing(mut present: Vec<String>) -> Vec<String> {
    present.extend(STANDING.map(ToOwned::to_owned));
    present.sort_unstable();
    present.dedup();
    present
}

/// `Phiên bản mới nhất / Newest versions`.
pub fn name(spec: &str) -> String {
    let [vi, en] = Locale::ALL.map(|locale| name_in(locale, spec));
    if vi == en { vi } else { format!("{vi} / {en}") }
}

fn name_in(locale: Locale, spec: &str) -> String {
    match spec.split_once('-') {
        Some(("type", id)) => {
            let label = vocabulary::label(Vocabulary::ResourceTypes, id, locale);
            say(locale, "oai-set-type", &[("name", label)])
        }
        Some(("access", code)) => AccessStatus::ALL
            .into_iter()
            .find(|status| status.code() == code)
            .map_or_else(|| spec.to_owned(), |status| status.label(locale)),
        Some(("community", slug)) => say(locale, "oai-set-community", &[("name", slug)]),
        _ => match spec {
            "latest" => say(locale, "oai-set-latest", &[]),
            "openaire_data" => say(locale, "oai-set-openaire-data", &[]),
            _ => spec.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_a_name_in_both_languages() {
        let mut specs: Vec<String> = STANDING.map(ToOwned::to_owned).into();
        specs.extend(AccessStatus::ALL.map(|status| format!("access-{}", status.code())));
        specs.extend(["type-dataset", "community-lua-gao"].map(ToOwned::to_owned));
        for spec in specs {
            let name = name(&spec);
            assert!(
                !name.contains("oai-set") && !name.contains("access-"),
                "{spec}: {name}"
            );
            assert!(name.contains(" / "), "{spec}: {name}");
        }
    }

    #[test]
    fn sets_stand_before_there_are_records() {
        assert_eq!(with_standing(Vec::new()), ["latest", "openaire_data"]);
        let present = ["type-dataset", "latest"].map(ToOwned::to_owned).into();
        assert_eq!(
            with_standing(present),
            ["latest", "openaire_data", "type-dataset"]
        );
    }
}
