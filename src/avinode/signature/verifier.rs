//! The verifier: a value that owns its keys and asks each scheme in turn. Any one that verifies is enough.

use chrono::{DateTime, Utc};
use hyper::header::HeaderMap;

use super::basic::{self, BasicCredentials};
use super::hmac_key::HmacKey;
use super::secrets::{BasicAuth, EntryError, SecretEntryError, WebhookSecret, parse_entries};
use super::verification::{VerificationError, VerifiedBy};
use super::{hmac, standard_webhooks};

/// Proves who sent a request. Its keys are redacted in `Debug` and zeroised on drop.
#[derive(Debug)]
pub struct Verifier {
    /// Keys of plain and of timestamped HMAC.
    hmac: Vec<HmacKey>,
    /// Keys of Standard Webhooks.
    standard: Vec<HmacKey>,
    /// HTTP Basic.
    basic: Vec<BasicCredentials>,
}

impl Verifier {
    /// Takes the secrets in the order in which they are configured: its ordinal is what is recorded of a secret's use.
    pub fn new(secrets: Vec<WebhookSecret>, basic: &[BasicAuth]) -> Self {
        let mut verifier = Self {
            hmac: Vec::new(),
            standard: Vec::new(),
            basic: basic.iter().map(BasicCredentials::new).collect(),
        };
        for (index, secret) in secrets.into_iter().enumerate() {
            let (keys, bytes) = match secret {
                WebhookSecret::Plain(bytes) => (&mut verifier.hmac, bytes),
                WebhookSecret::Standard(bytes) => (&mut verifier.standard, bytes),
            };
            keys.push(HmacKey {
                bytes,
                ordinal: index + 1,
            });
        }
        verifier
    }

    /// Parses both lists; `None` is an empty one.
    ///
    /// # Errors
    /// The first invalid entry.
    pub fn from_settings(secrets: Option<&str>, basic: Option<&str>) -> Result<Self, EntryError<SecretEntryError>> {
        let secrets = parse_entries(secrets.unwrap_or_default(), WebhookSecret::parse)?;
        let basic = parse_entries(basic.unwrap_or_default(), BasicAuth::parse)?;
        Ok(Self::new(secrets, &basic))
    }

    /// Whether nothing is configured, so that nothing can ever verify.
    pub fn is_empty(&self) -> bool {
        self.hmac.is_empty() && self.standard.is_empty() && self.basic.is_empty()
    }

    /// Whether Basic credentials are configured.
    pub fn offers_basic(&self) -> bool {
        !self.basic.is_empty()
    }

    /// Whether a refusal for this reason should carry `WWW-Authenticate: Basic`: a challenge-response client sends its
    /// first POST bare and needs to be asked, and one with wrong credentials may be asked again. A request that was
    /// signed wrongly is not: it did not forget anything.
    pub fn challenges(&self, why: VerificationError) -> bool {
        self.offers_basic()
            && matches!(
                why,
                VerificationError::NoCredentials
                    | VerificationError::SchemeNotConfigured
                    | VerificationError::MalformedCredentials
                    | VerificationError::WrongCredentials
            )
    }

    /// Verifies a request's raw body. Reads no more of `headers` than the schemes' own. `now` bounds the signed times.
    ///
    /// # Errors
    /// The named reason, without anything of the request or of the keys in it.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<VerifiedBy, VerificationError> {
        let mut why = VerificationError::NoCredentials;
        // Lazy, so that one proof is enough; signatures first, since they prove the body as well.
        let schemes: [&dyn Fn() -> Result<VerifiedBy, VerificationError>; 3] = [
            &|| hmac::verify(&self.hmac, headers, body, now),
            &|| standard_webhooks::verify(&self.standard, headers, body, now),
            &|| basic::verify(&self.basic, headers),
        ];
        for scheme in schemes {
            match scheme() {
                Ok(by) => return Ok(by),
                Err(reason) if telling(reason) > telling(why) => why = reason,
                Err(_) => {}
            }
        }
        Err(why)
    }
}

/// How much a reason tells: a scheme that is not in use never hides what one that is has to say.
fn telling(why: VerificationError) -> u8 {
    match why {
        VerificationError::NoCredentials => 0,
        VerificationError::SchemeNotConfigured => 1,
        _ => 2,
    }
}
