use sqlx::postgres::PgSslMode;

use super::*;

/// The hosts, as `name:port`.
fn hosts(url: &str) -> Result<String, DatabaseUrlError> {
    parse(url).map(|hosts| hosts.names())
}

fn only(url: &str) -> PgConnectOptions {
    let hosts = parse(url).unwrap();
    assert_eq!(hosts.count(), 1);
    hosts.options(0).clone()
}

#[test]
fn a_url_is_parsed_with_the_parameters_that_sqlx_knows() {
    let options = only("postgres://u:p%40ss@db.example:6432/quotes?channel_binding=require&sslmode=require");
    assert_eq!((options.get_host(), options.get_port()), ("db.example", 6432));
    assert_eq!((options.get_username(), options.get_database()), ("u", Some("quotes")));
    let socket = only("postgres:///quotes?host=/tmp/x&port=5432&user=avinode");
    assert_eq!(socket.get_socket(), Some(&"/tmp/x".into()));
    assert_eq!(socket.get_username(), "avinode");
}

#[test]
fn hosts_and_ports_are_read_as_libpq_reads_them() {
    for (url, names) in [
        ("postgres://u:p@h1:5432,h2:5433/d", "h1:5432, h2:5433"),
        (
            "postgresql://u:p@h1:1,h2:2,h3:3/d?target_session_attrs=any",
            "h1:1, h2:2, h3:3",
        ),
        ("postgres://u:p@h1:6432,h2/d", "h1:6432, h2:5432"),
        ("postgres://u:p@h1,h2/d?port=6432", "h1:6432, h2:6432"),
        ("postgres://u:p@h1:1,h2:2/d?port=3,4", "h1:3, h2:4"),
        (
            "postgres://u:p@[2001:db8::1]:5433,[::1]/d",
            "[2001:db8::1]:5433, [::1]:5432",
        ),
        ("postgres://u:p@[::1]:5433/d", "[::1]:5433"),
        ("postgres://u@%2Frun%2Fone,%2Frun%2Ftwo/d", "/run/one, /run/two"),
        ("postgres://u@%2Frun%2Fone:5433/d", "/run/one"),
        ("postgres:///d?host=h1,h2&port=5432,5433&user=u", "h1:5432, h2:5433"),
        ("postgres:///d?host=h1&port=5432&host=h2&port=5433", "h1:5432, h2:5433"),
        ("postgres:///d?host=h1&host=h2&port=5433", "h1:5433, h2:5433"),
        ("postgres:///d?host=%2Frun%2Fone%2C/run/two", "/run/one, /run/two"),
        ("postgres:///d?host=::1,h2&port=,5433", "[::1]:5432, h2:5433"),
        ("postgres://u:p@h1:5433/d?host=h2", "h2:5433"),
        ("postgres://u:p@/d?host=h1,h2", "h1:5432, h2:5432"),
        (
            "postgres://u:p@h1,h2/d?hostaddr=10.0.0.1,10.0.0.2",
            "10.0.0.1:5432, 10.0.0.2:5432",
        ),
        ("postgres://u:p@h1,h2/d?hostaddr=,::1", "h1:5432, [::1]:5432"),
        ("postgres://u:p@h1,h1/d", "h1:5432, h1:5432"),
    ] {
        assert_eq!(hosts(url).as_deref(), Ok(names), "{url}");
    }
    let socket = only("postgres://u@%2Frun%2Fone:5433/d");
    assert_eq!(
        (socket.get_socket(), socket.get_port()),
        (Some(&"/run/one".into()), 5433)
    );
}

#[test]
fn each_host_has_the_rest_of_the_url() {
    let hosts = parse("postgres://u%2C1:a,b@h1:1,h2:2/quotes?sslmode=require&options=-cgeqo%3Doff").unwrap();
    for options in hosts.all() {
        assert_eq!(
            (options.get_username(), options.get_database()),
            ("u,1", Some("quotes"))
        );
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
        assert_eq!(options.get_options(), Some("-cgeqo=off"));
    }
    assert_eq!(hosts.names(), "h1:1, h2:2");
}

