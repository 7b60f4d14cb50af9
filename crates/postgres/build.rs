//! Builds the crate anew when a migration or its settings change: `sqlx::migrate!` reads them, and cargo cannot see that.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
    println!("cargo:rerun-if-changed=sqlx.toml");
}
