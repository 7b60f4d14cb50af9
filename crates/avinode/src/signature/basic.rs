//! HTTP Basic (RFC 7617), the scheme of Avinode's own settings. It authenticates the caller only, not the body.

use base64::Engine as _;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::secrets::{BASE64, BasicAuth};
use super::verification::{AuthScheme, VerificationError, VerifiedBy};

/// One identifier and secret, as digests: a comparison of fixed lengths reveals neither the first difference nor the length.
/// Not a password store (the setting contains the plain text), so no salt is needed.
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

/// True if the request has `Authorization: Basic`.
pub(super) fn is_presented(headers: &HeaderMap) -> bool {
    headers
        .get_all(AUTHORIZATION)
        .iter()
        .any(|value| basic(value).is_some())
}

/// Verifies by any entry; [`VerificationError::NoCredentials`] means that there is no `Authorization: Basic`.
pub(super) fn verify(known: &[BasicCredentials], headers: &HeaderMap) -> Result<VerifiedBy, VerificationError> {
    let mut why = VerificationError::NoCredentials;
    for encoded in headers.get_all(AUTHORIZATION).iter().filter_map(basic) {
        if known.is_empty() {
            return Err(VerificationError::SchemeNotConfigured);
        }
        match decode(encoded) {
            Some(presented) => match position(known, &presented) {
                Some(ordinal) => return Ok(AuthScheme::Basic.by(ordinal)),
                None => why = VerificationError::WrongCredentials,
            },
            None if why == VerificationError::WrongCredentials => {}
            None => why = VerificationError::MalformedCredentials,
        }
    }
    Err(why)
}

/// The value after the scheme's name, if that is `Basic` in any case.
fn basic(value: &HeaderValue) -> Option<&[u8]> {
    let value = value.as_bytes().trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    scheme.eq_ignore_ascii_case(b"basic").then(|| rest.trim_ascii())
}

/// Splits at the first `:`: an identifier cannot contain one, a secret can.
fn decode(encoded: &[u8]) -> Option<BasicCredentials> {
    let plain = Zeroizing::new(BASE64.decode(encoded).ok()?);
    let colon = plain.iter().position(|byte| *byte == b':')?;
    Some(BasicCredentials {
        identifier: digest(&plain[..colon]),
        secret: digest(&plain[colon + 1..]),
    })
}

/// The position, from 1, of the matching entry. Compares both parts of every entry, whatever the first comparison returns.
fn position(known: &[BasicCredentials], presented: &BasicCredentials) -> Option<usize> {
    let mut position = None;
    for (index, entry) in known.iter().enumerate() {
        let is_same = entry
            .identifier
            .expose_secret()
            .ct_eq(presented.identifier.expose_secret())
            & entry.secret.expose_secret().ct_eq(presented.secret.expose_secret());
        if bool::from(is_same) {
            position = position.or(Some(index + 1));
        }
    }
    position
}

fn digest(bytes: &[u8]) -> SecretBox<[u8; 32]> {
    SecretBox::init_with_mut(|digest: &mut [u8; 32]| digest.copy_from_slice(&Sha256::digest(bytes)))
}
