//! The verifier as the receiver meets it: requests with headers in, proof or a named refusal out.

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

/// The hex tag that the secret makes over the content.
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
fn the_published_example_of_the_standard_webhooks_libraries_verifies() {
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
fn a_plain_signature_is_read_in_every_spelling() {
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
fn a_timestamped_signature_is_read_with_several_tags_in_any_order() {
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
    // The time is part of what was signed, as text.
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
fn what_the_signer_makes_verifies_for_every_scheme() {
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
fn a_request_without_proof_is_told_why() {
    let verifier = verifier(&format!("plain {WHSEC}"), "a:b");
    let (seconds, stale, tag) = ("1700000000", "1699999699", "0".repeat(64));
    let standard = format!("v1,{}=", "A".repeat(43));
    let many = vec![tag.as_str(); 17].join(",");
    let cases: &[(&[(&str, &str)], VerificationError)] = &[
        (&[], VerificationError::NoCredentials),
        (&[("authorization", "Bearer token")], VerificationError::NoCredentials),
        (&[("webhook-id", "x")], VerificationError::NoCredentials),
        (&[("x-avinode-signature", "")], VerificationError::MalformedSignature),
        (
            &[("x-avinode-signature", "sha256=beef")],
            VerificationError::MalformedSignature,
        ),
        (
            &[("x-avinode-signature", &format!("v1={tag}"))],
            VerificationError::MalformedSignature,
        ),
        (
            &[("x-avinode-signature", &format!("t=soon,v1={tag}"))],
            VerificationError::MalformedSignature,
        ),
        (
            &[("x-avinode-signature", "t=1700000000")],
            VerificationError::MalformedSignature,
        ),
        (
            &[("x-avinode-signature", &format!("v0={tag}"))],
            VerificationError::MalformedSignature,
        ),
        (&[("x-avinode-signature", &many)], VerificationError::TooManySignatures),
        (
            &[("x-avinode-signature", &format!("t={stale},v1={tag}"))],
            VerificationError::TimestampOutsideTolerance,
        ),
        (
            &[("x-avinode-signature", &format!("t={seconds},v1={tag}"))],
            VerificationError::WrongSignature,
        ),
        (&[("x-avinode-signature", &tag)], VerificationError::WrongSignature),
        (
            &[("x-avinode-signature", &format!("{tag},t={stale},v1={tag}"))],
            VerificationError::WrongSignature,
        ),
        (
            &[("webhook-signature", &standard)],
            VerificationError::IncompleteSignature,
        ),
        (
            &[("webhook-signature", &standard), ("webhook-id", "x")],
            VerificationError::IncompleteSignature,
        ),
        (
            &[
                ("webhook-signature", &standard),
                ("webhook-id", "x"),
                ("webhook-id", "y"),
                ("webhook-timestamp", seconds),
            ],
            VerificationError::IncompleteSignature,
        ),
        (
            &[
                ("webhook-signature", "v1,AAAA v2,x"),
                ("webhook-id", "x"),
                ("webhook-timestamp", seconds),
            ],
            VerificationError::MalformedSignature,
        ),
        (
            &[
                ("webhook-signature", &standard),
                ("webhook-id", "x"),
                ("webhook-timestamp", stale),
            ],
            VerificationError::TimestampOutsideTolerance,
        ),
        (
            &[
                ("webhook-signature", &standard),
                ("webhook-id", "x"),
                ("webhook-timestamp", seconds),
            ],
            VerificationError::WrongSignature,
        ),
        (
            &[
                ("webhook-signature", &vec![standard.as_str(); 17].join(" ")),
                ("webhook-id", "x"),
                ("webhook-timestamp", seconds),
            ],
            VerificationError::TooManySignatures,
        ),
        (&[("authorization", "Basic")], VerificationError::MalformedCredentials),
        (
            &[("authorization", "Basic ***")],
            VerificationError::MalformedCredentials,
        ),
        (
            &[("authorization", "Basic YWI=")],
            VerificationError::MalformedCredentials,
        ), // `ab`: no colon
        (&[("authorization", "Basic YTpj")], VerificationError::WrongCredentials), // `a:c`
        (
            &[("authorization", "Basic YTpiYg==")],
            VerificationError::WrongCredentials,
        ), // `a:bb`
        (&[("authorization", "Basic Yjpi")], VerificationError::WrongCredentials), // `b:b`
        (&[("authorization", "Basic Og==")], VerificationError::WrongCredentials), // `:`
    ];
    for (lines, why) in cases {
        assert_eq!(verifier.verify(&headers(lines), BODY, now()), Err(*why), "{lines:?}");
    }
}

#[test]
fn a_scheme_without_a_secret_is_not_confused_with_a_wrong_signature() {
    let only_basic = verifier("", "a:b");
    for sent in [signed("plain", BODY), signed(WHSEC, BODY)] {
        assert_eq!(
            only_basic.verify(&sent, BODY, now()),
            Err(VerificationError::SchemeNotConfigured)
        );
    }
    // A Standard Webhooks key never serves the plain scheme, nor the other way round.
    assert_eq!(
        verifier(WHSEC, "").verify(&signed("plain", BODY), BODY, now()),
        Err(VerificationError::SchemeNotConfigured)
    );
    assert_eq!(
        verifier("plain", "").verify(&signed(WHSEC, BODY), BODY, now()),
        Err(VerificationError::SchemeNotConfigured)
    );
}

#[test]
fn with_nothing_configured_nothing_verifies() {
    let empty = Verifier::from_settings(None, Some("")).unwrap();
    assert!(empty.is_empty() && !empty.offers_basic());
    for sent in [
        HeaderMap::new(),
        signed("plain", BODY),
        signed(WHSEC, BODY),
        headers(&[("authorization", "Basic Og==")]),
    ] {
        assert!(empty.verify(&sent, BODY, now()).is_err());
    }
}

#[test]
fn a_bare_request_and_wrong_credentials_are_challenged_only_where_basic_is_offered() {
    let challenged = [
        VerificationError::NoCredentials,
        VerificationError::SchemeNotConfigured,
        VerificationError::MalformedCredentials,
        VerificationError::WrongCredentials,
    ];
    for why in challenged {
        assert!(verifier("s", "a:b").challenges(why));
        assert!(!verifier("s", "").challenges(why));
    }
    assert!(!verifier("s", "a:b").challenges(VerificationError::WrongSignature));
}

#[test]
fn a_signed_time_ages() {
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

#[test]
fn neither_verifier_nor_signer_nor_refusal_shows_a_secret() {
    let verifier = verifier(&format!("sesame {WHSEC}"), "relay:sesame");
    let shown = format!(
        "{verifier:?} {:?} {:?}",
        Signer::from_settings(Some("sesame"), None),
        Signer::from_settings(None, Some("relay:sesame")),
    );
    for secret in ["sesame", "115, 101", "MfKQ9", "relay", "cmVsYXk"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
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
    fn no_header_makes_it_panic(value in prop::collection::vec(any::<u8>(), 0..120), which in 0..5usize) {
        let name = ["x-avinode-signature", "webhook-signature", "webhook-timestamp", "webhook-id", "authorization"][which];
        let mut sent = signed(WHSEC, b"another body");
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            sent.insert(HeaderName::from_static(name), value);
        }
        let secrets = format!("plain {WHSEC}");
        prop_assert!(verifier(&secrets, "a:b").verify(&sent, BODY, now()).is_err());
    }
}
