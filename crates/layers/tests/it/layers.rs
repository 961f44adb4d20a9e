//! Layers: their gradients against both oracles, in training and in evaluation.

use surprisal_layers::*;
use surprisal_tensor::ndarray::{Array, ArrayD, IxDyn, arr2, s};
use surprisal_tensor::{Dual, ParamId, Params, Scalar, Workspace, gradient_agreement, gradient_agreement_in};

fn input(shape: &[usize]) -> ArrayD<f64> {
    let values = (0..shape.iter().product()).map(|i: usize| (i as f64 * 1.7 + 0.4).sin());
    ArrayD::from_shape_vec(IxDyn(shape), values.collect()).unwrap()
}

/// Gradients with respect to the input and to every parameter, of a layer that is the same in training and evaluation.
#[track_caller]
fn gradient_holds(params: &Params<f64>, model: &impl Layer, shape: &[usize]) {
    let mut params = params.clone();
    let x = params.add("x", &input(shape));
    let agreement = gradient_agreement(&params, |tape| model.forward(tape.param(x)));
    assert_eq!(agreement.unwrap_or_else(|e| panic!("{e}")).entries, params.as_slice().len());
}

/// The same in one mode: every tape is in it, those of the oracles too, and draws from the same seed.
#[track_caller]
fn gradient_holds_in(training: bool, params: &Params<f64>, model: &impl Layer, shape: &[usize]) {
    let mut params = params.clone();
    let x = params.add("x", &input(shape)); // its gradient is checked too
    gradient_agreement_in(training, &params, |tape| model.forward(tape.param(x)))
        .unwrap_or_else(|e| panic!("{e}"));
}

/// Numbers that are not those a layer starts with.
fn move_from_start(params: &mut Params<f64>) {
    for (i, theta) in params.as_mut_slice().iter_mut().enumerate() {
        *theta += 0.3 * (i as f64 + 0.5).cos();
    }
}

/// Each layer of the list, in training and in evaluation: its gradient, its line in a summary, and numbers that `f32` and `f64` share.
#[test]
fn every_layer_of_the_list_passes_its_gradient_on_and_has_a_summary() {
    let mut params = Params::<f64>::default();
    for (layer, shape) in samples(&mut params) {
        move_from_start(&mut params);
        let x = input(&shape);
        for training in [false, true] {
            let agreement = gradient_agreement_in(training, &params, |tape| {
                let x =
                    if shape.len() > 1 { tape.input(&x) } else { tape.input(&x.mapv(|x| x.abs().floor())) };
                layer.forward(x).square().sum()
            });
            agreement.unwrap_or_else(|error| panic!("{}: {error}", layer.kind()));
            if shape.len() > 1 {
                gradient_holds_in(training, &params, &layer, &shape);
            }
        }
        let text = summary(&params, &*layer, &shape[..]).to_string();
        let kind = layer.kind();
        assert!(text.contains(kind.split(['(', ' ', '{']).next().unwrap()), "{kind}: {text}");
    }
}

#[test]
fn batch_norm_of_images_takes_every_place_as_a_row() {
    let mut params = Params::<f64>::default();
    let layer = BatchNorm1d::new(&mut params, "norm", 3);
    let images =
        Array::from_shape_fn((2, 3, 4, 5), |(n, c, y, x)| ((60 * n + 20 * c + 5 * y + x) as f64 * 1.7).sin());
    let rows =
        images.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().to_shape((40, 3)).unwrap().to_owned();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let y = layer.forward(tape.input(&images)).value();
    let moved =
        y.permuted_axes(vec![0, 2, 3, 1]).as_standard_layout().to_shape(vec![40, 3]).unwrap().to_owned();
    let of_rows = layer.forward(tape.input(&rows)).value();
    assert!((moved - of_rows).iter().all(|difference| difference.abs() < 1e-14));
    gradient_agreement(&params, |tape| layer.forward(tape.input(&images)).square().sum_axis(1)).unwrap();
}

#[test]
fn layers_in_a_row_pass_their_gradient_on() {
    let mut params = Params::<f64>::default();
    let mut rng = rng(3);
    let model = (
        Linear::new(&mut params, "a", 4, 5, &mut rng),
        Tanh,
        Linear::new(&mut params, "b", 5, 3, &mut rng),
        (Silu, Sigmoid),
        vec![Linear::new(&mut params, "c", 3, 3, &mut rng), Linear::new(&mut params, "d", 3, 3, &mut rng)],
        &Softmax,
    );
    for rows in [1, 3, 0] {
        gradient_holds(&params, &model, &[rows, 4]);
    }
}

