//! What layers say to what does not fit, and that they say so of the caller's line.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use expect_test::expect;
use surprisal_layers::*;
use surprisal_tensor::ndarray::{Array, Array2, ArrayD, array};
use surprisal_tensor::{Params, Workspace};

thread_local! { static PANICKED_IN: RefCell<String> = const { RefCell::new(String::new()) } }

/// The message of a panic, which must come from a line of this file; places in it are reported as HERE.
#[track_caller]
fn message<R>(f: impl FnOnce() -> R) -> String {
    static HOOK: Once = Once::new(); // for all threads
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICKED_IN.set(panic.location().map(|at| at.file().to_owned()).unwrap_or_default());
            before(panic);
        }));
    });
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("this should have panicked");
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let message = message.expect("a message");
    PANICKED_IN.with_borrow(|file| assert_eq!(file, file!(), "{message}"));
    let parts = message.split(file!()).map(|part| part.trim_start_matches(|c| matches!(c, ':' | '0'..='9')));
    Vec::from_iter(parts).join("HERE")
}

/// In training, with the shape of an input of zeros.
#[track_caller]
fn refuses(params: &Params<f64>, layer: &impl Layer, shape: &[usize]) -> String {
    refuses_input(params, layer, &Array::zeros(shape))
}

#[track_caller]
fn refuses_input(params: &Params<f64>, layer: &impl Layer, x: &ArrayD<f64>) -> String {
    message(|| {
        let mut workspace = Workspace::new();
        let tape = workspace.tape(params);
        layer.forward(tape.input(x));
    })
}

#[test]
fn a_layer_that_does_not_fit_is_named_at_the_line_of_the_user() {
    let mut params = Params::new();
    let model = (
        Linear::new(&mut params, "hidden", 784, 128, &mut rng(1)),
        Relu,
        vec![Linear::new(&mut params, "out", 64, 10, &mut rng(1))],
    );
    let panic = catch_unwind(|| {
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        model.forward(tape.input(&Array2::<f64>::zeros((2, 784))));
    });
    let line = line!() - 2;
    let message = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("affine: [2, 128] x [64, 10]: 128 columns meet 64 rows"), "{message}");
    assert!(message.contains(&format!("relu [2, 128], recorded at {}:{line}", file!())), "{message}");
    assert!(message.contains("parameter \"out.weight\" [64, 10]"), "{message}");
}

