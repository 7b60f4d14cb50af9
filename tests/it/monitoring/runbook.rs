//! docs/runbook.md has a section for each alert and no other, and each alert points to its section.

use avinode_ingest::alerts::alert_kind::AlertKind;
use strum::VariantArray;

use super::{RULES, alerts, file, values};

const RUNBOOK: &str = "docs/runbook.md";
/// The parts of a section.
const PARTS: [&str; 3] = ["**Meaning.**", "**Look at.**", "**Do.**"];

/// The title and the text of each section.
fn sections(runbook: &str) -> Vec<(&str, &str)> {
    let sections = runbook.split("\n## ").skip(1);
    sections.map(|section| section.split_once('\n').unwrap()).collect()
}

#[test]
fn each_alert_has_a_section_and_each_section_an_alert() {
    let (rules, runbook) = (file(RULES), file(RUNBOOK));
    let mut expected = alerts(&rules);
    let mut found: Vec<&str> = sections(&runbook).into_iter().map(|(title, _)| title).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn each_section_says_what_the_alert_means_what_to_look_at_and_what_to_do() {
    let runbook = file(RUNBOOK);
    for (title, text) in sections(&runbook) {
        let places: Vec<Option<usize>> = PARTS.iter().map(|part| text.find(part)).collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{title}: {places:?}"
        );
    }
}

#[test]
fn each_alert_points_to_its_section() {
    let rules = file(RULES);
    let urls = values(&rules, "runbook_url");
    let expected = values(&rules, "alert");
    let expected: Vec<String> = expected
        .iter()
        .map(|alert| format!("{RUNBOOK}#{}", alert.to_lowercase()))
        .collect();
    assert_eq!(urls, expected);
}

#[test]
fn alerts_without_prometheus_point_to_a_section() {
    let runbook = file(RUNBOOK);
    let titles: Vec<&str> = sections(&runbook).into_iter().map(|(title, _)| title).collect();
    for kind in AlertKind::VARIANTS {
        assert!(titles.contains(&kind.runbook_section()), "{}", kind.runbook_section());
    }
}
