//! Shapes, and independence of rows.

use surprisal_layers::{Layer, Summary, summary};
use surprisal_tensor::ndarray::{Axis, Slice};
use surprisal_tensor::{Params, Scalar, Workspace};

use super::{Check, features_of, fit, loss_of, targets_of};
use crate::{Batched, Objective, TrainError};

/// Rows in the full batch.
const BATCH: usize = 64;
/// How far an output may depend on the other rows, relative to max(1, |output|): products of other sizes add up in another order.
const ROUNDING: f64 = 1e-9;

/// What [`shapes`] measured.
///
/// See the example of [`shapes`].
#[derive(Clone, Debug)]
pub struct Shapes {
    /// The layers and the shapes of what they put out for the full batch.
    pub layers: Summary,
    /// How many rows were tried, and the shape of what came out.
    pub outputs: Vec<(usize, Vec<usize>)>,
    /// The largest difference between the outputs of a row alone and in the batch, relative to max(1, |output|); `None` where the
    /// shapes do not allow to compare.
    pub difference: Option<f64>,
    /// The rows whose inputs the loss of row 0 depends on, but for itself.
    pub leaks: Vec<usize>,
}

/// Runs the model on 1 row, on 3 and on a full batch of up to 64, in `f64` and in evaluation: are there as many rows of outputs, and
/// an output for each class, or one for a number? Is each row's output the same alone and in the batch, and is the gradient of row 0's loss with respect
/// to every other row exactly 0?
///
/// A softmax over the wrong axis, a reshape that mixes rows, a mean over the batch all keep their shapes, and train.
///
/// ```
/// use surprisal_layers::{Layer, Linear, rng};
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_tensor::{Params, Scalar, Var};
/// # use surprisal_train::Objective;
///
/// struct WrongAxis(Linear);
/// impl Layer for WrongAxis {
///     fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
///         self.0.forward(x).softmax(0) // over the rows: classes are along axis -1
///     }
/// }
/// # let iris = Dataset::iris();
/// # let mut params = Params::new();
/// let linear = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
/// assert!(check::shapes(&linear, &params, Objective::CrossEntropy, &iris)?.holds);
/// let check = check::shapes(&WrongAxis(linear), &params, Objective::CrossEntropy, &iris)?;
/// assert!(check.found.contains("the loss of row 0 depends on 63 other rows, the first is row 1"), "{check}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the model's outputs, the loss and the data do not fit, or there are fewer than 2 rows.
///
/// # Panics
/// At the caller's line, if a shape inside the model does not fit.
#[track_caller]
pub fn shapes<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
) -> Result<Check<Shapes>, TrainError> {
    let wanted = fit(model, params, objective, examples)?;
    let n = examples.rows().min(BATCH);
    if n < 2 {
        return Err(TrainError::Misfit("shapes: expected 2 rows or more, found 1".into()));
    }
    let (params, mut workspace) = (params.cast::<f64>(), Workspace::new());
    let features = features_of(examples, &Vec::from_iter(0..n));
    let mut run = |from: usize, to: usize| {
        let rows = features.slice_axis(Axis(0), Slice::from(from..to));
        workspace.eval(&params, |tape| model.forward(tape.input(&rows)))
    };
    let layers = summary(&params, model, features.shape());
    let outputs: Vec<_> = [1, 3.min(n), n].map(|rows| (rows, run(0, rows).shape().to_vec())).into();
    let rows_stay = outputs.iter().all(|(rows, shape)| *shape == [*rows, wanted]);

    let (mut difference, mut leaks) = (None, Vec::new());
    if rows_stay {
        let together = run(0, n);
        let mut worst = 0.0;
        for (row, together) in together.outer_iter().enumerate() {
            for (alone, together) in run(row, row + 1).iter().zip(&together) {
                let error = (alone - together).abs() / together.abs().max(1.0);
                worst = if error <= worst { worst } else { error }; // NaN stays
            }
        }
        difference = Some(worst);

        let tape = workspace.tape(&params).evaluating();
        let x = tape.input(&features).requires_grad();
        loss_of(objective, model.forward(x).slice(0, 0..1), &targets_of(examples, &[0])).backward();
        let gradient = x.grad().expect("asked for above");
        let touched = gradient.outer_iter().map(|row| row.iter().any(|&g| g != 0.0));
        leaks = touched.enumerate().skip(1).filter(|&(_, touched)| touched).map(|(row, _)| row).collect();
    }

    let apart = leaks.is_empty() && difference.is_some_and(|worst| worst <= ROUNDING);
    let shapes = outputs.iter().map(|(rows, shape)| format!("{rows} in: {shape:?}"));
    let mut found = shapes.collect::<Vec<_>>().join("; ");
    if let Some(difference) = difference {
        found += &format!("\na row alone and in the batch: {difference:.1e} apart at most");
        found += &match leaks[..] {
            [] => "\nthe gradient of row 0's loss with respect to the other rows is 0".into(),
            [first, ..] => {
                format!("\nthe loss of row 0 depends on {} other rows, the first is row {first}", leaks.len())
            }
        };
    }
    found += &format!("\n{layers}");
    let (means, advice) = if !rows_stay {
        (
            "the model changes the number of rows",
            Some("look in the table for the layer where the first axis changes"),
        )
    } else if !apart {
        (
            "rows of a batch are not independent: a prediction depends on the other rows",
            Some(
                "is a softmax or a mean taken over axis 0, does a reshape mix rows? Classes are along the last axis, -1",
            ),
        )
    } else {
        ("every prediction depends on its own row only, in any batch", None)
    };
    Ok(Check {
        name: "shapes",
        holds: rows_stay && apart,
        expected: format!(
            "n rows in, [n, {wanted}] out; a row's outputs the same alone and among {n} rows (to {ROUNDING:e}, for rounding),\n\
             and the loss of row 0 without any slope in the inputs of other rows (exactly 0)"
        ),
        found,
        means: means.into(),
        advice: advice.map(String::from),
        measured: Shapes { layers, outputs, difference, leaks },
    })
}
