//! softmax_cross_entropy, nll_loss, the two binary cross-entropies, the two squared errors.

use surprisal_loss::{
    BinaryCrossEntropy, BinaryCrossEntropyWithLogits, NllLoss, Reduction, SoftmaxCrossEntropy,
    binary_cross_entropy, binary_cross_entropy_with_logits, half_squared_error, mse_loss, nll_loss,
    softmax_cross_entropy,
};
use surprisal_tensor::ndarray::{Array1, Array2, array};

use surprisal_tensor::{Params, Tape, Workspace};

use super::{V, says, zeros};

#[test]
fn softmax_cross_entropy_names_the_label_the_row_and_the_range() {
    says(
        "softmax_cross_entropy: label 3 in row 1 is not one of the 3 classes 0 to 2: do the labels start at 1, or is the last \
         layer too narrow?",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &[0, 3]),
    );
    says(
        "softmax_cross_entropy: label -1 in row 0 is not one of the 3 classes 0 to 2: do the labels start at 1, or is the last \
         layer too narrow?",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &[-1, 2]),
    );
    says(
        "softmax_cross_entropy: 3 labels for the 2 rows of logits [2, 3]: one label is needed for each row",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &[0, 1, 2]),
    );
}

#[test]
fn softmax_cross_entropy_takes_matrices_that_hold_something() {
    says("softmax_cross_entropy: the batch [0, 3] is empty: there is no loss of nothing", |tape| {
        softmax_cross_entropy(tape.input(&zeros(&[0, 3])), &[0usize; 0])
    });
    says("softmax_cross_entropy: the batch [2, 0] is empty: there is no loss of nothing", |tape| {
        let z = tape.input(&zeros(&[2, 0]));
        softmax_cross_entropy(z, z)
    });
    says(
        "softmax_cross_entropy: the logits are []: they must be [rows, classes], [N, classes, ..] or [classes]",
        |tape| softmax_cross_entropy(tape.constant(0.0), &[0]),
    );
    says(
        "softmax_cross_entropy: 2 labels for the 3 rows of logits [1, 2, 3]: one label is needed for each row",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), &[0, 1]),
    );
    says(
        "softmax_cross_entropy: label 2 in row 1 is not one of the 2 classes 0 to 1: do the labels start at 1, or is the last layer \
         too narrow?",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), &[0, 2, 0]),
    );
    says(
        "softmax_cross_entropy: the logits are [1, 2, 3], the target probabilities [1, 3, 2]\n  hint: give one probability for every \
         logit, or class indices as a slice: &labels",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), tape.input(&zeros(&[1, 3, 2]))),
    );
    says(
        "softmax_cross_entropy: the logits are [2, 3], the target probabilities [2, 4]\n  hint: give one probability for every \
         logit, or class indices as a slice: &labels",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), tape.input(&zeros(&[2, 4]))),
    );
}

#[test]
fn softmax_cross_entropy_checks_its_options() {
    says(
        "softmax_cross_entropy: label_smoothing is 1.5: it lies between 0 (none) and 1 (only the spread)",
        |tape| {
            SoftmaxCrossEntropy { label_smoothing: 1.5, ..Default::default() }
                .loss(tape.input(&zeros(&[1, 2])), &[0])
        },
    );
    says(
        "softmax_cross_entropy: label_smoothing is NaN: it lies between 0 (none) and 1 (only the spread)",
        |tape| {
            SoftmaxCrossEntropy { label_smoothing: f64::NAN, ..Default::default() }
                .loss(tape.input(&zeros(&[1, 2])), &[0])
        },
    );
    says("softmax_cross_entropy: weight 1 is -1: weights are finite and not negative", |tape| {
        SoftmaxCrossEntropy { weight: Some(vec![1.0, -1.0]), ..Default::default() }
            .loss(tape.input(&zeros(&[1, 2])), &[0])
    });
    says("softmax_cross_entropy: 3 weights for the 2 classes of logits [1, 2]", |tape| {
        SoftmaxCrossEntropy { weight: Some(vec![1.0; 3]), ..Default::default() }
            .loss(tape.input(&zeros(&[1, 2])), &[0])
    });
    says(
        "softmax_cross_entropy: every row has the ignored label -100: there is nothing to average",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 2])), &[-100, -100]),
    );
}

