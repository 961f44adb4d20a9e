//! [`Range`]: the numbers that a setting takes.

use std::fmt;

/// An interval of numbers, each end with or without its bound. NaN is in none, and infinity only where it is a bound that counts.
///
/// Its text follows a noun: "a number" + " from 0 to below 1".
///
/// ```
/// use surprisal_settings::Range;
/// const SHARE: Range = Range::at_least(0.0).below(1.0);
/// assert!(SHARE.holds(0.0) && !SHARE.holds(1.0) && !SHARE.holds(f64::NAN));
/// assert_eq!(SHARE.to_string(), " from 0 to below 1");
/// assert_eq!(Range::POSITIVE.to_string(), " above 0");
/// assert!(!Range::POSITIVE.holds(f64::INFINITY) && Range::above(0.0).at_most(f64::INFINITY).holds(f64::INFINITY));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: Bound,
    high: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bound {
    at: f64,
    counts: bool,
}

impl Range {
    /// Every finite number.
    pub const ANY: Range = Range {
        low: Bound { at: f64::NEG_INFINITY, counts: false },
        high: Bound { at: f64::INFINITY, counts: false },
    };
    /// Finite and above 0.
    pub const POSITIVE: Range = Range::above(0.0);
    /// Above 0, or infinity.
    pub const POSITIVE_OR_INFINITE: Range = Range::above(0.0).at_most(f64::INFINITY);
    /// Finite, 0 or above.
    pub const NOT_NEGATIVE: Range = Range::at_least(0.0);
    /// Finite, 1 or above.
    pub const AT_LEAST_ONE: Range = Range::at_least(1.0);
    /// At most 1, or minus infinity.
    pub const AT_MOST_ONE: Range = Range::at_least(f64::NEG_INFINITY).at_most(1.0);
    /// From 0 to 1.
    pub const FRACTION: Range = Range::at_least(0.0).at_most(1.0);
    /// From 0 to below 1.
    pub const BELOW_ONE: Range = Range::at_least(0.0).below(1.0);
    /// Above 0, at most 1.
    pub const FACTOR: Range = Range::above(0.0).at_most(1.0);
    /// Above 0 and below 1.
    pub const INSIDE: Range = Range::above(0.0).below(1.0);
    /// 1 or 2.
    pub const ONE_OR_TWO: Range = Range::at_least(1.0).at_most(2.0);

    /// Finite numbers from `low` on.
    pub const fn at_least(low: f64) -> Range {
        Range { low: Bound { at: low, counts: true }, ..Range::ANY }
    }
    /// Finite numbers greater than `low`.
    pub const fn above(low: f64) -> Range {
        Range { low: Bound { at: low, counts: false }, ..Range::ANY }
    }
    /// Those up to `high`.
    pub const fn at_most(self, high: f64) -> Range {
        Range { high: Bound { at: high, counts: true }, ..self }
    }
    /// Those less than `high`.
    pub const fn below(self, high: f64) -> Range {
        Range { high: Bound { at: high, counts: false }, ..self }
    }

    /// "a number", or "a finite number" where the text of the range does not rule infinity out.
    pub(crate) fn noun(self) -> &'static str {
        let open = |bound: Bound| bound.at.is_infinite() && !bound.counts;
        if open(self.low) && open(self.high) || self.low.at.is_finite() && open(self.high) {
            "a finite number"
        } else {
            "a number"
        }
    }

    /// Whether x is in it.
    pub fn holds(self, x: f64) -> bool {
        let Range { low, high } = self;
        (x > low.at || low.counts && x == low.at) && (x < high.at || high.counts && x == high.at)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (low, high) = (self.low.at, self.high.at);
        match (low.is_finite(), high.is_finite()) {
            (false, false) => Ok(()),
            (true, false) if self.low.counts => write!(f, ", {low} or above"),
            (true, false) => write!(f, " above {low}"),
            (false, true) if self.high.counts => write!(f, ", at most {high}"),
            (false, true) => write!(f, " below {high}"),
            (true, true) => match (self.low.counts, self.high.counts) {
                (true, true) => write!(f, " from {low} to {high}"),
                (true, false) => write!(f, " from {low} to below {high}"),
                (false, true) => write!(f, " above {low}, at most {high}"),
                (false, false) => write!(f, " between {low} and {high}, both excluded"),
            },
        }
    }
}
