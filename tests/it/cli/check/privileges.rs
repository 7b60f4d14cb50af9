//! Privileges and row level security.

use uuid::Uuid;

use crate::support::check_command::check;
use crate::support::cluster::Db;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_privileges_or_visible_rows_fails_with_the_remedy() {
    let db = Db::new().await;
    let role = format!("worker_{}", Uuid::now_v7().simple());
    db.run(&format!("CREATE ROLE {role} LOGIN")).await;
    let url = db.url().replace("user=avinode", &format!("user={role}"));
    let output = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(output.code, Some(1), "{}", output.text);
    assert_eq!(output.status("schema"), "failed", "{}", output.text);
    let (status, words) = output.of("privileges");
    assert!(status.starts_with("failed failed"), "{}", output.text);
    assert!(
        words.contains(&format!("GRANT USAGE ON SCHEMA avinode_ingest TO \"{role}\"")),
        "{words}"
    );

    // The GRANTs that it names are all that is missing.
    assert!(words.contains("it cannot show quotes to the application"), "{words}");
    db.run(&output.grants()).await;
    let output = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(output.status("privileges"), "ok", "{}", output.text);
    assert_eq!(output.status("rls"), "failed", "{}", output.text);
    assert!(output.of("rls").1.contains("public.chat_sessions"), "{}", output.text);

    let tables = [
        "chat_sessions",
        "quotes",
        "conversations",
        "requests",
        "iso_agents",
        "proposals",
    ];
    for table in tables {
        assert!(output.of("rls").1.contains(table), "{table}: {}", output.text);
        db.run(&format!(
            "CREATE POLICY workers ON public.{table} TO {role} USING (true)"
        ))
        .await;
    }
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.status("rls"), "ok");
    // A restrictive policy hides rows again.
    db.run("CREATE POLICY fewer ON public.quotes AS RESTRICTIVE USING (status <> 'rejected')")
        .await;
    let output = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(output.status("rls"), "failed", "{}", output.text);
    for table in tables {
        db.run(&format!("DROP POLICY workers ON public.{table}")).await;
    }
    db.run(&format!("ALTER ROLE {role} BYPASSRLS")).await;
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.status("rls"), "ok");
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
