use super::*;

#[test]
fn each_header_is_required_and_a_clock_may_be_five_minutes_off() {
    let valid = [
        ("authorization", "Bearer simulated-bearer"),
        ("x-avinode-apitoken", "simulated-api-token"),
        ("x-avinode-senttimestamp", "2026-03-01T12:04:59Z"),
        ("x-avinode-apiversion", "v1.0"),
        ("x-avinode-product", "avinode-ingest/1.2.3"),
    ];
    let check = |headers: &[(&'static str, &str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = headers.collect();
        ApiCredentials::default().check(&headers, "2026-03-01T12:00:00Z".parse().unwrap())
    };
    assert_eq!(check(&valid), Ok(()));
    for missing in 0..valid.len() {
        let without: Vec<_> = valid
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != missing)
            .map(|(_, h)| *h)
            .collect();
        assert!(check(&without).is_err(), "{:?}", valid[missing]);
    }
    let mut late = valid;
    late[2].1 = "2026-03-01T11:54:59Z";
    assert_eq!(
        check(&late),
        Err((401, "X-Avinode-SentTimestamp is more than five minutes off"))
    );
    let mut wrong = valid;
    wrong[0].1 = "Bearer another";
    assert_eq!(check(&wrong).unwrap_err().0, 401);
}
