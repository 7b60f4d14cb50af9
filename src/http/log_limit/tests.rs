use super::*;

#[test]
fn lines_over_the_limit_are_counted_instead_of_written() {
    let log = LogLimit::default();
    let now = Instant::now();
    let admitted: Vec<_> = (0..4).map(|_| log.admit("wrong-signature", now)).collect();
    assert_eq!(admitted, [Some(0), None, None, None]);
    assert_eq!(log.admit("unavailable", now), Some(0), "another reason is not hidden");
    let next = now + WINDOW;
    assert_eq!(log.admit("wrong-signature", next), Some(3));
    assert_eq!(log.admit("wrong-signature", next), None);
}
