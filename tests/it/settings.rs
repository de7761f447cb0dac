//! Every setting stands in the operator's guide with its environment name, and the guide names none that is not there.

use std::collections::BTreeSet;

use kho::config::SETTINGS;

#[test]
fn the_guide_names_every_setting_and_no_other() {
    let guide = include_str!("../../docs/guide/settings.md");
    let rows: Vec<&str> = guide
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let named: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.split('`').nth(1))
        .collect();
    let known: BTreeSet<&str> = SETTINGS.iter().map(|s| s.key).collect();
    assert_eq!(named, known);
    for setting in SETTINGS {
        let row = rows
            .iter()
            .find(|row| row.contains(&format!("`{}`", setting.key)))
            .unwrap();
        let variable = format!("`KHO_{}`", setting.key.to_uppercase());
        assert!(row.contains(&variable), "{variable} is not in {row}");
        if !setting.default.is_empty() {
            let default = format!("`{}`", setting.default);
            assert!(row.contains(&default), "{default} is not in {row}");
        }
    }
}
