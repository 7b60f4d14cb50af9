use super::*;

#[test]
fn a_cursor_leads_back_to_its_place_and_to_no_other_list() {
    for last_activity in [i64::MIN, -1, 0, i64::MAX] {
        let place = SessionCursor {
            last_activity,
            id: Uuid::from_u128(9),
        };
        assert_eq!(read(&write(&place)), Some(place));
    }
    assert_eq!(read(&write(&"aquote-1".to_owned())), Some("aquote-1".to_owned()));
    assert_eq!(read(&write(&7_i64)), Some(7_i64));
    assert_eq!(read::<SessionCursor>(&write(&7_i64)), None);
    assert_eq!(read::<String>(&write(&7_i64)), None);
    for forged in ["", "!", "cw", "c2ZvcmdlZA", "c2ZvcmdlZA=="] {
        assert_eq!(read::<SessionCursor>(forged), None, "{forged:?}");
    }
}
