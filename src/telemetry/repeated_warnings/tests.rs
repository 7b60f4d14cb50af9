use super::*;

const STATEMENT: u8 = 1;

#[test]
fn one_line_per_second_statement_and_cause_is_admitted_whatever_numbers_it_has() {
    let (lines, start) = (RepeatedLines::default(), Instant::now());
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    assert!(lines.admit(&STATEMENT, "dead-lettered job 1 after 1 attempt: no type", start));
    assert!(!lines.admit(&STATEMENT, "dead-lettered job 27 after 3 attempts: no type", at(999)));
    assert!(lines.admit(&STATEMENT, "dead-lettered job 28 after 1 attempt: no id", at(999)));
    assert!(lines.admit(&2, "dead-lettered job 29 after 1 attempt: no type", at(999)));
    assert!(lines.admit(&STATEMENT, "dead-lettered job 30 after 1 attempt: no type", at(1_000)));
    assert!(!lines.admit(&STATEMENT, "dead-lettered job 31 after 1 attempt: no type", at(1_001)));
    let seen = std::mem::take(&mut lines.lock().seen);
    let mut left_out: Vec<_> = seen.values().map(|it| (it.left_out, it.example.as_str())).collect();
    left_out.sort_unstable();
    let last = "dead-lettered job 31 after 1 attempt: no type";
    assert_eq!(left_out, [(0, ""), (0, ""), (2, last)]);
}

#[test]
fn causes_are_bounded_and_those_that_are_over_are_forgotten() {
    let (lines, start) = (RepeatedLines::default(), Instant::now());
    let letters = |number: usize| number.to_string().replace(char::is_numeric, "x") + &"y".repeat(number);
    let admitted = (0..MAX_CAUSES + 50).filter(|number| lines.admit(&STATEMENT, &letters(*number), start));
    assert_eq!(admitted.count(), MAX_CAUSES + 1, "the others share one line");
    lines.report(start + REPORT_EVERY);
    assert!(lines.lock().seen.is_empty());
}
