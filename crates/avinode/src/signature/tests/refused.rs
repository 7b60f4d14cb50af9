//! Refused requests and their errors.

use super::*;

#[test]
fn an_unverified_request_gets_a_specific_error() {
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
fn missing_and_wrong_credentials_are_challenged_only_if_basic_is_configured() {
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
fn debug_prints_no_secret_of_a_verifier_or_signer() {
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

#[test]
fn a_third_signed_time_is_refused_before_anything_is_hashed() {
    let verifier = verifier("plain", "");
    let seconds = now().timestamp();
    let timed = |at: i64, secret: &str| {
        let content = [at.to_string().as_bytes(), b".", BODY].concat();
        format!("t={at},v1={}", tag(secret, &content))
    };
    let two = format!("{},{}", timed(seconds - 1, "other"), timed(seconds, "plain"));
    let sent = |value: &str| verifier.verify(&headers(&[("x-avinode-signature", value)]), BODY, now());
    assert_eq!(sent(&two), by(AuthScheme::HmacTimestamped, 1));
    let three = format!("{},{two}", timed(seconds - 2, "other"));
    assert_eq!(sent(&three), Err(VerificationError::TooManySignatures));
}

#[test]
fn where_a_signed_time_is_required_plain_signatures_and_basic_are_refused() {
    let verifier = verifier(&format!("plain {WHSEC}"), "a:b").requiring_time(true);
    assert!(!verifier.offers_basic());
    let seconds = now().timestamp();
    let content = [seconds.to_string().as_bytes(), b".", BODY].concat();
    let timed = format!("t={seconds},v1={}", tag("plain", &content));
    let plain = tag("plain", BODY);
    let sent = |value: &str| verifier.verify(&headers(&[("x-avinode-signature", value)]), BODY, now());
    assert_eq!(sent(&timed), by(AuthScheme::HmacTimestamped, 1));
    assert_eq!(sent(&plain), Err(VerificationError::UntimedSignature));
    assert_eq!(
        sent(&format!("sha256={plain}")),
        Err(VerificationError::UntimedSignature)
    );
    assert_eq!(
        verifier.verify(&headers(&[("authorization", "Basic YTpi")]), BODY, now()),
        Err(VerificationError::UntimedSignature)
    );
    assert_eq!(
        verifier.verify(&signed(WHSEC, BODY), BODY, now()),
        by(AuthScheme::Standard, 2)
    );
}
