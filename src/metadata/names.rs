//! How people and organisations are named: in lists, in indexes and in citations.
//!
//! A Vietnamese name is family, middle, given: `Đặng Thị Ngọc Trâm`. It is filed under its family name
//! (`Đặng, Thị Ngọc Trâm`) and cited with initials of the rest (`Đặng T. N. T.`), without the comma
//! that Western styles put there.

use super::{
    model::{Affiliation, AgentKind, Funder, PersonOrOrg},
    vocabulary,
};
use crate::{ids::Ror, text::Locale};

impl PersonOrOrg {
    pub fn person(family_name: impl Into<String>, given_name: impl Into<String>) -> Self {
        Self {
            family_name: Some(family_name.into()),
            given_name: Some(given_name.into()).filter(|n| !n.is_empty()),
            ..Self::default()
        }
    }
    pub fn organisation(name: impl Into<String>) -> Self {
        Self {
            kind: AgentKind::Organizational,
            organisation: Some(name.into()),
            ..Self::default()
        }
    }
    /// The name to sort and list by: `Đặng, Thị Ngọc Trâm`, or the organisation's. Empty when unnamed.
    pub fn name(&self) -> String {
        match self.kind {
            AgentKind::Organizational => self.organisation.clone().unwrap_or_default(),
            AgentKind::Personal => match (&self.family_name, &self.given_name) {
                (Some(family), Some(given)) => format!("{family}, {given}"),
                (Some(one), None) | (None, Some(one)) => one.clone(),
                (None, None) => String::new(),
            },
        }
    }
    /// The name as it is spoken: `Đặng Thị Ngọc Trâm`, `Ada Lovelace`.
    pub fn spoken(&self) -> String {
        match (self.kind, &self.family_name, &self.given_name) {
            (AgentKind::Personal, Some(family), Some(given)) if self.is_vietnamese() => {
                format!("{family} {given}")
            }
            (AgentKind::Personal, Some(family), Some(given)) => format!("{given} {family}"),
            _ => self.name(),
        }
    }
    /// The name in a citation: `Đặng T. N. T.`, `Lovelace, A.`
    pub fn cited(&self) -> String {
        match (self.kind, &self.family_name, &self.given_name) {
            (AgentKind::Personal, Some(family), Some(given)) => {
                let comma = if self.is_vietnamese() { "" } else { "," };
                format!("{family}{comma} {}", initials(given))
            }
            _ => self.name(),
        }
    }
    /// An identifier of this scheme, in its bare form.
    pub fn identifier(&self, scheme: &str) -> Option<&str> {
        self.identifiers
            .iter()
            .find(|i| i.scheme == scheme)
            .map(|i| i.identifier.as_str())
    }
    pub fn orcid(&self) -> Option<&str> {
        self.identifier("orcid")
    }
    /// Told by the family name: these cover nearly everybody, and are rare elsewhere when
    /// written with their marks. Without marks only those that no other language shares are taken.
    fn is_vietnamese(&self) -> bool {
        let family = self
            .family_name
            .as_deref()
            .unwrap_or_default()
            .to_lowercase();
        let first = family.split_whitespace().next().unwrap_or_default();
        FAMILY_NAMES.contains(&first) || self.given_name.as_deref().is_some_and(has_own_letters)
    }
}

impl Affiliation {
    /// The organisation's name in this language, as far as it is known. Empty when only an id is.
    pub fn label(&self, locale: Locale) -> &str {
        organisation(self.id.as_ref(), self.name.as_deref(), locale)
    }
}

impl Funder {
    /// The funder's name in this language, as far as it is known.
    pub fn label(&self, locale: Locale) -> &str {
        organisation(self.id.as_ref(), self.name.as_deref(), locale)
    }
}

fn organisation<'a>(id: Option<&'a Ror>, name: Option<&'a str>, locale: Locale) -> &'a str {
    id.and_then(|id| vocabulary::organisation(id.as_str()))
        .map(|entry| entry.label(locale))
        .or(name)
        .unwrap_or_default()
}

/// `Thị Ngọc Trâm` → `T. N. T.`; `Jean-Paul` → `J.-P.`
fn initials(given: &str) -> String {
    given
        .split_whitespace()
        .map(|word| {
            word.split('-')
                .filter_map(|part| part.chars().find(|c| c.is_alphabetic()))
                .map(|c| format!("{}.", c.to_uppercase()))
                .collect::<Vec<_>>()
                .join("-")
        })
        .filter(|i| !i.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Letters that are written in no other language with a Latin alphabet in wide use.
fn has_own_letters(s: &str) -> bool {
    s.chars()
        .flat_map(char::to_lowercase)
        .any(|c| matches!(c, 'ơ' | 'ư' | '\u{1ea1}'..='\u{1ef9}') && !matches!(c, 'ẽ' | 'ỹ' | 'ỳ'))
}

const FAMILY_NAMES: [&str; 76] = [
    "nguyễn", "nguyen", "trần", "lê", "phạm", "pham", "huỳnh", "huynh", "hoàng", "hoang", "phan",
    "vũ", "võ", "đặng", "dang", "bùi", "bui", "đỗ", "hồ", "ngô", "dương", "duong", "lý", "đào",
    "đoàn", "doan", "vương", "trịnh", "trinh", "đinh", "dinh", "lâm", "phùng", "phung", "tô",
    "trương", "truong", "hà", "tạ", "châu", "quách", "thái", "thạch", "lương", "luong", "lưu",
    "luu", "nghiêm", "triệu", "trieu", "kiều", "kieu", "đàm", "mạc", "tống", "diệp", "khổng",
    "khuất", "tăng", "từ", "ông", "âu", "bạch", "hứa", "lục", "mã", "nông", "phí", "sơn", "thân",
    "tiêu", "tôn", "ứng", "viên", "điêu", "lò",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_said_in_each_order() {
        let tram = PersonOrOrg::person("Đặng", "Thị Ngọc Trâm");
        assert_eq!(tram.name(), "Đặng, Thị Ngọc Trâm");
        assert_eq!(tram.spoken(), "Đặng Thị Ngọc Trâm");
        assert_eq!(tram.cited(), "Đặng T. N. T.");
        let jean = PersonOrOrg::person("Sartre", "Jean-Paul");
        assert_eq!(jean.spoken(), "Jean-Paul Sartre");
        assert_eq!(jean.cited(), "Sartre, J.-P.");
        assert_eq!(PersonOrOrg::person("Nguyễn", "đình").cited(), "Nguyễn Đ.");
        assert_eq!(PersonOrOrg::person("Plato", "").cited(), "Plato");
        let org = PersonOrOrg::organisation("Viện Hải dương học");
        assert_eq!((org.name(), org.cited()), (org.spoken(), org.name()));
        assert_eq!(PersonOrOrg::default().name(), "");
    }
}
