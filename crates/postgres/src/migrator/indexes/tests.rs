use super::*;
use crate::migrator::known::MIGRATOR;

#[test]
fn the_index_of_every_file_without_a_transaction_is_found() {
    let made: Vec<_> = ours(&MIGRATOR)
        .filter(|migration| migration.no_tx && migration.sql.as_str().contains("CREATE INDEX CONCURRENTLY"))
        .map(|migration| created_index(migration.sql.as_str()).unwrap())
        .collect();
    assert_eq!(made.len(), 34);
    assert!(made.contains(&("quotes_by_avinode_quote_id", "public.quotes")));
    assert!(made.contains(&("chat_sessions_normal_trip_id", "public.chat_sessions")));
}

#[test]
fn an_index_that_a_later_file_drops_is_not_built_again() {
    let dropped: Vec<&str> = ours(&MIGRATOR)
        .filter_map(|migration| {
            let (index, _) = created_index(migration.sql.as_str())?;
            is_dropped_later(&MIGRATOR, migration, index).then_some(index)
        })
        .collect();
    assert_eq!(dropped, ["jobs_running_batch_keys"]);
}
