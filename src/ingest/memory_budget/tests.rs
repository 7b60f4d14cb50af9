use super::*;

#[test]
fn all_reserved_memory_is_released_on_drop() {
    let budget = MemoryBudget::new(100);
    let mut held = budget.reserve(60).unwrap();
    assert!(held.grow(40));
    assert!(!held.grow(1));
    assert!(budget.reserve(1).is_none());
    drop(held);
    assert_eq!(budget.free(), 100);
}
