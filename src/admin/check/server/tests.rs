use super::*;
use crate::admin::check::finding::CheckStatus;

#[test]
fn a_clock_warns_from_five_seconds_and_fails_from_five_minutes() {
    let status = |seconds| clock(TimeDelta::seconds(seconds)).status;
    assert_eq!([status(0), status(-5)], [CheckStatus::Ok; 2]);
    assert_eq!([status(6), status(-300)], [CheckStatus::Warning; 2]);
    assert_eq!([status(301), status(-301)], [CheckStatus::Failed; 2]);
}
