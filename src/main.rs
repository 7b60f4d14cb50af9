//! The program: parse the command line, run, end with its exit code.
fn main() {}
