use super::*;

fn plot(values: Vec<Option<f64>>) -> Plot {
    Plot {
        id: "received",
        title: "Received per minute",
        series: vec![PlotLine {
            name: "Deliveries",
            values,
        }],
        format: |value| format!("{value:.0}"),
    }
}

#[test]
fn a_line_begins_again_after_a_minute_without_a_value() {
    let data = path(&[Some(0.0), Some(4.0), None, Some(2.0)], 4.0);
    assert_eq!(data, "M2.0 93.0h2L121.0 3.0M356.0 48.0h2");
}

#[test]
fn the_text_beside_the_line_has_the_last_and_the_highest_value() {
    let html = plot(vec![Some(7.0), Some(3.0)]).render().into_string();
    assert!(html.contains("Deliveries: 3 in the last minute, at most 7"), "{html}");
    let html = plot(vec![None, None]).render().into_string();
    assert!(html.contains("Deliveries: none in the last hour"), "{html}");
}

#[test]
fn a_plot_has_no_inline_style() {
    let html = plot(vec![Some(1.0)]).render().into_string();
    assert!(!html.contains("style="), "{html}");
}
