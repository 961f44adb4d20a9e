//! softmax_cross_entropy, nll_loss, the two binary cross-entropies, the two squared errors.

use surprisal_loss::{
    BinaryCrossEntropy, BinaryCrossEntropyWithLogits, NllLoss, Reduction, SoftmaxCrossEntropy,
    binary_cross_entropy, binary_cross_entropy_with_logits, half_squared_error, mse_loss, nll_loss,
    softmax_cross_entropy,
};
use surprisal_tensor::ndarray::{Array1, Array2, Array3, array};

use surprisal_tensor::{Params, Tape, Workspace};

use super::{V, says, zeros};

pub(super) const PARTS: &[fn(&mut String)] = &[
    softmax_cross_entropy_names_the_label_the_row_and_the_range,
    softmax_cross_entropy_takes_matrices_that_hold_something,
    softmax_cross_entropy_checks_its_options,
    nll_loss_speaks_of_log_probs,
    binary_cross_entropies_name_the_number_that_is_no_probability,
    binary_cross_entropies_check_their_weights,
    losses_of_pairs_do_not_broadcast,
];

fn softmax_cross_entropy_names_the_label_the_row_and_the_range(m: &mut String) {
    says!(
        m,
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &[0, 3]),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &[-1, 2]),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &[0, 1, 2])
    );
}

fn softmax_cross_entropy_takes_matrices_that_hold_something(m: &mut String) {
    says!(
        m,
        |tape| softmax_cross_entropy(tape.input(&zeros(&[0, 3])), &[0usize; 0]),
        |tape| {
            let z = tape.input(&zeros(&[2, 0]));
            softmax_cross_entropy(z, z)
        },
        |tape| softmax_cross_entropy(tape.constant(0.0), &[0]),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), &[0, 1]),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), &[0, 2, 0]),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3, 4, 5])), &Array3::<u8>::zeros((2, 5, 4))),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3, 4, 5])), &Array3::from_elem((2, 4, 5), 3u8)),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), &Array2::<u8>::zeros((2, 1))),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[1, 2, 3])), tape.input(&zeros(&[1, 3, 2]))),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 3])), tape.input(&zeros(&[2, 4])))
    );
}

fn softmax_cross_entropy_checks_its_options(m: &mut String) {
    says!(
        m,
        |tape| SoftmaxCrossEntropy { label_smoothing: 1.5, ..Default::default() }
            .loss(tape.input(&zeros(&[1, 2])), &[0]),
        |tape| SoftmaxCrossEntropy { label_smoothing: f64::NAN, ..Default::default() }
            .loss(tape.input(&zeros(&[1, 2])), &[0]),
        |tape| SoftmaxCrossEntropy { weight: Some(vec![1.0, -1.0]), ..Default::default() }
            .loss(tape.input(&zeros(&[1, 2])), &[0]),
        |tape| SoftmaxCrossEntropy { weight: Some(vec![1.0; 3]), ..Default::default() }
            .loss(tape.input(&zeros(&[1, 2])), &[0]),
        |tape| softmax_cross_entropy(tape.input(&zeros(&[2, 2])), &[-100, -100])
    );
}

fn nll_loss_speaks_of_log_probs(m: &mut String) {
    says!(
        m,
        |tape| nll_loss(tape.input(&zeros(&[2, 3])), &[0, 3]),
        |tape| nll_loss(tape.input(&zeros(&[2, 3])), &[0]),
        |tape| nll_loss(tape.constant(0.0), &[0]),
        |tape| nll_loss(tape.input(&zeros(&[1, 2, 3])), &[0]),
        |tape| nll_loss(tape.input(&zeros(&[0, 3])), &[0usize; 0])
    );
    fn weighed<'t>(tape: &'t Tape<'t>, weight: Vec<f64>) -> V<'t> {
        let loss = NllLoss { weight: Some(weight), ..Default::default() };
        loss.loss(tape.input(&zeros(&[2, 2])), &[1, -100])
    }
    says!(
        m,
        |tape| weighed(tape, vec![f64::NAN, 1.0]),
        |tape| weighed(tape, vec![1.0; 3]),
        |tape| weighed(tape, vec![1.0, 0.0]),
        |tape| nll_loss(tape.input(&zeros(&[2, 2])), &[-100, -100])
    );
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

fn binary_cross_entropies_name_the_number_that_is_no_probability(m: &mut String) {
    for wrong in [1.5, -0.1, f64::NAN, f64::INFINITY] {
        let (half, wrong) = (Array1::from(vec![0.5; 3]), Array1::from(vec![0.0, 1.0, wrong]));
        says!(
            m,
            |tape| binary_cross_entropy_with_logits(tape.input(&half), tape.input(&wrong)),
            |tape| binary_cross_entropy(tape.input(&half), tape.input(&wrong)),
            |tape| binary_cross_entropy(tape.input(&wrong), tape.input(&half))
        );
    }
}

fn binary_cross_entropies_check_their_weights(m: &mut String) {
    fn with_logits<'t>(tape: &'t Tape<'t>, weight: Option<Vec<f64>>, pos_weight: Option<Vec<f64>>) -> V<'t> {
        let loss = BinaryCrossEntropyWithLogits { weight, pos_weight, ..Default::default() };
        loss.loss(tape.input(&Array2::<f64>::zeros((2, 3))), tape.input(&Array2::<f64>::zeros((2, 3))))
    }
    says!(
        m,
        |tape| with_logits(tape, Some(vec![1.0; 4]), None),
        |tape| with_logits(tape, None, Some(vec![1.0; 2])),
        |tape| with_logits(tape, None, Some(vec![f64::NAN]))
    );
    fn on_probabilities<'t>(tape: &'t Tape<'t>, weight: Vec<f64>) -> V<'t> {
        let loss = BinaryCrossEntropy { weight: Some(weight), ..Default::default() };
        loss.loss(tape.input(&Array2::<f64>::zeros((2, 3))), tape.input(&Array2::<f64>::zeros((2, 3))))
    }
    says!(m, |tape| on_probabilities(tape, vec![1.0; 4]), |tape| on_probabilities(tape, vec![1.0, -1.0]));
}

fn losses_of_pairs_do_not_broadcast(m: &mut String) {
    fn pair<'t>(tape: &'t Tape<'t>, a: &[usize], b: &[usize]) -> [V<'t>; 2] {
        [tape.input(&zeros(a)), tape.input(&zeros(b))]
    }
    says!(
        m,
        |tape| {
            let [a, b] = pair(tape, &[4, 1], &[4]);
            mse_loss(a, b)
        },
        |tape| {
            let [a, b] = pair(tape, &[2, 2], &[2, 3]);
            half_squared_error(a, b)
        },
        |tape| {
            let [a, b] = pair(tape, &[2], &[3]);
            binary_cross_entropy(a, b)
        },
        |tape| {
            let [a, b] = pair(tape, &[0, 1], &[0, 1]);
            binary_cross_entropy_with_logits(a, b)
        }
    );
}
