//! The checks of a database: of the server, of the schema, of privileges, of the queue and of what is stored. They write nothing.

pub mod deliveries;
pub mod finding;
pub mod migrations;
pub mod run;
pub mod schema;
pub mod server;
pub mod trust;
