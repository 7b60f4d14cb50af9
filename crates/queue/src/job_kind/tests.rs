use super::*;

#[test]
fn every_kind_is_parsed_from_its_own_spelling() {
    for kind in JobKind::ALL {
        assert_eq!(JobKind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(JobKind::parse("thin"), None);
}
