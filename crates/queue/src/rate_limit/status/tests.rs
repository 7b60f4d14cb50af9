use super::*;
use crate::rate_limit::breaker::CircuitBreaker;
use crate::rate_limit::restrictions::Suspension;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

fn suspended_until(until: DateTime<Utc>) -> CallRestrictions {
    CallRestrictions {
        suspension: Some(Suspension {
            untried_from: DateTime::UNIX_EPOCH,
            reason: "401".to_owned(),
            until,
            times: 1,
            credentials: "a digest".to_owned(),
        }),
        ..CallRestrictions::default()
    }
}

#[test]
fn a_lease_that_ran_out_a_moment_ago_is_a_change_of_leader() {
    let status = |now| super::status(CallRestrictions::default(), at(6), at(now));
    assert_eq!(status(0), LimiterStatus::Running);
    assert_eq!(status(16), LimiterStatus::Running);
    assert_eq!(status(37), LimiterStatus::Unserved);
}

#[test]
fn suspended_credentials_show_until_they_should_have_been_tried_again() {
    let status = |now| super::status(suspended_until(at(900)), at(6), at(now));
    let suspended = LimiterStatus::Suspended {
        reason: "401".to_owned(),
        until: at(900),
    };
    assert_eq!(status(500), suspended, "though no process leads meanwhile");
    assert_eq!(status(910), suspended);
    assert_eq!(status(931), LimiterStatus::Unserved);
}

#[test]
fn an_open_breaker_shows_until_a_call_succeeds_and_a_pause_until_it_is_over() {
    let restrictions = CallRestrictions {
        paused_until: Some(at(10)),
        ..CallRestrictions::default()
    };
    let status = |restrictions: &CallRestrictions, now| super::status(restrictions.clone(), at(600), at(now));
    assert_eq!(status(&restrictions, 5), LimiterStatus::Paused { until: at(10) });
    assert_eq!(status(&restrictions, 10), LimiterStatus::Running);
    let restrictions = CallRestrictions {
        breaker: CircuitBreaker {
            open_until: Some(at(20)),
            ..CircuitBreaker::default()
        },
        ..restrictions
    };
    assert_eq!(status(&restrictions, 5), LimiterStatus::BreakerOpen { until: at(20) });
    assert_eq!(status(&restrictions, 30), LimiterStatus::BreakerOpen { until: at(30) });
}
