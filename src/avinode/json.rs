//! STAND-IN.
/// x
#[derive(Debug, thiserror::Error)]
#[error("not JSON")]
pub struct NotJson;
/// x
pub fn check(bytes: &[u8]) -> Result<(), NotJson> {
    serde_json::from_slice::<serde_json::Value>(bytes)
        .map(drop)
        .map_err(|_| NotJson)
}
