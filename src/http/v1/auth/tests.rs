use std::sync::Mutex;

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

#[test]
fn calls_without_a_valid_token_are_logged_without_it_and_within_a_limit() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || SharedLog(Arc::clone(&writer)));
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let tokens = tokens();
    for number in 0..50 {
        let mut request = hyper::Request::get("/v1/sessions?private");
        if number > 0 {
            request = request.header(AUTHORIZATION, "Bearer guessed");
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts
            .extensions
            .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 9))));
        assert!(tokens.authorize(&parts, ApiScope::Read).is_err());
    }
    let lines = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(lines.matches("without a valid token: no bearer token").count(), 1);
    let unknown = lines.matches("without a valid token: an unknown bearer token").count();
    assert!((1..=2).contains(&unknown), "{lines}"); // a second may pass
    assert!(
        lines.contains("peer=192.0.2.1:9") && lines.contains("/v1/sessions"),
        "{lines}"
    );
    assert!(!lines.contains("guessed") && !lines.contains("private"), "{lines}");
}

/// The log, in memory.
struct SharedLog(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for SharedLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
