//! What is minimised.

use std::fmt;
use std::str::FromStr;

use surprisal_loss::{
    HalfSquaredError, MseLoss, Reduction, binary_cross_entropy_with_logits, huber_loss, l1_loss,
    softmax_cross_entropy,
};
use surprisal_tensor::{Scalar, Var};

use crate::TrainError;

/// A loss of the model's outputs against class labels, or against numbers.
///
/// Against labels all go through the same head: one logit through a sigmoid ("yes" is class 1), several through a softmax. Against
/// numbers the one output is the answer. All are means over the *rows*, summed over the outputs of a row, so that at one learning
/// rate none takes smaller steps by its bookkeeping alone.
///
/// | name | loss of a row with label y | loss of a row with number t |
/// |---|---|---|
/// | `ce` | `-ln p_y`, the surprise at the true class | |
/// | `mse` | `Σ_k (p_k - t_k)²`, with t one-hot | `(z - t)²` |
/// | `half_mse` | `½ Σ_k (p_k - t_k)²` | `½ (z - t)²` |
/// | `mae` | | `|z - t|` |
/// | `huber` | | `½ (z - t)²` up to a distance of 1, `|z - t| - ½` beyond |
///
/// ```
/// use surprisal_train::Objective;
/// assert_eq!("mse".parse(), Ok(Objective::SquaredError));
/// assert_eq!(
///     "hinge".parse::<Objective>().unwrap_err(),
///     "there is no loss \"hinge\": choose one of ce, mse, half_mse, mae, huber"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Cross-entropy, fused with the head.
    CrossEntropy,
    /// Squared error of the head's probabilities.
    SquaredError,
    /// Half of it.
    HalfSquaredError,
    /// Absolute error, of numbers only.
    AbsoluteError,
    /// Huber's loss with δ = 1, of numbers only.
    Huber,
}

impl Objective {
    /// Every objective, in the order of the table.
    pub const ALL: [Objective; 5] = [
        Objective::CrossEntropy,
        Objective::SquaredError,
        Objective::HalfSquaredError,
        Objective::AbsoluteError,
        Objective::Huber,
    ];
    /// Those that judge class labels.
    pub const OF_LABELS: [Objective; 3] =
        [Objective::CrossEntropy, Objective::SquaredError, Objective::HalfSquaredError];
    /// Those that judge numbers.
    pub const OF_VALUES: [Objective; 4] =
        [Objective::SquaredError, Objective::HalfSquaredError, Objective::AbsoluteError, Objective::Huber];

    /// The name it is chosen by: "ce".
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert_eq!(Objective::OF_LABELS.map(Objective::name), ["ce", "mse", "half_mse"]);
    /// assert_eq!(Objective::CrossEntropy.to_string(), "cross-entropy"); // for readers
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Objective::CrossEntropy => "ce",
            Objective::SquaredError => "mse",
            Objective::HalfSquaredError => "half_mse",
            Objective::AbsoluteError => "mae",
            Objective::Huber => "huber",
        }
    }

    /// Whether it is a loss of class labels, or, if `of_values`, of numbers.
    ///
    /// ```
    /// use surprisal_train::Objective;
    /// assert!(Objective::SquaredError.check(true).is_ok());
    /// assert_eq!(
    ///     Objective::Huber.check(false).unwrap_err().to_string(),
    ///     "loss huber: is none for classes | choose ce, mse, half_mse"
    /// );
    /// ```
    ///
    /// # Errors
    /// [`TrainError::Setting`], if it is not.
    pub fn check(self, of_values: bool) -> Result<(), TrainError> {
        let (fitting, what): (&[Objective], _) = match of_values {
            true => (&Objective::OF_VALUES, "numbers"),
            false => (&Objective::OF_LABELS, "classes"),
        };
        if fitting.contains(&self) {
            return Ok(());
        }
        let names = Vec::from_iter(fitting.iter().map(|objective| objective.name())).join(", ");
        Err(TrainError::Setting(format!("loss {}: is none for {what} | choose {names}", self.name())))
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
    /// At the caller's line, if the labels do not fit the logits, and if this objective is not one of
    /// [`OF_LABELS`](Self::OF_LABELS).
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
            Objective::AbsoluteError | Objective::Huber => {
                panic!("{self}: judges numbers, found labels: choose ce, mse or half_mse")
            }
        }
    }

    /// Records the loss of outputs `[rows, 1]` against one number a row.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// use surprisal_train::Objective;
    /// let params = Params::<f64>::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let answers = tape.input(&array![[1.0], [5.0]]);
    /// let losses = Objective::OF_VALUES.map(|objective| objective.loss_of_values(answers, &[1.5, 2.0]).item());
    /// assert_eq!(losses, [(0.25 + 9.0) / 2.0, (0.125 + 4.5) / 2.0, (0.5 + 3.0) / 2.0, (0.125 + 2.5) / 2.0]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the values do not fit the outputs, and if this is cross-entropy.
    #[track_caller]
    pub fn loss_of_values<'t, T: Scalar>(self, outputs: Var<'t, T>, values: &[T]) -> Var<'t, T> {
        let shape = outputs.shape();
        assert!(
            shape.dims() == [values.len(), 1],
            "{self}: {} values for outputs {shape}: they must be [rows, 1]",
            values.len()
        );
        let targets = outputs.tape().input_with(shape, |slots| slots.copy_from_slice(values));
        match self {
            Objective::CrossEntropy => {
                panic!("{self}: judges labels, found numbers: choose mse, half_mse, mae or huber")
            }
            Objective::SquaredError => MseLoss::default().loss(outputs, targets),
            Objective::HalfSquaredError => HalfSquaredError::default().loss(outputs, targets),
            Objective::AbsoluteError => l1_loss(outputs, targets),
            Objective::Huber => huber_loss(outputs, targets),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Objective::CrossEntropy => "cross-entropy",
            Objective::SquaredError => "squared error",
            Objective::HalfSquaredError => "half squared error",
            Objective::AbsoluteError => "absolute error",
            Objective::Huber => "Huber's loss",
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
