use std::io::Write as _;

use secrecy::ExposeSecret as _;

use super::*;

fn args(basic: Option<&str>, identifier: Option<&str>) -> CredentialArgs {
    CredentialArgs {
        webhook_basic: basic.map(Into::into),
        identifier: identifier.map(str::to_owned),
        credentials_file: None,
    }
}

fn shown(credentials: Option<WebhookCredentials>) -> Option<String> {
    credentials.map(|(identifier, secret)| format!("{identifier} {}", secret.expose_secret()))
}

#[test]
fn the_first_credentials_are_chosen_unless_others_are_named() {
    let both = Some("one:a:b two:c");
    assert_eq!(shown(chosen(&args(both, None)).unwrap()).unwrap(), "one a:b");
    assert_eq!(shown(chosen(&args(both, Some("two"))).unwrap()).unwrap(), "two c");
    assert!(chosen(&args(both, Some("three"))).is_err_and(|error| !error.to_string().contains("a:b")));
    assert!(chosen(&args(None, None)).unwrap().is_none());
}

#[test]
fn a_file_replaces_the_variable_and_is_not_quoted() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"three:hush\n").unwrap();
    let mut args = args(Some("one:a"), None);
    args.credentials_file = Some(file.path().to_owned());
    assert_eq!(shown(chosen(&args).unwrap()).unwrap(), "three hush");
    for content in ["hush", " \n"] {
        std::fs::write(file.path(), content).unwrap();
        assert!(chosen(&args).is_err_and(|error| !error.to_string().contains("hush")));
    }
}
