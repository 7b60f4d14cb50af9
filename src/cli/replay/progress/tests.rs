use std::time::Duration;

use super::super::summary::ReplayResponse;
use super::*;

#[test]
fn a_log_gets_ten_lines_at_most_and_the_last_one_always() {
    for total in [1, 3, 10, 11, 997, 100_000] {
        let lines = (1..=total).filter(|done| is_tenth(*done, total)).count();
        assert_eq!(lines, total.min(10), "{total}");
        assert!(is_tenth(total, total));
    }
}

#[test]
fn a_refusal_is_told_on_one_line_that_cannot_steer_the_terminal() {
    let answer = |status| ReplayResponse {
        status,
        said: "{\n \"title\": \"\u{1b}[2Jno\"\n}".into(),
        latency: Duration::ZERO,
        retries: 0,
    };
    assert_eq!(wrong(&Ok(answer(200))), None);
    assert_eq!(
        wrong(&Ok(answer(401))).unwrap(),
        "answered 401: { \"title\": \" [2Jno\" }"
    );
    assert_eq!(wrong(&Err("nobody there".into())).unwrap(), "not sent: nobody there");
}
