use super::*;

fn scenario(seed: u64) -> Scenario {
    let text = format!(r#"{{"seed":{seed},"generate":{{"trips":20,"actions":400}}}}"#);
    Scenario::read(text.as_bytes(), None).unwrap()
}

const WORST: DeliveryFaults = DeliveryFaults {
    duplicates: 0.1,
    shuffle: true,
};

fn sent(steps: &[ScheduledStep]) -> Vec<usize> {
    let sent = steps.iter().filter_map(|step| match step.what {
        StepKind::Send(index, 0) => Some(index),
        _ => None,
    });
    sent.collect()
}

#[test]
fn the_order_depends_on_the_seed_only_and_nothing_is_sent_before_it_happened() {
    let story = scenario(5);
    let steps_of = |scenario: &Scenario| steps(scenario, WORST);
    assert_eq!(steps_of(&story), steps_of(&scenario(5)));
    let mut happened = vec![false; story.actions.len()];
    for step in steps_of(&story) {
        match step.what {
            StepKind::Act(index) => happened[index] = true,
            StepKind::Send(index, _) => assert!(happened[index], "{index}"),
        }
    }
    assert!(happened.iter().all(|happened| *happened));
}

#[test]
fn every_notification_is_sent_some_twice_and_in_the_wrong_order() {
    let story = scenario(5);
    let all = steps(&story, WORST);
    let mut order = sent(&all);
    assert!(!order.is_sorted());
    order.sort_unstable();
    assert!(order.iter().copied().eq(0..story.actions.len()));
    let twice = all
        .iter()
        .filter(|step| matches!(step.what, StepKind::Send(_, 1)))
        .count();
    assert!((20..70).contains(&twice), "{twice} of {}", story.actions.len());
    let orderly = steps(&story, DeliveryFaults::default());
    assert!(sent(&orderly).is_sorted());
    assert_eq!(orderly.len(), story.actions.len() * 2);
}
