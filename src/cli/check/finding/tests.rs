use super::*;

#[test]
fn the_exit_code_is_that_of_the_gravest_failure() {
    let mut findings = Findings::default();
    assert_eq!(findings.code(), 0);
    findings.add(Finding::warning("jobs", "1 dead", "look at it"));
    assert_eq!(findings.code(), 0);
    findings.add(Finding::failed("durable", "fsync is off", "switch it on"));
    assert_eq!(findings.code(), 1);
    let unreachable = Failure::plain("no database").unavailable();
    findings.add(Finding::of_failure("database", &unreachable));
    assert_eq!(findings.code(), 69);
    findings.add(Finding::of_failure("settings", &Failure::setting("INGEST_LISTEN")));
    assert_eq!(findings.code(), 64);
}

#[test]
fn a_line_has_the_verdict_the_thing_and_the_remedy() {
    let mut findings = Findings::default();
    findings.add(Finding::ok("port", "free"));
    findings.add(Finding::failed("durable", "fsync is off", "switch it on"));
    assert_eq!(
        findings.to_string(),
        "ok       port         free\nFAILED   durable      fsync is off; switch it on"
    );
}
