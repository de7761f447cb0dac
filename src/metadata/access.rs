//! Who may see a record's page and its files, and until when: the dialect's `access` section.
//!
//! Not here: whether a certain person may (`crate::access`).

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};

use crate::text::Locale;

/// Open to everybody, or only to those who were let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    #[default]
    Public,
    Restricted,
}

/// What is shown until `until`, and why not yet all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Embargo {
    pub active: bool,
    /// The first day on which it no longer holds.
    pub until: Option<NaiveDate>,
    pub reason: Option<String>,
}

/// The dialect's `access` section.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Access {
    pub record: Visibility,
    pub files: Visibility,
    pub embargo: Embargo,
}

/// What the access section amounts to on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessStatus {
    Open,
    Embargoed,
    Restricted,
    MetadataOnly,
}

impl AccessStatus {
    pub const ALL: [AccessStatus; 4] = [
        AccessStatus::Open,
        AccessStatus::Embargoed,
        AccessStatus::Restricted,
        AccessStatus::MetadataOnly,
    ];
    /// As in JSON and facets; `access-status-<code>` is its label.
    pub fn code(self) -> &'static str {
        match self {
            AccessStatus::Open => "open",
            AccessStatus::Embargoed => "embargoed",
            AccessStatus::Restricted => "restricted",
            AccessStatus::MetadataOnly => "metadata-only",
        }
    }
    pub fn label(self, locale: Locale) -> String {
        crate::text::say(locale, &format!("access-status-{}", self.code()), &[])
    }
    /// The term of the OpenAIRE guidelines: `info:eu-repo/semantics/openAccess`.
    pub fn eurepo(self) -> &'static str {
        match self {
            AccessStatus::Open => "info:eu-repo/semantics/openAccess",
            AccessStatus::Embargoed => "info:eu-repo/semantics/embargoedAccess",
            AccessStatus::Restricted => "info:eu-repo/semantics/restrictedAccess",
            AccessStatus::MetadataOnly => "info:eu-repo/semantics/closedAccess",
        }
    }
}

impl Access {
    /// The section as it holds on a day: an embargo whose day has come is lifted, and with it the
    /// restriction it justified, even before the nightly job has written that down.
    pub fn effective(&self, today: NaiveDate) -> Access {
        match self.embargo.until {
            Some(until) if self.embargo.active && until <= today => Access {
                record: Visibility::Public,
                files: Visibility::Public,
                embargo: Embargo {
                    active: false,
                    ..self.embargo.clone()
                },
            },
            _ => self.clone(),
        }
    }
    /// `files` is false for a record that has no files on purpose.
    pub fn status(&self, files: bool, today: NaiveDate) -> AccessStatus {
        let now = self.effective(today);
        if now.embargo.active {
            AccessStatus::Embargoed
        } else if now.record == Visibility::Restricted {
            AccessStatus::Restricted
        } else if !files {
            AccessStatus::MetadataOnly
        } else if now.files == Visibility::Restricted {
            AccessStatus::Restricted
        } else {
            AccessStatus::Open
        }
    }
    /// The read shape: the section and its computed `status`.
    pub fn dump(&self, files: bool, today: NaiveDate) -> Value {
        let now = self.effective(today);
        json!({
            "record": now.record,
            "files": now.files,
            "embargo": now.embargo,
            "status": self.status(files, today).code(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embargo_ends_on_its_day() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 5, d).unwrap();
        let access = Access {
            files: Visibility::Restricted,
            embargo: Embargo {
                active: true,
                until: Some(day(10)),
                reason: None,
            },
            ..Access::default()
        };
        assert_eq!(access.status(true, day(9)), AccessStatus::Embargoed);
        assert_eq!(access.status(true, day(10)), AccessStatus::Open);
        assert_eq!(access.effective(day(10)).files, Visibility::Public);
        assert_eq!(
            Access::default().status(false, day(1)),
            AccessStatus::MetadataOnly
        );
        let closed = Access {
            record: Visibility::Restricted,
            ..Access::default()
        };
        assert_eq!(closed.status(false, day(1)), AccessStatus::Restricted);
        assert_eq!(access.dump(true, day(1))["embargo"]["until"], "2026-05-10");
    }
}
