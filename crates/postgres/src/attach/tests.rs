use std::fs;
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn a_cluster_is_found_once_its_file_names_the_socket_and_while_a_server_listens_there() {
    let home = tempfile::tempdir().unwrap();
    let socket_dir = home.path().to_str().unwrap();
    fs::create_dir(home.path().join("data")).unwrap();
    let socket = |pid_file: &str| {
        fs::write(home.path().join("data/postmaster.pid"), pid_file).unwrap();
        running(home.path(), "quotes").map(|options| options.get_socket().unwrap().clone())
    };
    let complete = format!("4711\n/var/lib/a/data\n1790000000\n5432\n{socket_dir}\n\n  1 2\nready\n");
    assert_eq!(socket(&complete), None);
    let server = UnixListener::bind(socket_file(home.path())).unwrap();
    assert_eq!(socket(&complete), Some(socket_dir.into()));
    assert_eq!(socket("4711\n/var/lib/a/data\n1790000000\n5432\n"), None);
    assert_eq!(socket("4711\n/var/lib/a/data\n1790000000\n5432\n\n"), None);
    drop(server);
    assert_eq!(socket(&complete), None);
}
