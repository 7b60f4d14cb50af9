use chrono::TimeDelta;

use super::*;
use crate::domain::working_hours::WorkingHours;

/// A Wednesday, 10 o'clock UTC.
fn at(minutes: i64) -> DateTime<Utc> {
    let begin: DateTime<Utc> = "2026-07-01T10:00:00Z".parse().unwrap();
    begin + TimeDelta::minutes(minutes)
}

fn conditions() -> AlertConditions {
    AlertConditions {
        pause: Duration::from_secs(3600),
        oldest_job: Some(Duration::from_secs(600)),
        no_delivery: Some(Duration::from_secs(2 * 3600)),
        working_hours: WorkingHours {
            days: "mon-fri".parse().unwrap(),
            hours: "08:00-18:00".parse().unwrap(),
            zone: "UTC".parse().unwrap(),
        },
    }
}

/// A look at which nothing is wrong.
fn calm(minutes: i64) -> Observations {
    Observations {
        now: at(minutes),
        refused: 0,
        database: Some(DatabaseObservations {
            last_delivery: Some(at(minutes)),
            ..DatabaseObservations::default()
        }),
    }
}

fn with(minutes: i64, change: impl FnOnce(&mut DatabaseObservations)) -> Observations {
    let mut seen = calm(minutes);
    change(seen.database.as_mut().unwrap());
    seen
}

fn dead(reason: &str) -> DeadReason {
    DeadReason {
        kind: "full_event".to_owned(),
        reason: reason.to_owned(),
        jobs: 2,
    }
}

/// The kinds of the alerts of one look.
fn kinds(state: &mut AlertState, seen: &Observations) -> Vec<AlertKind> {
    let alerts = decide(state, seen, &conditions());
    alerts.into_iter().map(|alert| alert.kind).collect()
}

fn text(state: &mut AlertState, seen: &Observations) -> String {
    let alerts = decide(state, seen, &conditions());
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    alert.text.clone()
}

#[test]
fn nothing_is_sent_while_nothing_is_wrong() {
    let mut state = AlertState::default();
    for minutes in 0..200 {
        assert_eq!(kinds(&mut state, &calm(minutes)), []);
    }
}

#[test]
fn refusals_are_grouped_and_sent_once_an_hour() {
    let mut state = AlertState::default();
    let refused = |minutes, refused| Observations {
        refused,
        ..calm(minutes)
    };
    assert!(
        text(&mut state, &refused(0, 1))
            .contains("1 delivery was answered 503, because it could not be stored. Avinode sends it again.")
    );
    for minutes in 1..60 {
        assert_eq!(kinds(&mut state, &refused(minutes, 2)), []);
    }
    assert!(text(&mut state, &refused(60, 0)).contains("118 deliveries were answered 503"));
    assert_eq!(kinds(&mut state, &calm(130)), []);
}

#[test]
fn refusals_of_other_processes_count_from_the_first_look_on() {
    let mut state = AlertState::default();
    let total = |minutes, total| with(minutes, |database| database.refused_elsewhere = total);
    assert_eq!(kinds(&mut state, &total(0, 70)), []);
    assert!(text(&mut state, &total(1, 75)).contains("5 deliveries"));
    assert_eq!(kinds(&mut state, &total(100, 75)), []);
}

#[test]
fn without_the_database_refusals_are_sent_and_nothing_else_is_known() {
    let mut state = AlertState::default();
    assert_eq!(kinds(&mut state, &calm(0)), []);
    let seen = Observations {
        now: at(600),
        refused: 3,
        database: None,
    };
    assert!(text(&mut state, &seen).contains("A look at the database failed"));
}

#[test]
fn the_first_dead_letter_of_a_reason_is_sent_and_no_other_of_it() {
    let mut state = AlertState::default();
    let first = with(0, |database| database.dead = vec![dead("unknown event kind \"One\"")]);
    let sent = text(&mut state, &first);
    assert!(sent.contains("- full_event: unknown event kind (2)"), "{sent}");
    let again = with(90, |database| database.dead = vec![dead("unknown event kind \"Two\"")]);
    assert_eq!(kinds(&mut state, &again), []);
    // Seen an hour and a half ago, so it is known for 30 days from then on.
    let month = 30 * 24 * 60;
    let later = |minutes| {
        with(minutes, |database| {
            database.dead = vec![dead("unknown event kind \"Three\"")];
        })
    };
    assert_eq!(kinds(&mut state.clone(), &later(90 + month - 1)), []);
    assert_eq!(kinds(&mut state, &later(90 + month)), [AlertKind::NewDeadLetters]);
}

