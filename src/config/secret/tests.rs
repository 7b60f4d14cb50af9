use super::*;
use crate::avinode::signature::secrets::BasicAuth;

fn wrong<T>(result: Result<T, SettingError>) -> String {
    let error = result.err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
    error.to_string()
}

#[test]
fn an_error_names_the_setting_and_the_entry_and_never_the_value() {
    let setting = SecretString::from("id:sec:ret,hush");
    assert_eq!(
        wrong(entries("NAME (--name)", Some(&setting), BasicAuth::parse)),
        "NAME (--name): entry 2 has no colon: it must be identifier:secret"
    );
    for entry in ["whsec_", "whsec_!hush"] {
        wrong(entries("NAME", Some(&entry.into()), WebhookSecret::parse));
    }
}

#[test]
fn a_setting_that_is_not_set_or_blank_has_no_entries() {
    for setting in [None, Some(SecretString::from(" \n"))] {
        assert!(entries("NAME", setting.as_ref(), BasicAuth::parse).unwrap().is_empty());
    }
}

#[test]
fn the_placeholder_of_the_samples_is_refused_in_every_secret() {
    let refused = "NAME: the value is the placeholder of a sample";
    for value in [
        "change-me",
        "hush, change-me",
        "avinode:Change-Me",
        "ops:read:change-me",
    ] {
        assert!(wrong(entries("NAME", Some(&value.into()), WebhookSecret::parse)).starts_with(refused));
    }
    assert!(wrong(credential("NAME", &"change-me".into())).starts_with(refused));
    for url in [
        "postgres://hush:change-me@db.example/d",
        "postgres://hush:change-me@db.example/d?sslmode=require",
    ] {
        assert!(wrong(refuse_placeholder_password("NAME", url)).starts_with(refused));
    }
    for url in [
        "postgres://change-me@db.example/d",
        "postgres://u:p@change-me/d",
        "postgres:///d",
        "d",
    ] {
        // A user or a host of this name is odd, and no secret.
        let refused = refuse_placeholder_password("NAME", url).is_err();
        assert_eq!(refused, url.contains("change-me@"), "{url}");
    }
}

#[test]
fn one_token_with_two_scopes_is_refused() {
    let tokens = |text: &str| entries("NAME", Some(&text.into()), ApiToken::parse).unwrap();
    let error = wrong(refuse_ambiguous(
        "NAME",
        &tokens("a:read:hush b:read:other c:write:hush"),
    ));
    assert_eq!(error, "NAME: entries 1 and 3 are the same token with different scopes");
    refuse_ambiguous("NAME", &tokens("a:read:hush b:read:hush c:write:other")).unwrap();
}

#[test]
fn a_signing_secret_is_exactly_one() {
    assert!(signing_secret("--secret", &"one".into()).is_ok());
    for value in ["hush,hush", " ", "whsec_hush!"] {
        assert!(wrong(signing_secret("--secret", &value.into())).starts_with("--secret: "));
    }
}

#[test]
fn an_api_token_has_a_name_and_a_known_scope() {
    let token = ApiToken::parse("ops:write:a:b").unwrap();
    assert_eq!((token.name.as_str(), token.scope), ("ops", ApiScope::Write));
    assert_eq!(token.token.expose_secret(), "a:b");
    for entry in ["", "ops:write", "ops:root:hush", ":read:hush", "ops:read:"] {
        let error = ApiToken::parse(entry).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }
    assert!(!format!("{:?}", ApiToken::parse("ops:read:hush")).contains("hush"));
}

#[test]
fn a_credential_is_one_word_that_a_header_can_hold() {
    let right = credential("NAME", &" a.b-c_d==\n".into()).unwrap();
    assert_eq!(right.expose_secret(), "a.b-c_d==");
    for value in [
        "",
        " ",
        "hush hush",
        "hush\r\nx: y",
        "hush\u{e9}",
        "Bearer hush",
        "bearer hush",
    ] {
        wrong(credential("NAME", &value.into()));
    }
}
