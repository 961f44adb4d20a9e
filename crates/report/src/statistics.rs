//! Means with confidence intervals.

/// Returns the mean; NaN of an empty slice.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the differences of pairs, such as runs with the same seeds.
pub fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Returns the index of the highest value: the first of equals, and not a NaN if there is a number. 0 for an empty slice.
///
/// ```
/// assert_eq!(surprisal_report::statistics::highest(&[f64::NAN, -1.0, 2.0, 2.0]), 2);
/// ```
pub fn highest(values: &[f64]) -> usize {
    let rank = |i: usize| values.get(i).copied().filter(|x| !x.is_nan()).unwrap_or(f64::NEG_INFINITY);
    (0..values.len()).fold(0, |best, i| if rank(i) > rank(best) { i } else { best })
}

/// A mean and its 95 % interval: Student's t over independent runs.
///
/// ```
/// use surprisal_report::statistics::Estimate;
/// let paired = Estimate::of(&[1.0, 2.0, 3.0]);
/// assert_eq!(paired.mean, 2.0);
/// assert!((paired.low + 0.484).abs() < 1e-3); // 2 ± 4.303 · 1/√3
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom (any statistics table).
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The most values of [`Estimate::of`].
pub const MOST_RUNS: usize = 1000;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959963984540054;

/// The 97.5 % quantile of Student's t: from the table, and beyond it from the expansion in 1/degrees around the normal quantile
/// (Abramowitz and Stegun, 26.7.5), with 7 correct digits there.
fn quantile(degrees: usize) -> f64 {
    if let Some(&t) = T.get(degrees - 1) {
        return t;
    }
    let (n, z) = (degrees as f64, Z);
    let polynomial = |coefficients: [f64; 5]| coefficients.iter().rfold(0.0, |sum, c| sum * z * z + c) * z;
    Z + polynomial([1.0, 1.0, 0.0, 0.0, 0.0]) / (4.0 * n)
        + polynomial([3.0, 16.0, 5.0, 0.0, 0.0]) / (96.0 * n.powi(2))
        + polynomial([-15.0, 17.0, 19.0, 3.0, 0.0]) / (384.0 * n.powi(3))
        + polynomial([-945.0, -1920.0, 1482.0, 776.0, 79.0]) / (92160.0 * n.powi(4))
}

impl Estimate {
    /// # Panics
    /// If there are fewer than 2 values, or more than [`MOST_RUNS`].
    #[track_caller]
    pub fn of(values: &[f64]) -> Estimate {
        let n = values.len();
        assert!((2..=MOST_RUNS).contains(&n), "an interval needs 2 to {MOST_RUNS} values, not {n}");
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1) as f64;
        let half = quantile(n - 1) * (variance / n as f64).sqrt();
        Estimate { mean, low: mean - half, high: mean + half }
    }

    /// Returns a number without an interval, which does not depend on chance.
    pub fn exactly(value: f64) -> Estimate {
        Estimate { mean: value, low: value, high: value }
    }

    /// Clips the interval to a range that contains the mean.
    ///
    /// ```
    /// use surprisal_report::statistics::Estimate;
    /// let accuracy = Estimate::of(&[0.95, 1.0, 1.0]).within((0.0, 1.0));
    /// assert!(accuracy.low < 0.95 && accuracy.high == 1.0);
    /// ```
    pub fn within(self, (least, most): (f64, f64)) -> Estimate {
        Estimate { mean: self.mean, low: self.low.max(least), high: self.high.min(most) }
    }

    /// Returns the fraction of `successes` in `trials`, with the interval of Wilson (1927), which stays within 0 and 1 and is not empty at the
    /// ends.
    ///
    /// ```
    /// use surprisal_report::statistics::Estimate;
    /// let never = Estimate::wilson(0, 10);
    /// assert_eq!((never.mean, never.low), (0.0, 0.0));
    /// assert!((never.high - 0.2775).abs() < 1e-4);
    /// ```
    ///
    /// # Panics
    /// If there are no trials, or more successes than trials.
    #[track_caller]
    pub fn wilson(successes: usize, trials: usize) -> Estimate {
        assert!(trials > 0 && successes <= trials, "{successes} successes in {trials} trials");
        let (n, share) = (trials as f64, successes as f64 / trials as f64);
        let center = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let low = if successes == 0 { 0.0 } else { center - half };
        let high = if successes == trials { 1.0 } else { center + half };
        Estimate { mean: share, low, high }
    }

    /// Returns the difference of two fractions, this minus the other, with an interval from their intervals (Newcombe 1998, method 10).
    ///
    /// ```
    /// use surprisal_report::statistics::Estimate;
    /// let difference = Estimate::wilson(56, 70).minus(Estimate::wilson(48, 80)); // Newcombe's first example
    /// assert!((difference.low - 0.0524).abs() < 1e-4 && (difference.high - 0.3339).abs() < 1e-4);
    /// ```
    pub fn minus(self, other: Estimate) -> Estimate {
        let mean = self.mean - other.mean;
        let low = mean - (self.mean - self.low).hypot(other.high - other.mean);
        let high = mean + (self.high - self.mean).hypot(other.mean - other.low);
        Estimate { mean, low, high }
    }

    /// Returns the estimate as "84.9 ± 2.2 %", for a symmetric interval.
    pub fn percent(&self) -> String {
        format!("{:.1} ± {:.1} %", 100.0 * self.mean, 100.0 * (self.high - self.mean))
    }

    /// Applies an increasing function to the estimate and its interval.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Estimate {
        Estimate { mean: f(self.mean), low: f(self.low), high: f(self.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_goes_on_where_the_table_ends() {
        for (degrees, t) in
            [(30, 2.042), (31, 2.039513), (40, 2.021075), (60, 2.000298), (120, 1.979930), (999, 1.962341)]
        {
            assert!((quantile(degrees) - t).abs() < 1e-6, "{degrees}: {} for {t}", quantile(degrees));
        }
    }
}
