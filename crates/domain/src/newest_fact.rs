//! The newest of the facts about one subject: a decline, a status. Every order of arrival ends with the same one.

use serde::{Deserialize, Serialize};

use super::event::{FactSource, FactVersion};

/// The most facts kept of one subject.
const MAX_FACTS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionedFact<T> {
    pub version: FactVersion,
    pub value: T,
}

/// The newest fact, and those that may turn out to be newer: an event moves back among those of its time when an earlier delivery
/// of it becomes known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewestFact<T> {
    /// The newest first; mostly one.
    facts: Vec<VersionedFact<T>>,
}

impl<T> Default for NewestFact<T> {
    fn default() -> Self {
        Self { facts: Vec::new() }
    }
}

impl<T> NewestFact<T> {
    /// The values of all facts. Changing one changes no version.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.facts.iter_mut().map(|fact| &mut fact.value)
    }
}

impl<T: Clone> NewestFact<T> {
    pub fn of(version: FactVersion, value: T) -> Self {
        Self {
            facts: vec![VersionedFact { version, value }],
        }
    }

    pub fn get(&self) -> Option<&VersionedFact<T>> {
        self.facts.first()
    }

    /// True if the newest fact is all that is kept.
    pub fn is_single(&self) -> bool {
        self.facts.len() <= 1
    }

    /// Adds facts about the same subject. Commutative, associative and idempotent.
    ///
    /// Returns whether another fact is the newest now.
    pub fn merge(&mut self, other: &Self) -> bool {
        let identity = |fact: &VersionedFact<T>| (fact.version.at, fact.version.source, fact.version.digest);
        let before = self.get().map(identity);
        for fact in &other.facts {
            let mut fact = fact.clone();
            fact.version = fact.version.without_repetition();
            match self.facts.iter_mut().find(|known| identity(known) == identity(&fact)) {
                Some(known) => known.version.merge_repetition(&fact.version),
                None => self.facts.push(fact),
            }
        }
        self.facts.sort_by(|one, other| other.version.cmp(&one.version));
        // An event without a timestamp stays, however old: it may be received again, and counts from its first delivery.
        let is_undated_event =
            |fact: &VersionedFact<T>| fact.version.source == FactSource::Event && fact.version.at.is_none();
        let dated = self.facts.iter().filter(|fact| !is_undated_event(fact));
        let floor = dated.map(|fact| fact.version.earliest()).max();
        self.facts
            .retain(|fact| is_undated_event(fact) || Some(&fact.version) >= floor.as_ref());
        self.facts.truncate(MAX_FACTS);
        self.get().map(identity) != before
    }
}
