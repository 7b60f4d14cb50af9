//! STAND-IN.
use base64::Engine;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use std::fmt;
/// x
#[derive(Debug)]
pub struct Verifier(Option<String>, Option<String>);
/// x
#[derive(Debug, thiserror::Error)]
#[error("no secret")]
pub struct BadSettings;
/// x
#[derive(Debug)]
pub struct VerifiedBy(&'static str);
impl fmt::Display for VerifiedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#1", self.0)
    }
}
/// x
#[derive(Debug, thiserror::Error)]
#[error("unverified: {0}")]
pub struct Unverified(&'static str);
impl Unverified {
    /// x
    pub fn name(&self) -> &'static str {
        self.0
    }
}
impl Verifier {
    /// x
    pub fn from_settings(secret: Option<&str>, basic: Option<&str>) -> Result<Self, BadSettings> {
        Ok(Self(secret.map(Into::into), basic.map(Into::into)))
    }
    /// x
    pub fn offers_basic(&self) -> bool {
        self.1.is_some()
    }
    /// x
    pub fn verify(
        &self,
        headers: &hyper::HeaderMap,
        body: &[u8],
        _now: DateTime<Utc>,
    ) -> Result<VerifiedBy, Unverified> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let (Some(secret), Some(sent)) = (&self.0, text("x-avinode-signature")) {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| Unverified("bad-key"))?;
            mac.update(body);
            let sent = hex::decode(sent.trim_start_matches("sha256=")).map_err(|_| Unverified("malformed"))?;
            return mac
                .verify_slice(&sent)
                .map(|()| VerifiedBy("hmac"))
                .map_err(|_| Unverified("mismatch"));
        }
        if let (Some(basic), Some(sent)) = (&self.1, text("authorization")) {
            let want = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(basic));
            return if sent == want {
                Ok(VerifiedBy("basic"))
            } else {
                Err(Unverified("mismatch"))
            };
        }
        Err(Unverified("missing"))
    }
}
