use super::*;

fn problem(setting: &str) -> Option<(usize, SecretEntryError)> {
    secrets(Some(setting)).err().map(|error| (error.ordinal, error.problem))
}

fn basic_problem(setting: &str) -> Option<(usize, SecretEntryError)> {
    basics(Some(setting), |_, _| ())
        .err()
        .map(|error| (error.ordinal, error.problem))
}

#[test]
fn entries_are_separated_by_commas_and_white_space() {
    assert_eq!(secrets(Some(" a,b  c\n\td , e ")).unwrap().len(), 5);
    let pairs = basics(Some("a:b:c d:e"), |user, pass| (user.to_owned(), pass.to_owned())).unwrap();
    assert_eq!(pairs, [("a".into(), "b:c".into()), ("d".into(), "e".into())]);
}

#[test]
fn a_blank_setting_is_not_set() {
    for blank in [None, Some(""), Some(" \n")] {
        assert!(secrets(blank).unwrap().is_empty());
        assert!(basics(blank, |_, _| ()).unwrap().is_empty());
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
    assert_eq!(basic_problem(":b"), Some((1, SecretEntryError::NoIdentifier)));
    assert_eq!(basic_problem("a:"), Some((1, SecretEntryError::NoSecret)));
}

#[test]
fn an_error_names_the_setting_and_the_position_but_not_the_value() {
    let error = secrets(Some("open whsec_sesame*")).err().unwrap();
    assert_eq!(
        error.to_string(),
        "reading AVINODE_WEBHOOK_SECRET: entry 2 begins with whsec_ but is not base64 after it"
    );
    assert!(!format!("{error:?}").contains("sesame"));
}
