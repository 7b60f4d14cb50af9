//! The class of a dead letter's reason: its fixed words, without ids, values and what others wrote.

/// The longest class, in characters.
const MAX_LENGTH: usize = 80;

/// The class of a reason without fixed words.
pub const OTHER: &str = "another reason";

/// Returns the first clause of a reason in which each word with a digit is `#`. Of a call of Avinode's API, whose first clause is the
/// resource, the second one. What is quoted is left out: it may be from a body.
pub fn class(reason: &str) -> String {
    let mut clauses = reason.split(": ");
    let first = clauses.next().unwrap_or_default();
    let clause = match clauses.next() {
        Some(second) if first.contains('/') => second,
        _ => first,
    };
    let end = clause
        .find(['"', '\'', '`', '(', '[', '{', '<', '\n'])
        .unwrap_or(clause.len());
    let words = clause[..end].split_whitespace().map(|word| match word {
        word if is_status(word) => word,
        word if word.contains(|c: char| !c.is_ascii_alphabetic() && !"-_,.;:".contains(c)) => "#",
        word => word,
    });
    let class: String = words.collect::<Vec<_>>().join(" ").chars().take(MAX_LENGTH).collect();
    match class.trim_end_matches([' ', ',', ':', ';']) {
        "" => OTHER.to_owned(),
        class => class.to_owned(),
    }
}

/// A status of HTTP.
fn is_status(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
