//! The list of all losses, and a way to call each by its name: what the command, the tests and the pictures read.
//!
//! ```
//! use surprisal_loss::by_name::{self, Call, Setting};
//! use surprisal_tensor::{Params, Workspace, ndarray::array};
//! let params = Params::<f64>::new();
//! let mut workspace = Workspace::new();
//! let tape = workspace.tape(&params);
//! let call = Call {
//!     inputs: vec![("input".into(), tape.input(&array![3.0])), ("target".into(), tape.input(&array![0.0]))],
//!     options: [("delta".into(), Setting::Number(1.0))].into(),
//! };
//! let entry = by_name::find("huber_loss").unwrap();
//! assert_eq!(entry.call(&call)?.item(), 2.5); // delta (|e| - delta / 2)
//! # Ok::<(), surprisal_loss::by_name::CallError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use surprisal_tensor::{Card, Scalar, Var};

use crate::{Base, Reduction};

/// What a loss says of itself, beside its page.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name, formula and gradient.
    pub card: Card,
    /// What it takes.
    pub inputs: &'static [Input],
    /// How it can be varied.
    pub options: &'static [OptionCard],
    /// Against what it is drawn, if it is a function of one number.
    pub curve: Option<Curve>,
}

/// An input of a loss.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// "logits"
    pub name: &'static str,
    /// Whether it has a gradient.
    pub differentiable: bool,
    /// Its shape and range.
    pub about: &'static str,
}

/// An option of a loss.
#[derive(Clone, Copy, Debug)]
pub struct OptionCard {
    /// "label_smoothing"
    pub name: &'static str,
    /// What it is where it is not given.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// The number that a loss of single numbers is drawn against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// A logit, for the two labels: 0 and 1, or -1 and +1.
    Logit([f64; 2]),
    /// A probability, for the labels 0 and 1.
    Probability,
    /// The probability of what happened: there is no label.
    Outcome,
    /// The error, input - target.
    Error,
}

pub(crate) const fn gradient(name: &'static str, about: &'static str) -> Input {
    Input { name, differentiable: true, about }
}
pub(crate) const fn constant(name: &'static str, about: &'static str) -> Input {
    Input { name, differentiable: false, about }
}
pub(crate) const fn option(name: &'static str, default: &'static str, about: &'static str) -> OptionCard {
    OptionCard { name, default, about }
}
pub(crate) const REDUCTION: OptionCard = option("reduction", "mean", "mean, sum, or none");
pub(crate) const BASE: OptionCard = option("base", "e", "e for nats, 2 for bits");

/// The inputs and options of one call, by their names.
pub struct Call<'t, T: Scalar> {
    /// Arrays on a tape; labels and weights too, as numbers.
    pub inputs: Vec<(String, Var<'t, T>)>,
    /// What differs from the defaults. Names that a loss does not know are not looked at.
    pub options: BTreeMap<String, Setting>,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// `"delta": 1.5`
    Number(f64),
    /// `"reduction": "sum"`
    Text(String),
    /// `"swap": true`
    Flag(bool),
    /// `"q": [0.1, 0.5, 0.9]`
    Numbers(Vec<f64>),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Setting::Number(x) => write!(f, "{x}"),
            Setting::Text(text) => write!(f, "\"{text}\""),
            Setting::Flag(flag) => write!(f, "{flag}"),
            Setting::Numbers(x) => write!(f, "{x:?}"),
        }
    }
}

/// Why a loss could not be called: an input is missing, or an option is not what it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct CallError(pub(crate) String);

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for CallError {}

