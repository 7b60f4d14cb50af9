//! The things at Avinode that can be fetched, by kind and id. What kind an id is of can be told from its first word, so that
//! a link without a type, or a notification with an odd one, still leads somewhere.

use std::fmt;

use super::resource_id::ResourceId;

/// A kind of resource whose documents are understood; its word is the one in paths and in a notification's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// `tripmsgs`: a chat message, or a seller's answer, which is one as well.
    TripMessages,
    /// `rfqs`: what was asked of one seller, and what came of it.
    Rfqs,
    /// `quotes`: one seller's quote.
    Quotes,
    /// `trips`: a trip, and links to the rest.
    Trips,
}

/// One resource: `rfqs/arfq-12345678`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its id, case kept.
    pub id: ResourceId,
}

impl ResourceKind {
    const ALL: [Self; 4] = [Self::TripMessages, Self::Rfqs, Self::Quotes, Self::Trips];

    /// The word in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TripMessages => "tripmsgs",
            Self::Rfqs => "rfqs",
            Self::Quotes => "quotes",
            Self::Trips => "trips",
        }
    }

    /// The kind of a word, in any case; `None` for a kind whose documents nobody here reads (`leads`, `emptylegs`, …).
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim();
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

impl Resource {
    /// The resource of an id, told by the word before its first dash: `arfq`, `aquote`, `atrip`, and whatever ends in
    /// `msg` (`asellermsg` and `abuyermsg` were seen). `None` for any other word, and for bare digits.
    pub fn by_id(id: &ResourceId) -> Option<Self> {
        let (word, _) = id.as_str().split_once('-')?;
        let kind = match word.to_ascii_lowercase().as_str() {
            "arfq" => ResourceKind::Rfqs,
            "aquote" => ResourceKind::Quotes,
            "atrip" => ResourceKind::Trips,
            word if word.ends_with("msg") => ResourceKind::TripMessages,
            _ => return None,
        };
        Some(Self { kind, id: id.clone() })
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests;
