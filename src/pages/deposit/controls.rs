//! From the path of a problem (`metadata.creators.0.person_or_org.name`) to the page and the control
//! where it is mended, so that the summary of a form, the task list and the last check all lead there.

/// The page of a deposit on which a control stands: the last part of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Files,
    Describe,
    Access,
}

impl Task {
    pub const ALL: [Task; 3] = [Task::Files, Task::Describe, Task::Access];

    pub fn code(self) -> &'static str {
        match self {
            Task::Files => "files",
            Task::Describe => "describe",
            Task::Access => "access",
        }
    }
}

/// The task and the `id` of the control for a path of the dialect. A path without a control of its
/// own leads to the first control of its task.
pub fn control(path: &str) -> (Task, String) {
    let parts: Vec<&str> = path.split('.').collect();
    let describe = |id: &str| (Task::Describe, id.to_owned());
    match parts.as_slice() {
        ["files", ..] => (Task::Files, "file".to_owned()),
        ["access", "embargo", "until", ..] => (Task::Access, "embargo_until".to_owned()),
        ["access", "embargo", "reason", ..] => (Task::Access, "embargo_reason".to_owned()),
        ["access", ..] => (Task::Access, "access".to_owned()),
        ["metadata", "additional_titles", ..] => describe("title.en"),
        ["metadata", "additional_descriptions", ..] => describe("description.en"),
        ["metadata", "description", ..] => describe("description.vi"),
        ["metadata", "resource_type", ..] => describe("resource_type"),
        ["metadata", "publication_date", ..] => describe("publication_date"),
        ["metadata", "rights", ..] => describe("licence"),
        ["metadata", "subjects", ..] => describe("keywords"),
        ["metadata", "languages", ..] => describe("languages"),
        ["metadata", "publisher", ..] => describe("publisher"),
        ["metadata", "version", ..] => describe("version"),
        ["metadata", "creators", n, rest @ ..] => {
            let field = match rest {
                ["person_or_org", "given_name", ..] => "given_name",
                ["person_or_org", "identifiers", ..] => "identifier",
                ["affiliations", ..] => "affiliation",
                _ => "family_name",
            };
            describe(&format!("creators.{n}.{field}"))
        }
        ["metadata", "creators"] => describe("creators.0.family_name"),
        ["metadata", "related_identifiers", n, rest @ ..] => {
            let field = match rest {
                ["relation_type", ..] => "relation",
                _ => "identifier",
            };
            describe(&format!("related.{n}.{field}"))
        }
        ["metadata", "funding", n, rest @ ..] => {
            let field = match rest {
                ["award", ..] => "award_number",
                _ => "funder",
            };
            describe(&format!("funding.{n}.{field}"))
        }
        _ => describe("title.vi"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_leads_to_the_control_that_mends_it() {
        for (path, task, id) in [
            ("metadata.title", Task::Describe, "title.vi"),
            (
                "metadata.creators.3.person_or_org.identifiers.0.identifier",
                Task::Describe,
                "creators.3.identifier",
            ),
            (
                "metadata.creators",
                Task::Describe,
                "creators.0.family_name",
            ),
            ("access.embargo.until", Task::Access, "embargo_until"),
            ("files.enabled", Task::Files, "file"),
            ("metadata.rights.0.id", Task::Describe, "licence"),
            ("", Task::Describe, "title.vi"),
        ] {
            assert_eq!(control(path), (task, id.to_owned()), "{path}");
        }
    }
}
