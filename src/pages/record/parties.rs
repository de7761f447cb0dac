//! People and organisations of a record, their affiliations counted once however many share them.

use super::view::{Affiliation, Contributor};
use crate::{
    metadata::{
        model::Agent,
        vocabulary::{Vocabulary, label},
    },
    text::Locale,
};

/// The affiliations met so far, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Affiliations {
    pub all: Vec<Affiliation>,
}

impl Affiliations {
    /// Its number, from 1.
    fn number(&mut self, name: &str, ror: Option<String>) -> usize {
        let known = self.all.iter().position(|a| {
            if ror.is_some() {
                a.ror == ror
            } else {
                a.name == name
            }
        });
        known.map_or_else(
            || {
                self.all.push(Affiliation {
                    name: name.to_owned(),
                    ror,
                });
                self.all.len()
            },
            |at| at + 1,
        )
    }
}

/// Agents as the page lists them. Roles are said of contributors; a creator's is part of being one.
pub(super) fn people(
    agents: &[Agent],
    affiliations: &mut Affiliations,
    locale: Locale,
    roles: bool,
) -> Vec<Contributor> {
    agents
        .iter()
        .map(|agent| {
            let who = &agent.person_or_org;
            let mut numbers = Vec::new();
            for a in &agent.affiliations {
                let ror = a.id.as_ref().map(|r| r.as_str().to_owned());
                let name = match (a.label(locale), &ror) {
                    ("", Some(ror)) => ror.clone(),
                    (name, _) => name.to_owned(),
                };
                let number = affiliations.number(&name, ror);
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            Contributor {
                name: who.spoken(),
                sort_name: who.name(),
                orcid: who.orcid().map(ToOwned::to_owned),
                ror: who.identifier("ror").map(ToOwned::to_owned),
                affiliations: numbers,
                role: agent
                    .role
                    .as_ref()
                    .filter(|_| roles)
                    .map(|r| label(Vocabulary::ContributorsRoles, &r.id, locale).to_owned()),
            }
        })
        .collect()
}
