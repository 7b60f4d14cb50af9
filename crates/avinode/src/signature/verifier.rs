//! Verifies the sender of a request: tries each scheme, and one that verifies is enough.

use chrono::{DateTime, Utc};
use hyper::header::HeaderMap;

use super::basic::{self, BasicCredentials};
use super::hmac_key::HmacKey;
use super::secrets::{BasicAuth, EntryError, SecretEntryError, WebhookSecret, parse_entries};
use super::verification::{VerificationError, VerifiedBy};
use super::{hmac, standard_webhooks};

/// Its keys are redacted in `Debug` and zeroised on drop.
#[derive(Debug)]
pub struct Verifier {
    /// Keys of plain and of timestamped HMAC.
    hmac: Vec<HmacKey>,
    /// Keys of Standard Webhooks.
    standard: Vec<HmacKey>,
    basic: Vec<BasicCredentials>,
    requires_time: bool,
}

impl Verifier {
    /// Takes the secrets in the order in which they are configured: its ordinal is what is recorded of a secret's use.
    pub fn new(secrets: Vec<WebhookSecret>, basic: &[BasicAuth]) -> Self {
        let mut verifier = Self {
            hmac: Vec::new(),
            standard: Vec::new(),
            basic: basic.iter().map(BasicCredentials::new).collect(),
            requires_time: false,
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

    /// Refuses what carries no signed time, and so can be replayed: plain HMAC and Basic.
    #[must_use]
    pub fn requiring_time(mut self, requires_time: bool) -> Self {
        self.requires_time = requires_time;
        self
    }

    /// True if no secret is configured, so that no request can verify.
    pub fn is_empty(&self) -> bool {
        self.hmac.is_empty() && self.standard.is_empty() && self.basic.is_empty()
    }

    pub fn offers_basic(&self) -> bool {
        !self.basic.is_empty() && !self.requires_time
    }

    /// True if a refusal for this reason must carry `WWW-Authenticate: Basic`: a challenge-response client sends its first
    /// POST without credentials, and one with wrong credentials may try again. A request with a wrong signature is not
    /// challenged.
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

    /// True if the body decides: the request has a signature header of a scheme for which a secret is configured. The result of
    /// any other request is the same with every body.
    pub fn needs_body(&self, headers: &HeaderMap) -> bool {
        let signed = |names: &[&str]| names.iter().any(|name| headers.contains_key(*name));
        (!self.hmac.is_empty() && signed(&hmac::HEADERS))
            || (!self.standard.is_empty() && signed(&[standard_webhooks::SIGNATURE]))
    }

    /// Verifies a request's raw body. Reads only the headers of the schemes. `now` bounds the signed times.
    ///
    /// # Errors
    /// A named reason, without any part of the request or of the keys.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<VerifiedBy, VerificationError> {
        let mut why = VerificationError::NoCredentials;
        // Lazy: one scheme is enough. Signatures first, since they authenticate the body as well.
        let schemes: [&dyn Fn() -> Result<VerifiedBy, VerificationError>; 3] = [
            &|| hmac::verify(&self.hmac, headers, body, now, self.requires_time),
            &|| standard_webhooks::verify(&self.standard, headers, body, now),
            &|| match self.requires_time && basic::is_presented(headers) {
                true => Err(VerificationError::UntimedSignature),
                false => basic::verify(&self.basic, headers),
            },
        ];
        for scheme in schemes {
            match scheme() {
                Ok(by) => return Ok(by),
                Err(reason) if specificity(reason) > specificity(why) => why = reason,
                Err(_) => {}
            }
        }
        Err(why)
    }
}

/// A scheme that is not configured never hides the error of one that is.
fn specificity(why: VerificationError) -> u8 {
    match why {
        VerificationError::NoCredentials => 0,
        VerificationError::SchemeNotConfigured => 1,
        _ => 2,
    }
}
