use super::*;

#[test]
fn the_default_folder_does_not_depend_on_where_the_program_was_started() {
    let path = |text: &str| Some(PathBuf::from(text));
    let default = |root, xdg, home| default_data_dir(root, xdg, home).display().to_string();
    assert_eq!(default(true, path("/x"), path("/root")), "/var/lib/avinode-ingest");
    assert_eq!(default(false, path("/x"), path("/home/a")), "/x/avinode-ingest");
    assert_eq!(
        default(false, None, path("/home/a")),
        "/home/a/.local/share/avinode-ingest"
    );
    assert_eq!(
        default(false, path("relative"), path("/home/a")),
        "/home/a/.local/share/avinode-ingest"
    );
    assert_eq!(default(false, None, None), ".avinode-ingest");
}
