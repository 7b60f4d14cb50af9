use super::*;

#[test]
fn it_is_displayed_by_scheme_and_position() {
    for (scheme, shown) in [
        (AuthScheme::Hmac, "hmac#12"),
        (AuthScheme::HmacTimestamped, "hmac-timestamped#12"),
        (AuthScheme::Standard, "standard#12"),
        (AuthScheme::Basic, "basic#12"),
    ] {
        assert_eq!(scheme.by(12).to_string(), shown);
    }
}
