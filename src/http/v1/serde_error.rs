//! Words of serde's errors that a caller of the API understands, without the names of our types. The tests hold them to serde's own.

/// Continues a sentence that begins with the name of the invalid field. An error of our own types does so already.
pub fn in_plain_words(message: &str) -> String {
    let known = missing_or_unknown(message)
        .or_else(|| wrong_type(message))
        .or_else(|| unreadable(message));
    known.unwrap_or_else(|| message.to_owned())
}

fn missing_or_unknown(message: &str) -> Option<String> {
    let (kind, rest) = message.split_once(" `")?;
    let expected = || names(rest.split_once("`, ").map_or("", |(_, expected)| expected));
    match kind {
        "missing field" => Some("is missing".to_owned()),
        "duplicate field" => Some("is given more than once".to_owned()),
        "unknown field" => Some(match expected().as_str() {
            "" => "is unknown".to_owned(),
            known => format!("is unknown; known are: {known}"),
        }),
        "unknown variant" => Some(format!("must be one of: {}", expected())),
        _ => None,
    }
}

/// The names between backticks, separated by commas.
fn names(text: &str) -> String {
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    quoted.join(", ")
}

fn wrong_type(message: &str) -> Option<String> {
    let given_and_wanted = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|kind| message.strip_prefix(kind))?;
    let (given, wanted) = given_and_wanted.rsplit_once(", expected ")?;
    Some(format!("must be {}, not {}", type_wanted(wanted), value_given(given)))
}

fn type_wanted(wanted: &str) -> &str {
    match wanted {
        "u16" => "an integer from 0 to 65535",
        "i32" => "an integer from -2147483648 to 2147483647",
        "i64" => "an integer of 64 bits",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        // Of an enum without values of other types.
        "string or map" | "unit" => "a string",
        "a formatted UUID string" => "a UUID",
        _ if wanted.starts_with("struct ") => "an object",
        other => other,
    }
}

fn value_given(given: &str) -> &str {
    match given.split(' ').next().unwrap_or_default() {
        "string" => "a string",
        "integer" | "floating" => given.split('`').nth(1).unwrap_or("a number"),
        "boolean" => "a boolean",
        "sequence" => "an array",
        "map" => "an object",
        // One that no integer or float of 64 bits holds.
        "number" => "a number",
        _ => given,
    }
}

/// Errors of the standard library, of uuid and of chrono for a text.
fn unreadable(message: &str) -> Option<String> {
    let words = match message {
        // Of serde_json, for anything that can be no value of an enum.
        "expected value" => "must be a string",
        "input contains invalid characters" | "premature end of input" | "trailing input" => {
            "must be a time with its zone, as 2026-11-30T12:00:00Z"
        }
        "input is out of range" => "has a month, day or hour that does not exist",
        "invalid digit found in string" | "cannot parse integer from empty string" => "must be an integer",
        "number too large to fit in target type" => "is too large",
        "number too small to fit in target type" => "is too small",
        "provided string was not `true` or `false`" => "must be true or false",
        _ if message.starts_with("UUID parsing failed") => "must be a UUID",
        // serde reads an array as a struct with its fields in their order.
        _ if message.starts_with("invalid length") && message.contains("expected struct") => {
            "must be an object, not an array"
        }
        _ => return None,
    };
    Some(words.to_owned())
}

#[cfg(test)]
mod tests;
