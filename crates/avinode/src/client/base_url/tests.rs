mod href;

use super::*;

#[test]
fn only_an_encrypted_public_url_that_ends_in_api_is_a_base_url() {
    let parse = |text| BaseUrl::parse(text, false);
    assert_eq!(
        parse("https://sandbox.avinode.com/api/").unwrap().as_str(),
        "https://sandbox.avinode.com/api"
    );
    assert_eq!(
        parse("https://a.example/services/api").unwrap().allowed_addresses(),
        AllowedAddresses::Public
    );
    for (text, error) in [
        ("", BaseUrlError::NotAUrl),
        ("sandbox.avinode.com/api", BaseUrlError::NotAUrl),
        ("ftp://sandbox.avinode.com/api", BaseUrlError::NotAUrl),
        ("file:///api", BaseUrlError::NotAUrl),
        ("http://sandbox.avinode.com/api", BaseUrlError::NotEncrypted),
        ("https://user@sandbox.avinode.com/api", BaseUrlError::UserInfo),
        ("https://user:hush@sandbox.avinode.com/api", BaseUrlError::UserInfo),
        ("https://sandbox.avinode.com", BaseUrlError::NotTheApi),
        ("https://sandbox.avinode.com/apis", BaseUrlError::NotTheApi),
        ("https://sandbox.avinode.com/a%70i/api", BaseUrlError::NotTheApi),
        ("https://sandbox.avinode.com//api", BaseUrlError::NotTheApi),
        ("https://sandbox.avinode.com/api?x=1", BaseUrlError::NotTheApi),
        ("https://sandbox.avinode.com/api#x", BaseUrlError::NotTheApi),
        ("https://sandbox.avinode.com:8443/api", BaseUrlError::Port),
        ("https://sandbox.avinode.com./api", BaseUrlError::NotAName),
        ("https://avinode/api", BaseUrlError::NotAName),
        ("https://10.0.0.1/api", BaseUrlError::NotAName),
        ("https://93.184.215.14/api", BaseUrlError::NotAName),
        ("https://[2001:db8::1]/api", BaseUrlError::NotAName),
        ("https://[::ffff:127.0.0.1]/api", BaseUrlError::NotAName),
        ("https://0x7f000001/api", BaseUrlError::Loopback),
        ("https://127.0.0.1/api", BaseUrlError::Loopback),
        ("http://127.0.0.1:8090/api", BaseUrlError::Loopback),
        ("https://[::1]/api", BaseUrlError::Loopback),
        ("https://localhost/api", BaseUrlError::Loopback),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_url_in_another_spelling_is_refused_with_the_canonical_one() {
    for text in [
        "HTTPS://sandbox.avinode.com/api",
        "https://SANDBOX.avinode.com/api",
        "https://sandbox.avinode.com:443/api",
        "https:\\\\sandbox.avinode.com\\api",
        "https://sandbox.avinode.com/x/../api",
        "https:/sandbox.avinode.com/api",
        " https://sandbox.avinode.com/api",
        "https://sand\tbox.avinode.com/api",
    ] {
        let not_canonical = BaseUrlError::NotCanonical("https://sandbox.avinode.com/api".to_owned());
        assert_eq!(BaseUrl::parse(text, false), Err(not_canonical), "{text:?}");
    }
}

#[test]
fn the_loopback_setting_allows_loopback_and_nothing_else() {
    for text in [
        "http://127.0.0.1:8090/api",
        "http://[::1]:8090/api",
        "http://localhost:8090/api",
        "https://localhost/api",
        "http://127.9.9.9/api",
    ] {
        assert_eq!(
            BaseUrl::parse(text, true).unwrap().allowed_addresses(),
            AllowedAddresses::Loopback,
            "{text}"
        );
    }
    for (text, error) in [
        ("http://sandbox.avinode.com/api", BaseUrlError::NotEncrypted),
        ("http://192.168.0.1/api", BaseUrlError::NotAName),
        ("http://0.0.0.0:8090/api", BaseUrlError::NotAName),
        ("http://169.254.169.254/api", BaseUrlError::NotAName),
        ("http://localhost.avinode.com/api", BaseUrlError::NotEncrypted),
    ] {
        assert_eq!(BaseUrl::parse(text, true), Err(error), "{text}");
    }
}

#[test]
fn only_an_id_of_the_documented_shape_is_plain() {
    for id in ["arfq-1", "asellermsg-1000000007", "whs-1583", "a-1-b_2"] {
        assert!(is_plain_id(id), "{id}");
    }
    for id in [
        "",
        "arfq",
        "arfq-",
        "-1",
        "arfq-x",
        "arfq-1-",
        "arfq-1-b-c",
        "arfq-1/..",
        "../arfq-1",
        "arfq-1%2f",
        "arfq-1?x",
        "arfq-1#",
        "arfq-1\\",
        "arfq-1 ",
        "arfq-١",
        "arfq-1-..",
    ] {
        assert!(!is_plain_id(id), "{id:?}");
    }
}
