use super::*;

const DOCUMENT: &str = include_str!("../../../docs/metrics.md");

#[test]
fn the_document_has_every_metric_with_its_type_labels_and_meaning_and_no_other() {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `avinode_ingest_"));
    let rows: std::collections::BTreeSet<&str> = rows.collect();
    let expected = METRICS.map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!(
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.as_str(),
            labels.join(", "),
            metric.help
        )
    });
    assert_eq!(rows, expected.iter().map(String::as_str).collect());
}

#[test]
fn names_end_in_their_unit_and_counters_in_total() {
    for Metric { name, kind, .. } in METRICS {
        assert_eq!(name.ends_with("_total"), kind == MetricKind::Counter, "{name}");
        let is_time = name.contains("duration") || name.contains("age") || name.contains("timestamp");
        assert_eq!(
            name.ends_with("_seconds"),
            is_time || name.contains("_to_session"),
            "{name}"
        );
    }
}
