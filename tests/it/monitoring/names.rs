//! Every metric, label and kind of job that rules and boards name exists.

use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::telemetry::metric_catalogue::{METRICS, Metric, MetricKind};

use super::{PROMETHEUS_BOARD, RULE_TESTS, RULES, alerts, file, queries, values};

/// Labels that Prometheus adds.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// The metric of a name, which may be that of a part of a histogram.
fn metric(name: &str) -> Option<Metric> {
    METRICS.into_iter().find(|metric| {
        let part = name.strip_prefix(metric.name);
        let is_histogram = matches!(metric.kind, MetricKind::Histogram(_));
        part.is_some_and(|part| part.is_empty() || is_histogram && ["_bucket", "_sum", "_count"].contains(&part))
    })
}

/// The names of metrics in a text, each with the matchers after it.
fn selectors(text: &str) -> Vec<(&str, &str)> {
    let starts = text.match_indices("avinode_ingest_");
    starts
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let matchers = after.strip_prefix('{').and_then(|it| it.split_once('}'));
            (name, matchers.map_or("", |(matchers, _)| matchers))
        })
        .collect()
}

/// The problems of the metrics, labels and kinds of jobs that a text names.
fn problems(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, matchers) in selectors(text) {
        let Some(metric) = metric(name) else {
            problems.push(format!("there is no metric {name}"));
            continue;
        };
        for matcher in matchers.split(',').filter(|matcher| !matcher.is_empty()) {
            let (label, value) = matcher.split_at(matcher.find(['=', '!']).unwrap());
            let label = label.trim();
            let is_bound = label == "le" && matches!(metric.kind, MetricKind::Histogram(_));
            if !metric.labels.contains(&label) && !OF_PROMETHEUS.contains(&label) && !is_bound {
                problems.push(format!("{name} has no label {label}"));
            }
            let values = value.trim_start_matches(['=', '!', '~']).trim_matches('"').split('|');
            let unknown = values.filter(|value| label == "kind" && value.parse::<JobKind>().is_err());
            problems.extend(unknown.map(|value| format!("{name}: there is no kind of jobs {value}")));
        }
    }
    problems
}

#[test]
fn rules_and_their_tests_name_metrics_labels_and_kinds_that_exist() {
    for name in [RULES, RULE_TESTS] {
        let text = file(name);
        assert!(selectors(&text).len() > 30, "{name}");
        assert_eq!(problems(&text), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_board_names_metrics_labels_and_recorded_series_that_exist() {
    let board = serde_json::from_str(&file(PROMETHEUS_BOARD)).unwrap();
    let queries = queries(&board, "expr");
    assert!(queries.len() > 15, "{queries:?}");
    let rules = file(RULES);
    let recorded = values(&rules, "record");
    for query in queries {
        assert_eq!(problems(&query), Vec::<String>::new(), "{query}");
        for (at, _) in query.match_indices("avinode_ingest:") {
            let name = query[at..].split([' ', '[', ')']).next().unwrap();
            assert!(recorded.contains(&name), "{name} is not recorded");
        }
    }
}

#[test]
fn every_metric_is_on_the_board() {
    let board = file(PROMETHEUS_BOARD);
    let absent: Vec<&str> = METRICS
        .iter()
        .map(|metric| metric.name)
        .filter(|name| !board.contains(name))
        .collect();
    assert_eq!(absent, Vec::<&str>::new());
}

#[test]
fn a_name_that_does_not_exist_is_found() {
    for text in [
        "sum(avinode_ingest_deliveries)",
        "avinode_ingest_deliveries_total_count",
        "avinode_ingest_dead_jobs{state=\"dead\"}",
        "avinode_ingest_dead_jobs{kind=~\"rematch|rematched\"}",
        "avinode_ingest_deliveries_total{le=\"1\"}",
    ] {
        assert_eq!(problems(text).len(), 1, "{text}: {:?}", problems(text));
    }
}

#[test]
fn every_alert_fires_and_does_not_fire_in_a_unit_test() {
    let (rules, tests) = (file(RULES), file(RULE_TESTS));
    let cases: Vec<&str> = tests.split("alertname: ").skip(1).collect();
    for alert in alerts(&rules) {
        let of_alert: Vec<bool> = cases
            .iter()
            .filter_map(|case| case.strip_prefix(alert)?.strip_prefix('\n'))
            .map(|case| case.trim_start().starts_with("exp_alerts: []"))
            .collect();
        assert!(
            of_alert.contains(&true),
            "{alert} has no test in which it does not fire"
        );
        assert!(of_alert.contains(&false), "{alert} has no test in which it fires");
    }
}