#[test]
fn every_activation_passes_its_gradient_on() {
    for activation in Activation::ALL {
        gradient_holds(&Params::default(), activation, &[3, 4]);
        gradient_holds(&Params::default(), activation, &[0, 4]);
    }
    gradient_holds(&Params::default(), &(LeakyRelu { slope: 0.3 }, Elu { alpha: 0.7 }), &[3, 4]);
    gradient_holds(&Params::default(), &Softmax, &[3, 4]);
    gradient_holds(&Params::default(), &LogSoftmax, &[3, 4]);
}

#[test]
fn a_net_of_sizes_known_at_run_time_passes_its_gradient_on() {
    for activation in Activation::ALL {
        let mut params = Params::<f64>::default();
        let model = Mlp::new(&mut params, &"4-6-5-3".parse().unwrap(), *activation, &mut rng(5));
        assert_eq!(model.layers().len(), 3);
        gradient_holds(&params, &model, &[3, 4]);
    }
}

#[test]
fn layer_norm_passes_its_gradient_on() {
    for shape in [&[1, 4][..], &[3, 4], &[0, 4], &[4], &[2, 3, 4], &[2, 1, 1, 2, 4]] {
        let mut params = Params::default();
        let layer = LayerNorm::new(&mut params, "norm", 4);
        move_from_start(&mut params);
        gradient_holds(&params, &layer, shape);
    }
}

#[test]
fn batch_norm_passes_its_gradient_on_in_training_and_in_evaluation() {
    let mut params = Params::default();
    let layer = BatchNorm1d::new(&mut params, "norm", 3);
    move_from_start(&mut params);
    for rows in [2, 5] {
        gradient_holds_in(true, &params, &layer, &[rows, 3]);
    }
    for rows in [0, 1, 5] {
        gradient_holds_in(false, &params, &layer, &[rows, 3]);
    }
}

#[test]
fn dropout_passes_its_gradient_on_in_training_and_in_evaluation() {
    let model = (Dropout::new(0.4), Tanh, Dropout::new(0.0), Dropout::new(0.5));
    gradient_holds_in(true, &Params::default(), &model, &[5, 4]);
    gradient_holds_in(false, &Params::default(), &model, &[5, 4]);
}

#[test]
fn an_embedding_passes_its_gradient_on() {
    let mut params = Params::new();
    let layer = Embedding::new(&mut params, "word", 4, 3, &mut rng(1));
    for rows in [vec![2.0, 0.0, 2.0, 3.0], vec![1.0], vec![]] {
        let rows = ArrayD::from_shape_vec(IxDyn(&[rows.len()]), rows).unwrap().mapv(Dual::of);
        gradient_agreement(&params, |tape| layer.forward(tape.input(&rows)))
            .unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn flatten_and_residual_pass_their_gradient_on() {
    let mut params = Params::default();
    let inside = (Tanh, Linear::new(&mut params, "inside", 6, 6, &mut rng(1)));
    for shape in [&[2, 3, 2][..], &[4, 6], &[0, 2, 3], &[1, 1, 3, 1, 2]] {
        gradient_holds(&params, &(Flatten, Residual(inside)), shape);
    }
    gradient_holds(&Params::default(), &Flatten, &[3]);
}

#[test]
fn a_model_of_all_kinds_passes_its_gradient_on_in_both_modes() {
    let (mut params, mut rng) = (Params::default(), rng(2));
    let model = (
        Linear::new(&mut params, "first", 4, 6, &mut rng),
        BatchNorm1d::new(&mut params, "batch", 6),
        Gelu,
        Dropout::new(0.3),
        Residual((LayerNorm::new(&mut params, "row", 6), Linear::new(&mut params, "second", 6, 6, &mut rng))),
        LogSoftmax,
    );
    for training in [true, false] {
        gradient_holds_in(training, &params, &model, &[5, 4]);
    }
}

/// Two steps on 2 features, with SGD left out: the running ones must be what a hand computes from the batches.
#[test]
fn running_statistics_are_those_of_a_hand_computation() {
    let mut params = Params::default();
    let layer = BatchNorm1d::new(&mut params, "norm", 2);
    let is_frozen = |id: ParamId, params: &Params<f64>| !params.is_trainable(id);
    assert!(is_frozen(layer.running_mean, &params) && is_frozen(layer.running_var, &params));
    let mut workspace = Workspace::new();
    for batch in [[[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]], [[-3.0, 0.0], [0.0, 0.0], [3.0, 0.0]]] {
        let tape = workspace.tape(&params);
        layer.forward(tape.input(&arr2(&batch))).sum().backward();
        workspace.grads().apply_updates(&mut params);
    }
    // means 3 and 0, variances over n - 1: (4 + 1 + 9) / 2 = 7 and 9; ten times the number, a hundred times the variance
    let mean = [0.9 * 0.3, 0.9 * 3.0];
    let variance = [0.9 * (0.9 + 0.7) + 0.1 * 9.0, 0.9 * (0.9 + 70.0)];
    for (found, expected) in [(layer.running_mean, mean), (layer.running_var, variance)] {
        for (found, expected) in params[found].iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-15 * expected.abs(), "{found} instead of {expected}");
        }
    }
}

