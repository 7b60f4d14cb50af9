use super::*;

const NAMES: RowNames = RowNames {
    none: "no jobs",
    one: "job",
    many: "jobs",
};

#[test]
fn the_end_of_a_list_counts_the_rows_and_those_that_follow() {
    let line =
        |shown, next: Option<RowsAhead>| end(shown, next.map(|ahead| ("abc".to_owned(), ahead)), NAMES, Some(80));
    assert_eq!(line(1, None), "1 job");
    assert_eq!(line(3, None), "3 jobs");
    assert_eq!(
        line(2, Some(RowsAhead::counted(7, 1000))),
        "2 shown, 7 more: --cursor abc"
    );
    assert_eq!(
        line(2, Some(RowsAhead::counted(1000, 1000))),
        "2 shown, 1000 or more follow: --cursor abc"
    );
    assert_eq!(
        line(0, Some(RowsAhead::Unknown)),
        "0 shown, there may be more: --cursor abc"
    );
}

#[test]
fn a_cursor_without_room_has_a_line_of_its_own() {
    let next = Some(("c".repeat(90), RowsAhead::Counted(1)));
    let lines = end(50, next, NAMES, Some(80));
    assert_eq!(lines, format!("50 shown, 1 more:\n--cursor {}", "c".repeat(90)));
}
