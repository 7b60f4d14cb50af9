use super::*;

#[test]
fn a_program_below_the_current_folder_is_named_from_there() {
    let folder = Some(Path::new("/home/a/clone"));
    for (called, expected) in [
        (
            "/home/a/clone/target/debug/avinode-ingest",
            "target/debug/avinode-ingest",
        ),
        ("/home/a/clone/avinode-ingest", "./avinode-ingest"),
        ("target/debug/avinode-ingest", "target/debug/avinode-ingest"),
        ("/usr/bin/avinode-ingest", "/usr/bin/avinode-ingest"),
        ("avinode-ingest", "avinode-ingest"),
    ] {
        assert_eq!(seen_from(Path::new(called), folder), expected);
    }
}
