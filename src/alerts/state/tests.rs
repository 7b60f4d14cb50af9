use super::*;
use crate::alerts::channel::AlertChannel;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn state(version: u64, kind: AlertKind, seconds: i64) -> AlertState {
    let mut state = AlertState {
        version,
        ..AlertState::default()
    };
    state.last.insert(kind, at(seconds));
    state
        .outbox
        .add(kind, version.to_string(), at(seconds), &[AlertChannel::Webhook]);
    state
}

#[test]
fn a_leader_that_could_not_write_goes_on_with_its_own_state() {
    let stored = state(4, AlertKind::JobOverdue, 0);
    let memory = state(4, AlertKind::DeliveriesRefused, 10);
    assert_eq!(AlertState::resume(stored.clone(), None), stored);
    assert_eq!(AlertState::resume(stored, Some(memory.clone())), memory);
}

#[test]
fn if_another_process_wrote_meanwhile_what_was_sent_is_added_to_its_state() {
    let stored = state(9, AlertKind::JobOverdue, 20);
    let mut memory = state(4, AlertKind::DeliveriesRefused, 10);
    memory.last.insert(AlertKind::JobOverdue, at(5));
    let resumed = AlertState::resume(stored, Some(memory));
    let last: Vec<_> = resumed.last.into_iter().collect();
    assert_eq!(
        last,
        [(AlertKind::DeliveriesRefused, at(10)), (AlertKind::JobOverdue, at(20))]
    );
    assert_eq!(resumed.outbox.alerts().len(), 2);
    assert_eq!(resumed.version, 9);
}

#[test]
fn a_state_of_another_version_of_the_program_is_read_as_far_as_it_is_known() {
    let stored = serde_json::json!({"version": 3, "unknown": true, "refused": {"unreported": 2}});
    let state: AlertState = serde_json::from_value(stored).unwrap();
    assert_eq!((state.version, state.refused.unreported), (3, 2));
}
