//! Environment variables that look like settings and are not: misspelt names, and former names.

/// A variable with a name that begins like a setting's. Its value is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    pub name: String,
    /// The settings with the most similar names; several where one is as similar as the other, none where none is.
    pub nearest: Vec<String>,
}

/// Names below this similarity are not suggested.
const MIN_SIMILARITY: f64 = 0.4;
/// Of two names that are about as similar, the one with the same prefix is suggested.
const SAME_PREFIX: f64 = 0.2;
/// Words without a meaning of their own: every duration has a unit.
const UNITS: [&str; 4] = ["MILLIS", "SECONDS", "MINUTES", "DAYS"];
/// Words below this similarity are different words.
const MIN_WORD_SIMILARITY: f64 = 0.7;

/// Returns the variables of the environment that begin with `INGEST_` or `AVINODE_` and are not among `known`, in alphabetical
/// order. Empty ones count as unset.
pub fn unknown_variables(known: &[String]) -> Vec<UnknownVariable> {
    let variables = std::env::vars_os();
    let set = variables.filter(|(_, value)| !value.is_empty());
    unknown(set.map(|(name, _)| name.to_string_lossy().into_owned()), known)
}

fn unknown(names: impl Iterator<Item = String>, known: &[String]) -> Vec<UnknownVariable> {
    let looks_like_a_setting = |name: &String| name.starts_with("INGEST_") || name.starts_with("AVINODE_");
    let mut unknown: Vec<UnknownVariable> = names
        .filter(|name| looks_like_a_setting(name) && !known.contains(name))
        .map(|name| UnknownVariable {
            nearest: nearest(&name, known),
            name,
        })
        .collect();
    unknown.sort_by(|one, other| one.name.cmp(&other.name));
    unknown
}

fn nearest(name: &str, known: &[String]) -> Vec<String> {
    let similar = known.iter().map(|other| (similarity(name, other), other));
    let similar = similar.filter(|(similarity, _)| *similarity >= MIN_SIMILARITY);
    let ranked: Vec<(f64, &String)> = similar
        .map(|(similarity, other)| match prefix(name) == prefix(other) {
            true => (similarity + SAME_PREFIX, other),
            false => (similarity, other),
        })
        .collect();
    let best = ranked.iter().map(|(rank, _)| *rank).fold(0.0, f64::max);
    let nearest = ranked.into_iter().filter(|(rank, _)| *rank >= best);
    let mut nearest: Vec<String> = nearest.map(|(_, other)| other.clone()).collect();
    nearest.sort();
    nearest
}

fn prefix(name: &str) -> Option<&str> {
    name.split('_').next()
}

/// The share of words that two names have in common, their prefixes apart. By words, because `INGEST_POOLER` is nearer to
/// `INGEST_TRANSACTION_POOLER` than to `INGEST_ROLE`.
fn similarity(one: &str, other: &str) -> f64 {
    fn words(name: &str) -> Vec<&str> {
        name.split('_').skip(1).filter(|word| !UNITS.contains(word)).collect()
    }
    let (one, other) = (words(one), words(other));
    let word = |word: &&str| {
        let alike = other
            .iter()
            .map(|other| strsim::normalized_damerau_levenshtein(word, other));
        alike.filter(|alike| *alike >= MIN_WORD_SIMILARITY).fold(0.0, f64::max)
    };
    2.0 * one.iter().map(word).sum::<f64>() / (one.len() + other.len()) as f64
}

#[cfg(test)]
mod tests;
