//! Data that a user gives beside what is differentiated: checked, and recorded as a leaf.

use surprisal_tensor::{Op, Read, Scalar, Var};

use crate::LossError;
use crate::error::Problem;

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
                format!("{name}s are +1 or -1; of labels y of 0 and 1, use 2 y - 1")
            }
            Domain::NotNegative => format!("{name}s are not negative"),
            Domain::Probability => {
                "probabilities lie between 0 and 1; apply softmax to logits, or divide counts by their sum"
                    .into()
            }
            Domain::LogProbability => "logarithms of probabilities are not positive".into(),
        }
    }
}

/// Nothing, or the error.
pub(crate) type Checked = Result<(), LossError>;

/// Checks data that is not differentiated, and says so where somebody expects that it is.
pub(crate) fn check_constant(loss: &'static str, name: &str, x: Var, domain: Domain) -> Checked {
    if x.needs_grad() {
        return Err(LossError::data(
            loss,
            format!(
                "the {name}s need a gradient, and this loss has none for them: give it {name}s.detach(), or data"
            ),
        ));
    }
    check(loss, name, x, domain, || domain.told(name))
}

/// Checks numbers where they are data; what a model computes may be anything, and what comes of it is for the user to see.
pub(crate) fn check_if_data(loss: &'static str, name: &str, x: Var, domain: Domain) -> Checked {
    if x.needs_grad() { Ok(()) } else { check(loss, name, x, domain, || domain.told(name)) }
}

/// Checks probabilities that were given as they are; those that a model computed are not looked at, in evaluation neither, where nothing
/// needs a gradient.
pub(crate) fn check_probabilities(loss: &'static str, name: &str, p: Var) -> Checked {
    if p.op_name() == "input" { check_if_data(loss, name, p, Domain::Probability) } else { Ok(()) }
}

/// The first number that does not lie in the domain is an error, which ends with `told`.
pub(crate) fn check<M: AsRef<str>>(
    loss: &'static str,
    name: &str,
    x: Var,
    domain: Domain,
    told: impl FnOnce() -> M,
) -> Checked {
    match x.read(domain) {
        Some((i, x)) => Err(LossError::data(loss, format!("{name} {i} is {x}: {}", told().as_ref()))),
        None => Ok(()),
    }
}

impl Read for Domain {
    type Out = Option<(usize, String)>;
    fn read<T: Scalar>(self, x: &[T]) -> Self::Out {
        // first a loop that vectorizes, as a search that may stop does not
        if x.iter().fold(true, |all, &x| all & self.holds(x)) {
            return None;
        }
        x.iter().enumerate().find(|&(_, &x)| !self.holds(x)).map(|(i, x)| (i, x.to_string()))
    }
}

/// The input of a loss that contains the softmax or the sigmoid must not be the output of one: it trains, only badly.
pub(crate) fn check_logits(loss: &'static str, logits: Var) -> Checked {
    check_unsquashed(loss, logits, |op| {
        format!(
            "logits: leave the {op} out, this loss contains it. (To squash twice on purpose, multiply by 1.0.)"
        )
    })
}

/// The input of a loss of log-probabilities must not be probabilities.
pub(crate) fn check_log_probs(loss: &'static str, log_probs: Var) -> Checked {
    check_unsquashed(loss, log_probs, |op| {
        format!(
            "logarithms of probabilities: take log_{op} instead. \
             (To go on with probabilities on purpose, multiply by 1.0.)"
        )
    })
}

fn check_unsquashed(loss: &'static str, x: Var, takes: impl FnOnce(&str) -> String) -> Checked {
    match x.op_name() {
        op @ ("softmax" | "sigmoid") => {
            let takes = takes(op);
            Err(LossError::data(loss, format!("its input is the output of {op}, and it takes {takes}")))
        }
        _ => Ok(()),
    }
}

/// Records the operation of a loss.
#[track_caller]
pub(crate) fn apply<'t>(op: impl Op, inputs: impl AsRef<[Var<'t>]>) -> Result<Var<'t>, LossError> {
    named(op.card().name, inputs.as_ref()[0].tape().try_apply(op, inputs))
}

/// What was recorded for a loss.
pub(crate) fn named<'t>(
    loss: &'static str,
    applied: Result<Var<'t>, surprisal_tensor::ShapeError>,
) -> Result<Var<'t>, LossError> {
    applied.map_err(|error| LossError { loss, problem: Problem::Shape(error) })
}

/// [`apply`], with weights behind the inputs where there are any; messages call them by `name`.
#[track_caller]
pub(crate) fn apply_weighted<'t>(
    op: impl Op,
    [x, targets]: [Var<'t>; 2],
    (name, weight): (&str, &Option<Vec<f64>>),
) -> Result<Var<'t>, LossError> {
    match weight {
        None => apply(op, [x, targets]),
        Some(w) => {
            let w = weights(x, op.card().name, name, w)?;
            apply(op, [x, targets, w])
        }
    }
}

/// Records weights on the tape of x; messages call them by the loss and by `name`.
#[track_caller]
pub(crate) fn weights<'t>(
    x: Var<'t>,
    loss: &'static str,
    name: &str,
    weights: &[f64],
) -> Result<Var<'t>, LossError> {
    match weights.iter().enumerate().find(|(_, w)| !(**w >= 0.0 && w.is_finite())) {
        Some((i, w)) => {
            Err(LossError::option(loss, format!("{name} {i} is {w}: weights are finite and not negative")))
        }
        None => Ok(x.tape().input_with([weights.len()], |i| weights[i])),
    }
}

/// An option that is one number: checked against its range, which `told` describes.
pub(crate) fn check_option(loss: &'static str, name: &str, value: f64, holds: bool, told: &str) -> Checked {
    if holds { Ok(()) } else { Err(LossError::option(loss, format!("{name} is {value}: {told}"))) }
}

/// [`check_option`] of a number that is 0 or more.
pub(crate) fn check_not_negative(loss: &'static str, name: &str, value: f64) -> Checked {
    check_option(loss, name, value, value >= 0.0 && value.is_finite(), "it is finite and not negative")
}
