//! Statistics.

pub fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get((values.len() * percent / 100).min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

pub fn spread(values: &mut [f64]) -> String {
    let median = percentile(values, 50);
    format!(
        "{median:.2} (from {:.2} to {:.2})",
        values.first().unwrap_or(&0.0),
        values.last().unwrap_or(&0.0)
    )
}
