//! Standard Webhooks (<https://www.standardwebhooks.com>): an id, a time and the body are signed together. Apart from
//! `hmac.rs`, since its keys are others and its header is another grammar.

use base64::Engine as _;
use chrono::{DateTime, Utc};
use hyper::header::{HeaderMap, HeaderValue};

use super::hmac_key::{HmacKey, HmacTag, MAX_SIGNATURES, signer_of, timely};
use super::secrets::BASE64;
use super::verification::{AuthScheme, VerificationError, VerifiedBy};

/// The delivery's id at the sender; part of what is signed.
pub(super) const ID: &str = "webhook-id";
/// Unix seconds; part of what is signed.
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
/// `v1,<base64>`, several separated by spaces.
pub(super) const SIGNATURE: &str = "webhook-signature";

/// Verifies by any key; [`Unverified::NoCredentials`] means that there is no `webhook-signature`.
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
    // Two ids or two times would leave open which of them was signed; no sender does that.
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
    timely(timestamp, now)?;
    signer_of(keys, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body], &tags)
        .map(|ordinal| VerifiedBy {
            scheme: AuthScheme::Standard,
            ordinal,
        })
        .ok_or(VerificationError::WrongSignature)
}

/// The value of a header that stands there exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// The `v1` tags of one header; asymmetric signatures (`v1a`) and what is unreadable are passed over. A comma at the end
/// of an item is left by a proxy that joined two headers.
fn tags(value: &str) -> impl Iterator<Item = HmacTag> {
    value.split_ascii_whitespace().filter_map(|item| {
        let encoded = item.strip_prefix("v1,")?.trim_end_matches(',');
        BASE64.decode(encoded).ok()?.try_into().ok()
    })
}
