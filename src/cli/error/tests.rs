use super::*;

#[derive(Debug, thiserror::Error)]
#[error("the disk\nis full")]
struct DiskFull;

#[derive(Debug, thiserror::Error)]
#[error("write failed: {0}")]
struct WriteFailed(#[source] DiskFull);

#[test]
fn the_line_has_the_attempt_every_cause_once_and_the_hint() {
    let error = CliError::to("write the file", WriteFailed(DiskFull)).hint("make room");
    assert_eq!(
        error.to_string(),
        "could not write the file: write failed: the disk is full (make room)"
    );
    assert_eq!(error.code(), 1);
}

#[test]
fn exit_codes_distinguish_settings_and_unavailable_services() {
    assert_eq!(CliError::setting("INGEST_LISTEN: taken").code(), 64);
    assert_eq!(
        CliError::from(SettingError("INGEST_LISTEN: taken".to_owned())).code(),
        64
    );
    assert_eq!(
        Err::<(), _>(DiskFull)
            .context("connect")
            .unwrap_err()
            .unavailable()
            .code(),
        69
    );
}
