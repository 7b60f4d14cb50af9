//! Rows as arrays, one per column: the parameters of `unnest`.

/// Returns one column of these rows.
pub fn column<I: IntoIterator, T>(rows: I, value: impl FnMut(I::Item) -> T) -> Vec<T> {
    rows.into_iter().map(value).collect()
}
