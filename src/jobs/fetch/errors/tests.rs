use super::*;

fn job(kind: JobKind, minutes_ago: i64, now: DateTime<Utc>) -> ClaimedJob {
    ClaimedJob {
        id: 1,
        kind,
        token: 1,
        key: None,
        delivery_id: None,
        claimed_at: now,
        created_at: now - chrono::TimeDelta::minutes(minutes_ago),
        attempts: 1,
        crashes: 0,
        isolated: false,
        suspected: false,
    }
}

#[test]
fn a_resource_that_is_not_found_is_retried_and_dead_lettered_after_half_an_hour() {
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let error = FetchError::new(FetchErrorKind::NotFound, "404");
    let disposition = |kind, minutes| disposition(&error, &job(kind, minutes, now), RefusalScope::Credentials, 0, now);
    assert!(
        matches!(disposition(JobKind::FetchNotified, 0), Err(JobError::Snooze { after, .. }) if after <= Duration::from_secs(2))
    );
    assert!(
        matches!(disposition(JobKind::FetchNotified, 29), Err(JobError::Snooze { after, .. }) if after > Duration::from_secs(100))
    );
    assert!(matches!(
        disposition(JobKind::FetchNotified, 31),
        Err(JobError::Fail(_))
    ));
    assert_eq!(disposition(JobKind::FetchFollowUp, 31), Ok("404".to_owned()));
    assert_eq!(disposition(JobKind::Reconcile, 0), Ok("404".to_owned()));
}

#[test]
fn neither_a_rate_limit_nor_rejected_credentials_cost_an_attempt() {
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let limited = FetchErrorKind::RateLimited { after: None };
    for kind in [limited, FetchErrorKind::Unauthorized, FetchErrorKind::Forbidden] {
        let error = FetchError::new(kind, "why");
        for refusal in [RefusalScope::Credentials, RefusalScope::Unknown] {
            assert!(matches!(
                disposition(&error, &job(JobKind::FetchNotified, 0, now), refusal, 4, now),
                Err(JobError::Snooze { .. })
            ));
        }
    }
}

#[test]
fn a_resource_that_alone_is_refused_is_retried_slowly_and_dead_lettered_the_fifth_time() {
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    for (kind, status) in [(FetchErrorKind::Forbidden, 403), (FetchErrorKind::Unauthorized, 401)] {
        let reason = format!("GET rfqs/arfq-1: Avinode answered {status}");
        let error = FetchError::new(kind, reason.clone());
        let refused = |before| {
            let job = job(JobKind::FetchNotified, 0, now);
            disposition(&error, &job, RefusalScope::Key, before, now).unwrap_err()
        };
        let mut history = vec![format!("{REFUSED_ALONE}before"), format!("{DIED}of it")];
        for before in 0..4 {
            assert_eq!(refusals(&history), before);
            let again = refused(before);
            assert!(matches!(again, JobError::Retry { after: Some(after), .. } if after == REFUSED_DELAY));
            history.push(again.to_string());
            history.push(reason.clone());
        }
        let died = refused(refusals(&history));
        assert_eq!(
            died.to_string(),
            format!("Avinode refuses this resource ({status}) though it answers others: {reason}")
        );
        assert!(matches!(died, JobError::Fail(_)));
    }
}
