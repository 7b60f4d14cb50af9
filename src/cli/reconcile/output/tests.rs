use super::*;
use crate::store::trip_lookup::ReconcileTarget;

fn of(outcomes: &[(&str, &str)]) -> Vec<FinishedJob> {
    let one = |(key, outcome): &(&str, &str)| FinishedJob {
        kind: "reconcile".to_owned(),
        key: Some((*key).to_owned()),
        outcome: (*outcome).to_owned(),
        detail: None,
    };
    outcomes.iter().map(one).collect()
}

fn for_trips(resources: &[&[&str]]) -> ReconcilePlan {
    let target = |resources: &&[&str]| ReconcileTarget {
        session: None,
        trip: Some("A1B2C3".to_owned()),
        resources: resources.iter().map(ToString::to_string).collect(),
    };
    ReconcilePlan {
        targets: resources.iter().map(target).collect(),
        queued: 0,
    }
}

#[test]
fn what_is_gone_is_not_said_to_be_fetched() {
    let line = |outcomes: &[(&str, &str)]| finished(&of(outcomes)).lines().next().unwrap().to_owned();
    assert_eq!(line(&[("atrip-1", "nothing")]), "1 fetched; nothing was missing");
    assert_eq!(
        line(&[("atrip-1", "applied"), ("arfq-1", "nothing")]),
        "2 fetched, 1 of them with news"
    );
    assert_eq!(
        line(&[("atrip-1", "gone")]),
        "nothing was fetched; 1 gone: Avinode does not have them"
    );
    let all = finished(&of(&[("atrip-1", "nothing"), ("atrip-2", "gone"), ("atrip-3", "dead")]));
    assert!(all.starts_with("1 fetched; nothing was missing; 1 gone"), "{all}");
    assert!(
        all.contains("atrip-2") && all.contains("atrip-3") && !all.contains("atrip-1 "),
        "{all}"
    );
}

#[test]
fn all_is_well_where_every_trip_could_be_had() {
    let asked = for_trips(&[&["atrip-1"], &["arfq-2"]]);
    assert!(is_well(&asked, &[]));
    assert!(is_well(&asked, &of(&[("atrip-1", "nothing"), ("arfq-2", "applied")])));
    assert!(is_well(&asked, &of(&[("asellermsg-1", "gone")])), "a part of a trip");
    assert!(!is_well(&asked, &of(&[("arfq-2", "gone")])));
    assert!(!is_well(&asked, &of(&[("asellermsg-1", "dead")])));
    assert!(
        !is_well(&for_trips(&[&["atrip-1"], &[]]), &[]),
        "one that cannot be asked for"
    );
}
