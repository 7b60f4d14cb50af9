//! The verifier with whole requests: accepted signatures here, refused ones in `refused`.

mod refused;

use chrono::{DateTime, TimeDelta, Utc};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::signer::Signer;
use super::verification::{AuthScheme, VerificationError, VerifiedBy};
use super::verifier::Verifier;

const BODY: &[u8] = br#"{"id":"arfq-12345678"}"#;
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn headers<N: AsRef<str>, V: AsRef<str>>(lines: &[(N, V)]) -> HeaderMap {
    let line = |(name, value): &(N, V)| {
        (
            HeaderName::try_from(name.as_ref()).unwrap(),
            HeaderValue::from_str(value.as_ref()).unwrap(),
        )
    };
    let mut map = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        map.append(name, value);
    }
    map
}

fn verifier(secret: &str, basic: &str) -> Verifier {
    Verifier::from_settings(Some(secret), Some(basic)).unwrap()
}

fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    headers(
        &Signer::from_settings(Some(secret), None)
            .unwrap()
            .unwrap()
            .sign("msg_1", body, now()),
    )
}

/// The secret's tag over the content, in hex.
fn tag(secret: &str, content: &[u8]) -> String {
    let signer = Signer::from_settings(Some(secret), None).unwrap().unwrap();
    signer.sign("", content, now())[0]
        .1
        .strip_prefix("sha256=")
        .unwrap()
        .to_owned()
}

fn by(scheme: AuthScheme, ordinal: usize) -> Result<VerifiedBy, VerificationError> {
    Ok(VerifiedBy { scheme, ordinal })
}

fn avinode(value: &str) -> Result<VerifiedBy, VerificationError> {
    verifier("old new", "").verify(&headers(&[("X-Avinode-Signature", value)]), BODY, now())
}

