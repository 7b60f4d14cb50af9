use super::*;

#[test]
fn entries_are_separated_by_commas_or_white_space_and_keep_their_order() {
    let secrets = signing_secrets(" one,two\n three , whsec_c2VjcmV0").unwrap();
    assert_eq!(
        secrets.iter().collect::<Vec<_>>(),
        ["one", "two", "three", "whsec_c2VjcmV0"]
    );
    assert_eq!(secrets.first(), "one");
}

#[test]
fn nothing_of_a_secret_is_shown() {
    let shown = format!(
        "{:?} {:?}",
        signing_secrets("hush").unwrap(),
        api_tokens("ops:read:hush").unwrap()
    );
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn a_wrong_entry_is_told_by_its_place_and_never_repeated() {
    let error = basic_credentials("id:sec:ret,hush").unwrap_err();
    assert_eq!(
        error,
        "is wrong in entry 2 of 2: it must be identifier:secret, neither part empty"
    );
    for wrong in ["hush", ":hush", "hush:", " , "] {
        assert!(!basic_credentials(wrong).unwrap_err().contains("hush"));
    }
    assert!(signing_secrets("whsec_").is_err());
    assert!(signing_secrets("whsec_!hush").is_err_and(|error| !error.contains("hush")));
    assert!(signing_secret("one,two").is_err());
}

#[test]
fn an_api_token_names_its_bearer_and_a_known_scope() {
    let tokens = api_tokens("ops:write:a:b,ui:read:c").unwrap().0;
    assert_eq!((tokens[0].name.as_str(), tokens[0].scope), ("ops", Scope::Write));
    assert_eq!(tokens[0].token.expose_secret(), "a:b");
    for wrong in ["ops:write", "ops:admin:hush", ":read:hush", "ops:read:"] {
        assert!(api_tokens(wrong).is_err_and(|error| !error.contains("hush")), "{wrong}");
    }
}

#[test]
fn a_credential_is_one_word_of_what_a_header_can_hold() {
    assert_eq!(credential(" a.b-c_d==\n").unwrap().expose_secret(), "a.b-c_d==");
    for wrong in [
        "",
        " ",
        "hush hush",
        "hush\r\nx: y",
        "hush\u{e9}",
        "Bearer hush",
        "bearer hush",
    ] {
        assert!(
            credential(wrong).is_err_and(|error| !error.contains("hush")),
            "{wrong:?}"
        );
    }
}

#[test]
fn only_a_postgres_url_is_a_database_url() {
    for right in ["postgres://u:p@h:5432/d", "postgresql:///d?host=/run/postgresql"] {
        assert!(database_url(right).is_ok(), "{right}");
    }
    for wrong in [
        "mysql://u:hush@h/d",
        "u:hush@h/d",
        "postgres://u:hush/x@h:port/d",
        "postgres",
    ] {
        assert!(
            database_url(wrong).is_err_and(|error| !error.contains("hush")),
            "{wrong}"
        );
    }
}
