use super::*;

#[test]
fn the_deliveries_of_a_trip_are_in_one_step() {
    let ids = |count: usize| -> Vec<Uuid> { (0..count).map(|_| Uuid::now_v7()).collect() };
    let mut trips: BTreeMap<Option<String>, Vec<Uuid>> =
        (0..300).map(|trip| (Some(format!("trip{trip}")), ids(7))).collect();
    trips.insert(Some("large".to_owned()), ids(1_900));
    trips.insert(Some("too large".to_owned()), ids(4_500));
    trips.insert(None, ids(1_200));
    let steps = steps(trips.clone());
    let all: BTreeSet<Uuid> = steps.iter().flatten().copied().collect();
    assert_eq!(all, trips.values().flatten().copied().collect());
    for (trip, ids) in trips.iter().filter(|(trip, _)| trip.is_some()) {
        let in_steps = steps.iter().filter(|step| step.contains(&ids[0])).count();
        let whole = steps.iter().any(|step| ids.iter().all(|id| step.contains(id)));
        assert_eq!(in_steps, 1);
        assert_eq!(whole, ids.len() <= MAX_DELIVERIES_PER_STEP, "{trip:?}");
    }
    assert!(steps.iter().all(|step| step.len() <= MAX_DELIVERIES_PER_STEP));
}
