//! Characters that change how a terminal shows the text around them.

/// True for a character that must not reach a terminal as it is: control characters, those that change the direction of the text
/// (a name could show another amount than it has), and the separators of lines and paragraphs.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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
}
