//! Verification of the `href` of a notification.

use super::super::*;
use crate::resource::ResourceKind;
use ingest_domain::ids::ResourceId;

fn resource(kind: ResourceKind, id: &str) -> Resource {
    Resource {
        kind,
        id: ResourceId::parse(id).unwrap(),
    }
}

#[test]
fn the_url_of_the_resource_is_accepted() {
    let base = BaseUrl::parse("https://sandbox.avinode.com/api", false).unwrap();
    let rfq = resource(ResourceKind::Rfqs, "arfq-1");
    for href in [
        "https://sandbox.avinode.com/api/rfqs/arfq-1",
        "https://sandbox.avinode.com:443/api/rfqs/arfq-1",
        // Spellings of the same resource; only the first of all is ever called.
        "https://sandbox.avinode.com/api/rfqs/arfq-1/",
        "https://sandbox.avinode.com/api/rfqs/arfq-1?x=1",
        "https://sandbox.avinode.com/api/rfqs/arfq-1?",
        "https://sandbox.avinode.com/api/rfqs/arfq-1/?tripId=A1B2C3&x=%20",
        "https://sandbox.avinode.com/api/rfqs/1",
        "https://sandbox.avinode.com:443/api/rfqs/1/?x=1",
    ] {
        assert_eq!(base.verify_href(href, &rfq), Ok(()), "{href}");
    }
    let message = resource(ResourceKind::TripMessages, "asellermsg-7");
    let href = "https://sandbox.avinode.com/api/tripmsgs/asellermsg-7";
    assert_eq!(base.verify_href(href, &message), Ok(()));
}

#[test]
fn a_url_that_differs_by_a_byte_is_refused() {
    let base = BaseUrl::parse("https://sandbox.avinode.com/api", false).unwrap();
    let rfq = resource(ResourceKind::Rfqs, "arfq-1");
    for href in [
        "",
        "arfq-1",
        "/api/rfqs/arfq-1",
        "//sandbox.avinode.com/api/rfqs/arfq-1",
        "http://sandbox.avinode.com/api/rfqs/arfq-1",
        "ftp://sandbox.avinode.com/api/rfqs/arfq-1",
        "file:///api/rfqs/arfq-1",
        "HTTPS://sandbox.avinode.com/api/rfqs/arfq-1",
        // Hosts that look like it, or contain it.
        "https://sandbox.avinode.com.evil.example/api/rfqs/arfq-1",
        "https://sandbox-avinode.com/api/rfqs/arfq-1",
        "https://xsandbox.avinode.com/api/rfqs/arfq-1",
        "https://avinode.com/api/rfqs/arfq-1",
        "https://www.avinode.com/api/rfqs/arfq-1",
        "https://sandbox.avin0de.com/api/rfqs/arfq-1",
        "https://sаndbox.avinode.com/api/rfqs/arfq-1", // a Cyrillic a
        "https://SANDBOX.AVINODE.COM/api/rfqs/arfq-1",
        "https://sandbox.avinode.com./api/rfqs/arfq-1",
        "https://sandbox.avinode.com%2eevil.example/api/rfqs/arfq-1",
        "https://evil.example/sandbox.avinode.com/api/rfqs/arfq-1",
        "https://evil.example/?https://sandbox.avinode.com/api/rfqs/arfq-1",
        "https://evil.example/#https://sandbox.avinode.com/api/rfqs/arfq-1",
        // User info.
        "https://user@sandbox.avinode.com/api/rfqs/arfq-1",
        "https://user:word@sandbox.avinode.com/api/rfqs/arfq-1",
        "https://sandbox.avinode.com@evil.example/api/rfqs/arfq-1",
        "https://sandbox.avinode.com:443@evil.example/api/rfqs/arfq-1",
        "https://@sandbox.avinode.com/api/rfqs/arfq-1",
        "https://sandbox.avinode.com\\@evil.example/api/rfqs/arfq-1",
        // Ports.
        "https://sandbox.avinode.com:80/api/rfqs/arfq-1",
        "https://sandbox.avinode.com:8443/api/rfqs/arfq-1",
        "https://sandbox.avinode.com:/api/rfqs/arfq-1",
        "https://sandbox.avinode.com:0443/api/rfqs/arfq-1",
        // Addresses.
        "https://127.0.0.1/api/rfqs/arfq-1",
        "https://169.254.169.254/api/rfqs/arfq-1",
        "https://[::1]/api/rfqs/arfq-1",
        "https://2130706433/api/rfqs/arfq-1",
        "https://localhost/api/rfqs/arfq-1",
        // Other paths, equivalent ones included.
        "https://sandbox.avinode.com/rfqs/arfq-1",
        "https://sandbox.avinode.com/API/rfqs/arfq-1",
        "https://sandbox.avinode.com/api/v2/rfqs/arfq-1",
        "https://sandbox.avinode.com/api/rfqs/arfq-1//",
        "https://sandbox.avinode.com/api//rfqs/arfq-1",
        "https://sandbox.avinode.com/api/./rfqs/arfq-1",
        "https://sandbox.avinode.com/api/rfqs/../rfqs/arfq-1",
        "https://sandbox.avinode.com/api/rfqs/%61rfq-1",
        "https://sandbox.avinode.com/api/rfqs%2Farfq-1",
        "https://sandbox.avinode.com/api/rfqs\\arfq-1",
        "https:\\\\sandbox.avinode.com\\api\\rfqs\\arfq-1",
        "https://sandbox.avinode.com/api/rfqs/arfq-1#x",
        "https://sandbox.avinode.com/api/rfqs/arfq-1?x=1#y",
        "https://sandbox.avinode.com/api/rfqs/arfq-1?x=1\r\nX-Evil: 1",
        "https://sandbox.avinode.com/api/rfqs/arfq-1?x y",
        "https://sandbox.avinode.com/api/rfqs/arfq-1?x\\y",
        "https://evil.example/api/rfqs/arfq-1?https://sandbox.avinode.com/api/rfqs/arfq-1",
        "https://sandbox.avinode.com/api/rfqs/?id=arfq-1",
        "https://sandbox.avinode.com/api/rfqs?x=/arfq-1",
        "https://sandbox.avinode.com/api/rfqs/arfq-1;x",
        "https://sandbox.avinode.com/api/rfqs/arfq-1/cancel",
        // Another id, another kind.
        "https://sandbox.avinode.com/api/rfqs/arfq-2",
        "https://sandbox.avinode.com/api/rfqs/arfq-11",
        "https://sandbox.avinode.com/api/rfqs/2",
        "https://sandbox.avinode.com/api/rfqs/01",
        "https://sandbox.avinode.com/api/rfqs/-1",
        "https://sandbox.avinode.com/api/rfqs/",
        "https://sandbox.avinode.com/api/trips/1",
        "https://sandbox.avinode.com/api/rfqs/ARFQ-1",
        "https://sandbox.avinode.com/api/trips/arfq-1",
        "https://sandbox.avinode.com/api/webhooks/settings",
        // White space and line ends.
        " https://sandbox.avinode.com/api/rfqs/arfq-1",
        "https://sandbox.avinode.com/api/rfqs/arfq-1 ",
        "https://sandbox.avinode.com/api/rfqs/arfq-1\r\nX-Evil: 1",
        "https://sandbox.avi\tnode.com/api/rfqs/arfq-1",
    ] {
        assert!(base.verify_href(href, &rfq).is_err(), "{href:?}");
    }
}

