//! Makes the headers that [`super::verifier`] accepts, from the same settings: replays, `sign` and tests send real
//! signatures.

use base64::Engine as _;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::hmac_key::HmacKey;
use super::secrets::{self, BASE64, Secret, VerifierConfigError};
use super::{hmac, standard_webhooks};

/// Signs bodies with one secret. Redacted in `Debug`, zeroised on drop.
#[derive(Debug)]
pub struct Signer(SigningScheme);

#[derive(Debug)]
enum SigningScheme {
    Hmac(HmacKey),
    HmacTimestamped(HmacKey),
    Standard(HmacKey),
    /// The whole value of `Authorization`.
    Basic(SecretString),
}

impl Signer {
    /// Uses the first entry of the secret setting, else the first Basic entry (see
    /// [`Verifier::from_settings`](super::verifier::Verifier::from_settings) for the format); `None` if both are blank.
    ///
    /// # Errors
    /// Any invalid entry, not only the first, as for the verifier.
    pub fn from_settings(secret: Option<&str>, basic: Option<&str>) -> Result<Option<Self>, VerifierConfigError> {
        let basics = secrets::basics(basic, authorization)?;
        let key = |bytes| HmacKey { bytes, ordinal: 1 };
        Ok(match secrets::secrets(secret)?.into_iter().next() {
            Some(Secret::Plain(bytes)) => Some(Self(SigningScheme::Hmac(key(bytes)))),
            Some(Secret::Standard(bytes)) => Some(Self(SigningScheme::Standard(key(bytes)))),
            None => basics.into_iter().next().map(|value| Self(SigningScheme::Basic(value))),
        })
    }

    /// Signs the time as well (`t=…,v1=…`) with a plain HMAC key. Standard Webhooks always does, Basic never can.
    #[must_use]
    pub fn timestamped(self) -> Self {
        Self(match self.0 {
            SigningScheme::Hmac(key) => SigningScheme::HmacTimestamped(key),
            other => other,
        })
    }

    /// The headers (lower-case names and values) for exactly this body at this time. `message_id` becomes `webhook-id`,
    /// which only Standard Webhooks has; it must be a valid header value.
    pub fn sign(&self, message_id: &str, body: &[u8], now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let seconds = now.timestamp().to_string();
        match &self.0 {
            SigningScheme::Hmac(key) => vec![(hmac::HEADER, format!("sha256={}", hex::encode(key.tag(&[body]))))],
            SigningScheme::HmacTimestamped(key) => {
                let tag = hex::encode(key.tag(&[seconds.as_bytes(), b".", body]));
                vec![(hmac::HEADER, format!("t={seconds},v1={tag}"))]
            }
            SigningScheme::Standard(key) => {
                let tag = BASE64.encode(key.tag(&[message_id.as_bytes(), b".", seconds.as_bytes(), b".", body]));
                vec![
                    (standard_webhooks::ID, message_id.to_owned()),
                    (standard_webhooks::TIMESTAMP, seconds),
                    (standard_webhooks::SIGNATURE, format!("v1,{tag}")),
                ]
            }
            SigningScheme::Basic(value) => vec![("authorization", value.expose_secret().to_owned())],
        }
    }
}

fn authorization(identifier: &str, secret: &str) -> SecretString {
    let plain = Zeroizing::new(format!("{identifier}:{secret}"));
    SecretString::from(format!("Basic {}", BASE64.encode(plain.as_bytes())))
}