#[test]
fn one_of_several_hosts_must_accept_writes_unless_the_url_says_otherwise() {
    use RequiredState::{Any, Primary, Writable};
    for (hosts, attribute, required) in [
        (1, None, Any),
        (2, None, Writable),
        (2, Some("any"), Any),
        (1, Some("read-write"), Writable),
        (2, Some("read-write"), Writable),
        (2, Some("primary"), Primary),
    ] {
        let parameter = attribute.map(|value| format!("target_session_attrs={value}"));
        assert_eq!(
            required_state(parameter.as_deref(), hosts),
            Ok(required),
            "{attribute:?}"
        );
    }
    for attribute in ["read-only", "standby", "prefer-standby", "", "READ-WRITE", "hunter2"] {
        let url = format!("postgres://u:p@h1,h2/d?target_session_attrs={attribute}");
        assert_eq!(hosts(&url), Err(DatabaseUrlError::RequiredState), "{attribute}");
    }
}

#[test]
fn hosts_that_cannot_be_read_are_refused() {
    for url in [
        "postgres://u:p@h1,,h2/d",
        "postgres://u:p@,h2/d",
        "postgres://u:p@h1,/d",
        "postgres://u:p@h1:0,h2/d",
        "postgres://u:p@h1:65536,h2/d",
        "postgres://u:p@h1:-1/d",
        "postgres://u:p@h1:54x/d",
        "postgres://u:p@h1:1:2,h2/d",
        "postgres://u:p@::1,h2/d",
        "postgres://u:p@[::1,h2/d",
        "postgres://u:p@[h1],h2/d",
        "postgres://u:p@[::1]x:1,h2/d",
        "postgres://u:p@h 1,h2/d",
        "postgres://u:p@h%00,h2/d",
        "postgres://u:p@h%ff,h2/d",
        "postgres:///d?host=h1,",
        "postgres:///d?host=h1&port=x",
        "postgres:///d?hostaddr=h1",
        "postgres:///d?hostaddr=,::1",
    ] {
        assert_eq!(hosts(url), Err(DatabaseUrlError::Hosts), "{url}");
    }
    for (url, message) in [
        (
            "postgres://u:p@h1,h2,h3/d?port=1,2",
            "the database URL has 3 hosts and 2 ports: give as many, or one port for all",
        ),
        (
            "postgres:///d?port=1,2",
            "the database URL has 0 hosts and 2 ports: give as many, or one port for all",
        ),
        (
            "postgres://u:p@h1,h2/d?hostaddr=::1",
            "the database URL has 2 hosts and 1 addresses in hostaddr: give as many",
        ),
    ] {
        let error = hosts(url).unwrap_err().to_string();
        assert_eq!(error, message, "{url}");
    }
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
        "postgres://user:hunter2,x/db",
        "postgres://user:a,b/hunter2@h1,h2/db",
        "postgres://user:a?host=hunter2,@h1,h2/db",
        "postgres://user:hunter2@h1:hunter2,h2/db",
        "postgres://user:hunter2@h1,h2:/db?port=hunter2,1",
        "postgres://user:hunter2@h1,h2/db?target_session_attrs=hunter2",
        "postgres://user:a?target_session_attrs=hunter2@h1,h2/db",
        "postgres://user:a,b:hunter2",
        "postgres://user:hunter2@h1,h2/db?hostaddr=hunter2",
        "postgres://user:hunter2@h1,[hunter2/db",
    ] {
        let error = parse(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

/// Every string of five parts of a URL: parsing never panics, and no message has a part of the password.
#[test]
fn no_combination_of_parts_of_a_url_shows_a_password() {
    const PARTS: [&str; 12] = ["hunter2", ":", "@", ",", "/", "?", "[", "]", "port=", "host=", "&", "%"];
    let mut urls = vec![String::new()];
    for _ in 0..5 {
        urls = urls
            .iter()
            .flat_map(|url| PARTS.map(|part| format!("{url}{part}")))
            .collect();
    }
    let mut parsed = 0;
    for url in urls {
        match parse(&format!("postgres://user:{url}")) {
            Ok(_) => parsed += 1,
            Err(error) => assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}"),
        }
    }
    assert!(parsed > 0);
}

#[test]
fn an_ipv6_literal_is_an_address() {
    let options = only("postgres://u:p@[::1]:5433/quotes");
    assert_eq!((options.get_host(), options.get_port()), ("::1", 5433));
}

#[test]
fn a_parameter_of_an_unknown_name_is_ignored_and_its_value_may_hold_an_at_sign_if_it_is_a_known_one() {
    let options = only("postgres://host/db?user=me@tenant&hunter2=1");
    assert_eq!(options.get_username(), "me@tenant");
}

#[test]
fn no_password_is_shown_with_the_hosts() {
    let hosts = parse("postgres://user:hunter2@h1,h2/db?password=hunter2").unwrap();
    assert!(!format!("{hosts:?} {}", hosts.names()).contains("hunter2"));
}
