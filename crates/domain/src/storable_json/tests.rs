use serde_json::json;

use super::*;

fn checked(json: &str) -> Result<(), UnstorableJson> {
    check(&serde_json::from_str(json).unwrap())
}

#[test]
fn a_number_with_a_huge_exponent_or_many_digits_is_refused_wherever_it_is() {
    for number in ["1e131071", "1e-131071", "1e129", "1E+99999999999999999999"] {
        assert_eq!(
            checked(&format!("{{\"a\": [1, {number}]}}")),
            Err(UnstorableJson::Number)
        );
    }
    assert_eq!(checked(&"9".repeat(129)), Err(UnstorableJson::Number));
    for number in ["1e128", "-1.5e-128", "0", "0.10", &"9".repeat(128)] {
        assert_eq!(checked(&format!("[{number}]")), Ok(()));
    }
}

#[test]
fn the_length_is_that_of_the_text_with_every_digit() {
    let numbers = |count: usize| format!("[{}]", vec!["1e128"; count].join(","));
    assert_eq!(checked(&numbers(1_000)), Ok(()));
    assert_eq!(checked(&numbers(2_100)), Err(UnstorableJson::Length));
    assert_eq!(check(&json!("x".repeat(MAX_BYTES - 2))), Ok(()));
    assert_eq!(check(&json!("x".repeat(MAX_BYTES - 1))), Err(UnstorableJson::Length));
    assert_eq!(
        check(&json!("\u{1}".repeat(MAX_BYTES / 6 + 1))),
        Err(UnstorableJson::Length)
    );
}

#[test]
fn depth_and_the_nul_character_are_refused() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(checked(&nested(65)), Ok(()));
    assert_eq!(checked(&nested(66)), Err(UnstorableJson::Depth));
    assert_eq!(check(&json!({"a": ["\0"]})), Err(UnstorableJson::NulCharacter));
    assert_eq!(check(&json!({"\0": 1})), Err(UnstorableJson::NulCharacter));
}
