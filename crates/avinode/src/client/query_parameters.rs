//! The optional query parameters of GETs. Avinode leaves the parts of a document out that they name unless it is asked for
//! them.
//!
//! A server that knows a parameter under another name may refuse the call with 400. The resource is then called without
//! parameters; if that is answered, and no call with them was, all resources of its kind are for a while.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::resource::{Resource, ResourceKind};

/// The parts that the reader reads: the seller's quote of a lift, the sellers' messages, update times, aircraft.
pub const DEFAULT: &str = "rfqs?latestquote=true&sellermessagelinks=true&timestamps=true&taildetails=true&typedetails=true,\
     trips?sellermessagelinks=true&timestamps=true,tripmsgs?timestamps=true,quotes?timestamps=true";
/// The time after which parameters that were refused are sent again.
const REFUSED: TimeDelta = TimeDelta::hours(1);
/// The most resources that are remembered; the parameters are sent again where more are refused.
const RESOURCES_MAX: usize = 1_000;

/// The query of each kind of resource; a kind without an entry has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryParameters(BTreeMap<ResourceKind, String>);

impl QueryParameters {
    /// [`DEFAULT`].
    pub fn needed() -> Self {
        DEFAULT.parse().unwrap_or_default()
    }

    pub(super) fn of(&self, kind: ResourceKind) -> Option<&str> {
        self.0.get(&kind).map(String::as_str)
    }
}

/// Parses `KIND?NAME=VALUE&NAME=VALUE`, separated by commas. Nothing is no parameters. The error completes `"VALUE" …`.
impl FromStr for QueryParameters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (kind, query) = entry.split_once('?').unwrap_or((entry, ""));
            let kind =
                ResourceKind::parse(kind).ok_or("does not begin with rfqs, tripmsgs, quotes or trips, and a ?")?;
            if !query.split('&').all(is_parameter) {
                return Err(
                    "is not KIND?NAME=VALUE&NAME=VALUE, separated by commas, of letters, digits, - and _".to_owned(),
                );
            }
            if all.insert(kind, query.to_owned()).is_some() {
                return Err(format!("has two entries for {kind}"));
            }
        }
        Ok(Self(all))
    }
}

/// So plain that no part of it needs an encoding.
fn is_parameter(parameter: &str) -> bool {
    let is_word = |word: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !word.is_empty() && word.bytes().all(is_plain)
    };
    parameter
        .split_once('=')
        .is_some_and(|(name, value)| is_word(name) && is_word(value))
}

/// The parameters that were refused.
#[derive(Debug, Default)]
pub(super) struct RefusedParameters(BTreeMap<ResourceKind, RefusedOfKind>);

#[derive(Debug, Default)]
struct RefusedOfKind {
    /// A call with parameters was answered.
    accepted: bool,
    /// Until then no call of the kind has parameters.
    until: Option<DateTime<Utc>>,
    /// The resources that are called without parameters, and until when.
    resources: BTreeMap<String, DateTime<Utc>>,
}

/// The answer to a call, as far as its parameters are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterAnswer {
    Document,
    /// 400.
    BadRequest,
    Other,
}

impl RefusedParameters {
    pub(super) fn applies_to(&self, resource: &Resource, now: DateTime<Utc>) -> bool {
        let Some(refused) = self.0.get(&resource.kind) else {
            return false;
        };
        let until = refused.resources.get(resource.id.as_str()).copied();
        refused.until.max(until).is_some_and(|until| until > now)
    }

    /// Records the answer to a call. Returns `true` if the kind is called without parameters from now on.
    pub(super) fn record(
        &mut self,
        resource: &Resource,
        with_parameters: bool,
        answer: ParameterAnswer,
        now: DateTime<Utc>,
    ) -> bool {
        let refused = self.0.entry(resource.kind).or_default();
        match (with_parameters, answer) {
            (true, ParameterAnswer::Document) => refused.accepted = true,
            (true, ParameterAnswer::BadRequest) => {
                if refused.resources.len() >= RESOURCES_MAX {
                    refused.resources.clear();
                }
                refused.resources.insert(resource.id.to_string(), now + REFUSED);
            }
            (false, ParameterAnswer::Document) if !refused.accepted => {
                let was_refused = refused.until.is_some_and(|until| until > now);
                let is_suspect = refused.resources.contains_key(resource.id.as_str());
                if !was_refused && is_suspect {
                    refused.until = Some(now + REFUSED);
                    refused.resources.clear();
                    return true;
                }
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests;
