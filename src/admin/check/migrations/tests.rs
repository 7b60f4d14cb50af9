use super::*;
use crate::admin::check::finding::CheckStatus;

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
