use serde_json::json;

use super::*;

#[test]
fn a_text_is_cut_between_characters_and_freed_of_control_characters() {
    assert_eq!(shown_at(&json!({"n": " a\u{7}\n\u{9b}b "}), &["n"]).unwrap(), "ab");
    assert_eq!(shown_at(&json!({"n": "\u{1b}\u{0}"}), &["n"]), None);
    let long = shown_at(&json!({"n": "é".repeat(100_000)}), &["n"]).unwrap();
    assert_eq!((long.chars().count(), long.len()), (500, 1000));
}
