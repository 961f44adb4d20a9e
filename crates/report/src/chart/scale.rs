//! Axes: from the range of the data to readable ticks.

/// The properties of an axis besides its range.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kind {
    /// Logarithmic, base 10.
    pub(super) log: bool,
    /// Labeled in percent.
    pub(super) percent: bool,
    /// Counts something such as epochs: no ticks between whole numbers.
    pub(super) whole: bool,
    /// Widened to begin and end at a round number.
    pub(super) round: bool,
}

/// An axis: its ends, in decades if logarithmic, and its ticks.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) log: bool,
    low: f64,
    high: f64,
    pub(super) ticks: Vec<Tick>,
}

/// A tick at a fraction of the axis; without a label it is a minor one.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<Label>,
}

/// The label of a tick: digits, then an exponent to be raised (may be empty), then a unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) digits: String,
    pub(super) power: String,
    pub(super) unit: &'static str,
}

/// Absorbs rounding when a bound is compared with a tick; far below a pixel.
const SLACK: f64 = 1e-9;

impl Axis {
    /// The axis over `range` with the most ticks for which `fits` holds, or else with the fewest.
    ///
    /// The range must be [`placeable`], with `low <= high`.
    pub(super) fn fit((low, high): (f64, f64), kind: Kind, fits: impl Fn(&Axis) -> bool) -> Axis {
        let candidate = |n: i32| match kind.log {
            true => logarithmic(low.log10(), high.log10(), kind, n),
            false => linear(low, high, kind, n),
        };
        // linear: the number of intervals aimed at; logarithmic: a label every n decades
        let choices: &[i32] =
            if kind.log { &[1, 2, 5, 10, 20, 50, 100, 200] } else { &[7, 6, 5, 4, 3, 2, 1] };
        let fewest = choices[choices.len() - 1];
        choices.iter().map(|&n| candidate(n)).find(fits).unwrap_or_else(|| candidate(fewest))
    }

    /// The labeled ticks.
    pub(super) fn labels(&self) -> impl Iterator<Item = (f64, &Label)> {
        self.ticks.iter().filter_map(|tick| tick.label.as_ref().map(|label| (tick.at, label)))
    }

    /// The position of a value: 0 at the low end, 1 at the high end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let t = if self.log { value.log10() } else { value };
        (t - self.low) / (self.high - self.low)
    }
}

/// Whether an axis can show this value at all.
pub(super) fn placeable(value: f64, log: bool) -> bool {
    value.abs() <= 1e300 && (!log || value > 0.0)
}

fn linear(low: f64, high: f64, kind: Kind, intervals: i32) -> Axis {
    let (mut low, mut high) = widened(low, high, kind.percent);
    let (mantissa, exponent) = match nice_step((high - low) / f64::from(intervals)) {
        (_, e) if e < 0 && kind.whole => (1.0, 0),
        step => step,
    };
    let step = mantissa * 10f64.powi(exponent);
    let (first, last) = if kind.round {
        ((low / step + SLACK).floor(), (high / step - SLACK).ceil())
    } else {
        ((low / step - SLACK).ceil(), (high / step + SLACK).floor())
    };
    if kind.round {
        (low, high) = (first * step, last * step);
    }
    let largest = low.abs().max(high.abs());
    let ticks = (first as i64..=last as i64)
        .map(|i| Tick {
            at: (i as f64 * step - low) / (high - low),
            label: Some(linear_label(i as f64 * mantissa, exponent, largest, kind.percent)),
        })
        .collect();
    Axis { log: false, low, high, ticks }
}