#[test]
fn new_reasons_within_an_hour_are_sent_together() {
    let mut state = AlertState::default();
    let seen = |minutes, reason| with(minutes, |database| database.dead = vec![dead(reason)]);
    assert_eq!(kinds(&mut state, &seen(0, "one")), [AlertKind::NewDeadLetters]);
    assert_eq!(kinds(&mut state, &seen(10, "two")), []);
    assert_eq!(kinds(&mut state, &seen(20, "three")), []);
    let sent = text(&mut state, &calm(60));
    assert!(
        sent.contains("two (2)") && sent.contains("three (2)") && !sent.contains("one"),
        "{sent}"
    );
}

#[test]
fn rejected_credentials_are_sent_immediately_and_their_acceptance_as_well() {
    let mut state = AlertState::default();
    let suspended = |minutes| with(minutes, |database| database.fetching = FetchingObservation::Suspended);
    assert_eq!(kinds(&mut state, &calm(0)), []);
    assert_eq!(kinds(&mut state, &suspended(1)), [AlertKind::FetchingStopped]);
    assert_eq!(kinds(&mut state, &suspended(2)), []);
    assert_eq!(kinds(&mut state, &calm(3)), [AlertKind::FetchingResumed]);
    // Within the hour: neither the next stop nor its end is sent.
    assert_eq!(kinds(&mut state, &suspended(4)), []);
    assert_eq!(kinds(&mut state, &calm(5)), []);
    assert_eq!(kinds(&mut state, &suspended(62)), [AlertKind::FetchingStopped]);
}

#[test]
fn other_stops_are_sent_after_five_minutes() {
    let mut state = AlertState::default();
    let failing = |minutes| with(minutes, |database| database.fetching = FetchingObservation::Failing);
    assert_eq!(kinds(&mut state, &calm(0)), []);
    assert_eq!(kinds(&mut state, &failing(1)), []);
    assert_eq!(kinds(&mut state, &failing(5)), []);
    assert_eq!(kinds(&mut state, &calm(6)), []);
    assert_eq!(kinds(&mut state, &failing(7)), []);
    assert_eq!(kinds(&mut state, &failing(12)), [AlertKind::FetchingStopped]);
}

#[test]
fn a_deployment_that_never_fetched_is_reported_once_something_waits() {
    let mut state = AlertState::default();
    let unserved = |minutes| with(minutes, |database| database.fetching = FetchingObservation::Unserved);
    for minutes in [0, 10, 20] {
        assert_eq!(kinds(&mut state, &unserved(minutes)), []);
    }
    let mut waiting = unserved(30);
    waiting.database.as_mut().unwrap().due = vec![(JobKind::FetchNotified, Duration::from_secs(1))];
    assert_eq!(kinds(&mut state, &waiting), [AlertKind::FetchingStopped]);
}

#[test]
fn an_overdue_job_is_sent_when_it_begins_and_once_a_day() {
    let mut state = AlertState::default();
    let due = |minutes, age: u64| {
        with(minutes, |database| {
            database.due = vec![
                (JobKind::Rematch, Duration::from_secs(1)),
                (JobKind::FullEvent, Duration::from_secs(age)),
            ];
        })
    };
    assert_eq!(kinds(&mut state, &due(0, 599)), []);
    let sent = text(&mut state, &due(1, 659));
    assert!(sent.contains("full_event has been due for 10m"), "{sent}");
    for hours in 1..24 {
        assert_eq!(kinds(&mut state, &due(hours * 60, 3600)), []);
    }
    assert_eq!(kinds(&mut state, &due(24 * 60 + 1, 90_000)), [AlertKind::JobOverdue]);
    // It has ended, and begins again.
    assert_eq!(kinds(&mut state, &due(24 * 60 + 30, 0)), []);
    assert_eq!(kinds(&mut state, &due(24 * 60 + 31, 700)), [], "within the hour");
    assert_eq!(kinds(&mut state, &due(25 * 60 + 1, 700)), [AlertKind::JobOverdue]);
}

