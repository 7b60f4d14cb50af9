//! Small plots of the last hour, as SVG. Colours are classes of the stylesheet, because the content security policy refuses inline styles.

use maud::{Markup, html};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 96.0;
/// The distance of lines from the edges, where a dot would be cut.
const EDGE: f64 = 3.0;

/// A line of a plot, by minutes. `None`: the minute has no value.
#[derive(Debug, Clone)]
pub struct PlotLine {
    pub name: &'static str,
    pub values: Vec<Option<f64>>,
}

/// A plot with one or two lines.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Unique in the page.
    pub id: &'static str,
    pub title: &'static str,
    pub series: Vec<PlotLine>,
    /// Writes a value with its unit.
    pub format: fn(f64) -> String,
}

impl Plot {
    pub fn render(&self) -> Markup {
        let (title_id, text_id) = (format!("{}-title", self.id), format!("{}-text", self.id));
        let top = self.top();
        html! {
            figure.plot {
                figcaption id=(title_id) { (self.title) }
                svg role="img" viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none"
                    aria-labelledby=(title_id) aria-describedby=(text_id) {
                    @for line in [0.0, 0.5, 1.0] {
                        @let y = EDGE + (HEIGHT - 2.0 * EDGE) * line;
                        line.plot-grid x1="0" x2=(WIDTH) y1=(y) y2=(y) {}
                    }
                    @for (number, series) in self.series.iter().enumerate() {
                        path class=(format!("plot-line plot-line-{number}")) d=(path(&series.values, top)) {}
                    }
                }
                p.plot-scale { span { "60 min ago" } span { "top: " (self.format(top)) } span { "now" } }
                ul.plot-text id=(text_id) {
                    @for (number, series) in self.series.iter().enumerate() {
                        li class=(format!("plot-key plot-key-{number}")) { (self.summary(series)) }
                    }
                }
            }
        }
    }

    /// The highest value, or 1.
    fn top(&self) -> f64 {
        let values = self.series.iter().flat_map(|series| series.values.iter().flatten());
        let highest = values.copied().fold(0.0, f64::max);
        if highest > 0.0 { highest } else { 1.0 }
    }

    fn format(&self, value: f64) -> String {
        (self.format)(value)
    }

    /// The last value and the highest one, for readers who do not see the line.
    fn summary(&self, series: &PlotLine) -> String {
        let known: Vec<f64> = series.values.iter().flatten().copied().collect();
        let Some(last) = known.last() else {
            return format!("{}: none in the last hour", series.name);
        };
        let highest = known.iter().copied().fold(0.0, f64::max);
        let now = match series.values.last() {
            Some(Some(_)) => "in the last minute",
            _ => "last",
        };
        format!(
            "{}: {} {now}, at most {}",
            series.name,
            self.format(*last),
            self.format(highest)
        )
    }
}

/// The data of a path. A value without neighbours is a dot.
fn path(values: &[Option<f64>], top: f64) -> String {
    let last = values.len().saturating_sub(1).max(1);
    #[expect(clippy::cast_precision_loss, reason = "at most a few hundred minutes")]
    let x = |minute: usize| EDGE + (WIDTH - 2.0 * EDGE) * minute as f64 / last as f64;
    let y = |value: f64| EDGE + (HEIGHT - 2.0 * EDGE) * (1.0 - value / top);
    let mut data = String::new();
    let mut is_drawing = false;
    for (minute, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_drawing = false;
            continue;
        };
        let (x, y) = (x(minute), y(*value));
        match is_drawing {
            true => data.push_str(&format!("L{x:.1} {y:.1}")),
            false => data.push_str(&format!("M{:.1} {y:.1}h2", x - 1.0)),
        }
        is_drawing = true;
    }
    data
}

#[cfg(test)]
mod tests;
