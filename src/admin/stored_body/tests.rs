use proptest::prelude::*;

use super::StoredBody;

proptest! {
    #[test]
    fn any_bytes_survive_json(bytes: Vec<u8>) {
        let json = serde_json::to_string(&StoredBody::from(bytes.clone())).unwrap();
        let read: StoredBody = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read.bytes().into_owned(), bytes);
    }
}

#[test]
fn utf_8_is_shown_as_text_and_other_bytes_as_base64() {
    let shown = |bytes: &[u8]| serde_json::to_value(StoredBody::from(bytes.to_vec())).unwrap();
    assert_eq!(
        shown("{\"a\":\"ü\"}".as_bytes()),
        serde_json::json!({"encoding": "text", "content": "{\"a\":\"ü\"}"})
    );
    assert_eq!(
        shown(&[0xff, 0xfe]),
        serde_json::json!({"encoding": "base64", "content": "//4="})
    );
}
