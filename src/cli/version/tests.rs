use super::*;

#[test]
fn what_the_source_does_not_say_is_left_out() {
    assert_eq!(
        text("0.1.0", "1a2b3c4", "1769817600", 7),
        "0.1.0 (commit 1a2b3c4, 2026-01-31, schema 7)"
    );
    assert_eq!(text("0.1.0", "", "", 7), "0.1.0 (commit unknown, schema 7)");
}
