//! HTTP Basic (RFC 7617), which is what Avinode's own settings offer. It proves the caller only, not the body.

use base64::Engine as _;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::secrets::{BASE64, BasicAuth};
use super::verification::{AuthScheme, VerificationError, VerifiedBy};

/// One identifier and secret, kept as digests only: the comparison is then over fixed lengths and tells neither where
/// two texts differ nor how long ours is. Not a password store (the setting holds the text): no salt is needed.
#[derive(Debug)]
pub(super) struct BasicCredentials {
    identifier: SecretBox<[u8; 32]>,
    secret: SecretBox<[u8; 32]>,
}

impl BasicCredentials {
    pub(super) fn new(basic: &BasicAuth) -> Self {
        Self {
            identifier: digest(basic.identifier.as_bytes()),
            secret: digest(basic.secret.expose_secret().as_bytes()),
        }
    }
}

/// Verifies by any entry; [`Unverified::NoCredentials`] means that there is no `Authorization: Basic`.
pub(super) fn verify(known: &[BasicCredentials], headers: &HeaderMap) -> Result<VerifiedBy, VerificationError> {
    let mut why = VerificationError::NoCredentials;
    for encoded in headers.get_all(AUTHORIZATION).iter().filter_map(basic) {
        if known.is_empty() {
            return Err(VerificationError::SchemeNotConfigured);
        }
        match decode(encoded) {
            Some(presented) => match place_of(known, &presented) {
                Some(ordinal) => {
                    return Ok(VerifiedBy {
                        scheme: AuthScheme::Basic,
                        ordinal,
                    });
                }
                None => why = VerificationError::WrongCredentials,
            },
            None if why == VerificationError::WrongCredentials => {}
            None => why = VerificationError::MalformedCredentials,
        }
    }
    Err(why)
}

/// What follows the scheme's name (in any case), when that is `Basic`. Other schemes are not for us.
fn basic(value: &HeaderValue) -> Option<&[u8]> {
    let value = value.as_bytes().trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    scheme.eq_ignore_ascii_case(b"basic").then(|| rest.trim_ascii())
}

/// Splits at the first `:`: an identifier cannot hold one, a secret may.
fn decode(encoded: &[u8]) -> Option<BasicCredentials> {
    let plain = Zeroizing::new(BASE64.decode(encoded).ok()?);
    let colon = plain.iter().position(|byte| *byte == b':')?;
    Some(BasicCredentials {
        identifier: digest(&plain[..colon]),
        secret: digest(&plain[colon + 1..]),
    })
}

/// Every entry is compared, and both parts of it, whatever the first comparison says.
fn place_of(known: &[BasicCredentials], presented: &BasicCredentials) -> Option<usize> {
    let mut place = None;
    for (index, entry) in known.iter().enumerate() {
        let same = entry
            .identifier
            .expose_secret()
            .ct_eq(presented.identifier.expose_secret())
            & entry.secret.expose_secret().ct_eq(presented.secret.expose_secret());
        if bool::from(same) {
            place = place.or(Some(index + 1));
        }
    }
    place
}

fn digest(bytes: &[u8]) -> SecretBox<[u8; 32]> {
    SecretBox::init_with_mut(|digest: &mut [u8; 32]| digest.copy_from_slice(&Sha256::digest(bytes)))
}