#[test]
fn nll_loss_speaks_of_log_probs() {
    says(
        "nll_loss: label 3 in row 1 is not one of the 3 classes 0 to 2: do the labels start at 1, or is the last layer too narrow?",
        |tape| nll_loss(tape.input(&zeros(&[2, 3])), &[0, 3]),
    );
    says("nll_loss: 1 labels for the 2 rows of log_probs [2, 3]: one label is needed for each row", |tape| {
        nll_loss(tape.input(&zeros(&[2, 3])), &[0])
    });
    says(
        "nll_loss: the log_probs are []: they must be [rows, classes], [N, classes, ..] or [classes]",
        |tape| nll_loss(tape.constant(0.0), &[0]),
    );
    says(
        "nll_loss: 1 labels for the 3 rows of log_probs [1, 2, 3]: one label is needed for each row",
        |tape| nll_loss(tape.input(&zeros(&[1, 2, 3])), &[0]),
    );
    says("nll_loss: the batch [0, 3] is empty: there is no loss of nothing", |tape| {
        nll_loss(tape.input(&zeros(&[0, 3])), &[0usize; 0])
    });
    fn weighed<'t>(tape: &'t Tape<'t>, weight: Vec<f64>) -> V<'t> {
        let loss = NllLoss { weight: Some(weight), ..Default::default() };
        loss.loss(tape.input(&zeros(&[2, 2])), &[1, -100])
    }
    says("nll_loss: weight 0 is NaN: weights are finite and not negative", |tape| {
        weighed(tape, vec![f64::NAN, 1.0])
    });
    says("nll_loss: 3 weights for the 2 classes of log_probs [2, 2]", |tape| weighed(tape, vec![1.0; 3]));
    says(
        "nll_loss: every row has the ignored label -100 or a class of weight 0: there is nothing to average",
        |tape| weighed(tape, vec![1.0, 0.0]),
    );
    says("nll_loss: every row has the ignored label -100: there is nothing to average", |tape| {
        nll_loss(tape.input(&zeros(&[2, 2])), &[-100, -100])
    });
}

#[test]
fn where_no_row_counts_the_sum_is_zero() {
    let sum_of = |loss: &dyn for<'t> Fn(V<'t>) -> V<'t>| {
        let value =
            Workspace::<f64>::new().eval(&Params::default(), |tape| loss(tape.input(&zeros(&[2, 2]))));
        value.sum()
    };
    let reduction = Reduction::Sum;
    let softmax = SoftmaxCrossEntropy { reduction, ..Default::default() };
    assert_eq!(sum_of(&|logits| softmax.loss(logits, &[-100, -100])), 0.0);
    let nll = NllLoss { reduction, weight: Some(vec![1.0, 0.0]), ..Default::default() };
    assert_eq!(sum_of(&|logits| nll.loss(logits.ln(), &[1, -100])), 0.0);
}

#[test]
fn a_class_of_weight_0_counts_nothing_however_surprising() {
    let loss = SoftmaxCrossEntropy { weight: Some(vec![1.0, 0.0]), ..Default::default() };
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let logits = tape.input(&array![[0.0, f64::NEG_INFINITY], [0.0, 0.0]]).requires_grad();
    let mean = loss.loss(logits, &[1, 0]);
    mean.backward();
    assert_eq!(mean.item(), 2f64.ln());
    assert_eq!(logits.grad().unwrap(), array![[0.0, 0.0], [-0.5, 0.5]].into_dyn());
}

