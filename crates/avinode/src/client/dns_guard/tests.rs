use super::*;

fn resolved(addresses: &[&str]) -> Vec<SocketAddr> {
    let ips = addresses.iter().map(|address| address.parse::<IpAddr>().unwrap());
    ips.map(|ip| SocketAddr::new(ip, 0)).collect()
}

#[test]
fn one_private_address_among_public_ones_blocks_the_host() {
    let responses = [
        &["10.0.0.1"][..],
        &["1.1.1.1", "127.0.0.1"],
        &["2606:4700::1", "::1"],
        &["1.1.1.1", "fe80::1"],
    ];
    for addresses in responses {
        assert!(
            check("a.example", &resolved(addresses), AllowedAddresses::Public).is_err(),
            "{addresses:?}"
        );
    }
    assert!(
        check(
            "a.example",
            &resolved(&["1.1.1.1", "2606:4700::1"]),
            AllowedAddresses::Public
        )
        .is_ok()
    );
}

#[test]
fn a_loopback_host_resolves_to_loopback_addresses_only() {
    assert!(
        check(
            "localhost",
            &resolved(&["127.0.0.1", "::1"]),
            AllowedAddresses::Loopback
        )
        .is_ok()
    );
    for address in ["1.1.1.1", "10.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"] {
        assert!(
            check(
                "localhost",
                &resolved(&["127.0.0.1", address]),
                AllowedAddresses::Loopback
            )
            .is_err(),
            "{address}"
        );
    }
}
