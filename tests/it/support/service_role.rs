//! The SQL of docs/existing-database.md that creates a role for the service.

use uuid::Uuid;

use super::cluster::Db;

const PAGE: &str = include_str!("../../../docs/existing-database.md");
const ROLE: &str = "avinode_ingest_service";

/// Creates the role of the page under a name of its own. Returns the name, and the URL of the database for this role.
pub async fn create(db: &Db) -> (String, String) {
    let role = name();
    db.run(&block("CREATE ROLE", &role)).await;
    let url = url(db, &role);
    (role, url)
}

/// As [`create`], but without BYPASSRLS and with the page's policies instead.
pub async fn create_with_policies(db: &Db) -> (String, String) {
    let role = name();
    db.run(&block("CREATE ROLE", &role).replace(" BYPASSRLS", "")).await;
    db.run(&block("CREATE POLICY", &role)).await;
    let url = url(db, &role);
    (role, url)
}

fn name() -> String {
    format!("service_{}", Uuid::now_v7().simple())
}

fn url(db: &Db, role: &str) -> String {
    db.url().replace("user=avinode", &format!("user={role}"))
}

/// The page's SQL block that begins with these words.
fn block(beginning: &str, role: &str) -> String {
    let (_, rest) = PAGE.split_once(&format!("```sql\n{beginning}")).unwrap();
    let (statements, _) = rest.split_once("```").unwrap();
    format!("{beginning}{statements}").replace(ROLE, role)
}
