use super::*;
use crate::scenario::Scenario;

fn generated(trips: u32, actions: u32, seed: u64) -> Scenario {
    Scenario::generated(GeneratorOptions::new(trips, actions), seed).unwrap()
}

#[test]
fn a_generated_scenario_is_valid_has_the_wanted_size_and_depends_on_its_seed_only() {
    let scenario = generated(50, 700, 3);
    assert_eq!((scenario.trips.len(), scenario.operator_actions()), (50, 700));
    assert_eq!(scenario, generated(50, 700, 3));
    assert_ne!(scenario.actions, generated(50, 700, 4).actions);
    let has = |kind: fn(&Action) -> bool| scenario.actions.iter().any(kind);
    assert!(has(|action| matches!(action, Action::Price { .. })));
    assert!(has(|action| matches!(action, Action::Decline { .. })));
    assert!(has(|action| matches!(action, Action::Lift { .. })));
    assert!(has(|action| matches!(action, Action::Cancel { .. })));
}

#[test]
fn the_smallest_scenarios_are_valid() {
    for (trips, actions) in [(1, 0), (1, 40), (3, 1)] {
        generated(trips, actions, 1);
    }
}
