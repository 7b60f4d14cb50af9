use super::*;

fn draw(seed: u64, share: f64, reads: usize) -> Vec<Option<ApiFault>> {
    let faults = ApiFaults {
        faults: share,
        ..ApiFaults::default()
    };
    let mut plan = FaultPlan::default();
    (0..reads).map(|_| plan.next(seed, "arfq-1", &faults)).collect()
}

#[test]
fn faults_depend_on_seed_and_read_only_and_have_the_wanted_share() {
    assert_eq!(draw(1, 0.5, 50), draw(1, 0.5, 50));
    assert_ne!(draw(1, 0.5, 50), draw(2, 0.5, 50));
    assert!(draw(1, 0.0, 50).iter().all(Option::is_none));
    let failed = draw(3, 0.05, 10_000).iter().flatten().count();
    assert!((350..650).contains(&failed), "{failed}");
}

#[test]
fn a_resource_that_always_fails_succeeds_in_the_end() {
    let failed: Vec<bool> = draw(1, 1.0, 8).iter().map(Option::is_some).collect();
    assert_eq!(failed, [true, true, true, false, true, true, true, false]);
}
