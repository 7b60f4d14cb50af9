use super::*;

#[test]
fn a_path_that_no_proxy_rewrites_and_no_route_has_is_accepted() {
    for path in [
        "/webhooks/avinode",
        "/api/webhooks/avinode",
        "/hooks",
        " /a-b_c.d~e/9 ",
        "/v10",
        "/livez2",
    ] {
        assert_eq!(webhook_path(path).unwrap(), path.trim());
    }
    for path in [
        "",
        "/",
        "hooks",
        "/hooks/",
        "//hooks",
        "/a//b",
        "/./a",
        "/a/..",
        "/a b",
        "/a?b",
        "/a#b",
        "/{a}",
        "/*a",
        "/a%20b",
        "/:a",
        "https://a.example/b",
    ] {
        assert!(webhook_path(path).unwrap_err().starts_with("is not a path"), "{path}");
    }
}

#[test]
fn a_path_is_listed_once() {
    let args = |paths: &[&str]| WebhookPathArgs {
        webhook_paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    };
    assert!(args(&["/a", "/b"]).check().is_ok());
    let refused = args(&["/a", "/b", "/a"]).check().unwrap_err();
    assert!(refused.to_string().contains("\"/a\" is listed twice"), "{refused}");
}
