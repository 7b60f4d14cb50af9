use super::*;
use crate::cli::check::finding::CheckStatus;

#[test]
fn a_clock_warns_from_five_seconds_and_fails_from_five_minutes() {
    let status = |seconds| clock(TimeDelta::seconds(seconds)).status;
    assert_eq!([status(0), status(-5)], [CheckStatus::Ok; 2]);
    assert_eq!([status(6), status(-300)], [CheckStatus::Warning; 2]);
    assert_eq!([status(301), status(-301)], [CheckStatus::Failed; 2]);
}

#[test]
fn an_older_schema_fails_unless_serve_migrates() {
    let behind = SchemaStatus::Behind {
        applied: 3,
        expected: 27,
    };
    assert_eq!(schema(&behind, false).status, CheckStatus::Failed);
    assert_eq!(schema(&behind, true).status, CheckStatus::Ok);
    assert_eq!(
        schema(&SchemaStatus::Dirty { version: 3 }, true).status,
        CheckStatus::Failed
    );
    assert_eq!(schema(&SchemaStatus::PreRelease, true).status, CheckStatus::Failed);
}
