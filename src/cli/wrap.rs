//! Breaks text into lines of a width, by the columns that a terminal gives to its characters.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// The columns that a text takes.
pub fn width_of(text: &str) -> usize {
    display_width(text)
}

/// Breaks a text between words, and a longer word anywhere. An empty text is one empty line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    wrap_hanging(text, width, 0)
}

/// The same, with the lines after the first indented.
pub fn wrap_hanging(text: &str, width: usize, indent: usize) -> Vec<String> {
    let indent = " ".repeat(indent);
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(true);
    let lines = textwrap::wrap(text, options).into_iter();
    lines.map(std::borrow::Cow::into_owned).collect()
}

/// Breaks a line for standard output. `None`: it is as long as it is.
pub fn fit(text: &str, width: Option<usize>, indent: usize) -> String {
    match width {
        Some(width) => wrap_hanging(text, width, indent.min(width / 2)).join("\n"),
        None => text.to_owned(),
    }
}

/// Fills a text up with spaces.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(width_of(text))))
}
