//! Causes of errors in fixed words, which hold no address, no secret and no SQL: for what anybody may read.

use sqlx::Error;

use super::limits::is_no_answer;
use super::no_host::{NoHost, Refusal};
use super::sqlstate::{READ_ONLY, sqlstate};

/// Of several hosts, none is usable, each for another reason.
const NO_HOST: &str = "no host accepts writes";

/// Returns the cause of an error of the database.
pub fn cause(error: &Error) -> &'static str {
    if let Some(refusals) = NoHost::refusals(error) {
        let mut causes = refusals.map(|refusal| match refusal {
            Refusal::Failed(error) => cause(error),
            Refusal::Standby | Refusal::ReadOnly => "read-only",
        });
        let first = causes.next().unwrap_or("failed");
        return if causes.all(|cause| cause == first) {
            first
        } else {
            NO_HOST
        };
    }
    if is_no_answer(error) {
        return "does not answer";
    }
    let Some(code) = sqlstate(error) else {
        return match error {
            Error::Io(_) | Error::Tls(_) => "cannot be reached",
            _ => "failed",
        };
    };
    match &*code {
        READ_ONLY => "read-only",
        "53100" => "disk full",
        "53200" => "out of memory",
        "53300" => "too many connections",
        "55P03" => "a table is locked",
        "57014" => "a statement took too long",
        "57P01" | "57P02" | "57P03" => "starts or stops",
        "42501" => "lacks a privilege",
        "42P01" | "3F000" => "lacks a table",
        "3D000" => "does not exist",
        code if code.starts_with("28") => "refuses the login",
        code if code.starts_with("08") => "cannot be reached",
        code if code.starts_with("58") => "input/output error",
        _ => "failed",
    }
}
