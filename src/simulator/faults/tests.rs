use super::*;

fn drawn(seed: u64, share: f64, reads: usize) -> Vec<Option<ApiFault>> {
    let trouble = ApiFaults {
        faults: share,
        ..ApiFaults::default()
    };
    let mut faults = FaultPlan::default();
    (0..reads).map(|_| faults.next(seed, "arfq-1", &trouble)).collect()
}

#[test]
fn faults_depend_on_seed_and_read_only_and_are_as_many_as_asked() {
    assert_eq!(drawn(1, 0.5, 50), drawn(1, 0.5, 50));
    assert_ne!(drawn(1, 0.5, 50), drawn(2, 0.5, 50));
    assert!(drawn(1, 0.0, 50).iter().all(Option::is_none));
    let failed = drawn(3, 0.05, 10_000).iter().flatten().count();
    assert!((350..650).contains(&failed), "{failed}");
}

#[test]
fn even_what_always_fails_succeeds_in_the_end() {
    let drawn = drawn(1, 1.0, 8);
    let fate: Vec<bool> = drawn.iter().map(Option::is_some).collect();
    assert_eq!(fate, [true, true, true, false, true, true, true, false]);
}
