use super::*;
use crate::domain::api_scope::ApiScope;

fn tokens(texts: &[&'static str]) -> BearerTokens {
    BearerTokens::new(texts.iter().map(|text| (*text, ApiScope::Write, *text)))
}

fn with_cookie(value: &str) -> HeaderMap {
    let line = format!("other=1; {NAME}={value}; last=2");
    HeaderMap::from_iter([(COOKIE, line.parse().unwrap())])
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn a_session_opens_with_its_token_only_and_until_its_end() {
    let all = tokens(&["first", "second"]);
    let token = all.find(b"second").unwrap();
    let begun = time("2026-11-29T08:00:00Z");
    let headers = with_cookie(&seal(&token, begun, [7; 16]));
    let opened = open(&headers, &all, begun).unwrap();
    assert_eq!(opened.token.name, "second");
    assert!(open(&headers, &all, time("2026-11-29T19:59:59Z")).is_some());
    assert!(open(&headers, &all, time("2026-11-29T20:00:00Z")).is_none());
    assert!(
        open(&headers, &all, time("2026-11-29T07:54:59Z")).is_none(),
        "from the future"
    );
    assert!(
        open(&headers, &tokens(&["first"]), begun).is_none(),
        "its token was removed"
    );
}

#[test]
fn a_changed_cookie_opens_nothing() {
    let all = tokens(&["first"]);
    let begun = time("2026-11-29T08:00:00Z");
    let value = seal(&all.find(b"first").unwrap(), begun, [7; 16]);
    let bytes = URL_SAFE_NO_PAD.decode(&value).unwrap();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let headers = with_cookie(&URL_SAFE_NO_PAD.encode(changed));
        assert!(open(&headers, &all, begun).is_none(), "byte {index}");
    }
    for text in ["", "a", &value[1..], &format!("{value}AA")] {
        assert!(open(&with_cookie(text), &all, begun).is_none(), "{text}");
    }
    let mut twice = with_cookie(&value);
    twice.append(COOKIE, format!("{NAME}={value}").parse().unwrap());
    assert!(open(&twice, &all, begun).is_none(), "two cookies of one name");
}

#[test]
fn sessions_have_different_form_tokens_and_no_form_token_is_the_cookie() {
    let all = tokens(&["first"]);
    let token = all.find(b"first").unwrap();
    let now = time("2026-11-29T08:00:00Z");
    let of = |random| {
        let value = seal(&token, now, [random; 16]);
        (open(&with_cookie(&value), &all, now).unwrap().form_token, value)
    };
    let ((first, cookie), (second, _)) = (of(1), of(2));
    assert_ne!(first, second);
    assert!(!cookie.contains(&first));
}

#[test]
fn the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_secure_over_tls() {
    let plain = header("value", false);
    assert!(
        plain.contains("HttpOnly") && plain.contains("SameSite=Lax") && !plain.contains("Secure"),
        "{plain}"
    );
    assert!(header("value", true).ends_with("; Secure"));
    assert!(header("", false).contains("Max-Age=0"));
}
