use super::*;

fn workers() -> SettingDoc {
    SettingDoc {
        flag: "--workers".to_owned(),
        env: "INGEST_WORKERS".to_owned(),
        default: Some("2".to_owned()),
        help: "Workers (1 to 64).".to_owned(),
        secret: false,
    }
}

#[test]
fn a_table_that_tells_everything_has_no_differences() {
    let table = format!(
        "| variable | flag |\n|---|---|\n{}\n| `make demo` | a command |",
        workers().row()
    );
    assert_eq!(differences_from_readme(&table, &[workers()]), Vec::<String>::new());
}

#[test]
fn a_row_that_is_missing_wrong_or_too_many_is_told() {
    let differences = differences_from_readme("| `INGEST_OLD` | `--old` | | gone |", &[workers()]);
    assert_eq!(differences.len(), 2, "{differences:?}");
    let differences = differences_from_readme("| `INGEST_WORKERS` | `--workers` | `3` | |", &[workers()]);
    assert_eq!(differences, ["INGEST_WORKERS: its row does not tell `2`"]);
}
