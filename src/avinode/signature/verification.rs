//! What verification says: which secret it was, or why not. Plain data without secrets, so both may be logged and stored.

use std::fmt;
use std::str::FromStr;

/// The scheme by which a delivery was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthScheme {
    /// HMAC-SHA256 of the raw body. Carries no time.
    Hmac,
    /// HMAC-SHA256 of `<t>.<body>`.
    HmacTimestamped,
    /// Standard Webhooks.
    Standard,
    /// HTTP Basic. Says nothing of the body.
    Basic,
}

impl AuthScheme {
    const ALL: [Self; 4] = [Self::Hmac, Self::HmacTimestamped, Self::Standard, Self::Basic];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::HmacTimestamped => "hmac-timestamped",
            Self::Standard => "standard",
            Self::Basic => "basic",
        }
    }
}

/// Which secret verified a delivery: never its value. Written `hmac#1` and read back from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifiedBy {
    /// The scheme.
    pub scheme: AuthScheme,
    /// The place of the secret in its setting, from 1: `AVINODE_WEBHOOK_BASIC` for [`AuthScheme::Basic`], else
    /// `AVINODE_WEBHOOK_SECRET`. Both kinds of secret in the latter are counted in one row.
    pub ordinal: usize,
}

impl fmt::Display for VerifiedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.scheme.as_str(), self.ordinal)
    }
}

/// A text is not the short form of a [`VerifiedBy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reading how a delivery was verified: not of the form `hmac#1`")]
pub struct ParseVerifiedByError;

impl FromStr for VerifiedBy {
    type Err = ParseVerifiedByError;

    fn from_str(text: &str) -> Result<Self, ParseVerifiedByError> {
        let (word, ordinal) = text.split_once('#').ok_or(ParseVerifiedByError)?;
        let scheme = AuthScheme::ALL
            .into_iter()
            .find(|scheme| scheme.as_str() == word)
            .ok_or(ParseVerifiedByError)?;
        // Written by us, so read strictly: `usize::from_str` would take a `+`, and a zero counts nothing.
        match ordinal.parse() {
            Ok(ordinal) if ordinal > 0 && !text.contains('+') => Ok(Self { scheme, ordinal }),
            _ => Err(ParseVerifiedByError),
        }
    }
}

/// Why a delivery was not verified. When several schemes were tried, the first of HMAC, Standard Webhooks and Basic that
/// had something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum VerificationError {
    /// No header of any scheme: also what the first call of a challenge-response client looks like.
    #[error("verifying the sender: the request carries no signature and no credentials")]
    NoCredentials,
    /// Only headers of schemes for which nothing is configured.
    #[error("verifying the sender: the request is signed by a scheme for which no secret is configured")]
    SchemeNotConfigured,
    /// Nothing in the signature header can be read as a signature of a known kind.
    #[error("verifying the sender: the signature header holds no signature that can be read")]
    MalformedSignature,
    /// `webhook-signature` without exactly one `webhook-id` and one `webhook-timestamp`.
    #[error("verifying the sender: webhook-signature needs exactly one webhook-id and one webhook-timestamp")]
    IncompleteSignature,
    /// More signatures than anyone sends; refused so that a stranger cannot buy hashing with header lines.
    #[error("verifying the sender: too many signatures in one request")]
    TooManySignatures,
    /// The signed time is more than 300 s away: a replay, or a clock that is wrong.
    #[error("verifying the sender: the signature's timestamp is more than 300 s from this machine's clock")]
    TimestampOutsideTolerance,
    /// A readable signature that no configured secret made over these bytes.
    #[error("verifying the sender: no configured secret made this signature over this body")]
    WrongSignature,
    /// `Authorization: Basic` whose rest is not base64 of `identifier:secret`.
    #[error("verifying the sender: the Basic credentials cannot be read")]
    MalformedCredentials,
    /// Readable Basic credentials that are not configured.
    #[error("verifying the sender: the Basic credentials are not known")]
    WrongCredentials,
}

impl VerificationError {
    /// A short stable word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCredentials => "no-credentials",
            Self::SchemeNotConfigured => "scheme-not-configured",
            Self::MalformedSignature => "malformed-signature",
            Self::IncompleteSignature => "incomplete-signature",
            Self::TooManySignatures => "too-many-signatures",
            Self::TimestampOutsideTolerance => "timestamp-outside-tolerance",
            Self::WrongSignature => "wrong-signature",
            Self::MalformedCredentials => "malformed-credentials",
            Self::WrongCredentials => "wrong-credentials",
        }
    }
}

#[cfg(test)]
mod tests;
