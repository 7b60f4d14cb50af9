use secrecy::ExposeSecret as _;

use super::*;

fn problem(list: &str) -> Option<(usize, SecretEntryError)> {
    let error = parse_entries(list, WebhookSecret::parse).err();
    error.map(|error| (error.ordinal, error.problem))
}

fn basic_problem(list: &str) -> Option<(usize, SecretEntryError)> {
    let error = parse_entries(list, BasicAuth::parse).err();
    error.map(|error| (error.ordinal, error.problem))
}

#[test]
fn entries_are_separated_by_commas_and_white_space_and_keep_their_order() {
    let secrets = parse_entries(" a,b  c\n\td , e ", WebhookSecret::parse).unwrap();
    let keys: Vec<&[u8]> = secrets.iter().map(|secret| secret.key().expose_secret()).collect();
    assert_eq!(keys, [b"a", b"b", b"c", b"d", b"e"]);
    let pairs = parse_entries("a:b:c d:e", BasicAuth::parse).unwrap();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|pair| (pair.identifier.as_str(), pair.secret.expose_secret()))
        .collect();
    assert_eq!(pairs, [("a", "b:c"), ("d", "e")]);
}

#[test]
fn a_blank_list_is_empty() {
    for blank in ["", " \n"] {
        assert!(parse_entries(blank, WebhookSecret::parse).unwrap().is_empty());
        assert!(parse_entries(blank, BasicAuth::parse).unwrap().is_empty());
    }
}

#[test]
fn an_invalid_entry_is_refused_with_its_position() {
    assert_eq!(problem("a,,b"), Some((2, SecretEntryError::Empty)));
    assert_eq!(problem("a b,"), Some((3, SecretEntryError::Empty)));
    assert_eq!(problem(","), Some((1, SecretEntryError::Empty)));
    assert_eq!(problem("a whsec_"), Some((2, SecretEntryError::Empty)));
    assert_eq!(problem("a whsec_===="), Some((2, SecretEntryError::NotBase64)));
    assert_eq!(problem("whsec_not*base64"), Some((1, SecretEntryError::NotBase64)));
    assert_eq!(problem("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), None);
    assert_eq!(problem("whsec_YQ whsec_YQ=="), None);
    assert_eq!(basic_problem("a:b,c"), Some((2, SecretEntryError::NoColon)));
    assert_eq!(basic_problem("a:b,"), Some((2, SecretEntryError::Empty)));
    assert_eq!(basic_problem(":b"), Some((1, SecretEntryError::NoIdentifier)));
    assert_eq!(basic_problem("a:"), Some((1, SecretEntryError::NoSecret)));
}

#[test]
fn an_error_names_the_place_but_not_the_value() {
    let error = parse_entries("open whsec_sesame*", WebhookSecret::parse).err().unwrap();
    assert_eq!(
        error.to_string(),
        "entry 2 begins with whsec_ but does not go on in base64"
    );
    assert!(!format!("{error:?}").contains("sesame"));
}

#[test]
fn debug_shows_no_secret() {
    let secrets = parse_entries("sesame whsec_c2VzYW1l", WebhookSecret::parse).unwrap();
    let shown = format!("{secrets:?} {:?}", BasicAuth::parse("relay:sesame"));
    for secret in ["sesame", "115, 101", "c2VzYW1l"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
