//! What is minimised.

use std::fmt;
use std::str::FromStr;

use surprisal_loss::{
    HalfSquaredError, MseLoss, Reduction, binary_cross_entropy_with_logits, softmax_cross_entropy,
};
use surprisal_tensor::{Scalar, Var};

/// A loss of the model's logits against class labels.
///
/// All go through the same head: one logit through a sigmoid ("yes" is class 1), several through a softmax. All are means over
/// the *rows*, summed over the outputs of a row, so that at one learning rate none takes smaller steps by its
/// bookkeeping alone.
///
/// | name | loss of a row |
/// |---|---|
/// | `ce` | `-ln p_y`, the surprise at the true class |
/// | `mse` | `Σ_k (p_k - t_k)²`, with t one-hot |
/// | `half_mse` | `½ Σ_k (p_k - t_k)²` |
///
/// ```
/// use surprisal_train::Objective;
/// assert_eq!("mse".parse(), Ok(Objective::SquaredError));
/// assert_eq!("mae".parse::<Objective>().unwrap_err(), "there is no loss \"mae\": choose one of ce, mse, half_mse");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Cross-entropy, fused with the head.
    CrossEntropy,
    /// Squared error of the head's probabilities.
    SquaredError,
    /// Half of it.
    HalfSquaredError,
}

impl Objective {
    /// Every objective, in the order of the table.
    pub const ALL: [Objective; 3] =
        [Objective::CrossEntropy, Objective::SquaredError, Objective::HalfSquaredError];

    /// The name it is chosen by: "ce".
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert_eq!(Objective::ALL.map(Objective::name), ["ce", "mse", "half_mse"]);
    /// assert_eq!(Objective::CrossEntropy.to_string(), "cross-entropy"); // for readers
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Objective::CrossEntropy => "ce",
            Objective::SquaredError => "mse",
            Objective::HalfSquaredError => "half_mse",
        }
    }

    /// Records the loss of logits `[rows, outputs]` against one label a row.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// use surprisal_train::Objective;
    /// let params = Params::<f64>::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let undecided = tape.input(&array![[0.0]]); // p = 1/2
    /// assert_eq!(Objective::CrossEntropy.loss(undecided, &[1]).item(), 2f64.ln());
    /// assert_eq!(Objective::SquaredError.loss(undecided, &[1]).item(), 0.25);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the labels do not fit the logits.
    #[track_caller]
    pub fn loss<'t, T: Scalar>(self, logits: Var<'t, T>, labels: &[usize]) -> Var<'t, T> {
        let &[rows, outputs] = logits.shape().dims() else {
            panic!("{self}: the logits are {}: they must be [rows, outputs]", logits.shape());
        };
        assert!(labels.len() == rows, "{self}: {} labels for {rows} rows of logits", labels.len());
        let classes = outputs.max(2);
        if let Some(row) = labels.iter().position(|&label| label >= classes) {
            panic!(
                "{self}: label {} in row {row} is not one of the {classes} classes 0 to {}",
                labels[row],
                classes - 1
            );
        }
        if self == Objective::CrossEntropy && outputs > 1 {
            return softmax_cross_entropy(logits, labels);
        }
        let targets = logits.tape().input_with([rows, outputs], |slots| {
            slots.fill(T::ZERO);
            for (row, &label) in slots.chunks_exact_mut(outputs).zip(labels) {
                if outputs > 1 {
                    row[label] = T::ONE;
                } else {
                    row[0] = T::of(label as f64);
                }
            }
        });
        let probabilities =
            |logits: Var<'t, T>| if outputs > 1 { logits.softmax(-1) } else { logits.sigmoid() };
        let over_rows = 1.0 / rows as f64;
        match self {
            Objective::CrossEntropy => binary_cross_entropy_with_logits(logits, targets),
            Objective::SquaredError => {
                MseLoss { reduction: Reduction::Sum }.loss(probabilities(logits), targets) * over_rows
            }
            Objective::HalfSquaredError => {
                HalfSquaredError { reduction: Reduction::Sum }.loss(probabilities(logits), targets)
                    * over_rows
            }
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Objective::CrossEntropy => "cross-entropy",
            Objective::SquaredError => "squared error",
            Objective::HalfSquaredError => "half squared error",
        })
    }
}

impl FromStr for Objective {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let known = Objective::ALL.map(Objective::name).join(", ");
        let found = Objective::ALL.into_iter().find(|objective| objective.name() == name);
        found.ok_or_else(|| format!("there is no loss \"{name}\": choose one of {known}"))
    }
}
