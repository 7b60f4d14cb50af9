use super::*;
use crate::cli::wrap::width_of;

#[test]
fn a_line_has_a_tick_of_the_terminals_characters_and_at_most_80_columns() {
    let utf8 = OutputTerminal {
        is_utf8: true,
        ..OutputTerminal::default()
    };
    let line = |differences| DemoLine {
        text: "a sentence".to_owned(),
        differences,
    };
    assert_eq!(shown(&line(Some(vec![])), utf8), "✓ a sentence");
    assert_eq!(shown(&line(Some(vec![])), OutputTerminal::default()), "ok a sentence");
    assert_eq!(shown(&line(None), utf8), "- a sentence");
    let long = shown(&line(Some(vec!["x".repeat(200)])), OutputTerminal::default());
    assert!(long.starts_with("FAILED a sentence\n     xxx"), "{long}");
    assert!(long.lines().all(|line| width_of(line) <= 80), "{long}");
}
