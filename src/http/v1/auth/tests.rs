use hyper::header::HeaderValue;

use super::*;

fn tokens() -> Tokens {
    Tokens::new([
        ("ui", ApiScope::Read, "look"),
        ("app", ApiScope::Write, "act"),
        ("app", ApiScope::Write, "act:2"),
    ])
}

fn bearer(values: &[&'static str]) -> Result<(String, ApiScope), ApiProblem> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::from_static(value));
    }
    tokens().bearer(&headers).map(|token| (token.name.clone(), token.scope))
}

#[test]
fn a_token_is_found_whatever_the_spelling_of_its_scheme() {
    assert_eq!(bearer(&["Bearer look"]).unwrap(), ("ui".to_owned(), ApiScope::Read));
    assert_eq!(bearer(&["bearer  act:2"]).unwrap(), ("app".to_owned(), ApiScope::Write));
}

#[test]
fn no_token_and_a_wrong_token_are_told_apart() {
    for none in [
        &[][..],
        &["Basic bG9vaw=="],
        &["Bearer"],
        &["Bearer look", "Bearer act"],
    ] {
        assert_eq!(bearer(none).unwrap_err(), ApiProblem::NoToken, "{none:?}");
    }
    for wrong in ["Bearer ", "Bearer loo", "Bearer look ed", "Bearer LOOK"] {
        let wrong = bearer(&[wrong]).unwrap_err();
        assert!(matches!(wrong, ApiProblem::NoToken | ApiProblem::WrongToken));
    }
    assert_eq!(
        Tokens::default().bearer(&HeaderMap::new()).err(),
        Some(ApiProblem::NoToken)
    );
}

#[test]
fn nothing_of_a_token_is_shown() {
    assert!(!format!("{:?}", tokens()).contains("act:2"));
}
