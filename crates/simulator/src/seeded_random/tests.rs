use super::*;

#[test]
fn a_decision_depends_on_seed_subject_and_number_only_and_decisions_are_spread() {
    let draw = |subject: &[&str]| below(u64::MAX, 7, subject, 1);
    assert_eq!(draw(&["a"]), draw(&["a"]));
    assert_ne!(draw(&["a", "b"]), draw(&["ab"]));
    let hits = (0..10_000).filter(|number| chance(0.05, 7, &["x"], *number)).count();
    assert!((400..600).contains(&hits), "{hits}");
    assert!((0..100).all(|number| below(3, 1, &[], number) < 3));
}
