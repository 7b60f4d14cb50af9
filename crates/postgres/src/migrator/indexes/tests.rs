use super::*;
use crate::migrator::known::MIGRATOR;

#[test]
fn the_index_of_every_file_without_a_transaction_is_found() {
    let made: Vec<_> = ours(&MIGRATOR)
        .filter(|migration| migration.no_tx && migration.sql.as_str().contains("CREATE INDEX CONCURRENTLY"))
        .map(|migration| created_index(migration.sql.as_str()).unwrap())
        .collect();
    assert_eq!(made.len(), 27);
    assert!(made.contains(&("quotes_by_avinode_quote_id", "public.quotes")));
    assert!(made.contains(&("chat_sessions_normal_trip_id", "public.chat_sessions")));
}