#[test]
fn the_momentum_says_how_far_the_running_statistics_move() {
    for (momentum, expected) in [(0.0, 0.0), (0.25, 1.0), (1.0, 4.0)] {
        let mut params = Params::<f64>::default();
        let layer = BatchNorm1d { momentum, ..BatchNorm1d::new(&mut params, "norm", 1) };
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        layer.forward(tape.input(&input(&[2, 1]).mapv(|_| 4.0)));
        workspace.grads().apply_updates(&mut params);
        assert_eq!(params[layer.running_mean], [expected]);
    }
}

#[test]
fn evaluation_is_deterministic_and_moves_nothing() {
    let (mut params, mut rng) = (Params::<f64>::default(), rng(2));
    let model = (
        Linear::new(&mut params, "first", 4, 6, &mut rng),
        BatchNorm1d::new(&mut params, "norm", 6),
        Dropout::new(0.5),
    );
    let x = input(&[5, 4]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params).seeded(1);
    model.forward(tape.input(&x));
    workspace.grads().apply_updates(&mut params); // so that the running ones are not those of the start

    let before = params.clone();
    let first = workspace.eval(&params, |tape| model.forward(tape.input(&x)));
    let tape = workspace.tape(&params).evaluating();
    let y = model.forward(tape.input(&x));
    assert_eq!(y.value(), first);
    y.sum().backward();
    workspace.grads().apply_updates(&mut params);
    assert_eq!(params.as_slice(), before.as_slice());
    // a row's result does not depend on the rows beside it
    let third = x.slice(s![2..3, ..]);
    let alone = workspace.eval(&params, |tape| model.forward(tape.input(&third)));
    for (alone, among) in alone.iter().zip(first.slice(s![2, ..])) {
        assert!((alone - among).abs() <= 1e-15); // a product of one row may round differently
    }
}

#[test]
fn dropout_keeps_the_mean() {
    let (params, x) = (Params::<f64>::default(), ArrayD::<f64>::ones(IxDyn(&[100, 1000])));
    let mut workspace = Workspace::new();
    for p in [0.1, 0.5, 0.9] {
        let tape = workspace.tape(&params).seeded(3);
        let y = Dropout::new(p).forward(tape.input(&x)).value();
        let deviation = (p / (1.0 - p) / 1e5).sqrt();
        assert!((y.mean().unwrap() - 1.0).abs() < 5.0 * deviation, "p = {p}: mean {}", y.mean().unwrap());
        let kept = y.iter().filter(|&&y| y != 0.0);
        assert!(kept.into_iter().all(|&y| (y - 1.0 / (1.0 - p)).abs() < 1e-15 / (1.0 - p)));
    }
}

#[test]
fn a_seed_repeats_the_masks_of_a_step_and_no_two_layers_share_one() {
    let (params, x) = (Params::<f64>::default(), ArrayD::<f64>::ones(IxDyn(&[1000])));
    let mut workspace = Workspace::new();
    let mut masks = |seed| {
        let tape = workspace.tape(&params).seeded(seed);
        let x = tape.input(&x);
        [Dropout::new(0.5).forward(x).value(), Dropout::new(0.5).forward(x).value()]
    };
    let [first, second] = masks(7);
    assert_eq!(masks(7), [first.clone(), second.clone()]);
    let other = masks(8);
    for (name, a, b) in [("layer", &first, &second), ("step", &first, &other[0]), ("both", &first, &other[1])]
    {
        let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
        assert!((420..580).contains(&equal), "another {name}: {equal} of 1000 numbers alike"); // 5 deviations of 16
    }
}

#[test]
fn dropout_of_nothing_needs_no_seed() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    assert_eq!(Dropout::new(0.0).forward(tape.input(&input(&[3]))).value(), input(&[3]));
}

