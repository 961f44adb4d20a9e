//! Data that a user gives beside what is differentiated: checked, and recorded as a leaf.

use surprisal_tensor::{Read, Scalar, Tape, Var};

/// What numbers data may hold.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    /// All but NaN.
    Numbers,
    /// \[0, 1\], where 0 is "no" and 1 is "yes".
    FromZeroToOne,
    /// 0 or 1.
    ZeroOrOne,
    /// +1 or -1.
    PlusOrMinusOne,
    /// 0 or more.
    NotNegative,
    /// \[0, 1\], and what the rounding of a sum may put above 1.
    Probability,
    /// The logarithm of such a number.
    LogProbability,
}

/// How far above 1 a probability may be rounded: more than any sum of shares is, and less than any count or percentage.
const ROUNDED: f64 = 1e-3;

impl Domain {
    #[inline(always)]
    fn holds<T: Scalar>(self, x: T) -> bool {
        match self {
            Domain::Numbers => x.value() == x.value(),
            Domain::FromZeroToOne => x >= T::ZERO && x <= T::ONE, // NaN is not
            Domain::ZeroOrOne => x == T::ZERO || x == T::ONE,
            Domain::PlusOrMinusOne => x == T::ONE || x == -T::ONE,
            Domain::NotNegative => x >= T::ZERO,
            Domain::Probability => x >= T::ZERO && x <= T::of(1.0 + ROUNDED),
            Domain::LogProbability => x <= T::of(ROUNDED),
        }
    }

    /// The end of a sentence about data called `name`.
    fn told(self, name: &str) -> String {
        match self {
            Domain::Numbers => format!("a {name} is a number: is one missing in the data?"),
            Domain::FromZeroToOne => format!("{name}s lie between 0 (no) and 1 (yes)"),
            Domain::ZeroOrOne => format!("{name}s are 0 (no) or 1 (yes)"),
            Domain::PlusOrMinusOne => {
                format!("{name}s are +1 or -1; of labels y that are 0 or 1, 2 y - 1 is")
            }
            Domain::NotNegative => format!("{name}s are not negative"),
            Domain::Probability => {
                "probabilities lie between 0 and 1; softmax makes them of logits, a division by their sum of counts".into()
            }
            Domain::LogProbability => "logarithms of probabilities are not positive".into(),
        }
    }
}

/// Checks data that is not differentiated, and says so where somebody expects that it is.
#[track_caller]
pub(crate) fn check_constant(loss: &str, name: &str, x: Var, domain: Domain) {
    assert!(
        !x.needs_grad(),
        "{loss}: the {name}s need a gradient, and this loss has none for them: give it {name}s.detach(), or data"
    );
    check(loss, name, x, domain);
}

/// Checks numbers where they are data; what a model computes may be anything, and what comes of it is for the user to see.
#[track_caller]
pub(crate) fn check_if_data(loss: &str, name: &str, x: Var, domain: Domain) {
    if !x.needs_grad() {
        check(loss, name, x, domain);
    }
}

/// Checks probabilities that were given as they are; those that a model computed are not looked at, in evaluation neither, where nothing
/// needs a gradient.
#[track_caller]
pub(crate) fn check_probabilities(loss: &str, name: &str, p: Var) {
    if p.op_name() == "input" {
        check_if_data(loss, name, p, Domain::Probability);
    }
}

#[track_caller]
pub(crate) fn check(loss: &str, name: &str, x: Var, domain: Domain) {
    if let Some((i, x)) = outside(x, domain) {
        panic!("{loss}: {name} {i} is {x}: {}", domain.told(name));
    }
}

/// The first number that does not lie in the domain, and its place.
pub(crate) fn outside(x: Var, domain: Domain) -> Option<(usize, String)> {
    x.read(domain)
}

impl Read for Domain {
    type Out = Option<(usize, String)>;
    fn read<T: Scalar>(self, x: &[T]) -> Self::Out {
        // first a loop that vectorises, as a search that may stop does not
        if x.iter().fold(true, |all, &x| all & self.holds(x)) {
            return None;
        }
        x.iter().enumerate().find(|&(_, &x)| !self.holds(x)).map(|(i, x)| (i, x.to_string()))
    }
}

/// The input of a loss that contains the softmax or the sigmoid must not be the output of one: it trains, only badly.
#[track_caller]
pub(crate) fn check_logits(loss: &str, logits: Var) {
    let op = logits.op_name();
    assert!(
        !matches!(op, "softmax" | "sigmoid"),
        "{loss}: its input is the output of {op}, and it takes logits: leave the {op} out, this loss contains it. \
         (To squash twice on purpose, multiply by 1.0.)"
    );
}

/// The input of a loss of log-probabilities must not be probabilities.
#[track_caller]
pub(crate) fn check_log_probs(loss: &str, log_probs: Var) {
    let op = log_probs.op_name();
    assert!(
        !matches!(op, "softmax" | "sigmoid"),
        "{loss}: its input is the output of {op}, and it takes logarithms of probabilities: take log_{op} instead. \
         (To go on with probabilities on purpose, multiply by 1.0.)"
    );
}

/// Records weights; messages call them by the loss and by `name`.
#[track_caller]
pub(crate) fn weights<'t>(tape: &'t Tape<'t>, loss: &str, name: &str, weights: &[f64]) -> Var<'t> {
    for (i, &w) in weights.iter().enumerate() {
        assert!(w >= 0.0 && w.is_finite(), "{loss}: {name} {i} is {w}: weights are finite and not negative");
    }
    tape.input_with([weights.len()], |i| weights[i])
}

/// An option that is one number: checked against its range, which `told` describes.
#[track_caller]
pub(crate) fn check_option(loss: &str, name: &str, value: f64, holds: bool, told: &str) {
    assert!(holds, "{loss}: {name} is {value}: {told}");
}

/// [`check_option`] of a number that is 0 or more.
#[track_caller]
pub(crate) fn check_not_negative(loss: &str, name: &str, value: f64) {
    check_option(loss, name, value, value >= 0.0 && value.is_finite(), "it is finite and not negative");
}
