use std::time::Duration;

use super::super::summary::ReplayResponse;
use super::*;

#[test]
fn a_log_gets_at_most_ten_lines_the_last_one_among_them() {
    for total in [1, 3, 10, 11, 997, 100_000] {
        let lines = (1..=total).filter(|done| is_tenth(*done, total)).count();
        assert_eq!(lines, total.min(10), "{total}");
        assert!(is_tenth(total, total));
    }
}

#[test]
fn a_refusal_is_one_line_without_control_characters() {
    let response = |status| ReplayResponse {
        status,
        body: "{\n \"title\": \"\u{1b}[2Jno\"\n}".into(),
        latency: Duration::ZERO,
        retries: 0,
    };
    assert_eq!(refusal(&Ok(response(200))), None);
    assert_eq!(
        refusal(&Ok(response(401))).unwrap(),
        "answered 401: { \"title\": \" [2Jno\" }"
    );
    assert_eq!(
        refusal(&Err("connection refused".into())).unwrap(),
        "not sent: connection refused"
    );
}
