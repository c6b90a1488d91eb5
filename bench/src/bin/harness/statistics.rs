//! Six numbers that say where a column of measurements lies.

/// Minimum, tenth percentile, quartiles and maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) minimum: f64,
    /// What disturbs a measurement mostly adds to it: this is near to what an undisturbed one would be.
    pub(crate) tenth_percentile: f64,
    pub(crate) lower_quartile: f64,
    pub(crate) median: f64,
    pub(crate) upper_quartile: f64,
    pub(crate) maximum: f64,
}

impl Summary {
    /// `None` of no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (minimum, maximum) = (*values.first()?, *values.last()?);
        Some(Self {
            minimum,
            tenth_percentile: quantile(&values, 0.1),
            lower_quartile: quantile(&values, 0.25),
            median: quantile(&values, 0.5),
            upper_quartile: quantile(&values, 0.75),
            maximum,
        })
    }

    /// `median (lower quartile – upper quartile)`.
    pub(crate) fn text(&self, decimals: usize) -> String {
        let Self { median, lower_quartile, upper_quartile, .. } = self;
        format!(
            "{} ({} – {})",
            number(*median, decimals),
            number(*lower_quartile, decimals),
            number(*upper_quartile, decimals)
        )
    }
}

/// With commas between thousands, and never a negative zero.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let negative = value < 0.0 && text.bytes().any(|digit| matches!(digit, b'1'..=b'9'));
    let mut written = String::from(if negative { "−" } else { "" });
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    if let Some(fraction) = fraction {
        written.push('.');
        written.push_str(fraction);
    }
    written
}

/// Of sorted values, at least one; interpolated between the two next to it (definition 7 of Hyndman and Fan, 1996).
fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let position = quantile * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_interpolate() {
        let summary = Summary::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(
            summary,
            Summary {
                minimum: 1.0,
                tenth_percentile: 1.3,
                lower_quartile: 1.75,
                median: 2.5,
                upper_quartile: 3.25,
                maximum: 4.0
            }
        );
    }

    #[test]
    fn one_value_is_all_six() {
        let summary = Summary::of([7.0]).unwrap();
        assert_eq!(summary.text(1), "7.0 (7.0 – 7.0)");
        assert_eq!((summary.minimum, summary.maximum), (7.0, 7.0));
    }

    #[test]
    fn no_values_have_no_summary() {
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn numbers_have_commas_and_one_zero() {
        assert_eq!(number(1234567.891, 2), "1,234,567.89");
        assert_eq!(number(-1234.5, 1), "−1,234.5");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(999.6, 0), "1,000");
    }
}
