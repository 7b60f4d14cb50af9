use super::*;
use crate::cli::check::finding::CheckStatus;

#[test]
fn a_clock_is_unsure_from_five_seconds_and_wrong_from_five_minutes() {
    let verdict = |seconds| clock(TimeDelta::seconds(seconds)).verdict;
    assert_eq!([verdict(0), verdict(-5)], [CheckStatus::Ok; 2]);
    assert_eq!([verdict(6), verdict(-300)], [CheckStatus::Warning; 2]);
    assert_eq!([verdict(301), verdict(-301)], [CheckStatus::Failed; 2]);
}

#[test]
fn an_older_schema_fails_unless_serve_migrates() {
    let behind = SchemaStatus::Behind {
        applied: 3,
        expected: 27,
    };
    assert_eq!(schema(&behind, false).verdict, CheckStatus::Failed);
    assert_eq!(schema(&behind, true).verdict, CheckStatus::Ok);
    assert_eq!(
        schema(&SchemaStatus::Dirty { version: 3 }, true).verdict,
        CheckStatus::Failed
    );
    assert_eq!(schema(&SchemaStatus::PreRelease, true).verdict, CheckStatus::Failed);
}
