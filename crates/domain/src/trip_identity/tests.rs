use proptest::prelude::*;

use super::*;

fn group(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn a_resource_id_is_canonical_before_a_short_id() {
    let groups = [
        group(&["A1B2C3", "atrip-9"]),
        group(&["Z9Y8X7"]),
        group(&["B2C3D4", "C3D4E5"]),
    ];
    let expected = [("A1B2C3", "atrip-9"), ("C3D4E5", "B2C3D4")];
    let expected = expected.map(|(id, canonical)| (id.to_owned(), canonical.to_owned()));
    assert_eq!(canonical_ids(&groups), BTreeMap::from(expected));
}

#[test]
fn a_group_of_one_id_joins_nothing() {
    let groups = [group(&["atrip-1", "atrip-1"]), group(&[])];
    assert_eq!(canonical_ids(&groups), BTreeMap::new());
}

fn groups() -> impl Strategy<Value = Vec<Vec<String>>> {
    let id = prop::sample::select(&["atrip-1", "atrip-2", "atrip-30", "A1B2C3", "B2C3D4", "ZZZZZZ"][..]);
    prop::collection::vec(prop::collection::vec(id.prop_map(str::to_owned), 1..4), 1..6)
}

proptest! {
    #[test]
    fn joining_groups_one_by_one_in_any_order_ends_as_joining_them_together(
        (groups, shuffled) in groups().prop_flat_map(|groups| (Just(groups.clone()), Just(groups).prop_shuffle()))
    ) {
        let together = canonical_ids(&groups);
        // As the database does it: `merged_into` leads from each other id to the canonical one in one step.
        let mut merged_into: BTreeMap<String, String> = BTreeMap::new();
        for group in shuffled {
            let known: Vec<String> = group.iter().map(|id| merged_into.get(id).unwrap_or(id).clone()).collect();
            for (id, canonical) in canonical_ids(&[known]) {
                for target in merged_into.values_mut().filter(|target| **target == id) {
                    target.clone_from(&canonical);
                }
                merged_into.insert(id, canonical);
            }
        }
        prop_assert_eq!(merged_into, together);
    }
}
