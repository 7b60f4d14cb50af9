use uuid::Uuid;

use super::*;

#[test]
fn a_cursor_decodes_to_its_position_and_for_its_own_list_only() {
    for last_activity in [i64::MIN, -1, 0, i64::MAX] {
        let position = SessionCursor {
            last_activity,
            id: Uuid::from_u128(9),
        };
        assert_eq!(decode(&encode(&position)), Some(position));
    }
    assert_eq!(decode(&encode(&"aquote-1".to_owned())), Some("aquote-1".to_owned()));
    assert_eq!(decode(&encode(&7_i64)), Some(7_i64));
    assert_eq!(decode::<SessionCursor>(&encode(&7_i64)), None);
    assert_eq!(decode::<String>(&encode(&7_i64)), None);
    for forged in ["", "!", "cw", "c2ZvcmdlZA", "c2ZvcmdlZA==", "WyJzZXNzaW9ucyJd"] {
        assert_eq!(decode::<SessionCursor>(forged), None, "{forged:?}");
    }
}
