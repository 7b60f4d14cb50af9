//! No test sleeps for a fixed time: it polls a condition with a deadline (`support/eventually.rs`).

use super::source::{Source, sources};

/// The test files that may sleep, how often, and the reason.
const SLEEPS: [(&str, usize, &str); 16] = [
    ("support/eventually.rs", 1, "the pause between two polls"),
    (
        "support/throughout.rs",
        1,
        "the pause between two checks that nothing happens",
    ),
    ("support/race.rs", 1, "one side of a race starts later"),
    (
        "events/order.rs",
        1,
        "transactions that commit in another order than they began (pg_sleep)",
    ),
    ("support/recorder.rs", 1, "a server that is slow on purpose"),
    (
        "database/transactions.rs",
        3,
        "a BEGIN that was sent has no sign before the server reads it",
    ),
    ("fetching/keys/running.rs", 1, "a call that is slower than its lease"),
    ("support/proxy.rs", 1, "a connection that is slow on purpose"),
    ("chaos/fault.rs", 1, "the time that a fault lasts"),
    ("crash/load.rs", 1, "the pause of a sender between two attempts"),
    ("crash/killed.rs", 1, "an INSERT that is slower than a claim (pg_sleep)"),
    (
        "faults/silent_connections.rs",
        2,
        "a statement that is running when its connection falls silent (pg_sleep)",
    ),
    (
        "crash/roles.rs",
        1,
        "an UPDATE that is slower than its lease (pg_sleep)",
    ),
    (
        "http/tests.rs",
        1,
        "the pause between two polls; unit tests cannot use the helper of these tests",
    ),
    ("http/tests/connections.rs", 1, "a client that is slow on purpose"),
    (
        "embedded/tests.rs",
        1,
        "the pause between two polls; unit tests cannot use the helper of these tests",
    ),
];

/// The test files that may delay one side of a race (`support/race.rs`), and how often.
const DELAYS: [(&str, usize); 10] = [
    ("attached/concurrent_host_writes.rs", 2),
    ("attached/deadlock.rs", 4),
    ("attached/host_writes.rs", 1),
    ("attached/quotes/inserted_values.rs", 2),
    ("attached/quotes/stated_values.rs", 2),
    ("database/migrating.rs", 1),
    ("matching/races.rs", 2),
    ("matching/request_trips.rs", 2),
    ("matching/rfqs/races.rs", 3),
    ("matching/trip_merge/races.rs", 1),
];

#[test]
fn tests_poll_a_condition_instead_of_sleeping() {
    let sleeps = SLEEPS.map(|(file, times, _)| (file, times));
    assert_counts("sleep(", &sleeps);
    assert_counts("sleep_until(", &[]);
    assert_counts("delay_one_side(", &[&DELAYS[..], &[("support/race.rs", 1)]].concat());
}

/// Asserts that these words occur in the given test files only, and so often.
fn assert_counts(words: &str, allowed: &[(&str, usize)]) {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in ["src", "tests"].iter().flat_map(|folder| sources(folder)) {
        // This file names the words.
        if !source.is_test() || source.name.ends_with("architecture_rules/sleeps.rs") {
            continue;
        }
        let allowed = allowed
            .iter()
            .find(|(file, _)| source.name.ends_with(&format!("/{file}")));
        seen += usize::from(allowed.is_some());
        let (times, most) = (count(&source, words), allowed.map_or(0, |(_, times)| *times));
        if times != most {
            wrong.push(format!("{}: {times} times {words}…), not {most}", source.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "poll a condition with support/eventually.rs, or add the file and the reason:\n{}",
        wrong.join("\n")
    );
    assert_eq!(seen, allowed.len(), "a file that may contain {words}…) is gone");
}

fn count(source: &Source, words: &str) -> usize {
    source.code.matches(words).count()
}
