//! Standard Webhooks (<https://www.standardwebhooks.com>): an id, a time and the body are signed together, with keys of its
//! own.

use base64::Engine as _;
use chrono::{DateTime, Utc};
use hyper::header::{HeaderMap, HeaderValue};

use super::hmac_key::{HmacKey, HmacTag, MAX_SIGNATURES, check_timestamp, matching_key};
use super::secrets::BASE64;
use super::verification::{AuthScheme, VerificationError, VerifiedBy};

/// The sender's id of the delivery; part of the signed content.
pub(super) const ID: &str = "webhook-id";
/// Unix seconds; part of the signed content.
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
/// `v1,<base64>`, several separated by spaces.
pub(super) const SIGNATURE: &str = "webhook-signature";

/// Verifies by any key; [`VerificationError::NoCredentials`] means that there is no `webhook-signature`.
pub(super) fn verify(
    keys: &[HmacKey],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<VerifiedBy, VerificationError> {
    if !headers.contains_key(SIGNATURE) {
        return Err(VerificationError::NoCredentials);
    }
    if keys.is_empty() {
        return Err(VerificationError::SchemeNotConfigured);
    }
    // With two ids or two times it would be unclear which one was signed; no sender does that.
    let (Some(id), Some(timestamp)) = (only(headers, ID), only(headers, TIMESTAMP)) else {
        return Err(VerificationError::IncompleteSignature);
    };
    let tags: Vec<HmacTag> = headers
        .get_all(SIGNATURE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(tags)
        .collect();
    if tags.is_empty() {
        return Err(VerificationError::MalformedSignature);
    }
    if tags.len() > MAX_SIGNATURES {
        return Err(VerificationError::TooManySignatures);
    }
    let timestamp = timestamp.to_str().map_err(|_| VerificationError::MalformedSignature)?;
    check_timestamp(timestamp, now)?;
    matching_key(keys, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body], &tags)
        .map(|ordinal| AuthScheme::Standard.by(ordinal))
        .ok_or(VerificationError::WrongSignature)
}

/// The value of a header that occurs exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// The `v1` tags of one header; asymmetric signatures (`v1a`) and invalid items are ignored. A proxy that joins two headers
/// leaves a comma at the end of an item.
fn tags(value: &str) -> impl Iterator<Item = HmacTag> {
    value.split_ascii_whitespace().filter_map(|item| {
        let encoded = item.strip_prefix("v1,")?.trim_end_matches(',');
        BASE64.decode(encoded).ok()?.try_into().ok()
    })
}
