//! [`Entry`]: what the list has of a loss.

use surprisal_settings::Setting;
use surprisal_tensor::Card;

/// The description of a loss, beside its page.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name, formula and gradient.
    pub card: Card,
    /// What it takes.
    pub inputs: &'static [Input],
    /// How it can be varied.
    pub options: &'static [Setting],
    /// Against what it is drawn, if it is a function of one number.
    pub curve: Option<Curve>,
    /// Whether a model is trained with it by its name.
    pub training: Training,
}

/// Whether a model is trained with a loss, by its name, on rows that have one class or one number each.
#[derive(Clone, Copy, Debug)]
pub enum Training {
    /// It is.
    Rows {
        /// A short name, "focal".
        name: &'static str,
        /// A name for readers, "focal loss".
        title: &'static str,
        /// The targets.
        target: Target,
        /// The options that can be set; weights are single numbers, 1 by default.
        options: &'static [&'static str],
    },
    /// It is not, and why: "needs ..".
    No(&'static str),
}

/// The targets that a model is trained on, and its outputs for K classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A class; K logits, or one for two classes.
    Class,
    /// A class; K logits, for two classes too.
    ClassOfEach,
    /// Yes or no for each of K logits: one class against the rest; one logit for two classes.
    YesNo,
    /// The probability of each class, 1 for that of the row; or a number.
    ProbabilityOrNumber,
    /// A number.
    Number,
    /// A count, of which the output is the logarithm.
    Count,
}

/// An input of a loss.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// "logits"
    pub name: &'static str,
    /// Whether it has a gradient.
    pub differentiable: bool,
    /// Whether it contains weights: they are optional, and [`Loss`](super::Loss) takes them as an option.
    pub weights: bool,
    /// Which numbers it may hold; those that are usual, where other options take others.
    pub values: Values,
    /// Its shape and range.
    pub about: &'static str,
}

/// The numbers that an input of a loss may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any numbers.
    Number,
    /// From 0 to 1.
    Unit,
    /// Rows from 0 to 1 that sum to 1.
    Distribution,
    /// 0 or 1.
    YesNo,
    /// +1 or -1.
    Sign,
    /// Class indices, one for each row.
    Classes,
    /// 0 or 1, one for each row.
    Pairs,
    /// 0 or more.
    NotNegative,
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

pub(crate) const fn gradient(name: &'static str, values: Values, about: &'static str) -> Input {
    Input { name, differentiable: true, weights: false, values, about }
}
pub(crate) const fn constant(name: &'static str, values: Values, about: &'static str) -> Input {
    Input { name, differentiable: false, weights: false, values, about }
}
pub(crate) const fn weights_input(name: &'static str, about: &'static str) -> Input {
    Input { name, differentiable: false, weights: true, values: Values::NotNegative, about }
}