#[test]
fn the_published_example_of_standard_webhooks_verifies() {
    let sent = headers(&[
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let then = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
    let body = br#"{"test": 2432232314}"#;
    assert_eq!(
        verifier(WHSEC, "").verify(&sent, body, then),
        by(AuthScheme::Standard, 1)
    );
    let signer = Signer::from_settings(Some(WHSEC), None).unwrap().unwrap();
    assert_eq!(headers(&signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", body, then)), sent);
}

#[test]
fn a_plain_signature_is_accepted_in_every_spelling() {
    let hex = tag("new", BODY);
    for value in [
        hex.clone(),
        hex.to_uppercase(),
        format!("sha256={hex}"),
        format!("SHA256={}", hex.to_uppercase()),
        format!("sha256={}, sha256={hex}", "0".repeat(64)),
        format!("v0=whatever, {hex}"),
    ] {
        assert_eq!(avinode(&value), by(AuthScheme::Hmac, 2), "{value}");
    }
    let other = headers(&[("x-webhook-signature", &hex)]);
    assert_eq!(
        verifier("old new", "").verify(&other, BODY, now()),
        by(AuthScheme::Hmac, 2)
    );
}

#[test]
fn a_timestamped_signature_may_have_several_tags_in_any_order() {
    let mut content = b"1699999800.".to_vec();
    content.extend_from_slice(BODY);
    let (good, bad) = (tag("old", &content), "0".repeat(64));
    for value in [
        format!("t=1699999800,v1={good}"),
        format!("t=1699999800, v1={bad}, v1={good}"),
        format!("v1={good},t=1699999800,v0=beef"),
        format!("t=1600000000,v1={bad}, t=1699999800,v1={good}"),
        format!("t=1699999800,v1={good}, t=1600000000,v1={bad}"),
    ] {
        assert_eq!(avinode(&value), by(AuthScheme::HmacTimestamped, 1), "{value}");
    }
    // The signed content contains the time as text.
    assert_eq!(
        avinode(&format!("t=1699999801,v1={good}")),
        Err(VerificationError::WrongSignature)
    );
    assert_eq!(
        avinode(&format!("t=01699999800,v1={good}")),
        Err(VerificationError::WrongSignature)
    );
}

#[test]
fn a_signature_of_the_signer_verifies_in_every_scheme() {
    let make = |secret, basic| Signer::from_settings(secret, basic).unwrap().unwrap();
    let verifier = verifier(&format!("plain {WHSEC}"), "relay:pass:word");
    for (signer, scheme, ordinal) in [
        (make(Some("plain"), None), AuthScheme::Hmac, 1),
        (make(Some("plain"), None).timestamped(), AuthScheme::HmacTimestamped, 1),
        (make(Some(WHSEC), None), AuthScheme::Standard, 2),
        (make(None, Some("relay:pass:word")), AuthScheme::Basic, 1),
    ] {
        let sent = headers(&signer.sign("msg_1", BODY, now()));
        assert_eq!(verifier.verify(&sent, BODY, now()), by(scheme, ordinal));
    }
    assert!(Signer::from_settings(Some(" "), None).unwrap().is_none());
}

#[test]
fn every_configured_secret_and_every_header_line_is_tried() {
    let mut sent = signed("stranger", BODY);
    assert_eq!(
        verifier("a b c", "").verify(&sent, BODY, now()),
        Err(VerificationError::WrongSignature)
    );
    sent.append("x-avinode-signature", HeaderValue::from_str(&tag("c", BODY)).unwrap());
    assert_eq!(
        verifier("a b c", "").verify(&sent, BODY, now()),
        by(AuthScheme::Hmac, 3)
    );

    let signature = signed(WHSEC, BODY)["webhook-signature"].to_str().unwrap().to_owned();
    let seconds = now().timestamp().to_string();
    let standard = |value: &str| {
        headers(&[
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", value),
        ])
    };
    for value in [format!("v1a,xx v1,AAAA {signature}"), format!("{signature}, v1,AAAA")] {
        assert_eq!(
            verifier(&format!("a whsec_AAAA {WHSEC}"), "").verify(&standard(&value), BODY, now()),
            by(AuthScheme::Standard, 3)
        );
    }

    let basics = headers(&[("authorization", "Basic eDp5"), ("authorization", "bAsIc  YjpjOmQ=")]);
    assert_eq!(
        verifier("", "a:b,b:c:d").verify(&basics, BODY, now()),
        by(AuthScheme::Basic, 2)
    );
}

#[test]
fn one_scheme_that_verifies_is_enough() {
    let mut sent = signed("stranger", BODY);
    sent.append("authorization", HeaderValue::from_static("Basic YTpi"));
    assert_eq!(
        verifier("secret", "a:b").verify(&sent, BODY, now()),
        by(AuthScheme::Basic, 1)
    );
    assert_eq!(
        verifier("secret", "a:c").verify(&sent, BODY, now()),
        Err(VerificationError::WrongSignature)
    );
    assert_eq!(
        verifier("", "a:c").verify(&sent, BODY, now()),
        Err(VerificationError::WrongCredentials)
    );
}

#[test]
fn a_signed_timestamp_expires() {
    let signer = Signer::from_settings(Some("plain"), None)
        .unwrap()
        .unwrap()
        .timestamped();
    let sent = headers(&signer.sign("", BODY, now()));
    let at = |seconds| verifier("plain", "").verify(&sent, BODY, now() + TimeDelta::seconds(seconds));
    assert_eq!(at(300), by(AuthScheme::HmacTimestamped, 1));
    assert_eq!(at(-300), by(AuthScheme::HmacTimestamped, 1));
    assert_eq!(at(301), Err(VerificationError::TimestampOutsideTolerance));
    assert_eq!(at(-301), Err(VerificationError::TimestampOutsideTolerance));
}

proptest! {
    #[test]
    fn any_body_signed_verifies_and_any_flipped_bit_of_it_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        whsec in any::<bool>(),
    ) {
        let secret = if whsec { WHSEC } else { "plain" };
        let (sent, verifier) = (signed(secret, &body), verifier(secret, ""));
        prop_assert!(verifier.verify(&sent, &body, now()).is_ok());
        let mut flipped = body.clone();
        flipped[at.index(body.len())] ^= 1 << bit;
        prop_assert_eq!(verifier.verify(&sent, &flipped, now()), Err(VerificationError::WrongSignature));
    }

    #[test]
    fn any_flipped_bit_of_a_signature_is_refused(at in 0..32usize, bit in 0..8u8) {
        let mut flipped = hex::decode(tag("new", BODY)).unwrap();
        flipped[at] ^= 1 << bit;
        prop_assert_eq!(avinode(&hex::encode(flipped)), Err(VerificationError::WrongSignature));
    }

    #[test]
    fn no_header_causes_a_panic(value in prop::collection::vec(any::<u8>(), 0..120), which in 0..5usize) {
        let name = ["x-avinode-signature", "webhook-signature", "webhook-timestamp", "webhook-id", "authorization"][which];
        let mut sent = signed(WHSEC, b"another body");
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            sent.insert(HeaderName::from_static(name), value);
        }
        let secrets = format!("plain {WHSEC}");
        prop_assert!(verifier(&secrets, "a:b").verify(&sent, BODY, now()).is_err());
    }
}
