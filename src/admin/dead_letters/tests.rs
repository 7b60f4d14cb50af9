use chrono::DateTime;

use super::{GROUPED, group};
use crate::queue::dead_jobs::DeadJobs;

fn dead(kind: &str, reason: &str, jobs: i64, at: i64, last_job: i64) -> DeadJobs {
    let at = DateTime::from_timestamp(at, 0).unwrap();
    DeadJobs {
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        jobs,
        oldest_at: at,
        newest_at: at,
        last_job,
    }
}

#[test]
fn reasons_that_differ_in_ids_are_one_group_with_its_range_of_times() {
    let groups = group(vec![
        dead("full_event", "unknown event kind \"A\"", 1, 10, 5),
        dead("full_event", "unknown event kind \"B\"", 3, 5, 2),
        dead("event_replay", "unknown event kind \"A\"", 5, 7, 9),
    ]);
    assert!(groups.is_complete);
    let seen: Vec<_> = groups
        .data
        .iter()
        .map(|it| {
            (
                it.kind.as_str(),
                it.jobs,
                it.oldest_at.timestamp(),
                it.newest_at.timestamp(),
                it.example_job,
            )
        })
        .collect();
    assert_eq!(seen, [("event_replay", 5, 7, 7, 9), ("full_event", 4, 5, 10, 5)]);
    assert_eq!(groups.data[0].reason, "unknown event kind");
}

#[test]
fn a_full_window_is_not_complete() {
    assert!(!group(vec![dead("full_event", "unknown", GROUPED, 1, 1)]).is_complete);
}

#[test]
fn a_group_is_selected_by_words_that_each_of_its_reasons_has() {
    for reason in [
        "unknown event kind \"TripSomethingNew\"",
        "rfqs/arfq-12: the resource is gone: 404",
        "failed 25 times, the last time with status 503",
        "trip atrip-1 and trip atrip-2 cannot be merged because both have sessions of agents that dispute them, and more",
    ] {
        let groups = group(vec![dead("full_event", reason, 1, 1, 1)]);
        let words = groups.data[0].selecting_words().unwrap();
        assert!(reason.contains(words) && words.len() > 10, "{reason:?}: {words:?}");
    }
    let groups = group(vec![dead("full_event", "\"quoted\"", 1, 1, 1)]);
    assert_eq!(groups.data[0].selecting_words(), None);
}
