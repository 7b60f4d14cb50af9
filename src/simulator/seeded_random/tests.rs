use super::*;

#[test]
fn the_same_question_has_the_same_answer_and_answers_are_spread() {
    assert!((share(7, &["a"], 1) - share(7, &["a"], 1)).abs() < f64::EPSILON);
    assert_ne!(draw(7, &["a", "b"], 1), draw(7, &["ab"], 1));
    let hits = (0..10_000).filter(|number| share(7, &["x"], *number) < 0.05).count();
    assert!((400..600).contains(&hits), "{hits}");
    assert!((0..100).all(|number| below(3, 1, &[], number) < 3));
}
