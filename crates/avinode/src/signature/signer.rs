//! The signer: makes the headers that [`super::verifier`] accepts, from the same secrets, so that replays, `sign` and tests send
//! real signatures.

use base64::Engine as _;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::hmac_key::HmacKey;
use super::secrets::{BASE64, BasicAuth, EntryError, SecretEntryError, WebhookSecret, parse_entries};
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
    /// Signs with a secret.
    pub fn with_secret(secret: WebhookSecret) -> Self {
        let key = |bytes| HmacKey { bytes, ordinal: 1 };
        Self(match secret {
            WebhookSecret::Plain(bytes) => SigningScheme::Hmac(key(bytes)),
            WebhookSecret::Standard(bytes) => SigningScheme::Standard(key(bytes)),
        })
    }

    /// Sends HTTP Basic credentials, which sign nothing.
    pub fn with_basic(basic: &BasicAuth) -> Self {
        let plain = Zeroizing::new(format!("{}:{}", basic.identifier, basic.secret.expose_secret()));
        let value = SecretString::from(format!("Basic {}", BASE64.encode(plain.as_bytes())));
        Self(SigningScheme::Basic(value))
    }

    /// Takes the first secret of a list, else the first Basic credentials; `None` where both lists are empty.
    ///
    /// # Errors
    /// As for the verifier: any invalid entry, not only the first.
    pub fn from_settings(
        secrets: Option<&str>,
        basic: Option<&str>,
    ) -> Result<Option<Self>, EntryError<SecretEntryError>> {
        let secrets = parse_entries(secrets.unwrap_or_default(), WebhookSecret::parse)?;
        let basic = parse_entries(basic.unwrap_or_default(), BasicAuth::parse)?;
        let secret = secrets.into_iter().next().map(Self::with_secret);
        Ok(secret.or_else(|| basic.first().map(Self::with_basic)))
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
