use super::*;

fn tag(key: &[u8], data: &[u8]) -> String {
    hex::encode(
        HmacKey {
            bytes: key.to_vec().into(),
            ordinal: 1,
        }
        .tag(&[data]),
    )
}

#[test]
fn tags_match_rfc_4231() {
    // Test cases 1, 2, 3, 6 and 7 of RFC 4231, section 4.
    let cases: [(&[u8], &[u8], &str); 5] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, data, expected) in cases {
        assert_eq!(tag(key, data), expected);
    }
}

#[test]
fn a_timestamp_is_accepted_within_300_seconds_both_ways() {
    let now = DateTime::from_timestamp(1_700_000_000, 999_999_999).unwrap();
    for good in ["1700000000", "1699999700", "1700000300", "01700000000"] {
        assert_eq!(check_timestamp(good, now), Ok(()), "{good}");
    }
    for far in [
        "1699999699",
        "1700000301",
        "0",
        "1700000000000",
        "99999999999999999999999",
    ] {
        assert_eq!(
            check_timestamp(far, now),
            Err(VerificationError::TimestampOutsideTolerance),
            "{far}"
        );
    }
    for odd in ["", "-5", "+1700000000", " 1700000000", "1700000000.0", "now", "١٧"] {
        assert_eq!(
            check_timestamp(odd, now),
            Err(VerificationError::MalformedSignature),
            "{odd}"
        );
    }
}

#[test]
fn debug_does_not_print_the_key() {
    let key = HmacKey {
        bytes: b"sesame".to_vec().into(),
        ordinal: 1,
    };
    let shown = format!("{key:?}");
    assert!(!shown.contains("sesame") && !shown.contains("115"), "{shown}");
}
