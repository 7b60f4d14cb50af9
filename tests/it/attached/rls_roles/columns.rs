//! On tables that the service made, an agent has the columns that a chat client needs.

use super::{insert, new_projects, update, write};
use crate::support::postgrest::Postgrest;

#[tokio::test(flavor = "multi_thread")]
async fn on_a_table_of_ours_an_agent_writes_no_column_that_claims_a_trip_and_reads_no_table_without_policies() {
    for db in new_projects().await {
        let mut dora = Postgrest::before(&db).agent("user_dora").await;
        let columns = [
            "avinode_trip_id",
            "avinode_rfq_id",
            "avinode_rfp_id",
            "request_id",
            "created_at",
            "quotes_received_count",
        ];
        let mut statements: Vec<String> = columns
            .iter()
            .map(|column| format!("UPDATE public.chat_sessions SET {column} = NULL"))
            .collect();
        statements.push(
            insert("a")
                .replace("iso_agent_id)", "iso_agent_id, avinode_trip_id)")
                .replace("a')", "a', '5550001')"),
        );
        for table in ["iso_agents", "requests", "quotes", "conversations", "proposals"] {
            statements.push(format!("TABLE public.{table}"));
            statements.push(format!("DELETE FROM public.{table}"));
        }
        for statement in statements {
            assert_eq!(
                write(&mut dora, &statement).await,
                Err("42501".to_owned()),
                "{statement}"
            );
            sqlx::raw_sql("ROLLBACK TO before_it")
                .execute(&mut *dora)
                .await
                .unwrap();
        }
        assert_eq!(write(&mut dora, &update("a1")).await, Ok(1));
        assert_eq!(write(&mut dora, &insert("a")).await, Ok(1));
    }
}
