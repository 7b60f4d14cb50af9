//! Recognises public IP addresses, by the IANA registries of special-purpose addresses (RFC 6890 and its successors).
//!
//! For IPv4 the list of special networks is the shorter one, for IPv6 the list of public networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// False for private, loopback, link-local, shared (carrier-grade NAT), documentation, benchmarking, multicast, reserved and
/// unspecified addresses, and for IPv6 addresses that lead to such an IPv4 address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Networks by first address and prefix length.
const NOT_PUBLIC_V4: [([u8; 4], u32); 14] = [
    ([0, 0, 0, 0], 8),       // "this network", and unspecified
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared: carrier-grade NAT, and internal services of some clouds
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local: clouds' metadata services
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // 6to4 relays, withdrawn
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarking
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 3),     // multicast, reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    NOT_PUBLIC_V4
        .iter()
        .all(|(network, length)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) != 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let last = Ipv4Addr::from_bits(u32::from(parts[6]) << 16 | u32::from(parts[7]));
    match parts {
        // Mapped IPv4.
        [0, 0, 0, 0, 0, 0xffff, ..] => is_public_v4(last),
        // NAT64, by which IPv6-only networks reach IPv4. The prefix for local use (64:ff9b:1::/48) falls through.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last),
        // 6to4: the IPv4 address follows the prefix.
        [0x2002, high, low, ..] => is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        // Protocol assignments, Teredo and benchmarking among them; documentation, twice.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Global unicast. Unspecified, loopback, unique local, link-local and multicast addresses are outside of it.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests;
