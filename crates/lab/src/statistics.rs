//! How sure a number is.

/// A mean and its 95 % interval: Student's t over independent runs.
///
/// ```
/// use surprisal_lab::statistics::Estimate;
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

/// The most runs that [`Estimate::of`] has a quantile for.
pub const MOST_RUNS: usize = T.len() + 1;

impl Estimate {
    /// # Panics
    /// If there are fewer than 2 values, or more than [`MOST_RUNS`].
    #[track_caller]
    pub fn of(values: &[f64]) -> Estimate {
        let n = values.len();
        assert!((2..=MOST_RUNS).contains(&n), "an interval needs 2 to {MOST_RUNS} values, not {n}");
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1) as f64;
        let half = T[n - 2] * (variance / n as f64).sqrt();
        Estimate { mean, low: mean - half, high: mean + half }
    }
}
