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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_resource_id_stands_for_a_trip_and_a_short_id_gives_way() {
        let shown = [
            group(&["A1B2C3", "atrip-9"]),
            group(&["Z9Y8X7"]),
            group(&["B2C3D4", "C3D4E5"]),
        ];
        let expected = [("A1B2C3", "atrip-9"), ("C3D4E5", "B2C3D4")];
        let expected = expected.map(|(id, stands)| (id.to_owned(), stands.to_owned()));
        assert_eq!(standing(&shown), BTreeMap::from(expected));
    }

    #[test]
    fn one_id_twice_is_nothing_to_join() {
        assert_eq!(standing(&[group(&["atrip-1", "atrip-1"]), group(&[])]), BTreeMap::new());
    }

    fn groups() -> impl Strategy<Value = Vec<Vec<String>>> {
        let id = prop::sample::select(&["atrip-1", "atrip-2", "atrip-30", "A1B2C3", "B2C3D4", "ZZZZZZ"][..]);
        prop::collection::vec(prop::collection::vec(id.prop_map(str::to_owned), 1..4), 1..6)
    }

    proptest! {
        #[test]
        fn joined_one_after_the_other_in_any_order_they_end_in_the_same_id_as_all_at_once(
            (shown, shuffled) in groups().prop_flat_map(|shown| (Just(shown.clone()), Just(shown).prop_shuffle()))
        ) {
            let at_once = standing(&shown);
            // As the database does it: what gave way leads to what stands, in one step.
            let mut leads: BTreeMap<String, String> = BTreeMap::new();
            for group in shuffled {
                let known: Vec<String> = group.iter().map(|id| leads.get(id).unwrap_or(id).clone()).collect();
                for (id, stands) in standing(&[known]) {
                    for lead in leads.values_mut().filter(|lead| **lead == id) {
                        lead.clone_from(&stands);
                    }
                    leads.insert(id, stands);
                }
            }
            prop_assert_eq!(leads, at_once);
        }
    }
}
