use super::*;

const KNOWN: [&str; 13] = [
    "AVINODE_API_LAG",
    "AVINODE_API_TOKEN",
    "AVINODE_CALLS_PER_SECOND",
    "INGEST_API_DATABASE_MAX_CONNECTIONS",
    "INGEST_API_TOKENS",
    "INGEST_DATABASE_MAX_CONNECTIONS",
    "INGEST_HTTP_MAX_CONNECTIONS",
    "INGEST_LEASE_DURATION",
    "INGEST_LOG_FORMAT",
    "INGEST_OUTCOME_RETENTION",
    "INGEST_ROLE",
    "INGEST_TRANSACTION_POOLER",
    "INGEST_WORKERS",
];

fn suggested(name: &str) -> String {
    let found = unknown([name.to_owned()].into_iter(), &KNOWN.map(str::to_owned));
    found.into_iter().map(|found| found.nearest.join(" ")).collect()
}

#[test]
fn a_misspelt_or_former_name_suggests_the_setting_that_it_is_nearest_to() {
    for (name, setting) in [
        ("INGEST_WROKERS", "INGEST_WORKERS"),
        ("INGEST_WORKER", "INGEST_WORKERS"),
        ("INGEST_POOLER", "INGEST_TRANSACTION_POOLER"),
        ("INGEST_LEASE_SECONDS", "INGEST_LEASE_DURATION"),
        ("INGEST_LOG", "INGEST_LOG_FORMAT"),
        ("INGEST_KEEP_OUTCOMES_DAYS", "INGEST_OUTCOME_RETENTION"),
        ("INGEST_MAX_CONNECTIONS_HTTP", "INGEST_HTTP_MAX_CONNECTIONS"),
        ("INGEST_API_CONNECTIONS", "INGEST_API_DATABASE_MAX_CONNECTIONS"),
        ("AVINODE_TOKEN", "AVINODE_API_TOKEN"),
        ("INGEST_TOKEN", "INGEST_API_TOKENS"),
        ("AVINODE_WORKERS", "INGEST_WORKERS"),
    ] {
        assert_eq!(suggested(name), setting, "{name}");
    }
}

#[test]
fn two_settings_that_are_equally_near_are_both_suggested() {
    assert_eq!(
        suggested("INGEST_MAX_CONNECTIONS"),
        "INGEST_DATABASE_MAX_CONNECTIONS INGEST_HTTP_MAX_CONNECTIONS"
    );
}

#[test]
fn a_name_like_no_setting_suggests_none() {
    assert_eq!(suggested("AVINODE_SETTLE_SECONDS"), "");
}

#[test]
fn settings_and_variables_of_other_programs_are_not_unknown() {
    let names = ["INGEST_WORKERS", "DATABASE_URL", "PATH", "AVINODES_X", "INGEST"];
    let found = unknown(names.map(str::to_owned).into_iter(), &KNOWN.map(str::to_owned));
    assert_eq!(found, []);
}
