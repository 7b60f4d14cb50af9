use super::*;

#[test]
fn the_displayed_form_is_parsed_back() {
    for scheme in AuthScheme::VARIANTS.iter().copied() {
        let by = VerifiedBy { scheme, ordinal: 12 };
        assert_eq!(by.to_string().parse(), Ok(by));
    }
    assert_eq!(
        VerifiedBy {
            scheme: AuthScheme::Hmac,
            ordinal: 1
        }
        .to_string(),
        "hmac#1"
    );
}

#[test]
fn any_other_form_is_refused() {
    for text in [
        "", "hmac", "hmac#", "hmac#0", "hmac#+1", "hmac#-1", "HMAC#1", "rsa#1", "hmac#1#2",
    ] {
        assert_eq!(text.parse::<VerifiedBy>(), Err(ParseVerifiedByError), "{text}");
    }
}
