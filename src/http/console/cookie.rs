//! The cookie of a signed-in browser: a time and a random number, authenticated with a key that only the token has. It needs no table,
//! is valid in every process with the same tokens and after a restart, and ends with the token, or after [`LIFETIME`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::COOKIE;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::http::v1::auth::{BearerToken, BearerTokens};

const NAME: &str = "avinode_ingest_console";
/// The time after which a browser signs in again.
pub const LIFETIME: TimeDelta = TimeDelta::hours(12);
/// The clock of the process that made a cookie may be ahead by this much.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

const TIME_BYTES: usize = 8;
const PAYLOAD_BYTES: usize = TIME_BYTES + 16;
const MAC_BYTES: usize = 32;

/// The session of a browser.
#[derive(Debug)]
pub struct BrowserSession {
    pub token: BearerToken,
    /// The text that each form of the session carries.
    pub form_token: String,
}

/// Returns the value of a new session's cookie.
pub fn seal(token: &BearerToken, now: DateTime<Utc>, random: [u8; 16]) -> String {
    let mut bytes = now.timestamp().to_be_bytes().to_vec();
    bytes.extend(random);
    let mac = keyed(&token.digest, b"console session", &bytes);
    bytes.extend(mac);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Opens the session of the cookie, if it has not ended and its token is still configured.
pub fn open(headers: &HeaderMap, tokens: &BearerTokens, now: DateTime<Utc>) -> Option<BrowserSession> {
    let bytes = URL_SAFE_NO_PAD.decode(value(headers)?).ok()?;
    if bytes.len() != PAYLOAD_BYTES + MAC_BYTES {
        return None;
    }
    let (payload, mac) = bytes.split_at(PAYLOAD_BYTES);
    let token = tokens.find_by(|token| keyed(&token.digest, b"console session", payload)[..].ct_eq(mac))?;
    let issued = payload
        .first_chunk::<TIME_BYTES>()
        .map(|time| i64::from_be_bytes(*time))?;
    let age = now - DateTime::from_timestamp(issued, 0)?;
    let form_token = form_token(&token.digest, payload);
    (age >= -CLOCK_SKEW && age < LIFETIME).then_some(BrowserSession { token, form_token })
}

/// Returns the text that the forms of a session carry; `key` is a secret, and `session` names the session.
pub fn form_token(key: &[u8; 32], session: &[u8]) -> String {
    hex::encode(keyed(key, b"console form", session))
}

/// Returns the header that stores a cookie, or with an empty value removes it.
///
/// `SameSite=Lax`: other sites can send it by a link only, as that in a mail about an alert; a GET changes nothing. `Secure` only over
/// TLS: a browser might not keep it on a loopback address otherwise.
pub fn header(value: &str, is_over_tls: bool) -> String {
    let age = if value.is_empty() { 0 } else { LIFETIME.num_seconds() };
    let secure = if is_over_tls { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/console; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// The value of the cookie. Of several with this name none is used: another page of the host may have set one.
fn value(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

fn keyed(key: &[u8; 32], purpose: &[u8], text: &[u8]) -> [u8; 32] {
    // Cannot fail: HMAC is defined for keys of every length; the trait's error is for other MACs.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.update(b"\0");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
