//! JSON from outside: [`check`] tells whether bytes are JSON at all, [`read`] makes a value of them that Postgres can
//! keep. Two steps, since every JSON body is received, even one that no reader of ours can take in.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::error::Category;

/// The bytes are not JSON (RFC 8259) in UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum NotJson {
    /// Not UTF-8.
    #[error("reading the body as JSON: it is not UTF-8 (at byte {})", .0.valid_up_to())]
    Utf8(#[from] std::str::Utf8Error),
    /// Not JSON; the error tells the place and what was expected there, not the content.
    #[error("reading the body as JSON")]
    Syntax(#[from] serde_json::Error),
}

/// Why JSON cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// It nests deeper than [`MAX_DEPTH`].
    #[error("reading the body: it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// How deep [`read`] follows nesting: serde_json's own limit, below which neither reading nor dropping a value can
/// overflow a stack.
pub const MAX_DEPTH: usize = 127;

/// Checks that the bytes are JSON, of any depth, any size of number, with escapes of half a character or none.
/// Iterative (serde_json skips values with a heap-allocated stack), so no nesting can overflow the thread's stack.
///
/// # Errors
/// What is wrong, and where.
pub fn check(bytes: &[u8]) -> Result<(), NotJson> {
    serde_json::from_str::<IgnoredAny>(text(bytes)?)?;
    Ok(())
}

/// Reads JSON into a value: of duplicate keys the last wins, numbers keep their digits, and escapes that Postgres'
/// `text` and `jsonb` refuse (`\u0000`, half a surrogate pair) become U+FFFD.
///
/// # Errors
/// Not JSON, or nested deeper than [`MAX_DEPTH`].
pub fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_str(&mend_escapes(text(bytes)?)).map_err(|error| {
        // serde_json has no category for its recursion limit. What passes `check` and is a syntax error for it all the
        // same is nothing else: the escapes are mended, and the other stumbling block (an object made to look like
        // serde_json's own big number) is a data error.
        if error.classify() == Category::Syntax && check(bytes).is_ok() {
            Unreadable::TooDeep
        } else {
            Unreadable::NotJson(error.into())
        }
    })
}

/// The text at a path of keys: a string, or a number's digits; trimmed, `None` when empty or anything else.
pub fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<Cow<'v, str>> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    let text = match found {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// UTF-8, without the byte order mark that RFC 8259 lets a reader ignore.
fn text(bytes: &[u8]) -> Result<&str, NotJson> {
    let text = std::str::from_utf8(bytes)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Replaces escapes that stand for no character Postgres keeps. In JSON a backslash stands in strings only, so the
/// strings need not be found; what is not JSON is left for the parser to refuse.
fn mend_escapes(text: &str) -> Cow<'_, str> {
    const REPLACEMENT: &str = "\\ufffd";
    let mut mended = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        let here = at + found;
        let Some(unit) = escape(text, here) else {
            // `\\`, `\"` and the like: both characters at once, or the second backslash of `\\u0000` begins an escape.
            at = here + 1 + text[here + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        at = here + 6;
        match unit {
            0xd800..=0xdbff if matches!(escape(text, at), Some(0xdc00..=0xdfff)) => at += 6,
            0 | 0xd800..=0xdfff => {
                mended.push_str(&text[kept..here]);
                mended.push_str(REPLACEMENT);
                kept = at;
            }
            _ => {}
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[kept..]);
    Cow::Owned(mended)
}

/// The UTF-16 unit that a `\uXXXX` at this place stands for.
fn escape(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    // Digits only: `from_str_radix` would take a sign as well.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        [vec![b'['; depth], vec![b']'; depth]].concat()
    }

    #[test]
    fn any_json_passes_the_check_however_odd() {
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
    fn what_is_not_json_is_refused_by_both() {
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
            assert!(matches!(read(body), Err(Unreadable::NotJson(_))), "{body:?}");
        }
    }

    #[test]
    fn nesting_is_checked_without_recursion_and_read_up_to_the_limit() {
        // On the 2 MiB stack of a test's thread, as on a worker's.
        assert!(check(&nested(200_000)).is_ok());
        assert!(check(&vec![b'['; 200_000]).is_err());
        let objects = format!("{}1{}", r#"{"a":"#.repeat(200_000), "}".repeat(200_000));
        assert!(check(objects.as_bytes()).is_ok());
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(read(&nested(MAX_DEPTH + 1)), Err(Unreadable::TooDeep)));
        assert!(matches!(read(objects.as_bytes()), Err(Unreadable::TooDeep)));
        assert!(matches!(read(&vec![b'['; 200_000]), Err(Unreadable::NotJson(_))));
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
    fn an_accessor_finds_text_or_nothing() {
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
    fn an_object_that_imitates_serde_jsons_numbers_is_no_way_in() {
        assert_eq!(
            text_at(&read(br#"{"a":{"$serde_json::private::Number":"7"}}"#).unwrap(), &["a"]).unwrap(),
            "7"
        );
        for body in [
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::Number":{}}"#,
        ] {
            assert!(check(body.as_bytes()).is_ok());
            assert!(matches!(read(body.as_bytes()), Err(Unreadable::NotJson(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_value_read_holds_no_character_that_postgres_refuses(units in prop::collection::vec(any::<u16>(), 0..8), slashes in 0..3usize) {
            let escapes: String = units.iter().map(|unit| format!("{}\\u{:04x}", "\\\\".repeat(slashes), unit & 0xd8ff)).collect();
            let value = read(format!("\"{escapes}\"").as_bytes()).unwrap();
            prop_assert!(!value.as_str().unwrap().contains('\0'));
        }

        #[test]
        fn what_is_read_has_passed_the_check(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if read(&bytes).is_ok() {
                prop_assert!(check(&bytes).is_ok());
            }
        }
    }
}
