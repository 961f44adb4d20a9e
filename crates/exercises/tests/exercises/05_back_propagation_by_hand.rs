use crate::all_near;
use crate::solutions::by_hand as right;

fn are_output_errors(errors: impl Fn(&[f64], &[f64]) -> Vec<f64>) {
    all_near("answers ½ and ¾, truth 1 and 0: δ", &errors(&[0.5, 0.75], &[1.0, 0.0]), &[-0.125, 0.140_625]);
}
exercise!(
    by_hand::output_errors,
    are_output_errors,
    wrong: [
        |a, y| a.iter().zip(y).map(|(a, y)| a - y).collect(), // that is cross-entropy
        |a, y| right::output_errors(a, y).iter().map(|delta| -delta).collect(),
        |a, y| right::output_errors(a, y).iter().map(|delta| 2.0 * delta).collect(),
    ]
);

fn are_hidden_errors(errors: impl Fn(&[f64], &[Vec<f64>], &[f64]) -> Vec<f64>) {
    let w = [vec![2.0, 1.0], vec![-1.0, 4.0]];
    all_near("two neurons, two behind them: δ", &errors(&[0.5, 0.5], &w, &[-0.5, 0.25]), &[-0.1875, 0.375]);
    let w = [vec![2.0], vec![-1.0], vec![0.0]];
    all_near(
        "three neurons, one behind them: δ",
        &errors(&[0.5, 0.75, 0.5], &w, &[1.0]),
        &[0.5, -0.1875, 0.0],
    );
}
/// Takes the weights that come in for those that go out.
fn transposed(a: &[f64], w: &[Vec<f64>], delta: &[f64]) -> Vec<f64> {
    let w: Vec<Vec<f64>> = (0..delta.len()).map(|k| w.iter().map(|row| row[k]).collect()).collect();
    right::hidden_errors(a, &w, delta)
}
exercise!(
    by_hand::hidden_errors,
    are_hidden_errors,
    wrong: [
        transposed,
        |_, w, delta| right::hidden_errors(&vec![0.5; w.len()], w, delta).iter().map(|d| 4.0 * d).collect(), // no slope
        |a, w, delta| right::hidden_errors(a, w, &vec![delta.iter().sum(); delta.len()]),
    ]
);

fn is_weight_gradient(gradient: impl Fn(&[f64], &[f64]) -> Vec<Vec<f64>>) {
    let found = gradient(&[1.0, 2.0, -1.0], &[0.5, -0.25]);
    assert_eq!(found, [[0.5, -0.25], [1.0, -0.5], [-0.5, 0.25]], "three neurons to two");
}
exercise!(
    by_hand::weight_gradient,
    is_weight_gradient,
    wrong: [
        |a, delta| right::weight_gradient(delta, a),
        |a, delta| vec![delta.to_vec(); a.len()],
        |a, delta| right::weight_gradient(&a.iter().map(|a| -a).collect::<Vec<_>>(), delta),
    ]
);
