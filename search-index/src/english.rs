//! English plurals. Not a stemmer: a stemmer would also cut Vietnamese and names, and a wrong stem
//! is worse than none.

/// The singular of an accent-free word that looks like an English plural; other words unchanged.
/// Harman's S-rules, which only ever touch a final `s`.
pub fn singular(word: &str) -> String {
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        if !stem.ends_with(['a', 'e']) {
            return format!("{stem}y");
        }
    } else if let Some(stem) = word.strip_suffix("es") {
        if !stem.ends_with(['a', 'e', 'o']) {
            return format!("{stem}e");
        }
    } else if let Some(stem) = word.strip_suffix('s')
        && !stem.ends_with(['u', 's', 'i'])
    {
        return stem.to_owned();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::singular;

    #[test]
    fn plurals_meet_their_singulars_and_names_are_left_alone() {
        for (plural, one) in [
            ("datasets", "dataset"),
            ("species", "specy"),
            ("studies", "study"),
            ("images", "image"),
            ("virus", "virus"),
            ("analysis", "analysis"),
            ("mass", "mass"),
            ("gas", "gas"),
            ("pm2", "pm2"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }
}
