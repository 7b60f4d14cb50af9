//! Webhook authentication: from raw bytes, headers and the time to the secret that signed them, or to a named error.
//!
//! | scheme | header | signed | replay window |
//! |---|---|---|---|
//! | HMAC-SHA256 | `X-Avinode-Signature`, `X-Webhook-Signature`: hex, with or without `sha256=` | the raw body | **none**: it carries no time, so a copy verifies for ever; deduplication by event id makes that harmless |
//! | HMAC-SHA256 with a time | the same headers: `t=<unix seconds>,v1=<hex>`, several `v1` | `<t>.<body>` | 300 s both ways |
//! | [Standard Webhooks](https://www.standardwebhooks.com) | `webhook-id`, `webhook-timestamp`, `webhook-signature` | `<id>.<timestamp>.<body>` | 300 s both ways |
//! | HTTP Basic | `Authorization` | nothing: it authenticates the caller, not the body, and needs TLS | none |
//!
//! The first two share their keys. A tag over `<t>.<body>` is also a plain tag of the body `<t>.{…}`, but that body is not
//! JSON and is refused by the next step. The reverse is impossible, because no JSON object begins with digits and a dot.

mod basic;
mod hmac;
mod hmac_key;
pub mod secrets;
pub mod signer;
mod standard_webhooks;
#[cfg(test)]
mod tests;
pub mod verification;
pub mod verifier;
