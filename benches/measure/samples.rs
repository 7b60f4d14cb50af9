//! Figures that were measured several times.

use std::fmt;

/// The values of one figure, one per round.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    pub fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    /// The smallest value that at least `percent` per cent of the values do not exceed.
    pub fn percentile(&self, percent: f64) -> f64 {
        let count = self.0.len();
        let rank = (0..count).find(|rank| (*rank as f64 + 1.0) * 100.0 >= percent * count as f64);
        rank.and_then(|rank| self.0.get(rank)).copied().unwrap_or(f64::NAN)
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values = Vec::from_iter(values);
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

/// The median, with the smallest and the largest value in brackets.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [smallest, .., largest] = self.0[..] else {
            return write!(f, "{}", number(self.median()));
        };
        write!(
            f,
            "{} ({} to {})",
            number(self.median()),
            number(smallest),
            number(largest)
        )
    }
}

/// Three significant digits, with separators of thousands.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    if value.abs() < 100.0 && value.fract() != 0.0 {
        let digits = if value.abs() < 10.0 { 2 } else { 1 };
        return format!("{value:.digits$}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) && digit != '-' {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
