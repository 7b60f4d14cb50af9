//! The canonical id of a trip that has several ids: the same one in whatever order documents show them.

use std::collections::{BTreeMap, BTreeSet};

/// Maps each id that is not canonical to the canonical id of its trip. The ids of a group are one trip, and groups that share
/// an id are one trip.
///
/// The canonical id is a resource id before a short id, then the smaller text. The minimum of a union is the minimum of its
/// parts' minima, so joining trips step by step ends in the same id as joining them together.
pub fn canonical_ids(groups: &[Vec<String>]) -> BTreeMap<String, String> {
    let mut trips: Vec<BTreeSet<&str>> = Vec::new();
    for group in groups {
        let mut joined: BTreeSet<&str> = group.iter().map(String::as_str).collect();
        // The trips found so far are disjoint, so one pass over them is enough.
        trips.retain(|trip| {
            let is_other = trip.is_disjoint(&joined);
            if !is_other {
                joined.extend(trip);
            }
            is_other
        });
        trips.push(joined);
    }
    let mut canonical_of = BTreeMap::new();
    for trip in trips {
        let Some(canonical) = trip.iter().copied().min_by_key(|id| (!id.starts_with("atrip-"), *id)) else {
            continue;
        };
        let others = trip.iter().filter(|id| **id != canonical);
        canonical_of.extend(others.map(|id| ((*id).to_owned(), canonical.to_owned())));
    }
    canonical_of
}

#[cfg(test)]
mod tests;
