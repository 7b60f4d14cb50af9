use super::*;

#[test]
fn ids_of_known_resources_are_found_and_nothing_else() {
    let body = br#"{"trip":{"href":"https://x/api/trips/atrip-64956150"},"quote":{"id":"aquote-386512791"},"rfq":"arfq-1"
        "seller":"Zoe-1 zoe-2 asellermsg-7 aquote-386512791 AQUOTE-3 aquote-x aquote-1a acompany-9 aquote-1234567890123456789"#;
    assert_eq!(
        mentioned_ids(body),
        ["atrip-64956150", "aquote-386512791", "arfq-1", "asellermsg-7"]
    );
    assert_eq!(mentioned_ids(b"\xff\xfe aquote-2\xff"), ["aquote-2"]);
    let many: String = (0..100).map(|number| format!("arfq-{number} ")).collect();
    assert_eq!(mentioned_ids(many.as_bytes()).len(), 16);
}

#[test]
fn an_id_is_mentioned_as_a_whole_only() {
    assert!(mentions(br#"{"id":"aquote-1"}"#, "aquote-1"));
    assert!(mentions(b"A1B2C3", "a1b2c3"));
    assert!(!mentions(b"aquote-12", "aquote-1"));
    assert!(!mentions(b"xaquote-1", "aquote-1"));
    assert!(!mentions(b"", "aquote-1"));
}
