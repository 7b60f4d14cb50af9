use super::*;

#[test]
fn what_is_reserved_is_given_back_whole() {
    let budget = MemoryBudget::new(100);
    let mut held = budget.reserve(60).unwrap();
    assert!(held.grow(40));
    assert!(!held.grow(1));
    assert!(budget.reserve(1).is_none());
    drop(held);
    assert_eq!(budget.free(), 100);
}
