//! `surprisal check`

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use surprisal_explain::digits;
use surprisal_run::RunError;
use surprisal_train::check::{self, Check, ROWS, STEPS};
use surprisal_train::{Examples, Objective, Predictions, TrainError};

use crate::Failure;
use crate::model_options::{Model, OnData};
use crate::setting_options::DataOptions;

#[derive(Args)]
pub struct Options {
    /// The checks to run
    #[arg(value_enum)]
    which: Which,
    /// An untrained net, such as 64-32-10 or conv(8,3)-relu-10; or a file that `train` wrote
    /// [default: the untrained net that `train` would create for these data]
    #[arg(long, value_name = "NET|FILE.surprisal")]
    model: Option<Model>,
    #[command(flatten)]
    settings: DataOptions,
    /// The loss. For classification: ce (cross-entropy), mse (squared error of the probabilities) or half_mse; for regression: mse,
    /// half_mse, mae or huber [default: ce; mse for regression]
    #[arg(long)]
    loss: Option<Objective>,
    /// Number of rows for the gradient check and for the overfitting check
    #[arg(long, default_value_t = NonZeroUsize::new(ROWS).expect("not 0"))]
    rows: NonZeroUsize,
    /// Maximum number of steps of the overfitting check
    #[arg(long, default_value_t = NonZeroUsize::new(STEPS).expect("not 0"))]
    steps: NonZeroUsize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Which {
    /// Gradients of backward against dual numbers and central differences
    Gradients,
    /// The initial loss against that of guessing, or of predicting the mean
    InitLoss,
    /// Overfitting a few rows
    OverfitOneBatch,
    /// Shapes, and independence of the rows of a batch
    Shapes,
    /// Dead and saturated units, vanishing and exploding gradients
    Units,
    /// All checks
    All,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { which, model, settings: DataOptions(settings), loss, rows, steps } = options;
    let model = model.unwrap_or_default();
    let saved = matches!(model, Model::File(_));
    let on_data = model.with_data(&settings, loss)?;
    let loss = on_data.loss(loss)?;
    let OnData { model, params, predictions, scaled: set, .. } = on_data;
    let examples = Examples::<f32>::new(&set); // rounded, as a training has them
    let data = settings.get("data").unwrap_or_else(|| set.name.clone());
    let what = match &predictions {
        Predictions::Classes(names) => format!("{} classes", names.len()),
        Predictions::Masks(names) => format!("masks with {} classes", names.len()),
        Predictions::Number { name, offset, scale } => {
            format!("target {name}, scaled as ({name} - {}) / {}", digits(*offset, 6), digits(*scale, 6))
        }
    };
    crate::tell(&format!("{data}: {} rows, {what}; the loss is {loss}\n", set.rows()))?;

    use Which::*;
    let chosen = match which {
        All => vec![Gradients, InitLoss, OverfitOneBatch, Shapes, Units],
        one => vec![one],
    };
    let mut failed = Vec::new();
    for &one in &chosen {
        if (which, one, saved) == (All, InitLoss, true) {
            crate::tell("\nSKIPPED  init-loss\n  only for untrained models\n")?;
            continue;
        }
        let (rows, steps) = (rows.get(), steps.get());
        let outcome = match one {
            Gradients => outcome_of(check::gradients(&model, &params, loss, &examples, rows)),
            InitLoss => outcome_of(check::init_loss(&model, &params, loss, &examples)),
            OverfitOneBatch => {
                outcome_of(check::overfit_one_batch(&model, &params, loss, &examples, rows, steps))
            }
            Shapes => outcome_of(check::shapes(&model, &params, loss, &examples)),
            Units | All => outcome_of(check::units(&model, &params, loss, &examples)),
        };
        let (text, name, holds) = outcome.map_err(RunError::from)?;
        crate::tell(&format!("\n{text}"))?;
        if !holds {
            failed.push(name);
        }
    }
    if which == All {
        let known = if saved { "; these rows include its training rows" } else { "" };
        crate::tell(&format!(
            "\nThese checks test the model, not the data: only training shows whether the features predict the target{known}.\n"
        ))?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::run(format!("{} of {} checks failed: {}", failed.len(), chosen.len(), failed.join(", "))))
}

fn outcome_of<M>(check: Result<Check<M>, TrainError>) -> Result<(String, &'static str, bool), TrainError> {
    check.map(|check| (check.to_string(), check.name, check.holds))
}
