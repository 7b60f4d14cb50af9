use super::*;

#[test]
fn a_table_is_columns_under_headings() {
    let mut report = TextTable::new(["trip", "quotes", "primary"]).numbers(&[1]);
    report.row(["A1B2C3", "12", "aquote-1"]);
    report.row(["atrip-64956150".to_owned(), "3".to_owned(), or_dash(None::<String>)]);
    assert_eq!(
        report.to_string(),
        "trip            quotes  primary\n\
         ----------------------------------\n\
         A1B2C3              12  aquote-1\n\
         atrip-64956150       3  –"
    );
}

#[test]
fn a_cell_cannot_steer_the_terminal() {
    let mut report = TextTable::new(["content"]);
    report.row(["\u{1b}[2Jgone\n"]);
    let shown = report.to_string();
    assert!(shown.ends_with("\\u{1b}[2Jgone\\n"), "{shown}");
}
