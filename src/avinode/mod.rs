//! The outside world's language: ids, notifications, documents, signatures. No I/O.

pub mod signature;
