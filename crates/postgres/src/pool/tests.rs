use super::*;

#[test]
fn a_url_is_parsed_with_the_parameters_that_sqlx_knows() {
    let options = connect_options("postgres://u:p%40ss@db.example:6432/quotes?channel_binding=require&sslmode=require");
    let options = options.unwrap();
    assert_eq!((options.get_host(), options.get_port()), ("db.example", 6432));
    assert_eq!((options.get_username(), options.get_database()), ("u", Some("quotes")));
    let socket = connect_options("postgres:///quotes?host=/tmp/x&port=5432&user=avinode").unwrap();
    assert_eq!(socket.get_socket(), Some(&"/tmp/x".into()));
    assert_eq!(socket.get_username(), "avinode");
}

#[test]
fn no_error_repeats_a_secret() {
    for url in [
        "user:hunter2@host/db",
        "mysql://user:hunter2@host/db",
        "postgres://user:hunter2@host:hunter2/db",
        "postgres://user:hunter2@/db",
        "postgres://host/db?password=hunter2&port=hunter2",
        "postgres://host/db?sslmode=hunter2",
        "hunter2",
    ] {
        let error = connect_options(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
