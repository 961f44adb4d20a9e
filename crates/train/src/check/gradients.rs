//! Gradient check.

use surprisal_layers::{Layer, rng};
use surprisal_tensor::{Derivative, Disagreement, Params, Scalar, derivatives};

use super::{Check, features_of, fit, loss_of, targets_of};
use crate::{Batched, Objective, TrainError};

/// Up to so many numbers all are compared ..
const ALL: usize = 2000;
/// .. and of more so many of every parameter, drawn from this seed.
const OF_EACH: usize = 40;
const SEED: u64 = 0;

/// What [`gradients`] measured.
///
/// See the example of [`gradients`].
#[derive(Clone, Debug)]
pub struct Gradients {
    /// How many derivatives were compared ..
    pub compared: usize,
    /// .. of so many.
    pub of: usize,
    /// Where `backward` and dual numbers disagree: mistakes.
    pub wrong: Vec<Disagreement>,
    /// Where only the central difference disagrees: the loss has a kink within its reach, such as a relu near 0.
    pub kinks: Vec<Disagreement>,
    /// The worst error relative to max(1, |derivative|) against dual numbers, and where; `None` if nothing is trainable.
    pub worst: Option<(f64, Disagreement)>,
}

/// Holds the gradient of the loss of the first `rows` rows against dual numbers (to 1e-10) and central differences (to 1e-6),
/// computed in `f64`: for every number of theta if they are at most 2000, else for 40 of every parameter, drawn from a fixed seed.
///
/// Both oracles run the forward formula alone. Layers are in training, and draw the same random numbers each time.
///
/// ```
/// use surprisal_train::check;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Activation, Mlp, rng};
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Objective;
/// let iris = Dataset::iris();
/// let mut params = Params::new();
/// let model = Mlp::new(&mut params, &"4-8-3".parse()?, Activation::Tanh, &mut rng(7));
/// let check = check::gradients(&model, &params, Objective::CrossEntropy, &iris, check::ROWS)?;
/// assert!(check.holds && check.measured.wrong.is_empty(), "{check}");
/// assert_eq!((check.measured.compared, check.measured.of), (67, 67)); // 4 · 8 + 8 + 8 · 3 + 3
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the model's outputs, the loss and the data do not fit.
///
/// # Panics
/// At the caller's line, if a shape inside the model does not fit.
#[track_caller]
pub fn gradients<T: Scalar>(
    model: &impl Layer,
    params: &Params<T>,
    objective: Objective,
    examples: &dyn Batched,
    rows: usize,
) -> Result<Check<Gradients>, TrainError> {
    fit(model, params, objective, examples)?;
    let rows = rows.clamp(1, examples.rows());
    let chosen = Vec::from_iter(0..rows);
    let x = features_of(examples, &chosen);
    let targets = targets_of(examples, &chosen);
    let params = params.cast::<f64>();

    let of = params.trainable_spans().map(|span| span.len()).sum();
    let mut rng = rng(SEED);
    let mut places = Vec::new();
    for id in params.ids().filter(|&id| params.is_trainable(id)) {
        let range = &params.entry(id).range;
        if of <= ALL {
            places.extend(range.clone());
        } else {
            let drawn = rand::seq::index::sample(&mut rng, range.len(), OF_EACH.min(range.len()));
            places.extend(drawn.iter().map(|i| range.start + i));
        }
    }
    let found: Vec<Derivative> = derivatives(true, &params, places, |tape| {
        loss_of(objective, model.forward(tape.input(&x)), &targets)
    })
    .collect();

    let disagreement = |derivative: &Derivative| derivative.disagreement(&params);
    let wrong: Vec<_> = found.iter().filter(|d| !d.agrees_with_dual()).map(disagreement).collect();
    let kinks = found.iter().filter(|d| d.agrees_with_dual() && !d.agrees_with_difference());
    let kinks: Vec<_> = kinks.map(disagreement).collect();
    let worst = found.iter().max_by(|a, b| a.dual_error().total_cmp(&b.dual_error()));
    let worst = worst.map(|d| (d.dual_error(), disagreement(d)));

    let holds = wrong.is_empty();
    let mut text = match found.len() {
        compared if compared == of => format!("{of} derivatives, all there are"),
        compared => {
            format!("{compared} of {of} derivatives, up to {OF_EACH} of every parameter (seed {SEED})")
        }
    };
    if let Some((error, at)) = &worst {
        let Disagreement { input, index, backward, dual, difference } = at;
        text += &format!(
            "\nthe worst is off by {error:.1e}, {input}{index:?}:\n  backward            {backward:e}\n  \
             dual numbers        {dual:e}\n  central difference  {difference:e}"
        );
    }
    if !wrong.is_empty() {
        text += &format!("\n{} are wrong", wrong.len());
    }
    if let Some(first) = kinks.first() {
        text += &format!(
            "\n{} at a kink, the first {}{:?}: no mistake, dual numbers agree;\nthe loss bends sharply there (relu at 0), so that \
             a central difference has another slope on either side",
            kinks.len(),
            first.input,
            first.index
        );
    }
    Ok(Check {
        name: "gradients",
        holds,
        expected: format!(
            "backward = dual numbers to 1e-10 and = central differences to 1e-6, relative to max(1, |derivative|)\n\
             (the loss of the first {rows} rows, in f64: rounding leaves that much and no more)"
        ),
        found: text,
        means: if holds {
            "training follows the true gradient of the loss".into()
        } else {
            "training would follow a wrong gradient".into()
        },
        advice: (!holds).then(|| {
            "run check_gradient on each operation of your own that this parameter's value goes through; is something \
             detached, or computed through `value()`?"
                .into()
        }),
        measured: Gradients { compared: found.len(), of, wrong, kinks, worst },
    })
}
