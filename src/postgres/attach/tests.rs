use super::*;

#[test]
fn the_sockets_folder_is_read_once_the_server_has_written_it() {
    let whole = "4711\n/var/lib/a/data\n1790000000\n5432\n/var/lib/a\n\n  1 2\nready\n";
    assert_eq!(socket_dir(whole), Some(PathBuf::from("/var/lib/a")));
    assert_eq!(socket_dir("4711\n/var/lib/a/data\n1790000000\n5432\n"), None);
    assert_eq!(socket_dir("4711\n/var/lib/a/data\n1790000000\n5432\n\n"), None);
}
