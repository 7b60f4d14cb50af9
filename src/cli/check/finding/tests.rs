use super::*;

#[test]
fn the_exit_code_is_that_of_the_gravest_failure() {
    let mut results = CheckResults::default();
    assert_eq!(results.code(), 0);
    results.add(CheckName("jobs").warning("1 dead", "retry it"));
    assert_eq!(results.code(), 0);
    results.add(CheckName("durability").failed("fsync is off", "switch it on"));
    assert_eq!(results.code(), 1);
    let unreachable = CliError::plain("no database").unavailable();
    results.add(CheckName("database").error(&unreachable));
    assert_eq!(results.code(), 69);
    results.add(CheckName("settings").error(&CliError::setting("INGEST_LISTEN")));
    assert_eq!(results.code(), 64);
}

#[test]
fn a_line_has_status_name_message_and_remedy() {
    let mut results = CheckResults::default();
    results.add(CheckName("port").ok("free"));
    results.add(CheckName("durability").failed("fsync is off", "switch it on"));
    assert_eq!(
        results.to_string(),
        "ok       port         free\nFAILED   durability   fsync is off; switch it on"
    );
}
