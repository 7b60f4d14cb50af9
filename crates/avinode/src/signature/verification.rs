//! The results of verification: the secret that verified a delivery, or an error. Plain data without secrets, safe to log and
//! store.

use std::fmt;

use strum::{Display, EnumIter, IntoStaticStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AuthScheme {
    /// HMAC-SHA256 of the raw body. Carries no time.
    Hmac,
    /// HMAC-SHA256 of `<t>.<body>`.
    HmacTimestamped,
    /// Standard Webhooks.
    Standard,
    /// HTTP Basic. Does not authenticate the body.
    Basic,
}

impl AuthScheme {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub(super) fn by(self, ordinal: usize) -> VerifiedBy {
        VerifiedBy { scheme: self, ordinal }
    }
}

/// The secret that verified a delivery, by scheme and position, never its value. Displayed as `hmac#1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifiedBy {
    pub scheme: AuthScheme,
    /// The position of the secret in its setting, from 1: in `AVINODE_WEBHOOK_BASIC` for [`AuthScheme::Basic`], else in
    /// `AVINODE_WEBHOOK_SECRET`, in which both kinds of secret are counted together.
    pub ordinal: usize,
}

impl fmt::Display for VerifiedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.scheme, self.ordinal)
    }
}

/// If several schemes were tried, the most specific reason; of equally specific ones that of the first of HMAC, Standard
/// Webhooks and Basic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum VerificationError {
    /// No header of any scheme. The first request of a challenge-response client looks like this, too.
    #[error("verifying the sender: the request carries no signature and no credentials")]
    NoCredentials,
    #[error("verifying the sender: the request is signed by a scheme for which no secret is configured")]
    SchemeNotConfigured,
    #[error("verifying the sender: the signature header contains no valid signature of a known kind")]
    MalformedSignature,
    #[error("verifying the sender: webhook-signature needs exactly one webhook-id and one webhook-timestamp")]
    IncompleteSignature,
    /// More signatures, or more signed times, than any sender uses; refused so that an attacker cannot cause hashing with header lines.
    #[error("verifying the sender: too many signatures in one request")]
    TooManySignatures,
    /// A setting requires a signed time, and the request has a signature or credentials without one.
    #[error("verifying the sender: a signed timestamp is required, and the signature or the credentials have none")]
    UntimedSignature,
    /// A replay, or a wrong clock.
    #[error("verifying the sender: the signature's timestamp is more than 300 s from this machine's clock")]
    TimestampOutsideTolerance,
    #[error("verifying the sender: no configured secret made this signature over this body")]
    WrongSignature,
    /// `Authorization: Basic` without base64 of `identifier:secret`.
    #[error("verifying the sender: the Basic credentials are malformed")]
    MalformedCredentials,
    #[error("verifying the sender: the Basic credentials are unknown")]
    WrongCredentials,
}

impl VerificationError {
    /// A short stable word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests;