impl<'t, T: Scalar> Call<'t, T> {
    pub(crate) fn optional(&self, name: &str) -> Option<Var<'t, T>> {
        self.inputs.iter().find(|(given, _)| given == name).map(|&(_, var)| var)
    }

    pub(crate) fn input(&self, name: &str) -> Result<Var<'t, T>, CallError> {
        self.optional(name).ok_or_else(|| {
            let given: Vec<_> = self.inputs.iter().map(|(name, _)| name.as_str()).collect();
            let given = if given.is_empty() {
                "there are none".into()
            } else {
                format!("there are: {}", given.join(", "))
            };
            CallError(format!("the input \"{name}\" is missing; {given}"))
        })
    }

    /// Class labels, which stand among the inputs as numbers.
    pub(crate) fn labels(&self, name: &str) -> Result<Vec<i64>, CallError> {
        let numbers = self.input(name)?.with_value(|x| x.iter().map(|x| x.value()).collect::<Vec<f64>>());
        let label = |(i, &x): (usize, &f64)| {
            let whole = x.fract() == 0.0 && x.abs() < 2f64.powi(53); // NaN is not
            whole
                .then_some(x as i64)
                .ok_or_else(|| CallError(format!("{name} {i} is {x}: a class is a whole number")))
        };
        numbers.iter().enumerate().map(label).collect()
    }

    /// Weights, which stand among the inputs.
    pub(crate) fn weights(&self, name: &str) -> Option<Vec<f64>> {
        self.optional(name).map(|var| var.with_value(|x| x.iter().map(|x| x.value()).collect()))
    }

    pub(crate) fn reduction(&self) -> Result<Reduction, CallError> {
        match self.text("reduction", "mean")? {
            "mean" => Ok(Reduction::Mean),
            "sum" => Ok(Reduction::Sum),
            "none" => Ok(Reduction::None),
            other => Err(CallError(format!("reduction is \"{other}\": it is mean, sum or none"))),
        }
    }

    /// `"base": "e"` or `"base": 2`
    pub(crate) fn base(&self) -> Result<Base, CallError> {
        match self.options.get("base") {
            None => Ok(Base::E),
            Some(Setting::Text(text)) if text == "e" => Ok(Base::E),
            Some(Setting::Number(2.0)) => Ok(Base::Two),
            Some(other) => Err(CallError(format!("base is {other}: it is \"e\" for nats, or 2 for bits"))),
        }
    }

    pub(crate) fn number(&self, name: &str, default: f64) -> Result<f64, CallError> {
        match self.options.get(name) {
            None => Ok(default),
            Some(Setting::Number(x)) => Ok(*x),
            Some(other) => Err(CallError(format!("{name} is {other}: it is a number"))),
        }
    }

    /// One number or a list of them.
    pub(crate) fn numbers(&self, name: &str, default: &[f64]) -> Result<Vec<f64>, CallError> {
        match self.options.get(name) {
            None => Ok(default.to_vec()),
            Some(Setting::Number(x)) => Ok(vec![*x]),
            Some(Setting::Numbers(x)) => Ok(x.clone()),
            Some(other) => Err(CallError(format!("{name} is {other}: it is a number or a list of numbers"))),
        }
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, CallError> {
        match self.options.get(name) {
            None => Ok(default),
            Some(Setting::Flag(flag)) => Ok(*flag),
            Some(other) => Err(CallError(format!("{name} is {other}: it is true or false"))),
        }
    }

    pub(crate) fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, CallError> {
        match self.options.get(name) {
            None => Ok(default),
            Some(Setting::Text(text)) => Ok(text),
            Some(other) => Err(CallError(format!("{name} is {other}: it is a word"))),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&self, name: &str, default: usize) -> Result<usize, CallError> {
        let x = self.number(name, default as f64)?;
        let whole = x.fract() == 0.0 && (0.0..2f64.powi(53)).contains(&x);
        whole.then_some(x as usize).ok_or_else(|| CallError(format!("{name} is {x}: it is a whole number")))
    }
}

/// One list: what stands here has a row in the command's list, is held against its vectors, and can be called by name.
macro_rules! losses {
    ($($loss:ident)+) => {
        /// Every loss and function, in the order of the front page.
        pub const ALL: &[Entry] = &[$(crate::$loss::ENTRY),+];

        impl Entry {
            /// Records this loss on the tape of its inputs.
            ///
            /// # Errors
            /// If an input is missing or an option is not what it must be.
            ///
            /// # Panics
            /// As the loss itself does, where shapes or numbers do not fit.
            #[track_caller]
            pub fn call<'t, T: Scalar>(&self, call: &Call<'t, T>) -> Result<Var<'t, T>, CallError> {
                $(if self.card.name == crate::$loss::ENTRY.card.name { return crate::$loss::by_name(call) })+
                Err(CallError(format!("there is no loss \"{}\"", self.card.name)))
            }
        }
    };
}
losses! {
    softmax_cross_entropy softmax_focal_loss topk_cross_entropy nll_loss
    binary_cross_entropy_with_logits sigmoid_focal_loss soft_margin_loss binary_cross_entropy
    hinge_loss squared_hinge_loss multi_margin_loss
    mse_loss half_squared_error l1_loss smooth_l1_loss huber_loss log_cosh_loss quantile_loss poisson_nll_loss
    dice_loss ce_dice_loss triplet_margin_loss contrastive_loss supcon_loss
    self_information entropy cross_entropy_probs kl_div kl_div_logits entropy_from_logits
    softmax log_softmax logsumexp sigmoid log_sigmoid softplus tanh
}

/// The loss of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.card.name == name)
}
