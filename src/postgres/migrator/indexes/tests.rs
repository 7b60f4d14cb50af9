use super::*;
use crate::postgres::migrator::MIGRATOR;

#[test]
fn every_file_without_a_transaction_that_makes_an_index_names_it_where_it_is_looked_for() {
    let made: Vec<_> = ours(&MIGRATOR)
        .filter(|migration| migration.no_tx && migration.sql.as_str().contains("CREATE INDEX CONCURRENTLY"))
        .map(|migration| made_by(migration.sql.as_str()).unwrap())
        .collect();
    assert_eq!(made.len(), 14);
    assert!(made.contains(&("quotes_by_avinode_quote_id", "public.quotes")));
    assert!(made.contains(&("chat_sessions_normal_trip_id", "public.chat_sessions")));
}
