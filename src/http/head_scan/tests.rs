use super::*;

/// Scans in pieces of every length, and returns the bytes and the scan.
fn scan(text: &str, piece: usize) -> (String, HeadScan) {
    let mut bytes = text.as_bytes().to_vec();
    let mut scan = HeadScan::default();
    for piece in bytes.chunks_mut(piece) {
        scan.scan(piece);
    }
    (String::from_utf8(bytes).unwrap(), scan)
}

#[test]
fn a_bare_line_feed_of_a_head_becomes_an_invalid_byte() {
    for (text, expected) in [
        ("GET / HTTP/1.1\r\nhost: a\n\r\n", "GET / HTTP/1.1\r\nhost: a\0\r\n"),
        ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.1\r\na: b\r\n\n", "GET / HTTP/1.1\r\na: b\r\n\0"),
    ] {
        for piece in 1..=text.len() {
            assert_eq!(scan(text, piece).0, expected, "in pieces of {piece}");
        }
    }
}

#[test]
fn the_bytes_after_a_head_are_counted_and_unchanged() {
    let text = "\r\n\r\nPOST / HTTP/1.1\r\nhost: a\r\n\r\n{\n}\r\n\r\n";
    for piece in 1..=text.len() {
        let (same, scan) = scan(text, piece);
        assert_eq!(same, text);
        assert!(scan.is_followed_by(7) && !scan.is_followed_by(3), "{scan:?}");
    }
    assert!(!scan("GET / HTTP/1.1\r\n", 9).1.is_followed_by(0));
}
