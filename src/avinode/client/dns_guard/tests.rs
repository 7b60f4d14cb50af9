use super::*;

fn found(addresses: &[&str]) -> Vec<SocketAddr> {
    let ips = addresses.iter().map(|address| address.parse::<IpAddr>().unwrap());
    ips.map(|ip| SocketAddr::new(ip, 0)).collect()
}

#[test]
fn one_private_address_among_public_ones_spoils_the_answer() {
    let answers = [
        &["10.0.0.1"][..],
        &["1.1.1.1", "127.0.0.1"],
        &["2606:4700::1", "::1"],
        &["1.1.1.1", "fe80::1"],
    ];
    for addresses in answers {
        assert!(
            check("a.example", &found(addresses), AllowedAddresses::Public).is_err(),
            "{addresses:?}"
        );
    }
    assert!(
        check(
            "a.example",
            &found(&["1.1.1.1", "2606:4700::1"]),
            AllowedAddresses::Public
        )
        .is_ok()
    );
}

#[test]
fn on_loopback_nothing_but_loopback_is_called() {
    assert!(check("localhost", &found(&["127.0.0.1", "::1"]), AllowedAddresses::Loopback).is_ok());
    for address in ["1.1.1.1", "10.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"] {
        assert!(
            check("localhost", &found(&["127.0.0.1", address]), AllowedAddresses::Loopback).is_err(),
            "{address}"
        );
    }
}
