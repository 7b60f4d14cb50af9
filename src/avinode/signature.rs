//! Proof of the sender: raw bytes, headers and the time go in; which secret signed them, or a named refusal, comes out.
//!
//! | scheme | header | signed | replay window |
//! |---|---|---|---|
//! | HMAC-SHA256 | `X-Avinode-Signature`, `X-Webhook-Signature`: hex, with or without `sha256=` | the raw body | **none**: it carries no time, so a copy verifies for ever; de-duplication by event id is what makes that harmless |
//! | HMAC-SHA256 with a time | the same headers: `t=<unix seconds>,v1=<hex>`, several `v1` | `<t>.<body>` | 300 s both ways |
//! | [Standard Webhooks](https://www.standardwebhooks.com) | `webhook-id`, `webhook-timestamp`, `webhook-signature` | `<id>.<timestamp>.<body>` | 300 s both ways |
//! | HTTP Basic | `Authorization` | nothing: it proves the caller, not the body; TLS must be in front | none |
//!
//! The first two share their keys. A tag over `<t>.<body>` is also a plain tag of the body `<t>.{…}`, which is not JSON
//! and so is refused by the next step; no JSON object begins with digits and a dot, so the other way is closed too.
//!
//! Several files, since each scheme has a grammar of its own; they share `key` and [`verification`].

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
