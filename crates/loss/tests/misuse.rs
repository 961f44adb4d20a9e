//! What a loss says to inputs that it cannot take.

use surprisal_loss::{
    BinaryCrossEntropyWithLogits, Reduction, SoftmaxCrossEntropy, binary_cross_entropy_with_logits,
    half_squared_error, mse_loss, softmax_cross_entropy,
};
use surprisal_tensor::ndarray::{Array, Array1, Array2, ArrayD};
use surprisal_tensor::{Params, Tape, Var, Workspace};

type V<'t> = Var<'t, f64>;

/// The first line and the hint of a panic, without the lines between that name places.
#[track_caller]
fn says(expected: &str, f: impl for<'t> Fn(&'t Tape<'t, f64>) -> V<'t>) {
    let run = std::panic::AssertUnwindSafe(|| {
        Workspace::new().eval(&Params::new(), |tape| f(tape));
    });
    let panic = std::panic::catch_unwind(run).expect_err("this should have panicked");
    let message = panic.downcast_ref::<String>().expect("a message");
    let told: Vec<_> = message.lines().filter(|line| !line.contains(", recorded at ")).collect();
    assert_eq!(told.join("\n"), expected);
}

fn zeros(shape: &[usize]) -> ArrayD<f64> {
    Array::zeros(shape)
}

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
        "softmax_cross_entropy: the logits are [1, 2, 3]: they must be [rows, classes] or [classes]",
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), &[0]),
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
fn where_every_row_is_ignored_the_sum_is_zero() {
    let sum = SoftmaxCrossEntropy { reduction: Reduction::Sum, ..Default::default() };
    let value = Workspace::<f64>::new()
        .eval(&Params::new(), |tape| sum.loss(tape.input(&zeros(&[2, 2])), &[-100, -100]));
    assert_eq!(value.sum(), 0.0);
}

#[test]
fn binary_cross_entropy_names_the_target_that_is_none() {
    for (target, told) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        says(
            &format!(
                "binary_cross_entropy_with_logits: target 2 is {told}: targets lie between 0 (no) and 1 (yes)"
            ),
            |tape| {
                let targets = Array1::from(vec![0.0, 1.0, target]);
                binary_cross_entropy_with_logits(tape.input(&zeros(&[3])), tape.input(&targets))
            },
        );
    }
}

#[test]
fn binary_cross_entropy_checks_its_weights() {
    fn loss<'t>(tape: &'t Tape<'t, f64>, weight: Option<Vec<f64>>, pos_weight: Option<Vec<f64>>) -> V<'t> {
        let loss = BinaryCrossEntropyWithLogits { weight, pos_weight, ..Default::default() };
        loss.loss(tape.input(&Array2::zeros((2, 3))), tape.input(&Array2::zeros((2, 3))))
    }
    says(
        "binary_cross_entropy_with_logits: 4 weights do not fit [2, 3]\n  hint: give one for every element: 6",
        |tape| loss(tape, Some(vec![1.0; 4]), None),
    );
    says(
        "binary_cross_entropy_with_logits: 2 pos_weights do not fit [2, 3]\n  hint: give one for all, or one for each place along \
         the last axis: 3",
        |tape| loss(tape, None, Some(vec![1.0; 2])),
    );
    says(
        "binary_cross_entropy_with_logits: pos_weight 0 is NaN: weights are finite and not negative",
        |tape| loss(tape, None, Some(vec![f64::NAN])),
    );
}

#[test]
fn losses_of_pairs_do_not_broadcast() {
    fn pair<'t>(tape: &'t Tape<'t, f64>, a: &[usize], b: &[usize]) -> [V<'t>; 2] {
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
    says(
        "binary_cross_entropy_with_logits: the batch [0, 1] is empty: there is no loss of nothing",
        |tape| {
            let [a, b] = pair(tape, &[0, 1], &[0, 1]);
            binary_cross_entropy_with_logits(a, b)
        },
    );
}
