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
