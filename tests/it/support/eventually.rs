//! Polls a condition until it holds.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// One observation: the awaited value, or a description of the present state.
pub trait Observation {
    type Value;

    fn into_result(self) -> Result<Self::Value, String>;
}

impl Observation for bool {
    type Value = ();

    fn into_result(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Observation for Option<T> {
    type Value = T;

    fn into_result(self) -> Result<T, String> {
        self.ok_or_else(|| "None".to_owned())
    }
}

impl<T, E: Debug> Observation for Result<T, E> {
    type Value = T;

    fn into_result(self) -> Result<T, String> {
        self.map_err(|seen| format!("{seen:?}"))
    }
}

/// Polls until `observe` returns `true`, `Some` or `Ok`, and returns the value. Panics with the last observation if that has not
/// happened within `deadline`.
///
/// The pause between two polls is a twentieth of the time waited so far, between 2 and 50 ms.
pub async fn eventually<F: Future<Output: Observation>>(
    deadline: Duration,
    condition: &str,
    mut observe: impl FnMut() -> F,
) -> <F::Output as Observation>::Value {
    let began = Instant::now();
    loop {
        match observe().await.into_result() {
            Ok(value) => return value,
            Err(seen) => assert!(
                began.elapsed() < deadline,
                "not within {deadline:?}: {condition}; last seen: {seen}"
            ),
        }
        let pause = began.elapsed() / 20;
        sleep(pause.clamp(Duration::from_millis(2), Duration::from_millis(50))).await;
    }
}

/// `Ok` if the observed value is the expected one; otherwise the observed value.
#[expect(clippy::needless_pass_by_value, reason = "callers write the value where they call")]
pub fn equal<T: PartialEq + Debug>(seen: T, expected: T) -> Result<(), T> {
    if seen == expected { Ok(()) } else { Err(seen) }
}

/// `Ok` if the observed value is at least this; otherwise the observed value.
#[expect(clippy::needless_pass_by_value, reason = "callers write the value where they call")]
pub fn at_least<T: PartialOrd + Debug>(seen: T, least: T) -> Result<(), T> {
    if seen >= least { Ok(()) } else { Err(seen) }
}
