use std::ffi::OsString;

use super::*;
use crate::cli::command::{Command, parse_from};

fn args(folder: &std::path::Path, line: &str) -> ReplayArgs {
    let mut words: Vec<OsString> = ["avinode-ingest", "replay"].map(OsString::from).to_vec();
    words.push(folder.into());
    words.extend(line.split_whitespace().map(OsString::from));
    let Command::Replay(args) = parse_from(words).unwrap().command else {
        panic!()
    };
    args
}

#[test]
fn the_order_depends_on_the_seed_only_and_everything_is_sent_as_often_as_requested() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10 {
        std::fs::write(
            folder.path().join(format!("{number}.json")),
            format!("{number} {{{{now}}}}"),
        )
        .unwrap();
    }
    let names = |line: &str| -> Vec<String> {
        let planned = deliveries(&args(folder.path(), line)).unwrap();
        planned.iter().map(|delivery| delivery.name.to_string()).collect()
    };
    let plain = names("");
    assert!(plain.is_sorted());
    assert_eq!(names("--shuffle 7 --repeat 3"), names("--shuffle 7 --repeat 3"));
    assert_ne!(names("--shuffle 7"), names("--shuffle 8"));
    let mut shuffled = names("--shuffle 7 --repeat 3");
    shuffled.sort();
    let mut thrice = [plain.clone(), plain.clone(), plain].concat();
    thrice.sort();
    assert_eq!(shuffled, thrice);
}

#[test]
fn a_repeated_body_is_the_same_body() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), "{{now}}").unwrap();
    let planned = deliveries(&args(folder.path(), "--repeat 2")).unwrap();
    assert_eq!(planned[0].body, planned[1].body);
}