#[test]
fn an_id_that_cannot_be_part_of_a_path_is_refused_with_any_href() {
    let base = BaseUrl::parse("https://sandbox.avinode.com/api", false).unwrap();
    for id in ["arfq-1/../../x", "arfq-1?x", "..", "arfq-1%2F", "arfq-1#", "arfq"] {
        let href = format!("https://sandbox.avinode.com/api/rfqs/{id}");
        assert!(
            base.verify_href(&href, &resource(ResourceKind::Rfqs, id)).is_err(),
            "{id}"
        );
    }
}

#[test]
fn the_reason_is_one_bounded_line_with_both_urls() {
    let base = BaseUrl::parse("https://sandbox.avinode.com/api", false).unwrap();
    let href = format!("https://evil.example/\u{1b}[2J\n{}", "x".repeat(100_000));
    let refused = base
        .verify_href(&href, &resource(ResourceKind::Rfqs, "arfq-1"))
        .unwrap_err();
    let reason = refused.to_string();
    assert!(reason.contains("evil.example") && reason.contains("https://sandbox.avinode.com/api/rfqs/arfq-1"));
    assert!(reason.len() < 400 && !reason.contains(char::is_control), "{reason}");
}

#[test]
fn on_loopback_the_port_must_match() {
    let base = BaseUrl::parse("http://127.0.0.1:8090/api", true).unwrap();
    let rfq = resource(ResourceKind::Rfqs, "arfq-1");
    assert_eq!(base.verify_href("http://127.0.0.1:8090/api/rfqs/arfq-1", &rfq), Ok(()));
    for href in [
        "http://127.0.0.1/api/rfqs/arfq-1",
        "http://127.0.0.1:8091/api/rfqs/arfq-1",
        "http://localhost:8090/api/rfqs/arfq-1",
        "https://127.0.0.1:8090/api/rfqs/arfq-1",
    ] {
        assert!(base.verify_href(href, &rfq).is_err(), "{href}");
    }
}
