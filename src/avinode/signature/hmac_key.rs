//! One HMAC-SHA256 key and its place in the setting. The only file that makes a tag or compares one.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use super::verification::VerificationError;

/// An HMAC-SHA256 tag.
pub(super) type HmacTag = [u8; 32];

/// How far a signed time may be from ours, in seconds, both ways (the Standard Webhooks libraries' value).
const TOLERANCE_SECONDS: u64 = 300;

/// The most signatures looked at in one request. A rotation sends two or three; each distinct signed content costs a
/// pass over the body, and all this comes before the sender is known.
pub(super) const MAX_SIGNATURES: usize = 16;

/// A key. Zeroised on drop and redacted in `Debug` by `SecretSlice`.
#[derive(Debug)]
pub(super) struct HmacKey {
    pub(super) bytes: SecretSlice<u8>,
    /// Its place in its setting, from 1.
    pub(super) ordinal: usize,
}

impl HmacKey {
    /// The MAC of the parts, one after the other, not yet finished.
    fn mac(&self, content: &[&[u8]]) -> Hmac<Sha256> {
        // Cannot fail: HMAC is defined for keys of every length, the trait's error is for MACs that are not.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.bytes.expose_secret()).expect("HMAC takes keys of any length");
        for part in content {
            mac.update(part);
        }
        mac
    }

    /// The tag of the parts.
    pub(super) fn tag(&self, content: &[&[u8]]) -> HmacTag {
        self.mac(content).finalize().into_bytes().into()
    }
}

/// The ordinal of the first key that made one of the tags over the content. Each key reads the content once, however
/// many tags there are; `verify_slice` compares in constant time.
pub(super) fn signer_of(keys: &[HmacKey], content: &[&[u8]], tags: &[HmacTag]) -> Option<usize> {
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

/// Checks a signed time, unix seconds in decimal digits.
///
/// # Errors
/// [`Unverified::MalformedSignature`] when it is not that, [`Unverified::TimestampOutsideTolerance`] when it is too far
/// from `now`, before or after.
pub(super) fn timely(seconds: &str, now: DateTime<Utc>) -> Result<(), VerificationError> {
    // Digits only: `i64::from_str` would take a sign as well.
    if seconds.is_empty() || !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerificationError::MalformedSignature);
    }
    // More digits than an i64 holds is a time far away, not a malformed one.
    let signed: i64 = seconds.parse().unwrap_or(i64::MAX);
    if now.timestamp().abs_diff(signed) > TOLERANCE_SECONDS {
        return Err(VerificationError::TimestampOutsideTolerance);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
