//! `surprisal check`

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use surprisal_explain::digits;
use surprisal_run::RunError;
use surprisal_train::check::{self, Check, ROWS, STEPS};
use surprisal_train::{Answers, Examples, Objective, TrainError};

use crate::Failure;
use crate::model_options::{Model, OnData};
use crate::setting_options::DataOptions;

#[derive(Args)]
pub struct Options {
    /// What to check
    #[arg(value_enum)]
    which: Which,
    /// The sizes of the layers, such as 64-32-10, for a net at its start, as `train` would begin with it; or a file that `train` wrote
    /// [default: as `train` would begin on these data]
    #[arg(long, value_name = "SIZES|FILE.surprisal")]
    model: Option<Model>,
    #[command(flatten)]
    settings: DataOptions,
    /// Of classes: ce (cross-entropy), mse (squared error of the probabilities) or half_mse; of numbers: mse, half_mse, mae or huber
    /// [default: ce; mse for numbers]
    #[arg(long)]
    loss: Option<Objective>,
    /// Rows whose loss is differentiated, and rows that are memorized
    #[arg(long, default_value_t = NonZeroUsize::new(ROWS).expect("not 0"))]
    rows: NonZeroUsize,
    /// Steps in which they must be memorized
    #[arg(long, default_value_t = NonZeroUsize::new(STEPS).expect("not 0"))]
    steps: NonZeroUsize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Which {
    /// backward against dual numbers and central differences
    Gradients,
    /// The loss at the start against that of guessing, or of predicting the mean
    InitLoss,
    /// A few rows memorized
    OverfitOneBatch,
    /// Rows stay rows, and none looks at another
    Shapes,
    /// Dead and saturated units, gradients that vanish
    Units,
    /// One after the other
    All,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { which, model, settings: DataOptions(settings), loss, rows, steps } = options;
    let model = model.unwrap_or_default();
    let saved = matches!(model, Model::File(_));
    let on_data = model.with_data(&settings, loss)?;
    let loss = on_data.loss(loss)?;
    let OnData { model, params, answers, scaled: set, .. } = on_data;
    let examples = Examples::<f32>::new(&set); // rounded, as a training has them
    let data = settings.get("data").unwrap_or_else(|| set.name.clone());
    let what = match &answers {
        Answers::Classes(names) => format!("{} classes", names.len()),
        Answers::Number { name, offset, scale } => {
            format!(
                "the number {name} to predict, as ({name} - {}) / {}",
                digits(*offset, 6),
                digits(*scale, 6)
            )
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
            crate::tell("\nSKIPPED  init-loss\n  a saved model is no longer at its start\n")?;
            continue;
        }
        let (rows, steps) = (rows.get(), steps.get());
        let outcome = match one {
            Gradients => told(check::gradients(&model, &params, loss, &examples, rows)),
            InitLoss => told(check::init_loss(&model, &params, loss, &examples)),
            OverfitOneBatch => told(check::overfit_one_batch(&model, &params, loss, &examples, rows, steps)),
            Shapes => told(check::shapes(&model, &params, loss, &examples)),
            Units | All => told(check::units(&model, &params, loss, &examples)),
        };
        let (text, name, holds) = outcome.map_err(RunError::from)?;
        crate::tell(&format!("\n{text}"))?;
        if !holds {
            failed.push(name);
        }
    }
    if which == All {
        let known = if saved { "; what it was trained on is among these rows" } else { "" };
        crate::tell(&format!(
            "\nAll of this is about the machinery. Whether the data hold an answer, only training tells{known}.\n"
        ))?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::run(format!("{} of {} checks failed: {}", failed.len(), chosen.len(), failed.join(", "))))
}

fn told<M>(check: Result<Check<M>, TrainError>) -> Result<(String, &'static str, bool), TrainError> {
    check.map(|check| (check.to_string(), check.name, check.holds))
}
