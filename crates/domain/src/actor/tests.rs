use super::*;

#[test]
fn an_actor_and_its_note_are_one_line_without_control_characters() {
    let actor = Actor::command_line("al\nice", "db1\u{1b}[31m");
    assert_eq!(actor.as_str(), "cli:al?ice@db1?[31m");
    let note = ActionNote::parse("  the relay was repaired ").unwrap();
    let acting = Acting::new(Actor::token("dashboard"), Some(note));
    assert_eq!(acting.to_string(), "by token:dashboard: the relay was repaired");
    assert_eq!(Acting::new(Actor::program(), None).to_string(), "by program");
}

#[test]
fn a_note_has_bounds() {
    assert_eq!(ActionNote::parse(" \t"), Err(NoteError::Empty));
    assert_eq!(ActionNote::parse("a\nb"), Err(NoteError::ControlCharacter));
    assert_eq!(ActionNote::parse(&"ü".repeat(MAX_NOTE + 1)), Err(NoteError::TooLong));
    assert!(ActionNote::parse(&"ü".repeat(MAX_NOTE)).is_ok());
}
