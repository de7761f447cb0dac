//! The OCFL community's own good and bad objects (github.com/OCFL/fixtures, folder `1.1`), where
//! `KHO_OCFL_FIXTURES` says they are. Not kept in this tree: they carry no licence.

use super::*;

/// Faults that Kho names by another code than the fixture's name does, because it sees something else first.
const OTHER_CODES: [&str; 6] = [
    "E001_invalid_version_format",
    "E011_E013_invalid_padded_head_version",
    "E015_content_not_in_content_dir",
    "E019_inconsistent_content_dir",
    "E023_old_manifest_missing_entries",
    "E049_E050_E054_bad_version_block_values",
];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn good_objects_are_sound_and_bad_ones_are_not() {
    let Some(fixtures) = std::env::var_os("KHO_OCFL_FIXTURES") else {
        eprintln!("skipped: set KHO_OCFL_FIXTURES to the folder 1.1 of github.com/OCFL/fixtures");
        return;
    };
    let home = Home::new().await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for kind in ["good-objects", "warn-objects", "bad-objects"] {
        for entry in std::fs::read_dir(Path::new(&fixtures).join(kind)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let root = format!("{kind}/{name}");
            copy(
                &entry.path(),
                &home.folder.path().join("archive").join(&root),
            );
            let findings = home
                .archive
                .verify_at(&root.parse().unwrap())
                .await
                .unwrap();
            let codes: Vec<&str> = findings.iter().map(|f| f.fault.code).collect();
            let expected: Vec<&str> = name
                .split('_')
                .take_while(|part| part.starts_with('E') && part.len() == 4)
                .collect();
            let ok = if kind == "bad-objects" {
                !codes.is_empty()
                    && (expected.iter().any(|e| codes.contains(e))
                        || OTHER_CODES.contains(&name.as_str()))
            } else {
                codes.is_empty()
            };
            count += 1;
            if !ok {
                let first: Vec<String> = findings
                    .iter()
                    .take(3)
                    .map(|f| f.fault.to_string())
                    .collect();
                wrong.push(format!("{root}: {codes:?} {first:?}"));
            }
        }
    }
    assert!(count > 60, "only {count} fixtures");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
