//! Which of a trip's ids stands for it, once documents have shown several to be one trip: always the same one, in whatever
//! order they were shown.

use std::collections::{BTreeMap, BTreeSet};

/// From each id that gives way to the one that stands for its trip. The ids of a group are one trip; groups that share an id
/// are one as well.
///
/// A resource id stands before a short id, and then the smaller text: the best of all is the best of any part that has it, so
/// joining two trips that were joined before ends in the same id as joining all at once.
pub fn standing(groups: &[Vec<String>]) -> BTreeMap<String, String> {
    let mut trips: Vec<BTreeSet<&str>> = Vec::new();
    for group in groups {
        let mut whole: BTreeSet<&str> = group.iter().map(String::as_str).collect();
        // Those known so far share nothing with one another, so once over them is enough.
        trips.retain(|trip| {
            let apart = trip.is_disjoint(&whole);
            if !apart {
                whole.extend(trip);
            }
            apart
        });
        trips.push(whole);
    }
    let mut gives_way = BTreeMap::new();
    for trip in trips {
        let Some(stands) = trip.iter().copied().min_by_key(|id| (!id.starts_with("atrip-"), *id)) else {
            continue;
        };
        let others = trip.iter().filter(|id| **id != stands);
        gives_way.extend(others.map(|id| ((*id).to_owned(), stands.to_owned())));
    }
    gives_way
}

#[cfg(test)]
mod tests;
