//! Continues the traces of senders, where spans are exported: `telemetry` installs how.

use std::sync::OnceLock;

use tracing::Span;

/// Makes a span a child of the one that a W3C `traceparent` names. An invalid `traceparent` changes nothing.
pub type ContinueTrace = fn(&Span, &str);

static CONTINUE_TRACE: OnceLock<ContinueTrace> = OnceLock::new();

/// Called by the export of spans, once.
pub fn install(continue_trace: ContinueTrace) {
    let _ = CONTINUE_TRACE.set(continue_trace);
}

/// Returns whether spans leave this process.
pub fn spans_are_exported() -> bool {
    CONTINUE_TRACE.get().is_some()
}

pub fn continue_trace(span: &Span, traceparent: &str) {
    if let Some(continue_trace) = CONTINUE_TRACE.get() {
        continue_trace(span, traceparent);
    }
}
