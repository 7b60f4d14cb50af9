//! One HMAC-SHA256 key and its place in the setting. The only file that makes a tag or compares one.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use super::outcome::Unverified;

/// An HMAC-SHA256 tag.
pub(super) type Tag = [u8; 32];

/// How far a signed time may be from ours, in seconds, both ways (the Standard Webhooks libraries' value).
const TOLERANCE_SECONDS: u64 = 300;

/// The most signatures looked at in one request. A rotation sends two or three; each distinct signed content costs a
/// pass over the body, and all this comes before the sender is known.
pub(super) const MAX_SIGNATURES: usize = 16;

/// A key. Zeroised on drop and redacted in `Debug` by `SecretSlice`.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) bytes: SecretSlice<u8>,
    /// Its place in its setting, from 1.
    pub(super) ordinal: usize,
}

impl Key {
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
    pub(super) fn tag(&self, content: &[&[u8]]) -> Tag {
        self.mac(content).finalize().into_bytes().into()
    }
}

/// The ordinal of the first key that made one of the tags over the content. Each key reads the content once, however
/// many tags there are; `verify_slice` compares in constant time.
pub(super) fn signer_of(keys: &[Key], content: &[&[u8]], tags: &[Tag]) -> Option<usize> {
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
pub(super) fn timely(seconds: &str, now: DateTime<Utc>) -> Result<(), Unverified> {
    // Digits only: `i64::from_str` would take a sign as well.
    if seconds.is_empty() || !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unverified::MalformedSignature);
    }
    // More digits than an i64 holds is a time far away, not a malformed one.
    let signed: i64 = seconds.parse().unwrap_or(i64::MAX);
    if now.timestamp().abs_diff(signed) > TOLERANCE_SECONDS {
        return Err(Unverified::TimestampOutsideTolerance);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &[u8], data: &[u8]) -> String {
        hex::encode(
            Key {
                bytes: key.to_vec().into(),
                ordinal: 1,
            }
            .tag(&[data]),
        )
    }

    #[test]
    fn tags_are_those_of_rfc_4231() {
        // Test cases 1, 2, 3, 6 and 7 of RFC 4231, section 4.
        let cases: [(&[u8], &[u8], &str); 5] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, data, expected) in cases {
            assert_eq!(tag(key, data), expected);
        }
    }

    #[test]
    fn a_time_is_good_for_300_seconds_both_ways() {
        let now = DateTime::from_timestamp(1_700_000_000, 999_999_999).unwrap();
        for good in ["1700000000", "1699999700", "1700000300", "01700000000"] {
            assert_eq!(timely(good, now), Ok(()), "{good}");
        }
        for far in [
            "1699999699",
            "1700000301",
            "0",
            "1700000000000",
            "99999999999999999999999",
        ] {
            assert_eq!(timely(far, now), Err(Unverified::TimestampOutsideTolerance), "{far}");
        }
        for odd in ["", "-5", "+1700000000", " 1700000000", "1700000000.0", "now", "١٧"] {
            assert_eq!(timely(odd, now), Err(Unverified::MalformedSignature), "{odd}");
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = Key {
            bytes: b"sesame".to_vec().into(),
            ordinal: 1,
        };
        let shown = format!("{key:?}");
        assert!(!shown.contains("sesame") && !shown.contains("115"), "{shown}");
    }
}
