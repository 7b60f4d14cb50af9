use super::*;

#[test]
fn the_exit_code_is_that_of_the_gravest_failure() {
    let mut findings = CheckResults::default();
    assert_eq!(findings.code(), 0);
    findings.add(CheckResult::warning("jobs", "1 dead", "look at it"));
    assert_eq!(findings.code(), 0);
    findings.add(CheckResult::failed("durable", "fsync is off", "switch it on"));
    assert_eq!(findings.code(), 1);
    let unreachable = CliError::plain("no database").unavailable();
    findings.add(CheckResult::of_failure("database", &unreachable));
    assert_eq!(findings.code(), 69);
    findings.add(CheckResult::of_failure("settings", &CliError::setting("INGEST_LISTEN")));
    assert_eq!(findings.code(), 64);
}

#[test]
fn a_line_has_the_verdict_the_thing_and_the_remedy() {
    let mut findings = CheckResults::default();
    findings.add(CheckResult::ok("port", "free"));
    findings.add(CheckResult::failed("durable", "fsync is off", "switch it on"));
    assert_eq!(
        findings.to_string(),
        "ok       port         free\nFAILED   durable      fsync is off; switch it on"
    );
}
