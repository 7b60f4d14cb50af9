//! Resources of Avinode's API. The prefix of an id gives the kind, so that a link without a type, or a notification with an
//! unknown one, can still be fetched.

use std::fmt;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use ingest_domain::ids::ResourceId;

/// A kind of resource with parsable documents.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString, Display, VariantArray,
)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum ResourceKind {
    /// A chat message; a seller's answer is one, too.
    #[strum(serialize = "tripmsgs")]
    TripMessages,
    Rfqs,
    Quotes,
    Trips,
}

/// Displayed as `rfqs/arfq-12345678`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    pub kind: ResourceKind,
    pub id: ResourceId,
}

impl ResourceKind {
    /// The word in URL paths and in a notification's `type`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of a word, in any case; `None` for a kind that is not supported (`leads`, `emptylegs`, …).
    pub fn parse(word: &str) -> Option<Self> {
        word.trim().parse().ok()
    }
}

impl Resource {
    /// The resource of an id as text; `None` also for an invalid id.
    pub fn by_text(id: &str) -> Option<Self> {
        Self::by_id(&ResourceId::parse(id).ok()?)
    }

    /// The resource of an id, by the prefix before its first dash: `arfq`, `aquote`, `atrip`, and any prefix that ends in
    /// `msg` (`asellermsg` and `abuyermsg` have been seen). A short id is a trip's. `None` for any other prefix, and for bare
    /// digits.
    pub fn by_id(id: &ResourceId) -> Option<Self> {
        if is_short_id(id.as_str()) {
            return Some(Self {
                kind: ResourceKind::Trips,
                id: id.clone(),
            });
        }
        let (prefix, _) = id.as_str().split_once('-')?;
        let kind = match prefix.to_ascii_lowercase().as_str() {
            "arfq" => ResourceKind::Rfqs,
            "aquote" => ResourceKind::Quotes,
            "atrip" => ResourceKind::Trips,
            prefix if prefix.ends_with("msg") => ResourceKind::TripMessages,
            _ => return None,
        };
        Some(Self { kind, id: id.clone() })
    }

    /// True for the list of a trip's RFQs: `rfqs/` with an id of a trip.
    pub fn is_rfqs_of_trip(&self) -> bool {
        self.kind == ResourceKind::Rfqs && Self::by_id(&self.id).is_some_and(|known| known.kind == ResourceKind::Trips)
    }

    /// The key of jobs that fetch the resource without a notification: its id, which has to give the kind as well.
    pub fn key(&self) -> String {
        match self.is_rfqs_of_trip() {
            true => self.to_string(),
            false => self.id.to_string(),
        }
    }

    /// The resource of a [`key`](Self::key).
    pub fn by_key(key: &str) -> Option<Self> {
        let rfqs = |id| {
            Some(Self {
                kind: ResourceKind::Rfqs,
                id: ResourceId::parse(id).ok()?,
            })
        };
        match key.split_once('/') {
            Some(("rfqs", id)) => rfqs(id).filter(Self::is_rfqs_of_trip),
            _ => Self::by_text(key),
        }
    }
}

/// True for the id of a trip that is shown to people: 6 to 8 upper-case letters and digits, at least one of them a letter. A
/// trip, and the list of its RFQs, can be fetched by it.
pub fn is_short_id(id: &str) -> bool {
    let is_plain = id
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (6..=8).contains(&id.len()) && is_plain && id.bytes().any(|byte| byte.is_ascii_uppercase())
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests;
