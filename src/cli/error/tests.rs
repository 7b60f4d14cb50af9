use super::*;

#[derive(Debug, thiserror::Error)]
#[error("the disk\nis full")]
struct Full;

#[derive(Debug, thiserror::Error)]
#[error("write failed: {0}")]
struct Write(#[source] Full);

#[test]
fn the_line_tells_the_attempt_every_cause_once_and_the_hint() {
    let failure = CliError::to("keep the file", Write(Full)).hint("make room");
    assert_eq!(
        failure.to_string(),
        "could not keep the file: write failed: the disk is full (make room)"
    );
    assert_eq!(failure.code(), 1);
}

#[test]
fn the_exit_code_tells_settings_and_unavailable_services_apart() {
    assert_eq!(CliError::setting("INGEST_LISTEN: taken").code(), 64);
    assert_eq!(
        Err::<(), _>(Full).context("connect").unwrap_err().unavailable().code(),
        69
    );
}
