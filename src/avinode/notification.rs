//! STAND-IN.
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// x
    Thin {
        /// x
        key: String,
    },
    /// x
    Full,
    /// x
    Unknown,
}
/// x
pub fn route(body: &[u8]) -> Route {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) if value.get("event").is_some() => Route::Full,
        Ok(value) => value
            .get("id")
            .and_then(|id| id.as_str())
            .map_or(Route::Unknown, |id| Route::Thin { key: id.into() }),
        Err(_) => Route::Unknown,
    }
}
