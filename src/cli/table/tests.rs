use super::*;

#[test]
fn a_table_has_columns_under_headings() {
    let mut table = TextTable::new(["trip", "quotes", "primary"]).numbers(&[1]);
    table.row(["A1B2C3", "12", "aquote-1"]);
    table.row(["atrip-64956150".to_owned(), "3".to_owned(), or_dash(None::<String>)]);
    assert_eq!(
        table.render(None, false),
        "trip            quotes  primary\n\
         --------------------------------\n\
         A1B2C3              12  aquote-1\n\
         atrip-64956150       3  –"
    );
}

#[test]
fn control_characters_in_a_cell_are_escaped() {
    let mut table = TextTable::new(["content"]);
    table.row(["\u{1b}[2Jgone\n"]);
    let shown = table.render(None, false);
    assert!(shown.ends_with("\\u{1b}[2Jgone\\n"), "{shown}");
}

/// Rows as a list of deliveries has them, with text that a stranger wrote.
fn hostile() -> TextTable {
    let headings = ["delivery", "received", "state", "detail"];
    let rows = [
        [
            "01a22810-0a53-73b9-b03e-2d8c75b90c8e",
            "2026-01-31T10:00:00Z",
            "dead",
            "unknown event kind",
        ]
        .map(str::to_owned),
        ["x".repeat(300), "–".to_owned(), "applied".to_owned(), "空".repeat(150)],
        [
            "\u{1b}[2J\u{202e}".repeat(20),
            "é".repeat(90),
            "queued".to_owned(),
            "a b ".repeat(80),
        ],
    ];
    TextTable::new(headings)
        .texts(&[3])
        .states(&[2])
        .optional(&[1])
        .rows(rows)
}

#[test]
fn no_line_is_longer_than_the_width_and_nothing_is_lost_from_the_shown_columns() {
    for width in 20..=200 {
        let shown = hostile().render(Some(width), false);
        for line in shown.lines() {
            assert!(width_of(line) <= width, "{width}: {line}");
        }
        let count = |letter: char| shown.chars().filter(|c| *c == letter).count();
        assert_eq!((count('空'), count('x')), (150, 300), "{width}");
    }
}

#[test]
fn a_pipe_gets_one_line_per_row() {
    assert_eq!(hostile().render(None, false).lines().count(), 2 + 3);
}

#[test]
fn a_narrow_terminal_does_without_optional_columns_and_says_so_and_then_shows_cards() {
    let mut table = TextTable::new(["id", "received", "state"]).states(&[2]).optional(&[1]);
    table.row(["aquote-386500101", "2026-01-31T10:00:00Z", "dead"]);
    assert_eq!(
        table.render(Some(30), false),
        "id                state\n\
         -----------------------\n\
         aquote-386500101  dead\n\
         \n\
         not shown at this width:\n\
         received"
    );
    assert_eq!(
        table.render(Some(22), false),
        "id: aquote-386500101\n\
         received:\n\
         2026-01-31T10:00:00Z\n\
         state: dead"
    );
}

#[test]
fn only_state_words_have_a_colour_and_only_where_colours_are_wanted() {
    let mut table = TextTable::new(["state", "reason"]).states(&[0]).texts(&[1]);
    table.row(["dead", "dead"]);
    assert!(
        table.render(None, true).ends_with("\n\u{1b}[31mdead\u{1b}[0m   dead"),
        "{:?}",
        table.render(None, true)
    );
    assert!(!table.render(None, false).contains('\u{1b}'));
    let job = TextTable::properties("job", 7, [("state", "dead".to_owned()), ("kind", "dead".to_owned())]);
    assert_eq!(job.render(None, true).matches("\u{1b}[31m").count(), 1);
}
