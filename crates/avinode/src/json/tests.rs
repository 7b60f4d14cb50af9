use proptest::prelude::*;
use serde_json::json;

use super::*;

fn nested(depth: usize) -> Vec<u8> {
    [vec![b'['; depth], vec![b']'; depth]].concat()
}

#[test]
fn any_json_passes_the_check() {
    for body in [
        r#"{"a":1e999999,"b":-0.0E-999999999999999999999999}"#,
        r#""\ud800""#,
        r#"{"\udfff\u0000":"\u0000"}"#,
        r#"{"a":1,"a":2}"#,
        "\u{feff}{}",
        " null ",
    ] {
        assert!(check(body.as_bytes()).is_ok(), "{body}");
        assert!(read(body.as_bytes()).is_ok(), "{body}");
    }
    assert!(check(format!("[{}]", "9".repeat(200_000)).as_bytes()).is_ok());
}

#[test]
fn check_and_read_refuse_the_same_bytes() {
    for body in [
        &b""[..],
        b"{",
        b"{}x",
        b"{} {}",
        b"'a'",
        b"\"a\0b\"",
        b"\"\xff\"",
        b"\"\\u12\"",
        b"\"\\u+123\"",
        b"01",
        b"[1,]",
        b"NaN",
    ] {
        assert!(check(body).is_err(), "{body:?}");
        assert!(matches!(read(body), Err(JsonError::NotJson(_))), "{body:?}");
    }
}

#[test]
fn nesting_is_checked_without_recursion_and_read_up_to_the_limit() {
    // A test's thread has a stack of 2 MiB, as a worker's has.
    assert!(check(&nested(200_000)).is_ok());
    assert!(check(&vec![b'['; 200_000]).is_err());
    let objects = format!("{}1{}", r#"{"a":"#.repeat(200_000), "}".repeat(200_000));
    assert!(check(objects.as_bytes()).is_ok());
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert!(matches!(read(&nested(MAX_DEPTH + 1)), Err(JsonError::TooDeep)));
    assert!(matches!(read(objects.as_bytes()), Err(JsonError::TooDeep)));
    assert!(matches!(read(&vec![b'['; 200_000]), Err(JsonError::NotJson(_))));
}

#[test]
fn characters_that_postgres_refuses_are_replaced_and_others_are_not() {
    let body = br#"["a\u0000b","\ud83d\ude00","\ud83d","\ude00\ud83d","\ud83d\u0041","\\u0000","\\\u0000","\uD83Dx","\"\u0000"]"#;
    let expected = json!([
        "a\u{fffd}b",
        "😀",
        "\u{fffd}",
        "\u{fffd}\u{fffd}",
        "\u{fffd}A",
        "\\u0000",
        "\\\u{fffd}",
        "\u{fffd}x",
        "\"\u{fffd}"
    ]);
    assert_eq!(read(body).unwrap(), expected);
    assert_eq!(read(br#"{"\u0000":1}"#).unwrap(), json!({"\u{fffd}": 1}));
}

#[test]
fn the_last_of_duplicate_keys_wins_and_numbers_keep_their_digits() {
    let value = read(br#"{"a":1,"b":12345678901234567890.10,"a":"x"}"#).unwrap();
    assert_eq!(text_at(&value, &["a"]).unwrap(), "x");
    assert_eq!(text_at(&value, &["b"]).unwrap(), "12345678901234567890.10");
}

#[test]
fn text_at_finds_a_text_or_a_number_only() {
    let value = json!({"a": {"b": " x ", "n": 7, "e": " ", "l": ["x"], "z": null}});
    assert_eq!(text_at(&value, &["a", "b"]).unwrap(), "x");
    assert_eq!(text_at(&value, &["a", "n"]).unwrap(), "7");
    for path in [
        &["a", "e"][..],
        &["a", "l"],
        &["a", "z"],
        &["a"],
        &["a", "b", "c"],
        &["x", "y"],
    ] {
        assert_eq!(text_at(&value, path), None, "{path:?}");
    }
}

#[test]
fn an_object_that_imitates_serde_jsons_numbers_is_harmless() {
    assert_eq!(
        text_at(&read(br#"{"a":{"$serde_json::private::Number":"7"}}"#).unwrap(), &["a"]).unwrap(),
        "7"
    );
    for body in [
        r#"{"$serde_json::private::Number":"x"}"#,
        r#"{"$serde_json::private::Number":{}}"#,
    ] {
        assert!(check(body.as_bytes()).is_ok());
        assert!(matches!(read(body.as_bytes()), Err(JsonError::NotJson(_))), "{body}");
    }
}

proptest! {
    #[test]
    fn a_read_value_contains_no_character_that_postgres_refuses(units in prop::collection::vec(any::<u16>(), 0..8), slashes in 0..3usize) {
        let escapes: String = units.iter().map(|unit| format!("{}\\u{:04x}", "\\\\".repeat(slashes), unit & 0xd8ff)).collect();
        let value = read(format!("\"{escapes}\"").as_bytes()).unwrap();
        prop_assert!(!value.as_str().unwrap().contains('\0'));
    }

    #[test]
    fn everything_that_can_be_read_passes_the_check(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if read(&bytes).is_ok() {
            prop_assert!(check(&bytes).is_ok());
        }
    }
}
