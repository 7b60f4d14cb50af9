//! HMAC-SHA256 in `X-Avinode-Signature`: over the body, or over a time and the body. One header and one grammar serve both:
//! items separated by commas (which is also how a proxy joins repeated headers).

use chrono::{DateTime, Utc};
use hyper::header::HeaderMap;

use super::hmac_key::{HmacKey, HmacTag, MAX_SIGNATURES, check_timestamp, matching_key};
use super::verification::{AuthScheme, VerificationError, VerifiedBy};

/// The documented header; the signer uses it.
pub(super) const HEADER: &str = "x-avinode-signature";

/// The headers that are read; other relays send the second one.
pub(super) const HEADERS: [&str; 2] = [HEADER, "x-webhook-signature"];

/// The most signed times of one request: each costs a pass over the body for each key. A proxy may join two headers.
const MAX_TIMES: usize = 2;

/// The signatures of one request.
#[derive(Default)]
struct Presented<'h> {
    /// Tags over the body.
    plain: Vec<HmacTag>,
    /// Tags over `<t>.<body>`.
    timed: Vec<Timed<'h>>,
    has_header: bool,
}

#[derive(Default)]
struct Timed<'h> {
    at: Option<&'h str>,
    tags: Vec<HmacTag>,
}

/// Verifies by any key; [`VerificationError::NoCredentials`] means that the scheme's headers are absent.
pub(super) fn verify(
    keys: &[HmacKey],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
    requires_time: bool,
) -> Result<VerifiedBy, VerificationError> {
    let presented = presented(headers);
    if !presented.has_header {
        return Err(VerificationError::NoCredentials);
    }
    if keys.is_empty() {
        return Err(VerificationError::SchemeNotConfigured);
    }
    let signatures = presented.plain.len() + presented.timed.iter().map(|timed| timed.tags.len()).sum::<usize>();
    let timed: Vec<(&str, &Vec<HmacTag>)> = presented
        .timed
        .iter()
        .filter_map(|Timed { at, tags }| Some(((*at)?, tags)))
        .filter(|(_, tags)| !tags.is_empty())
        .collect();
    if signatures > MAX_SIGNATURES || timed.len() > MAX_TIMES {
        return Err(VerificationError::TooManySignatures);
    }
    if !requires_time && let Some(ordinal) = matching_key(keys, &[body], &presented.plain) {
        return Ok(AuthScheme::Hmac.by(ordinal));
    }
    let mut why = match (presented.plain.is_empty(), requires_time) {
        (true, _) => VerificationError::MalformedSignature,
        (false, true) => VerificationError::UntimedSignature,
        (false, false) => VerificationError::WrongSignature,
    };
    for (at, tags) in timed {
        match check_timestamp(at, now) {
            // The text was signed as it was sent: `007` and `7` are different contents.
            Ok(()) => match matching_key(keys, &[at.as_bytes(), b".", body], tags) {
                Some(ordinal) => return Ok(AuthScheme::HmacTimestamped.by(ordinal)),
                None => why = VerificationError::WrongSignature,
            },
            Err(_) if why == VerificationError::WrongSignature => {}
            Err(late_or_odd) => why = late_or_odd,
        }
    }
    Err(why)
}

/// Parses all signature headers; ignores invalid items and unknown schemes (`v0=`).
fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut presented = Presented::default();
    for value in HEADERS.iter().flat_map(|name| headers.get_all(*name)) {
        presented.has_header = true;
        let Ok(text) = value.to_str() else { continue };
        let mut timed = Timed::default();
        for item in text.split(',').map(str::trim) {
            match item.split_once('=') {
                // A second time begins a second signature: a proxy joined two headers.
                Some(("t", at)) if timed.at.is_some() => {
                    presented.timed.push(std::mem::take(&mut timed));
                    timed.at = Some(at);
                }
                Some(("t", at)) => timed.at = Some(at),
                Some(("v1", hex)) => timed.tags.extend(tag(hex)),
                Some((name, hex)) if name.eq_ignore_ascii_case("sha256") => presented.plain.extend(tag(hex)),
                Some(_) => {}
                None => presented.plain.extend(tag(item)),
            }
        }
        presented.timed.push(timed);
    }
    presented
}

/// 64 hex digits of either case.
fn tag(text: &str) -> Option<HmacTag> {
    let mut tag = HmacTag::default();
    hex::decode_to_slice(text, &mut tag).ok().map(|()| tag)
}