#[test]
fn fetches_are_overdue_only_while_fetching_runs_and_only_urgent_ones() {
    let long = Duration::from_secs(7200);
    for (kind, fetching, expected) in [
        (JobKind::FetchNotified, FetchingObservation::Running, true),
        (JobKind::FetchNotified, FetchingObservation::Failing, false),
        (JobKind::Reconcile, FetchingObservation::Running, false),
        (JobKind::QuoteExpiry, FetchingObservation::Failing, true),
    ] {
        let seen = with(0, |database| {
            database.fetching = fetching;
            database.due = vec![(kind, long)];
        });
        let sent = kinds(&mut AlertState::default(), &seen);
        assert_eq!(sent.contains(&AlertKind::JobOverdue), expected, "{kind} {fetching:?}");
    }
}

#[test]
fn silence_is_sent_in_working_hours_only() {
    let mut state = AlertState::default();
    // The last delivery came at 10 o'clock; at 12 two working hours are over.
    let silent = |minutes| with(minutes, |database| database.last_delivery = Some(at(0)));
    assert_eq!(kinds(&mut state, &silent(119)), []);
    let sent = text(&mut state, &silent(120));
    assert!(
        sent.contains("for 2h of working time. The last one came at 2026-07-01T10:00:00Z"),
        "{sent}"
    );
    assert_eq!(kinds(&mut state, &silent(300)), []);
    // The reminder of Thursday, 12 o'clock; the one of Friday is due at 12 as well.
    assert_eq!(kinds(&mut state, &silent(120 + 24 * 60)), [AlertKind::NoDeliveries]);
    // Saturday.
    assert_eq!(kinds(&mut state, &silent(200 + 72 * 60)), []);
    assert_eq!(kinds(&mut state, &calm(200 + 120 * 60)), []);
    assert!(!state.lasting.contains(&AlertKind::NoDeliveries));
}

#[test]
fn before_the_first_delivery_silence_counts_from_the_first_look() {
    let mut state = AlertState::default();
    let empty = |minutes| with(minutes, |database| database.last_delivery = None);
    assert_eq!(kinds(&mut state, &empty(0)), []);
    assert_eq!(kinds(&mut state, &empty(119)), []);
    assert!(text(&mut state, &empty(120)).contains("None is stored"));
}

#[test]
fn conditions_that_are_off_are_not_looked_at() {
    let off = AlertConditions {
        oldest_job: None,
        no_delivery: None,
        ..conditions()
    };
    let seen = with(0, |database| {
        database.due = vec![(JobKind::FullEvent, Duration::from_secs(100_000))];
        database.last_delivery = Some(at(-100_000));
    });
    assert_eq!(decide(&mut AlertState::default(), &seen, &off), []);
}

#[test]
fn texts_hold_nothing_of_a_reason_that_others_wrote() {
    let mut state = AlertState::default();
    let reason = "unknown event kind \"Jane Doe\": jane@example.com +1 555 0100";
    let sent = text(&mut state, &with(0, |database| database.dead = vec![dead(reason)]));
    for part in ["Jane", "example", "555"] {
        assert!(!sent.contains(part), "{sent}");
    }
}

#[test]
fn the_state_is_the_same_after_a_restart() {
    let mut state = AlertState::default();
    let seen = with(0, |database| {
        database.dead = vec![dead("one")];
        database.due = vec![(JobKind::FullEvent, Duration::from_secs(700))];
        database.fetching = FetchingObservation::Suspended;
    });
    assert_eq!(kinds(&mut state, &seen).len(), 3);
    let stored = serde_json::to_value(&state).unwrap();
    let mut again: AlertState = serde_json::from_value(stored).unwrap();
    assert_eq!(again, state);
    assert_eq!(kinds(&mut again, &Observations { now: at(1), ..seen }), []);
}
