use super::*;

fn begin() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn received(deliveries: i64, last_after: Option<TimeDelta>) -> ReceivedMinute {
    ReceivedMinute {
        number: 0,
        deliveries,
        last_at: last_after.map(|after| begin() + after),
    }
}

fn finished(finished: i64, applied: i64, last_after: Option<TimeDelta>) -> FinishedMinute {
    FinishedMinute {
        number: 0,
        finished,
        last_at: last_after.map(|after| begin() + after),
        applied,
        median: None,
        percentile95: None,
    }
}

#[test]
fn a_minute_whose_rows_were_all_read_has_its_counts() {
    let last = Some(TimeDelta::seconds(59));
    let minute = minute(begin(), COUNTED, &received(499, last), &finished(3, 2, last));
    assert_eq!((minute.received, minute.applied, minute.is_estimate), (499, 2, false));
}

#[test]
fn the_counts_of_a_minute_with_more_rows_follow_from_the_time_of_the_first() {
    let minute = minute(
        begin(),
        COUNTED,
        &received(COUNTED, Some(TimeDelta::seconds(15))),
        &finished(COUNTED, 250, Some(TimeDelta::seconds(30))),
    );
    assert_eq!(
        (minute.received, minute.applied, minute.is_estimate),
        (2_000, 500, true)
    );
}