#[test]
fn layer_norm_keeps_its_digits_far_from_0() {
    // 1e6 + {-1, 0, 1}: the mean square less the square of the mean would lose twelve digits
    let mut params = Params::<f64>::default();
    let layer = LayerNorm { eps: 0.0, ..LayerNorm::new(&mut params, "norm", 3) };
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![1e6 - 1.0, 1e6, 1e6 + 1.0]).unwrap();
    let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&x)));
    let expected = 1.5f64.sqrt();
    for (y, expected) in y.iter().zip([-expected, 0.0, expected]) {
        assert!((y - expected).abs() <= 1e-15, "{y} instead of {expected}");
    }
}

#[test]
fn an_embedding_takes_indices_of_any_shape() {
    let mut params = Params::new();
    let layer = Embedding::new(&mut params, "word", 4, 3, &mut rng(1));
    let rows = ArrayD::from_shape_vec(IxDyn(&[2, 2]), vec![3.0, 0.0, 1.0, 3.0]).unwrap();
    let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&rows)));
    assert_eq!(y.shape(), [2, 2, 3]);
    let weight = &params[layer.weight];
    assert_eq!(y.as_slice().unwrap(), [&weight[9..], &weight[..6], &weight[9..]].concat());
}

/// Values with a large common offset: what rounding leaves in the mean must not shift the result.
#[test]
fn normalization_does_not_see_an_offset_in_f32() {
    const ROWS: usize = 1000;
    // quarters, so that every number with its offset is an f32 exactly
    let noise = |i: usize, j: usize| ((i * 37 + j * 11) % 101) as f64 / 4.0 - 12.0;
    for offset in [0.0, 1e3, 1e5, 1e6, -3e6] {
        let exact = |numbers: &[f64]| {
            let n = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / n;
            let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            (
                mean,
                variance,
                numbers.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect::<Vec<_>>(),
            )
        };
        let mut params = Params::new();
        let (batch, rows) =
            (BatchNorm1d::new(&mut params, "batch", 3), LayerNorm::new(&mut params, "rows", ROWS));
        let x = ArrayD::from_shape_fn(IxDyn(&[ROWS, 3]), |at| (noise(at[0], at[1]) + offset) as f32);
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let x = tape.input(&x).requires_grad();
        let (by_feature, by_row) = (batch.forward(x), rows.forward(x.t()));
        let weights = ArrayD::from_shape_fn(IxDyn(&[ROWS, 3]), |at| ((at[0] + at[1]) % 7) as f32);
        (by_feature * tape.input(&weights)).sum().backward();
        let (by_feature, by_row, slopes) = (by_feature.value(), by_row.value(), x.grad().unwrap());
        workspace.grads().apply_updates(&mut params);
        for j in 0..3 {
            let numbers: Vec<f64> = (0..ROWS).map(|i| noise(i, j) + offset).collect();
            let (mean, variance, expected) = exact(&numbers);
            for (i, expected) in expected.iter().enumerate() {
                for found in [by_feature[[i, j]], by_row[[j, i]]] {
                    assert!((found - expected).abs() < 2e-6, "at {offset}: {found} is not {expected}");
                }
            }
            let running = f64::from(params[batch.running_mean][j]) / 0.1;
            assert!((running - mean).abs() <= 3e-7 * mean.abs().max(1.0), "{running} is not {mean}");
            let running = (f64::from(params[batch.running_var][j]) - 0.9) / 0.1;
            let unbiased = variance * ROWS as f64 / (ROWS - 1) as f64;
            assert!((running - unbiased).abs() < 1e-5 * unbiased, "{running} is not {unbiased}");
            // dx = (dy - mean dy - y mean(dy y)) / σ
            let dy: Vec<f64> = (0..ROWS).map(|i| ((i + j) % 7) as f64).collect();
            let mean_of = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).sum::<f64>() / ROWS as f64;
            let (first, second) = (mean_of(&|i| dy[i]), mean_of(&|i| dy[i] * expected[i]));
            for i in 0..ROWS {
                let slope = (dy[i] - first - expected[i] * second) / (variance + 1e-5).sqrt();
                assert!(
                    (slopes[[i, j]] - slope).abs() < 2e-6,
                    "at {offset}: {} is not {slope}",
                    slopes[[i, j]]
                );
            }
        }
    }
}

#[test]
fn normalization_of_numbers_whose_squares_overflow_gives_the_bias() {
    let mut params = Params::new();
    let (batch, rows) = (BatchNorm1d::new(&mut params, "batch", 2), LayerNorm::new(&mut params, "rows", 2));
    params.as_mut_slice()[2..4].fill(0.5); // the bias of `batch`
    let x = arr2(&[[1e25f32, -1e25], [-1e25, 1e25]]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.input(&x);
    assert!(batch.forward(x).value().iter().all(|&y| y == 0.5));
    assert!(rows.forward(x).value().iter().all(|&y| y == 0.0));
}
