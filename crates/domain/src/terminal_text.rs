//! Characters that change how a terminal or a page shows the text around them.

/// True for a character that must not reach a terminal as it is: control characters, those that change the direction of the text
/// (a name could show another amount than it has), and the separators of lines and paragraphs.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Escapes characters that control a terminal or change the direction of its text: text from outside must do neither.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unsafe(c) {
            true => visible.extend(c.escape_default()),
            false => visible.push(c),
        }
    }
    visible
}

/// As [`visible`], except for line ends.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_direction_and_line_characters_are_unsafe_and_letters_of_every_script_are_not() {
        let unsafe_ones = [
            '\u{7}', '\u{1B}', '\u{7F}', '\u{9B}', '\n', '\u{61C}', '\u{200E}', '\u{200F}', '\u{2028}', '\u{2029}',
            '\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}',
        ];
        assert!(unsafe_ones.into_iter().all(is_unsafe));
        assert!("Zürich – שלום مرحبا 空 \u{200D}\u{A0}".chars().all(|it| !is_unsafe(it)));
    }

    #[test]
    fn text_from_outside_neither_controls_the_terminal_nor_turns_its_text_around() {
        assert_eq!(
            visible("a\u{1B}[2J\u{202E}b\u{2028}c"),
            "a\\u{1b}[2J\\u{202e}b\\u{2028}c"
        );
        assert_eq!(visible_lines("a\nb\u{2066}"), "a\nb\\u{2066}");
    }
}
