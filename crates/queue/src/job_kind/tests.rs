use super::*;

#[test]
fn every_kind_is_parsed_from_its_own_spelling() {
    for kind in JobKind::VARIANTS.iter().copied() {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert!("thin".parse::<JobKind>().is_err());
}
