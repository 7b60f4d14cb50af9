use super::*;

#[test]
fn a_class_is_the_fixed_words_of_a_reason() {
    for (reason, expected) in [
        (
            "unknown event kind \"Jane Doe called +1 555 0100\"",
            "unknown event kind",
        ),
        (
            "its worker died 3 times while it ran isolated",
            "its worker died # times while it ran isolated",
        ),
        (
            "GET rfqs/arfq-12345678: Avinode responded with 403: \"no access for jane@example.com\"",
            "Avinode responded with 403",
        ),
        (
            "error returned from database: column name of Jane Doe",
            "error returned from database",
        ),
        ("its delivery was deleted", "its delivery was deleted"),
        (
            "no type, and none known for the id arfq-1",
            "no type, and none known for the id #",
        ),
        ("jane@example.com wrote", "# wrote"),
        ("\"quoted from the start\"", "another reason"),
        ("", "another reason"),
    ] {
        assert_eq!(class(reason), expected, "{reason}");
    }
}

#[test]
fn reasons_that_differ_in_ids_have_one_class() {
    let of = |id: &str| class(&format!("rfqs/{id} names no trip, and the session has none: {id}"));
    assert_eq!(of("arfq-1"), of("arfq-2"));
}

#[test]
fn a_class_is_short() {
    assert_eq!(class(&"word ".repeat(100)).chars().count(), MAX_LENGTH - 1);
}
