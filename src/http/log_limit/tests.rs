use super::*;

#[test]
fn lines_over_the_limit_are_counted_instead_of_written() {
    let log = LogLimit::new(2);
    let now = Instant::now();
    let admitted: Vec<_> = (0..5).map(|_| log.admit(now)).collect();
    assert_eq!(admitted, [Some(0), Some(0), None, None, None]);
    let next = now + Duration::from_secs(2);
    assert_eq!(log.admit(next), Some(3));
    assert_eq!(log.admit(next), Some(0));
}