#[test]
fn binary_cross_entropies_name_the_number_that_is_no_probability() {
    for (wrong, told) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let (half, wrong) = (Array1::from(vec![0.5; 3]), Array1::from(vec![0.0, 1.0, wrong]));
        let target = format!("target 2 is {told}: targets lie between 0 (no) and 1 (yes)");
        says(&format!("binary_cross_entropy_with_logits: {target}"), |tape| {
            binary_cross_entropy_with_logits(tape.input(&half), tape.input(&wrong))
        });
        says(&format!("binary_cross_entropy: {target}"), |tape| {
            binary_cross_entropy(tape.input(&half), tape.input(&wrong))
        });
        says(
            &format!(
                "binary_cross_entropy: probability 2 is {told}: probabilities lie between 0 and 1; logits go to \
                 binary_cross_entropy_with_logits"
            ),
            |tape| binary_cross_entropy(tape.input(&wrong), tape.input(&half)),
        );
    }
}

#[test]
fn binary_cross_entropies_check_their_weights() {
    fn with_logits<'t>(tape: &'t Tape<'t>, weight: Option<Vec<f64>>, pos_weight: Option<Vec<f64>>) -> V<'t> {
        let loss = BinaryCrossEntropyWithLogits { weight, pos_weight, ..Default::default() };
        loss.loss(tape.input(&Array2::<f64>::zeros((2, 3))), tape.input(&Array2::<f64>::zeros((2, 3))))
    }
    says(
        "binary_cross_entropy_with_logits: 4 weights do not fit [2, 3]\n  hint: give one for every element: 6",
        |tape| with_logits(tape, Some(vec![1.0; 4]), None),
    );
    says(
        "binary_cross_entropy_with_logits: 2 pos_weights do not fit [2, 3]\n  hint: give one for all, or one for each place along \
         the last axis: 3",
        |tape| with_logits(tape, None, Some(vec![1.0; 2])),
    );
    says(
        "binary_cross_entropy_with_logits: pos_weight 0 is NaN: weights are finite and not negative",
        |tape| with_logits(tape, None, Some(vec![f64::NAN])),
    );
    fn on_probabilities<'t>(tape: &'t Tape<'t>, weight: Vec<f64>) -> V<'t> {
        let loss = BinaryCrossEntropy { weight: Some(weight), ..Default::default() };
        loss.loss(tape.input(&Array2::<f64>::zeros((2, 3))), tape.input(&Array2::<f64>::zeros((2, 3))))
    }
    says(
        "binary_cross_entropy: 4 weights do not fit [2, 3]\n  hint: give one for every element: 6",
        |tape| on_probabilities(tape, vec![1.0; 4]),
    );
    says("binary_cross_entropy: weight 1 is -1: weights are finite and not negative", |tape| {
        on_probabilities(tape, vec![1.0, -1.0])
    });
}

#[test]
fn losses_of_pairs_do_not_broadcast() {
    fn pair<'t>(tape: &'t Tape<'t>, a: &[usize], b: &[usize]) -> [V<'t>; 2] {
        [tape.input(&zeros(a)), tape.input(&zeros(b))]
    }
    says(
        "mse_loss: the input is [4, 1], the target [4]: they must have the same shape\n  hint: the numbers of elements agree: \
         reshape the target to [4, 1]",
        |tape| {
            let [a, b] = pair(tape, &[4, 1], &[4]);
            mse_loss(a, b)
        },
    );
    says(
        "half_squared_error: the input is [2, 2], the target [2, 3]: they must have the same shape",
        |tape| {
            let [a, b] = pair(tape, &[2, 2], &[2, 3]);
            half_squared_error(a, b)
        },
    );
    says("binary_cross_entropy: the input is [2], the targets [3]: they must have the same shape", |tape| {
        let [a, b] = pair(tape, &[2], &[3]);
        binary_cross_entropy(a, b)
    });
    says(
        "binary_cross_entropy_with_logits: the batch [0, 1] is empty: there is no loss of nothing",
        |tape| {
            let [a, b] = pair(tape, &[0, 1], &[0, 1]);
            binary_cross_entropy_with_logits(a, b)
        },
    );
}
