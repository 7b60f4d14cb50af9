use super::*;

fn generated(seed: u64) -> Scenario {
    let text = format!(r#"{{"seed":{seed},"generate":{{"trips":20,"actions":400}}}}"#);
    Scenario::read(text.as_bytes(), None).unwrap()
}

const WORST: DeliveryFaults = DeliveryFaults {
    duplicates: 0.1,
    shuffle: true,
};

fn sent(steps: &[ScheduledStep]) -> Vec<usize> {
    let sent = steps.iter().filter_map(|step| match step.kind {
        StepKind::Send(index, 0) => Some(index),
        _ => None,
    });
    sent.collect()
}

#[test]
fn the_order_depends_on_the_seed_only_and_no_notification_precedes_its_action() {
    let scenario = generated(5);
    let all = steps(&scenario, WORST);
    assert_eq!(all, steps(&generated(5), WORST));
    let mut done = vec![false; scenario.actions.len()];
    for step in all {
        match step.kind {
            StepKind::Act(index) => done[index] = true,
            StepKind::Send(index, _) => assert!(done[index], "{index}"),
        }
    }
    assert!(done.iter().all(|done| *done));
}

#[test]
fn every_notification_is_sent_some_of_them_twice_and_in_the_wrong_order() {
    let scenario = generated(5);
    let all = steps(&scenario, WORST);
    let mut order = sent(&all);
    assert!(!order.is_sorted());
    order.sort_unstable();
    assert!(order.iter().copied().eq(0..scenario.actions.len()));
    let twice = all
        .iter()
        .filter(|step| matches!(step.kind, StepKind::Send(_, 1)))
        .count();
    assert!((20..70).contains(&twice), "{twice} of {}", scenario.actions.len());
    let orderly = steps(&scenario, DeliveryFaults::default());
    assert!(sent(&orderly).is_sorted());
    assert_eq!(orderly.len(), scenario.actions.len() * 2);
}
