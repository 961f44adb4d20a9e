//! Is this model, on this data, worth training? Five checks before the first epoch, each an expectation that a mistake breaks.
//!
//! | file | what is expected |
//! |---|---|
//! | `gradients` | [`gradients`]: what `backward` says agrees with two oracles that know the forward formula alone |
//! | `init_loss` | [`init_loss`]: a model that knows nothing has the loss of guessing, or of predicting the mean |
//! | `overfit` | [`overfit_one_batch`]: a model that can learn can memorize eight rows |
//! | `shapes` | [`shapes`]: rows stay rows, outputs meet targets, and no row looks at another |
//! | `units` | [`units`], [`unit_health`]: hidden units answer to their inputs, and gradients arrive at the first layer |
//!
//! All work for classes and for numbers to predict. Nothing is changed: what a check trains is a copy. The habit of checking in this order is Karpathy's, *A Recipe for Training
//! Neural Networks* (2019).
//!
//! ```
//! use surprisal_data::{Dataset, Standardize};
//! use surprisal_layers::{Activation, Mlp, rng};
//! use surprisal_tensor::Params;
//! use surprisal_train::{Examples, Objective, check};
//!
//! let mut data = Dataset::iris();
//! data.features = Standardize::fit(&data.features)?.apply(&data.features)?;
//! let examples = Examples::<f32>::new(&data);
//! let mut params = Params::new();
//! let model = Mlp::new(&mut params, &"4-8-3".parse()?, Activation::Tanh, &mut rng(7));
//!
//! let start = check::init_loss(&model, &params, Objective::CrossEntropy, &examples)?;
//! assert!(start.holds, "{start}");
//! assert!((start.measured.expected - 3f64.ln()).abs() < 1e-12);
//!
//! params.as_mut_slice().iter_mut().for_each(|w| *w *= 20.0);
//! let start = check::init_loss(&model, &params, Objective::CrossEntropy, &examples)?;
//! assert!(start.to_string().starts_with("FAILS  init-loss\n  expected  about 1.0986, the loss of guessing: ln 3"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod gradients;
mod init_loss;
mod overfit;
mod shapes;
mod units;

pub use gradients::{Gradients, gradients};
pub use init_loss::{InitLoss, init_loss};
pub use overfit::{Overfit, overfit_one_batch};
pub use shapes::{Shapes, shapes};
pub use units::{UnitHealth, Units, hidden_units, lost_units, unit_health, units};

use std::fmt;

use surprisal_data::Targets;
use surprisal_layers::Layer;
use surprisal_tensor::ndarray::ArrayD;
use surprisal_tensor::{Params, Scalar, Var, Workspace};

use crate::measure::check_fit;
use crate::{Batched, Objective, TrainError};

/// How many rows [`gradients`] and [`overfit_one_batch`] usually take.
pub const ROWS: usize = 8;
/// How many steps [`overfit_one_batch`] usually gives a model.
pub const STEPS: usize = 2000;

/// What a check expected and what it found, in words; printed, it is a block of aligned text.
///
/// ```
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Init, Linear, rng};
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Objective;
/// # let iris = Dataset::iris();
/// # let mut params = Params::new();
/// let sure = Linear::with_init(&mut params, "out", 4, 3, Init::Normal(20.0), Init::Zeros, &mut rng(7));
/// let check = check::init_loss(&sure, &params, Objective::CrossEntropy, &iris)?;
/// assert_eq!((check.name, check.holds), ("init-loss", false));
/// assert_eq!(check.advice.as_deref(), Some("use smaller initial weights in the last layer, or scale the features"));
/// println!("{check}"); // FAILS  init-loss, then what was expected, what was found, what it means, what to try
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check<M> {
    /// "init-loss"
    pub name: &'static str,
    /// Whether what was found is what was expected.
    pub holds: bool,
    /// What was expected, with the tolerance, and why.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// What that means.
    pub means: String,
    /// What to try, where it does not hold.
    pub advice: Option<String>,
    /// The numbers behind the words.
    pub measured: M,
}

impl<M> fmt::Display for Check<M> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}  {}", if self.holds { "HOLDS" } else { "FAILS" }, self.name)?;
        let advice = self.advice.as_deref().unwrap_or_default();
        let parts = [
            ("expected", &*self.expected),
            ("found", &*self.found),
            ("means", &*self.means),
            ("try", advice),
        ];
        for (title, text) in parts {
            for (i, line) in text.lines().enumerate() {
                writeln!(f, "  {:8}  {line}", if i == 0 { title } else { "" })?;
            }
        }
        Ok(())
    }
}

/// Whether the model, the loss and the data fit; gives how many outputs there are.
#[track_caller]
fn fit<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
) -> Result<usize, TrainError> {
    objective.check(examples.targets().is_regression())?;
    Ok(check_fit(model, params, examples, &mut Workspace::new())?.0)
}

/// The targets of some rows, for a tape of any number type; those of pixels as those of rows.
fn targets_of(examples: &dyn Batched, rows: &[usize]) -> Targets {
    match examples.targets().select(rows) {
        Targets::Masks { masks, names } => {
            Targets::Classes { labels: masks.iter().map(|&class| usize::from(class)).collect(), names }
        }
        targets => targets,
    }
}

/// Records the loss of outputs `[rows, outputs]`.
/// Some rows' features.
fn features_of(examples: &dyn Batched, rows: &[usize]) -> ArrayD<f64> {
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    workspace.eval(&params, |tape| examples.features(tape, rows))
}

#[track_caller]
fn loss_of<'t>(objective: Objective, outputs: Var<'t>, targets: &Targets) -> Var<'t> {
    match targets {
        Targets::Values(values) => objective.regression_loss(outputs, values),
        other => objective.loss(outputs, other.labels()),
    }
}
