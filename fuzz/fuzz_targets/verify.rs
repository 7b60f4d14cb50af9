//! Verification of a sender: nothing verifies that was not signed, and what was signed does not verify with another body.
//!
//! The input is header lines (`name: value`), an empty line, and a body.
#![no_main]

use chrono::DateTime;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use ingest_avinode::signature::secrets::WebhookSecret;
use ingest_avinode::signature::signer::Signer;
use ingest_avinode::signature::verifier::Verifier;
use libfuzzer_sys::fuzz_target;

/// 32 bytes each, which no input contains.
const SECRETS: &str = "d8b6c1f03e7a49552c8d11f0a7e64b93,whsec_5WbX5kEWLlfzsGNjH64I8lOzqUB6e8FHrPzkVYrVZGI=";
const BASIC: &str = "avinode:7b1f9c02d4e84a6f";
const NOW: i64 = 1_775_000_000;

fuzz_target!(|input: &[u8]| {
    let verifier = Verifier::from_settings(Some(SECRETS), Some(BASIC)).expect("the settings are valid");
    let now = DateTime::from_timestamp(NOW, 0).expect("the time is valid");
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let (head, body) = (&input[..end], input.get(end + 2..).unwrap_or_default());

    let unsigned = headers(head);
    assert!(verifier.verify(&unsigned, body, now).is_err(), "verified without a secret");
    if !verifier.needs_body(&unsigned) {
        let (with, without) = (verifier.verify(&unsigned, body, now), verifier.verify(&unsigned, b"", now));
        assert_eq!(with.err(), without.err(), "the body decided");
    }

    for secret in SECRETS.split(',') {
        let signer = || Signer::with_secret(WebhookSecret::parse(secret).expect("the secret is valid"));
        for signer in [signer(), signer().timestamped()] {
            let mut signed = headers(head);
            for (name, value) in signer.sign("msg_1", body, now) {
                signed.insert(name, value.parse().expect("a signature is a header value"));
            }
            let mut other = body.to_vec();
            other.push(b' ');
            assert!(verifier.verify(&signed, &other, now).is_err(), "verified with another body");
            // Other headers of the input may be of the same scheme, and spoil it.
            let alone: HeaderMap = signer
                .sign("msg_1", body, now)
                .into_iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a header value")))
                .collect();
            assert!(verifier.verify(&alone, body, now).is_ok(), "a signed body was refused");
        }
    }
});

fn headers(lines: &[u8]) -> HeaderMap {
    let pairs = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        Some((name, value))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, value);
    }
    headers
}
