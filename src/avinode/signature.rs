//! A stand-in for the signer: plain HMAC-SHA256 or Basic, so that what sends can be built before what verifies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Why a text is not a secret.
#[derive(Debug, thiserror::Error)]
#[error("the secret is empty")]
pub struct SecretError;

/// Makes the headers that prove the sender of a body.
pub struct Signer {
    secret: String,
    basic: bool,
}

impl Signer {
    /// A signer by HMAC-SHA256.
    pub fn from_secret(text: &str) -> Result<Self, SecretError> {
        Self::new(text, false)
    }

    /// A signer by HTTP Basic; `text` is `identifier:secret`.
    pub fn basic(text: &str) -> Result<Self, SecretError> {
        Self::new(text, true)
    }

    fn new(text: &str, basic: bool) -> Result<Self, SecretError> {
        if text.is_empty() {
            return Err(SecretError);
        }
        Ok(Self {
            secret: text.to_owned(),
            basic,
        })
    }

    /// The headers for this body, sent now.
    pub fn sign(&self, body: &[u8], _now: DateTime<Utc>) -> Vec<(String, String)> {
        if self.basic {
            return vec![(
                "Authorization".to_owned(),
                format!("Basic {}", STANDARD.encode(&self.secret)),
            )];
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            return Vec::new();
        };
        mac.update(body);
        vec![(
            "X-Avinode-Signature".to_owned(),
            format!("sha256={}", hex::encode(mac.finalize().into_bytes())),
        )]
    }
}
