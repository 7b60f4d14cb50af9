//! Ids of resources in bytes that are not parsed: of deliveries that are no event, and of requests that were refused.

use super::resource::Resource;

/// The most ids that are returned.
const MAX_IDS: usize = 16;
/// The longest number of an id; Avinode's have up to ten digits.
const MAX_DIGITS: usize = 18;

/// Returns the distinct ids of the form `aquote-386512791` whose prefix is that of a known kind of resource, in the order in which
/// they stand. Anything else is left out, so the result has no text of a person.
pub fn mentioned_ids(bytes: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for token in bytes.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-') {
        if found.len() == MAX_IDS {
            break;
        }
        if let Some(id) = resource_id(token)
            && !found.iter().any(|known| known == id)
        {
            found.push(id.to_owned());
        }
    }
    found
}

/// Returns whether the bytes contain this id as a whole: neither as a part of another id nor of another word.
pub fn mentions(bytes: &[u8], id: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let windows = bytes.windows(id.len().max(1)).enumerate();
    windows
        .filter(|(_, window)| window.eq_ignore_ascii_case(id.as_bytes()))
        .any(|(at, window)| {
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            !is_part(before) && !is_part(bytes.get(at + window.len()))
        })
}

fn resource_id(token: &[u8]) -> Option<&str> {
    let token = std::str::from_utf8(token).ok()?;
    let (prefix, number) = token.split_once('-')?;
    let is_plain = prefix.bytes().all(|byte| byte.is_ascii_lowercase())
        && (1..=MAX_DIGITS).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && prefix.len() <= 16 && Resource::by_text(token).is_some()).then_some(token)
}

#[cfg(test)]
mod tests;
