use super::*;
use crate::simulator::scenario::Scenario;

fn story_of(trips: u32, actions: u32, seed: u64) -> Scenario {
    let text = format!(r#"{{"seed":{seed},"generate":{{"trips":{trips},"actions":{actions}}}}}"#);
    Scenario::read(text.as_bytes(), None).unwrap()
}

#[test]
fn a_story_can_happen_is_as_large_as_asked_and_depends_on_its_seed_only() {
    let story = story_of(50, 700, 3);
    assert_eq!((story.trips.len(), story.operator_actions()), (50, 700));
    assert_eq!(story, story_of(50, 700, 3));
    assert_ne!(story.actions, story_of(50, 700, 4).actions);
    let has = |what: fn(&Action) -> bool| story.actions.iter().any(what);
    assert!(has(|action| matches!(action, Action::Price(_))));
    assert!(has(|action| matches!(action, Action::Decline(_))));
    assert!(has(|action| matches!(action, Action::Lift(_))));
    assert!(has(|action| matches!(action, Action::Cancel(_))));
}

#[test]
fn the_smallest_story_can_happen_as_well() {
    for (trips, actions) in [(1, 0), (1, 40), (3, 1)] {
        story_of(trips, actions, 1);
    }
}