#[test]
fn every_layer_wants_a_name_of_its_own() {
    let mut params = Params::<f64>::default();
    params.add("a.weight", &array![1.0]);
    let taken = [
        message(|| Linear::new(&mut params, "a", 1, 1, &mut rng(0))),
        message(|| Embedding::new(&mut params, "a", 1, 1, &mut rng(0))),
        message(|| LayerNorm::new(&mut params, "a", 1)),
        message(|| BatchNorm1d::new(&mut params, "a", 1)),
    ];
    assert!(taken.iter().all(|message| *message == taken[0]), "{taken:#?}");
    expect![[r#"there is already a parameter "a.weight": give each layer a name of its own, or each net a scope: `&mut params.scope("critic")` instead of `&mut params`"#]].assert_eq(&taken[0]);
}

#[test]
fn layers_that_normalize_name_the_features_they_have() {
    let mut params = Params::default();
    let rows = LayerNorm::new(&mut params, "rows", 8);
    let batch = BatchNorm1d::new(&mut params, "batch", 8);
    let said = [
        refuses(&params, &rows, &[2, 9]),
        refuses(&params, &rows, &[]),
        refuses(&params, &batch, &[2, 1]),
        refuses(&params, &batch, &[2, 3, 8]),
        refuses(&params, &batch, &[8]),
    ];
    expect![[r#"
        layer_norm: [2, 9] does not end with the 8 features of "rows.weight"
        layer_norm: [] does not end with the 8 features of "rows.weight"
        batch_norm: [2, 1] does not have the 8 features of "batch.weight" in its second axis
        batch_norm: [2, 3, 8] does not have the 8 features of "batch.weight" in its second axis
        batch_norm: [8] is neither [rows, features] nor [N, features, ..]"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn batch_norm_wants_two_rows_in_training() {
    let mut params = Params::default();
    let layer = BatchNorm1d::new(&mut params, "norm", 3);
    let said = [
        refuses(&params, &layer, &[1, 3]),
        refuses(&params, &layer, &[0, 3]),
        message(|| params.unfreeze(layer.running_mean)),
    ];
    expect![[r#"
        batch_norm: [1, 3] has 1 row, and the variance of a batch in training needs 2: leave a last batch of one row out with `drop_last`, take another batch size, or evaluate with `no_grad` or `evaluating`
        batch_norm: [0, 3] has 0 rows, and the variance of a batch in training needs 2: leave a last batch of one row out with `drop_last`, take another batch size, or evaluate with `no_grad` or `evaluating`
        unfreeze: "norm.running_mean" is a buffer, which is never trained: its values come from `tape.update`; add what gradients are to move with `params.add`"#]].assert_eq(&said.join("\n"));
}

/// A step by hand, without an optimizer: two batches of which the second is never reached by its statistics.
#[test]
fn batch_norm_s_statistics_do_not_stay_behind_unnoticed() {
    let mut params = Params::<f64>::default();
    let layer = BatchNorm1d::new(&mut params, "norm", 2);
    let mut workspace = Workspace::new();
    let x = surprisal_tensor::ndarray::arr2(&[[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]]);
    let train = |params: &Params<f64>, workspace: &mut Workspace<f64>| {
        layer.forward(workspace.tape(params).input(&x)).square().sum().backward();
    };
    let evaluate = |params: &Params<f64>| Workspace::new().eval(params, |tape| layer.forward(tape.input(&x)));
    let fresh = evaluate(&params); // a net that was not trained evaluates
    train(&params, &mut workspace);
    assert_eq!(evaluate(&params), fresh); // so does one whose gradient somebody only looked at

    let by_hand = |params: &mut Params<f64>, workspace: &Workspace<f64>| {
        params.as_mut_slice().iter_mut().zip(workspace.grads().as_slice()).for_each(|(w, g)| *w -= 0.01 * g);
    };
    by_hand(&mut params, &workspace);
    let behind = message(|| evaluate(&params));
    expect![[r#"evaluation: "norm.running_mean" is not up to date: steps of training noted new values, the parameters have moved since, and the values were never written: write them in each step, with `workspace.grads().apply_updates(&mut params)`, or step with an optimizer, which does so"#]].assert_eq(&behind);
    assert_eq!(message(|| evaluate(&params.clone())), behind);
    let on_the_same_tape = message(|| {
        layer.forward(workspace.tape(&params).evaluating().input(&x));
    });
    assert_eq!(on_the_same_tape, behind);
    train(&params, &mut workspace);
    by_hand(&mut params, &workspace);
    workspace.grads().apply_updates(&mut params); // before or after the parameters move
    evaluate(&params);
    train(&params, &mut workspace);
    params[layer.weight].fill(2.0);
    assert_eq!(message(|| evaluate(&params)), behind);
    params[layer.running_mean].fill(0.0); // as loading does
    evaluate(&params);
}

#[test]
fn dropout_wants_a_part_and_a_seed() {
    let mut said = Vec::from([1.0, -0.1, f64::NAN].map(|p| message(|| Dropout::new(p))));
    said.push(refuses(&Params::default(), &Dropout::new(0.5), &[2, 3]));
    expect![[r#"
        dropout: p = 1 is not in [0, 1): it is the part that is dropped
        dropout: p = -0.1 is not in [0, 1): it is the part that is dropped
        dropout: p = NaN is not in [0, 1): it is the part that is dropped
        this layer draws random numbers in training, and the tape has no seed: start it with `workspace.tape(&params).seeded(rng.next_u64())`, with `let mut rng = rng(7)` before the loop, or evaluate with `no_grad` or `evaluating`"#]].assert_eq(&said.join("\n"));
}

#[test]
fn an_embedding_names_the_index_its_place_and_the_range() {
    let mut params = Params::default();
    let layer = Embedding::new(&mut params, "word", 10, 4, &mut rng(0));
    let said = [10.0, -1.0, 2.5, f64::NAN]
        .map(|index| refuses_input(&params, &layer, &array![3.0, 9.0, index].into_dyn()));
    expect![[r#"
        index_select: index 10 at position 2 does not lie in axis 0 of [10, 4], whose length is 10
          left:   parameter "word.weight" [10, 4]
          right:  input [3], recorded at HERE
        index_select: index -1 at position 2 does not lie in axis 0 of [10, 4], whose length is 10
          left:   parameter "word.weight" [10, 4]
          right:  input [3], recorded at HERE
        index_select: index 2.5 at position 2 does not lie in axis 0 of [10, 4], whose length is 10
          left:   parameter "word.weight" [10, 4]
          right:  input [3], recorded at HERE
        index_select: index NaN at position 2 does not lie in axis 0 of [10, 4], whose length is 10
          left:   parameter "word.weight" [10, 4]
          right:  input [3], recorded at HERE"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_residual_keeps_the_shape_and_a_single_number_has_no_rows() {
    let mut params = Params::default();
    let layer = Residual(Linear::new(&mut params, "inside", 4, 1, &mut rng(0)));
    let said = [refuses(&params, &layer, &[3, 4]), refuses(&params, &Flatten, &[])];
    expect![[r#"
        residual: the layer makes [3, 1] of [3, 4]: what is added must have the same shape
        flatten: a single number has no rows"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn starts_that_cannot_be_drawn() {
    let said = [
        message(|| fill(Init::Uniform(-1.0), 12)),
        message(|| fill(Init::Normal(f64::INFINITY), 12)),
        message(|| fill(Init::Orthogonal(1.0), 4)),
    ];
    expect![[r#"
        Uniform(-1.0): expected a finite number, 0 or above, found -1
        Normal(inf): expected a finite number, 0 or above, found inf
        Init::Orthogonal initializes a weight, [3, 4], not 4 numbers: initialize a bias with Init::Zeros"#]]
    .assert_eq(&said.join("\n"));
}

fn fill(init: Init, len: usize) {
    init.fill(&mut vec![0.0f64; len], 3, 4, &mut rng(0));
}

#[test]
fn sizes_that_are_none_are_reported() {
    let said = ["", "10", "64-x-10", "64--10", "99999999999999999999-1"]
        .map(|text| text.parse::<Sizes>().unwrap_err().to_string());
    expect![[r#"
        "" is not a list of layer sizes: "" is not a whole number above 0 | for example 64-32-10
        "10" is not a list of layer sizes: a net has at least inputs and outputs | for example 64-32-10
        "64-x-10" is not a list of layer sizes: "x" is not a whole number above 0 | for example 64-32-10
        "64--10" is not a list of layer sizes: "" is not a whole number above 0 | for example 64-32-10
        "99999999999999999999-1" is not a list of layer sizes: "99999999999999999999" is not a whole number above 0 | for example 64-32-10"#]].assert_eq(&said.join("\n"));
}

#[test]
fn an_activation_that_is_none_is_reported_with_all_that_are() {
    expect![[r#"no activation is named "Relu" | known: relu, leaky_relu, elu, silu, mish, gelu, gelu_tanh, sigmoid, tanh, softplus, logsigmoid | did you mean "relu"?"#]].assert_eq(&"Relu".parse::<Activation>().unwrap_err().to_string());
}

#[test]
fn an_epsilon_that_is_nothing_in_the_type_of_the_numbers() {
    let mut params = Params::new();
    let (batch, rows) = (BatchNorm1d::new(&mut params, "batch", 2), LayerNorm::new(&mut params, "rows", 2));
    let mut workspace = Workspace::new();
    let mut refused = Vec::new();
    for training in [true, false] {
        let tape = workspace.tape(&params);
        let tape = if training { tape } else { tape.evaluating() };
        let x = tape.input(&array![[1.0f32, 2.0], [1.0, 4.0]]);
        for eps in [0.0, 1e-45, 1e-5, 1.0] {
            BatchNorm1d { eps, ..batch }.forward(x);
            LayerNorm { eps, ..rows }.forward(x);
        }
        let said = [1e-46, -1e-5, 1e39, f64::NAN].map(|eps| {
            let batch_norm = message(|| BatchNorm1d { eps, ..batch }.forward(x));
            let layer_norm = message(|| LayerNorm { eps, ..rows }.forward(x));
            assert_eq!(layer_norm, batch_norm.replace("batch_norm", "layer_norm"));
            batch_norm
        });
        refused.push(said.join("\n"));
    }
    assert_eq!(refused[0], refused[1]);
    expect![[r#"
        batch_norm: eps is 1e-46, which f32 rounds to 0.0: expected a finite number above 0 (1e-5 is usual), or 0 for none
        batch_norm: eps is -1e-5, which f32 rounds to -9.999999747378752e-6: expected a finite number above 0 (1e-5 is usual), or 0 for none
        batch_norm: eps is 1e39, which f32 rounds to inf: expected a finite number above 0 (1e-5 is usual), or 0 for none
        batch_norm: eps is NaN, which f32 rounds to NaN: expected a finite number above 0 (1e-5 is usual), or 0 for none"#]].assert_eq(&refused[0]);
}
