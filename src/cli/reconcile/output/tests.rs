use super::*;
use crate::store::trip_lookup::ReconcileTarget;

fn jobs(outcomes: &[(&str, &str)]) -> Vec<FinishedJob> {
    let job = |(key, outcome): &(&str, &str)| FinishedJob {
        kind: "reconcile".to_owned(),
        key: Some((*key).to_owned()),
        outcome: (*outcome).to_owned(),
        detail: None,
    };
    outcomes.iter().map(job).collect()
}

fn for_trips(resources: &[&[&str]]) -> ReconcilePlan {
    let target = |resources: &&[&str]| ReconcileTarget {
        session: None,
        agent: None,
        trip: Some("A1B2C3".to_owned()),
        resources: resources.iter().map(ToString::to_string).collect(),
    };
    ReconcilePlan {
        targets: resources.iter().map(target).collect(),
        queued: 0,
    }
}

#[test]
fn resources_that_are_gone_do_not_count_as_fetched() {
    let line = |outcomes: &[(&str, &str)]| finished(&jobs(outcomes)).lines().next().unwrap().to_owned();
    assert_eq!(line(&[("atrip-1", "nothing")]), "1 fetched, nothing new");
    assert_eq!(
        line(&[("atrip-1", "applied"), ("arfq-1", "nothing")]),
        "2 fetched, 1 with something new"
    );
    assert_eq!(line(&[("atrip-1", "gone")]), "nothing was fetched; 1 gone at Avinode");
    let all = finished(&jobs(&[
        ("atrip-1", "nothing"),
        ("atrip-2", "gone"),
        ("atrip-3", "dead"),
    ]));
    assert!(
        all.starts_with("1 fetched, nothing new; 1 gone at Avinode; 1 dead"),
        "{all}"
    );
    assert!(
        all.contains("atrip-2") && all.contains("atrip-3") && !all.contains("atrip-1 "),
        "{all}"
    );
}

#[test]
fn a_run_is_complete_if_every_trip_could_be_fetched() {
    let plan = for_trips(&[&["atrip-1"], &["arfq-2"]]);
    assert!(is_complete(&plan, &[]));
    assert!(is_complete(
        &plan,
        &jobs(&[("atrip-1", "nothing"), ("arfq-2", "applied")])
    ));
    assert!(
        is_complete(&plan, &jobs(&[("asellermsg-1", "gone")])),
        "a part of a trip"
    );
    assert!(!is_complete(&plan, &jobs(&[("arfq-2", "gone")])));
    assert!(!is_complete(&plan, &jobs(&[("asellermsg-1", "dead")])));
    assert!(
        !is_complete(&for_trips(&[&["atrip-1"], &[]]), &[]),
        "a trip that cannot be fetched"
    );
}
