//! Numbers as text.

/// Returns a number with the given count of significant digits, without trailing zeros.
///
/// ```
/// use surprisal_explain::digits;
/// assert_eq!(digits(0.982013790, 6), "0.982014");
/// assert_eq!([digits(2.0, 6), digits(-1234567.8, 3), digits(1.5e-9, 3)], ["2", "-1230000", "1.5e-9"]);
/// ```
pub fn digits(x: f64, significant: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 { "0".into() } else { x.to_string() };
    }
    let scientific = format!("{x:.*e}", significant.max(1) - 1); // rounds, which may carry into the next power of ten
    let Some((mantissa, power)) = scientific.split_once('e') else { return scientific };
    let power: i32 = power.parse().unwrap_or(0); // of a number that was just printed
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if !(-4..7).contains(&power) {
        return format!("{}e{power}", trimmed(mantissa));
    }
    let decimals = significant as i32 - 1 - power;
    match usize::try_from(decimals) {
        Ok(decimals) => trimmed(&format!("{x:.decimals$}")),
        Err(_) => {
            let unit = 10f64.powi(-decimals);
            format!("{}", (x / unit).round() * unit)
        }
    }
}

/// Statistics of the numbers of a node.
///
/// ```
/// use surprisal_explain::Statistics;
/// let statistics = Statistics::of(&[3.0, -4.0, f64::NAN]);
/// assert_eq!((statistics.mean, statistics.deviation), (-0.5, 3.5));
/// assert_eq!((statistics.count, statistics.not_finite), (3, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Their count.
    pub count: usize,
    /// The mean; NaN without numbers.
    pub mean: f64,
    /// Their standard deviation, the root of the mean square distance from the mean.
    pub deviation: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The Euclidean norm of the finite ones.
    pub norm: f64,
    /// The count of those that are not finite.
    pub not_finite: usize,
}

impl Statistics {
    /// Computes the statistics. Numbers that are not finite are only counted.
    ///
    /// ```
    /// use surprisal_explain::Statistics;
    /// let statistics = Statistics::of(&[3.0, -4.0]);
    /// assert_eq!((statistics.min, statistics.max, statistics.norm), (-4.0, 3.0, 5.0));
    /// ```
    pub fn of(numbers: &[f64]) -> Statistics {
        let finite = || numbers.iter().copied().filter(|x| x.is_finite());
        let count = finite().count() as f64;
        let mean = finite().sum::<f64>() / count;
        Statistics {
            count: numbers.len(),
            mean,
            deviation: (finite().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt(),
            min: finite().fold(f64::NAN, f64::min),
            max: finite().fold(f64::NAN, f64::max),
            norm: norm(&Vec::from_iter(finite())),
            not_finite: numbers.len() - count as usize,
        }
    }
}

/// The most numbers that are listed.
pub(crate) const FEW: usize = 8;

/// The Euclidean norm; infinite or NaN if one of the numbers is.
pub(crate) fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Lists a few numbers, in rows of `columns`; of many, the statistics.
pub(crate) fn list(numbers: &[f64], columns: usize) -> String {
    match numbers {
        [] => "no numbers".into(),
        [one] => digits(*one, 6),
        few if few.len() <= FEW => {
            let row = |row: &[f64]| row.iter().map(|&x| digits(x, 4)).collect::<Vec<_>>().join("  ");
            few.chunks(columns.max(1)).map(row).collect::<Vec<_>>().join(" | ")
        }
        many => {
            let Statistics { mean, deviation, min, max, not_finite, .. } = Statistics::of(many);
            let [mean, deviation, min, max] = [mean, deviation, min, max].map(|x| digits(x, 4));
            let summary = format!("mean {mean}, sd {deviation}, {min} to {max}");
            if not_finite > 0 { format!("{not_finite} not finite; the others: {summary}") } else { summary }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_significant_ones_at_every_size() {
        let cases = [
            (0.1f32 as f64, "0.1"),
            (99.9999999, "100"),
            (0.000123456789, "0.000123457"),
            (0.0000123456789, "1.23457e-5"),
            (1234567.89, "1234570"),
            (12345678.9, "1.23457e7"),
            (-0.5, "-0.5"),
            (1e300, "1e300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (x, expected) in cases {
            assert_eq!(digits(x, 6), expected);
        }
    }

    #[test]
    fn statistics_leave_out_what_is_not_finite_and_say_so() {
        let s = Statistics::of(&[1.0, f64::INFINITY, 3.0, f64::NAN]);
        assert_eq!((s.count, s.not_finite, s.mean, s.deviation), (4, 2, 2.0, 1.0));
        assert_eq!((s.min, s.max, s.norm), (1.0, 3.0, 10f64.sqrt()));
    }
}
