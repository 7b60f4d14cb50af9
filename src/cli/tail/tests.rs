use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    tail: TailArgs,
}

fn args(line: &[&str]) -> TailArgs {
    Line::parse_from([&["tail"], line].concat()).tail
}

fn delivery(number: u128, at: DateTime<Utc>, outcome: &str) -> DeliveryView {
    DeliveryView {
        id: Uuid::from_u128(number),
        received_at: at,
        verified_by: "hmac#1".to_owned(),
        bytes: 2,
        kind: Some("quote".to_owned()),
        event_id: None,
        trip: Some("A1B2C3".to_owned()),
        rfqs: Vec::new(),
        quotes: vec!["aquote-1".to_owned()],
        sessions: Vec::new(),
        outcome: outcome.to_owned(),
        detail: None,
    }
}

#[test]
fn a_delivery_is_shown_once_it_has_an_outcome_or_has_waited_and_again_when_that_changes() {
    let mut following = FollowedDeliveries::default();
    let (any, at) = (args(&[]), Clock::System.now());
    let mut poll = |after: i64, outcome: &str| {
        let now = at + TimeDelta::milliseconds(after);
        let news = following.news(vec![delivery(1, at, outcome)], now, &any);
        news.into_iter().map(|it| it.outcome).collect::<Vec<_>>()
    };
    assert!(poll(500, "queued").is_empty());
    assert_eq!(poll(2_100, "queued"), ["queued"]);
    assert!(poll(2_600, "queued").is_empty());
    assert_eq!(poll(90_000, "applied"), ["applied"]);
    assert!(poll(90_500, "applied").is_empty());
}

#[test]
fn what_was_there_before_is_not_shown_and_filters_apply_to_the_outcome() {
    let at = Clock::System.now();
    let mut following = FollowedDeliveries::default();
    following.skip(&[delivery(1, at, "applied")], at);
    let dead = args(&["--outcome", "dead"]);
    let both = vec![
        delivery(3, at, "dead"),
        delivery(2, at, "applied"),
        delivery(1, at, "applied"),
    ];
    let news = following.news(both, at, &dead);
    assert_eq!(news.iter().map(|it| it.id).collect::<Vec<_>>(), [Uuid::from_u128(3)]);
}

#[test]
fn a_poll_looks_back_to_the_oldest_delivery_that_waits_but_not_for_ever() {
    let at = Clock::System.now();
    let mut following = FollowedDeliveries::default();
    let later = at + TimeDelta::seconds(60);
    following.news(
        vec![delivery(2, later, "applied"), delivery(1, at, "queued")],
        later,
        &args(&[]),
    );
    assert_eq!(following.since, Some(at));
    let end = at + TimeDelta::minutes(20);
    following.news(
        vec![delivery(2, later, "applied"), delivery(1, at, "queued")],
        end,
        &args(&[]),
    );
    assert_eq!(following.since, Some(end - FOLLOWED));
}
