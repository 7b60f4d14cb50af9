//! Reads `/readyz` of the program.

use serde_json::Value;

use crate::crash::program::Serve;

/// The status, and the result of one of the checks.
pub async fn check(service: &Serve, name: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{}/readyz", service.address))
        .await
        .unwrap();
    let status = response.status().as_u16();
    let report: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    (status, report["checks"][name].as_str().unwrap_or_default().to_owned())
}