/// Widens the range of a constant, up to rounding noise, around it.
fn widened(low: f64, high: f64, percent: bool) -> (f64, f64) {
    let magnitude = low.abs().max(high.abs());
    if magnitude < 1e-290 {
        return (-1.0, 1.0);
    }
    if high - low >= 1e-6 * magnitude {
        return (low, high);
    }
    let (wide_low, wide_high) = (low - 0.1 * magnitude, high + 0.1 * magnitude);
    // there is no accuracy above 100%
    if percent && low >= 0.0 && high <= 1.0 {
        (wide_low.max(0.0), wide_high.min(1.0))
    } else {
        (wide_low, wide_high)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `rough`, as mantissa and exponent.
fn nice_step(rough: f64) -> (f64, i32) {
    let exponent = rough.log10().floor() as i32;
    let rest = rough / 10f64.powi(exponent);
    match [1.0, 2.0, 5.0].into_iter().find(|m| rest <= m + SLACK) {
        Some(mantissa) => (mantissa, exponent),
        None => (1.0, exponent + 1),
    }
}

/// The label of `units` times ten to `exponent`, on an axis that reaches to `largest`.
fn linear_label(units: f64, exponent: i32, largest: f64, percent: bool) -> Label {
    let (exponent, largest, unit) =
        if percent { (exponent + 2, largest * 100.0, "%") } else { (exponent, largest, "") };
    let top = (largest.log10() + SLACK).floor() as i32;
    let written_out = (-4..6).contains(&top);
    if units == 0.0 && !written_out {
        return Label { digits: "0".to_owned(), power: String::new(), unit };
    }
    if !written_out {
        // all ticks share the power of ten of the largest
        let decimals = (top - exponent).max(0);
        let digits = signed(units * 10f64.powi(exponent - top), decimals);
        return Label { digits: format!("{digits}×10"), power: signed(f64::from(top), 0), unit };
    }
    Label { digits: signed(units * 10f64.powi(exponent), (-exponent).max(0)), power: String::new(), unit }
}

fn logarithmic(low: f64, high: f64, kind: Kind, every: i32) -> Axis {
    let (mut low, mut high) = if high - low < 0.1 { (low - 0.3, high + 0.3) } else { (low, high) };
    if kind.round {
        // 1, 2, 5 are closed under reciprocals, hence the symmetry
        (low, high) = (round_below(low), -round_below(-high));
    }
    let decades = high - low;
    let narrow = decades < 1.5; // too few powers of ten to read from
    let mantissas: &[i32] = match every {
        1 if decades < 0.7 => &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        2 if decades < 0.7 => &[1, 2, 3, 5, 7],
        _ => &[1, 2, 5],
    };
    let labeled = |k: i32, m: i32| if narrow { mantissas.contains(&m) } else { m == 1 && k % every == 0 };
    let drawn = |k: i32, m: i32| match m {
        1 => every <= 10 || labeled(k, m),
        _ => narrow || (every == 1 && decades <= 8.0),
    };
    let inside = |at: f64| at >= low - SLACK && at <= high + SLACK;
    let positions: Vec<(i32, i32, f64)> = (low.floor() as i32..=high.ceil() as i32)
        .flat_map(|k| (1..=9).map(move |m| (k, m, f64::from(k) + f64::from(m).log10())))
        .filter(|&(k, m, at)| inside(at) && drawn(k, m))
        .collect();
    let (shift, unit) = if kind.percent { (2, "%") } else { (0, "") };
    let plain = positions.iter().all(|&(k, m, _)| !labeled(k, m) || (-3..=4).contains(&(k + shift)));
    let ticks = positions
        .iter()
        .map(|&(k, m, at)| Tick {
            at: (at - low) / (high - low),
            label: labeled(k, m).then(|| power_label(m, k + shift, plain, unit)),
        })
        .collect();
    Axis { log: true, low, high, ticks }
}

/// The largest of 1, 2, 5 times a power of ten that is not above, all in decades.
fn round_below(decades: f64) -> f64 {
    let whole = (decades + SLACK).floor();
    let steps = [5f64, 2.0, 1.0].map(|m| whole + m.log10());
    steps.into_iter().find(|&at| at <= decades + SLACK).unwrap_or(whole)
}

/// The label of `mantissa` times ten to `exponent`.
fn power_label(mantissa: i32, exponent: i32, plain: bool, unit: &'static str) -> Label {
    if plain {
        let value = f64::from(mantissa) * 10f64.powi(exponent);
        return Label { digits: signed(value, (-exponent).max(0)), power: String::new(), unit };
    }
    let digits = if mantissa == 1 { "10".to_owned() } else { format!("{mantissa}×10") };
    Label { digits, power: signed(f64::from(exponent), 0), unit }
}

/// A number with a fixed count of decimals and a true minus sign.
pub(super) fn signed(value: f64, decimals: i32) -> String {
    let digits = format!("{:.*}", decimals.max(0) as usize, value);
    match digits.strip_prefix('-') {
        Some(rest) if rest.chars().any(|c| ('1'..='9').contains(&c)) => format!("\u{2212}{rest}"),
        Some(zero) => zero.to_owned(),
        None => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: Kind = Kind { log: false, percent: false, whole: false, round: true };
    const LOG: Kind = Kind { log: true, ..Y };

    #[track_caller]
    fn check_labels(range: (f64, f64), kind: Kind, most: usize, expected: &[&str]) {
        let axis = Axis::fit(range, kind, |axis| axis.labels().count() <= most);
        let labels: Vec<String> = axis
            .labels()
            .map(|(_, l)| if l.power.is_empty() { l.digits.clone() } else { format!("{}^{}", l.digits, l.power) } + l.unit)
            .collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn linear_ticks_step_by_1_2_5() {
        check_labels((0.0, 1.0), Y, 6, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check_labels(
            (0.13, 0.96),
            Kind { percent: true, ..Y },
            6,
            &["0%", "20%", "40%", "60%", "80%", "100%"],
        );
        check_labels((-3.0, 42.0), Y, 7, &["−10", "0", "10", "20", "30", "40", "50"]);
        check_labels((1.0, 30.0), Kind { round: false, ..Y }, 6, &["5", "10", "15", "20", "25", "30"]);
    }

    #[test]
    fn counts_have_no_ticks_between_whole_numbers() {
        check_labels((1.0, 4.0), Kind { whole: true, round: false, ..Y }, 9, &["1", "2", "3", "4"]);
    }

    #[test]
    fn long_numbers_share_a_power_of_ten() {
        check_labels((0.0, 3e7), Y, 5, &["0", "1×10^7", "2×10^7", "3×10^7"]);
        check_labels((-2e-8, 2e-8), Y, 5, &["−2×10^−8", "−1×10^−8", "0", "1×10^−8", "2×10^−8"]);
    }

    #[test]
    fn log_ticks_are_decades_with_minor_ticks() {
        check_labels((3e-6, 0.4), LOG, 7, &["10^−5", "10^−4", "10^−3", "10^−2", "10^−1"]);
        check_labels((0.03, 10000.0), LOG, 7, &["0.1", "1", "10", "100", "1000", "10000"]);
        let axis = Axis::fit((1.0, 100.0), LOG, |_| true);
        assert_eq!(axis.ticks.len(), 2 * 9 + 1);
        let third = axis.ticks[2].at; // 1, 2, 3: log10(3) of two decades
        assert!((third - 3f64.log10() / 2.0).abs() < 1e-12);
    }

    #[test]
    fn narrow_log_axes_label_more_than_powers_of_ten() {
        check_labels((0.6, 4.0), LOG, 7, &["0.5", "1", "2", "5"]);
        check_labels((0.6, 0.6), LOG, 7, &["0.2", "0.5", "1", "2"]);
        let tight = Kind { round: false, ..LOG };
        check_labels((0.3, 0.9), tight, 7, &["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]);
        check_labels((0.3, 0.9), tight, 4, &["0.3", "0.5", "0.7"]);
        check_labels((0.3, 0.9), tight, 2, &["0.5"]);
    }

    #[test]
    fn huge_log_ranges_skip_decades() {
        check_labels((1e-300, 1e300), LOG, 4, &["10^−200", "10^0", "10^200"]);
    }

    #[test]
    fn constants_lie_inside_their_axis() {
        for value in [0.0, 1.0, -7.5, 1e-310, 1e-12, 1e300, -1e300, 0.1 + 0.2] {
            let axis = Axis::fit((value, value), Y, |_| true);
            let at = axis.place(value);
            assert!((0.2..=0.8).contains(&at), "{value} at {at}");
        }
        check_labels(
            (1.0, 1.0),
            Kind { percent: true, ..Y },
            6,
            &["90%", "92%", "94%", "96%", "98%", "100%"],
        );
    }

    #[test]
    fn rounding_noise_is_drawn_flat() {
        let axis = Axis::fit((1.0, 1.0 + 1e-12), Y, |_| true);
        assert!((axis.place(1.0) - axis.place(1.0 + 1e-12)).abs() < 1e-6);
    }
}
