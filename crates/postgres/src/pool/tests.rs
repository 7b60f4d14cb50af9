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
        "postgres://user:12#hunter2@host/db",
        "postgres://user:12/hunter2@host/db",
        "postgres://user:12?hunter2@host/db",
        "postgres://user:12?hunter2=x@host/db",
        "postgres://user:p@ss?hunter2@host/db",
    ] {
        let error = connect_options(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn an_ipv6_literal_is_an_address() {
    let options = connect_options("postgres://u:p@[::1]:5433/quotes").unwrap();
    assert_eq!((options.get_host(), options.get_port()), ("::1", 5433));
}

#[test]
fn a_parameter_of_an_unknown_name_is_ignored_and_its_value_may_hold_an_at_sign_if_it_is_a_known_one() {
    let options = connect_options("postgres://host/db?user=me@tenant&hunter2=1").unwrap();
    assert_eq!(options.get_username(), "me@tenant");
}
