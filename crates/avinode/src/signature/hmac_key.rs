//! An HMAC-SHA256 key and its position in the setting. The only file that computes or compares a tag.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use super::verification::VerificationError;

pub(super) type HmacTag = [u8; 32];

/// The largest difference between a signed time and ours, in seconds, both ways (the value of the Standard Webhooks
/// libraries).
const TOLERANCE_SECONDS: u64 = 300;

/// The most signatures accepted in one request. A key rotation sends two or three. Each signed content costs a pass over the
/// body, before the sender is authenticated.
pub(super) const MAX_SIGNATURES: usize = 16;

/// `SecretSlice` zeroises the key on drop and redacts it in `Debug`.
#[derive(Debug)]
pub(super) struct HmacKey {
    pub(super) bytes: SecretSlice<u8>,
    /// The position in the setting, from 1.
    pub(super) ordinal: usize,
}

impl HmacKey {
    /// The MAC over the concatenated parts, not finalized.
    fn mac(&self, content: &[&[u8]]) -> Hmac<Sha256> {
        // Cannot fail: HMAC is defined for keys of every length; the trait's error is for other MACs.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.bytes.expose_secret()).expect("HMAC takes keys of any length");
        for part in content {
            mac.update(part);
        }
        mac
    }

    /// The tag over the concatenated parts.
    pub(super) fn tag(&self, content: &[&[u8]]) -> HmacTag {
        self.mac(content).finalize().into_bytes().into()
    }
}

/// The ordinal of the first key that made one of the tags over the content. Each key hashes the content once, however many
/// tags there are; `verify_slice` compares in constant time.
pub(super) fn matching_key(keys: &[HmacKey], content: &[&[u8]], tags: &[HmacTag]) -> Option<usize> {
    if tags.is_empty() {
        return None;
    }
    keys.iter()
        .find(|key| {
            let mac = key.mac(content);
            tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok())
        })
        .map(|key| key.ordinal)
}

/// Checks a signed time: Unix seconds in decimal digits, within the tolerance before or after `now`.
pub(super) fn check_timestamp(seconds: &str, now: DateTime<Utc>) -> Result<(), VerificationError> {
    // Digits only: `i64::from_str` accepts a sign.
    if seconds.is_empty() || !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerificationError::MalformedSignature);
    }
    // More digits than an i64 has is a time in the far future, not a malformed one.
    let signed: i64 = seconds.parse().unwrap_or(i64::MAX);
    if now.timestamp().abs_diff(signed) > TOLERANCE_SECONDS {
        return Err(VerificationError::TimestampOutsideTolerance);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
