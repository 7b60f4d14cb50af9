use hyper::header::HeaderValue;

use super::*;

fn tokens() -> BearerTokens {
    BearerTokens::new([
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
    tokens()
        .authenticate(&headers)
        .map(|token| (token.name.clone(), token.scope))
}

#[test]
fn the_scheme_is_case_insensitive() {
    assert_eq!(bearer(&["Bearer look"]).unwrap(), ("ui".to_owned(), ApiScope::Read));
    assert_eq!(bearer(&["bearer  act:2"]).unwrap(), ("app".to_owned(), ApiScope::Write));
}

#[test]
fn a_missing_token_and_an_invalid_token_are_distinguished() {
    for none in [
        &[][..],
        &["Basic bG9vaw=="],
        &["Bearer"],
        &["Bearer look", "Bearer act"],
    ] {
        assert_eq!(bearer(none).unwrap_err(), ApiProblem::MissingToken, "{none:?}");
    }
    for wrong in ["Bearer ", "Bearer loo", "Bearer look ed", "Bearer LOOK"] {
        let wrong = bearer(&[wrong]).unwrap_err();
        assert!(matches!(wrong, ApiProblem::MissingToken | ApiProblem::InvalidToken));
    }
    assert_eq!(
        BearerTokens::default().authenticate(&HeaderMap::new()).err(),
        Some(ApiProblem::MissingToken)
    );
}

#[test]
fn debug_output_does_not_contain_tokens() {
    assert!(!format!("{:?}", tokens()).contains("act:2"));
}
