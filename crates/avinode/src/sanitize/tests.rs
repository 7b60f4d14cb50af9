use serde_json::json;

use super::*;

#[test]
fn control_characters_are_removed_and_a_long_text_is_cut_between_characters() {
    assert_eq!(printable_at(&json!({"n": " a\u{7}\n\u{9b}b "}), &["n"]).unwrap(), "ab");
    assert_eq!(printable_at(&json!({"n": "\u{1b}\u{0}"}), &["n"]), None);
    let long = printable_at(&json!({"n": "é".repeat(100_000)}), &["n"]).unwrap();
    assert_eq!((long.chars().count(), long.len()), (500, 1000));
}
