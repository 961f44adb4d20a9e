//! What the tape promises: gradients that add, values that can be cut off, mistakes that are named where they were made.

use crate::panics::{message, panic_of, without_places};
use expect_test::expect;
use surprisal_tensor::ndarray::{Array2, array, s};
use surprisal_tensor::{Params, Workspace, hessian_vector_product, ops::products::Matmul};

#[test]
fn gradients_of_a_value_used_twice_add_up() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![3.0]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.param(w);
    let hidden = x * x;
    let loss = (hidden * x + hidden + tape.param(w)).sum(); // x³ + x² + x
    loss.backward();
    assert_eq!(hidden.grad().unwrap(), array![4.0].into_dyn()); // x + 1
    assert_eq!(workspace.grads()[w], [3.0 * 9.0 + 2.0 * 3.0 + 1.0]);
}

#[test]
fn backward_starts_anew_each_time() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![3.0]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let (a, b) = (tape.param(w).square().sum(), tape.param(w).exp().sum());
    b.backward();
    a.backward();
    a.backward();
    assert_eq!(b.grad().unwrap().sum(), 0.0); // not on the way to a
    assert_eq!(workspace.grads()[w], [6.0]);
}

#[test]
fn a_pass_may_start_from_a_gradient_on_the_tape() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![3.0, -1.0]);
    let (dy, mut workspace) = (array![0.5, 2.0].into_shared(), Workspace::new());
    let tape = workspace.tape(&params);
    let y = tape.param(w).square();
    y.backward_by(tape.shared(&dy));
    assert_eq!((y.grad(), y.steps().count()), (Some(array![0.5, 2.0].into_dyn()), 1));
    y.backward_with(&array![1.0, 1.0]); // another pass, with a gradient of its own
    assert_eq!(y.grad(), Some(array![1.0, 1.0].into_dyn()));
    tape.param(w).backward_by(y.exp() * 0.0 + 7.0); // from a parameter; nothing flows into the gradient
    assert_eq!(workspace.grads()[w], [7.0, 7.0]);
}

#[test]
fn the_loss_may_be_a_parameter_itself() {
    let mut params = Params::<f64>::default();
    let (w, _) = (params.add("w", &array![3.0]), params.add("other", &array![1.0]));
    let mut workspace = Workspace::new();
    let (value, grads) = workspace.grad(&params, |tape| tape.param(w));
    assert_eq!((value, grads.as_slice()), (3.0, &[1.0, 0.0][..]));
}

#[test]
fn the_gradient_of_an_input_is_there_on_request() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.input(&array![[1.0, 2.0]]).requires_grad();
    let y = tape.input(&array![[5.0, 7.0]]);
    let loss = (x * y).sum();
    assert_eq!(x.grad(), None); // backward has not run
    loss.backward();
    assert_eq!(x.grad().unwrap(), array![[5.0, 7.0]].into_dyn());
    assert_eq!(y.grad(), None); // nobody asked
}

#[test]
fn detach_keeps_the_value_and_stops_the_gradient() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![3.0]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.param(w);
    let loss = (x * x.detach()).sum();
    loss.backward();
    assert_eq!(loss.item(), 9.0);
    assert_eq!(workspace.grads()[w], [3.0]);
}

#[test]
fn a_frozen_parameter_gets_no_gradient_and_is_not_missed() {
    let mut params = Params::<f64>::default();
    let (a, b) = (params.add("a", &array![2.0]), params.add("b", &array![5.0]));
    params.freeze(b);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let frozen = tape.param(b);
    let loss = (tape.param(a) * frozen).sum();
    loss.backward();
    assert_eq!(frozen.grad(), None);
    assert_eq!(workspace.grads().as_slice(), [5.0, 0.0]);
    assert_eq!(workspace.grads().all_reached(), Ok(()));
    assert!(params.trainable_spans().eq(std::iter::once(0..1)));
    params.unfreeze(b);
    assert!(params.trainable_spans().eq(std::iter::once(0..2)));
}

#[test]
fn trainable_spans_leave_out_what_is_frozen() {
    let mut params = Params::new();
    let ids: Vec<_> = (1..=5).map(|n| params.add_with(&format!("p{n}"), [n], |_| {})).collect();
    params.freeze(ids[0]);
    params.freeze(ids[3]);
    assert_eq!(params.trainable_spans().collect::<Vec<_>>(), [1..6, 10..15]);
}

#[test]
fn a_parameter_that_the_loss_never_reached_is_named() {
    let mut params = Params::<f64>::default();
    let a = params.add("hidden.weight", &array![2.0]);
    params.add("out.weight", &array![5.0]);
    params.add("out.bias", &array![5.0]);
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| tape.param(a).square().sum());
    expect![[r#"the loss never reached the trainable parameters "out.weight", "out.bias": is a layer left out of the model, is its output detached, or was `backward` not called? Freeze them if that is what you want, or name what the optimizer is to step: `.only("hidden")`"#]].assert_eq(&grads.all_reached().unwrap_err().to_string());
}

#[test]
fn a_forgotten_backward_leaves_no_gradient_of_the_step_before() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![2.0]);
    let mut workspace = Workspace::new();
    workspace.grad(&params, |tape| tape.param(w).square().sum());
    workspace.eval(&params, |tape| tape.param(w)); // looking does no harm
    assert_eq!(workspace.grads().all_reached(), Ok(()));
    let _ = workspace.tape(&params).param(w).square().sum();
    assert_eq!(workspace.grads().unreached().collect::<Vec<_>>(), ["w"]);
}

#[test]
fn evaluation_records_no_gradients() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![3.0]);
    let mut workspace = Workspace::new();
    assert_eq!(workspace.eval(&params, |tape| tape.param(w) * 2.0), array![6.0].into_dyn());
    let (message, line) = panic_of(|| workspace.no_grad(&params).param(w).sum().backward());
    assert_eq!(line, line!() - 1);
    expect!["backward: this tape records no gradients: start it with `tape`, not with `no_grad` or `eval`"]
        .assert_eq(&message);
}

#[test]
fn a_matrix_that_does_not_fit_is_reported_with_both_sides_and_a_hint() {
    let mut params = Params::new();
    let w = params.add("out.weight", &Array2::zeros((128, 10)));
    let mut workspace = Workspace::new();
    let (message, line) = panic_of(|| {
        let tape = workspace.tape(&params);
        let x = tape.input(&Array2::<f64>::zeros((64, 784)));
        x.matmul(tape.param(w));
    });
    let at = format!("{}:{}:", file!(), line!() - 3);
    assert_eq!(line, line!() - 3);
    assert!(message.contains(&at), "{message}");
    expect![[r#"
        matmul: [64, 784] x [128, 10]: 784 columns meet 128 rows
          left:   input [64, 784]
          right:  parameter "out.weight" [128, 10]
          hint: is a layer missing between them, or is the layer made for other data?"#]]
    .assert_eq(&without_places(&message));
}

#[test]
fn a_layer_is_called_by_its_name_and_a_node_by_the_users() {
    let mut params = Params::new();
    let (w, b) =
        (params.add("hidden.weight", &Array2::zeros((3, 2))), params.add("hidden.bias", &array![0.0, 0.0]));
    let mut workspace = Workspace::new();
    let message = message(|| {
        let tape = workspace.tape(&params);
        let hidden = tape.input(&Array2::<f64>::zeros((5, 3))).affine(tape.param(w), tape.param(b));
        let _ = hidden + tape.input(&Array2::<f64>::zeros((5, 4))).named("targets");
    });
    expect![[r#"
        add: [5, 2] and [5, 4]: 2 meets 4 in axis -1
          left:   "hidden" (affine) [5, 2]
          right:  "targets" (input) [5, 4]
          hint: axes are matched from the last; they must be equal, or one of them 1"#]]
    .assert_eq(&message);
}

#[test]
fn a_shape_can_be_tried_without_a_panic() {
    let params = Params::new();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let (a, b) = (tape.input(&Array2::<f64>::zeros((2, 3))), tape.input(&Array2::<f64>::zeros((4, 3))));
    let nodes = tape.len();
    let error = tape.try_apply(Matmul, [a, b]).unwrap_err().to_string();
    expect![[r#"
        matmul: [2, 3] x [4, 3]: 3 columns meet 4 rows
          left:   input [2, 3]
          right:  input [4, 3]
          hint: the right side would fit transposed: b.t() is [3, 4]"#]]
    .assert_eq(&without_places(&error));
    assert_eq!(tape.len(), nodes); // nothing was recorded
    assert_eq!(a.matmul(b.t()).shape().dims(), [2, 4]); // and the tape goes on
}

#[test]
fn every_misuse_says_what_to_do() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![1.0, 2.0]);
    let running = params.add_buffer("running", &array![0.0, 0.0]);
    let mut first = Workspace::new();
    let mut second = Workspace::new();
    let (one, other) = (first.tape(&params), second.tape(&params));
    let (x, y) = (one.param(w), other.param(w));
    let mut copy = params.clone();
    let messages = [
        message(|| x + y),
        message(|| one.update(running, y)),
        message(|| x.backward()),
        message(|| x.backward_by(y)),
        message(|| x.backward_by(one.constant(1.0))),
        message(|| x.item()),
        message(|| x.sum_axis(1)),
        message(|| x.softmax(-2)),
        message(|| x.sum().mean_axis(0)),
        message(|| x.reshape([3])),
        message(|| x.t()),
        message(|| x.matmul(x)),
        message(|| {
            let input = one.constant(1.0);
            let _ = input * x;
            input.requires_grad();
        }),
        message(|| x.reshape([1, 1, 1, 1, 1, 2])),
        message(|| copy.add("w", &array![1.0])),
    ];
    expect![[r#"
        add: its inputs belong to different tapes: record everything that meets in one computation on one tape
        update: the new value of "running" belongs to another tape: record it on the tape whose `update` is called
        backward: starts from a single number, found parameter "w" [2]: reduce it with `sum` or `mean`, use a loss, or give its gradient to `backward_with`
        backward_by: the gradient belongs to another tape: record it on the tape of the value
        backward_by: a gradient of shape [] does not fit parameter "w" [2]
        item: [2] is not a single number: use `value`, or reduce it with `sum` or `mean`
        sum: there is no axis 1
          input:  parameter "w" [2]
          hint: axes are 0 to 0 from the front, -1 to -1 from the back
        softmax: there is no axis -2
          input:  parameter "w" [2]
          hint: axes are 0 to 0 from the front, -1 to -1 from the back
        mean: a single number has no axis 0
          input:  sum []
        reshape: [2] has 2 numbers, [3] would have 3
          input:  parameter "w" [2]
        t: [2] is not a matrix
          input:  parameter "w" [2]
          hint: only matrices, [rows, columns], are transposed
        matmul: [2] is not a matrix
          left:   parameter "w" [2]
          right:  parameter "w" [2]
          hint: one row is x.reshape([1, 2]), one column x.reshape([2, 1])
        requires_grad: call it right where the input is recorded: `tape.input(&x).requires_grad()`
        a tensor has at most 5 axes, not 6
        there is already a parameter "w": give each layer a name of its own, or each net a scope: `&mut params.scope("critic")` instead of `&mut params`"#]].assert_eq(&messages.join("\n"));
}

#[test]
fn the_first_value_that_is_not_finite_is_named() {
    let mut params = Params::new();
    let w = params.add("w", &array![1.0, 0.0, -1.0]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let loss = (tape.param(w).ln() * 2.0).sum();
    assert!(loss.item().is_nan());
    let mut culprit = tape.first_non_finite().unwrap();
    culprit.node = without_places(&culprit.node);
    expect!["ln [3]: 2 of 3 values are not finite, the first is -inf at position 1"]
        .assert_eq(&culprit.to_string());
    let tape = workspace.tape(&params);
    tape.param(w).exp();
    assert_eq!(tape.first_non_finite(), None);
}

#[test]
fn a_tape_of_a_hundred_thousand_nodes_does_not_recurse() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![0.5]);
    // in a thread with a stack far too small to recurse that deep
    let run = move || {
        let mut workspace = Workspace::new();
        let (value, grads) = workspace.grad(&params, |tape| {
            (0..100_000).fold(tape.param(w), |x, _| if x.tape().len() % 2 == 0 { x + 0.0 } else { x * 1.0 })
        });
        assert_eq!((value, grads[w][0]), (0.5, 1.0));
    };
    std::thread::Builder::new().stack_size(128 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn hessian_vector_products_are_symmetric() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![[0.3, -0.2], [0.5, 0.9]]);
    let b = params.add("b", &array![0.1, -0.4]);
    let x = array![[1.0, 2.0], [0.5, -1.0], [3.0, 0.2]];
    let product = |v: &Params<f64>| {
        hessian_vector_product(&params, v, |tape| {
            let h = tape.input(&x).affine(tape.param(w), tape.param(b)).tanh();
            (h.log_softmax(-1) * h.sigmoid()).square().mean()
        })
        .product
    };
    let n = params.as_slice().len();
    let hessian: Vec<_> = (0..n)
        .map(|i| {
            let mut unit = params.map(|_| 0.0);
            unit.as_mut_slice()[i] = 1.0;
            product(&unit)
        })
        .collect();
    for i in 0..n {
        for j in 0..n {
            let (a, b) = (hessian[i].as_slice()[j], hessian[j].as_slice()[i]);
            assert!((a - b).abs() <= 1e-14 * (1.0 + a.abs()), "{i} {j}: {a} {b}");
        }
    }
    assert!(hessian.iter().any(|row| row.norm() > 1e-3));
}

#[test]
fn arrays_of_any_layout_go_in_by_rows() {
    let params = Params::new();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let turned = x.t().to_owned().into_dyn();
    assert_eq!(tape.input(&x.t()).value(), turned);
    assert_eq!(tape.input(&x).t().value(), turned);
}

#[test]
fn a_shared_array_is_data_like_a_copied_one() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![[2.0], [-1.0]]);
    let x = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].into_shared();
    let mut workspace = Workspace::new();
    for x in
        [x.clone(), x.slice_move(s![1.., ..]), array![[1.0, 2.0], [3.0, 4.0]].reversed_axes().into_shared()]
    {
        let gradients = [false, true].map(|shared| {
            let tape = workspace.tape(&params);
            let x = if shared { tape.shared(&x) } else { tape.input(&x) }.requires_grad();
            let detached = x.detach().requires_grad();
            let loss = (x.matmul(tape.param(w)).square() + detached.sum()).sum();
            loss.backward();
            (loss.item(), x.value(), x.grad(), detached.grad())
        });
        assert_eq!(gradients[0], gradients[1]);
    }
}

#[test]
fn the_owner_of_a_shared_array_may_change_it_and_the_tape_keeps_its_own() {
    let params = Params::<f64>::default();
    let mut x = array![1.0, 2.0].into_shared();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let node = tape.shared(&x);
    x[0] = 7.0; // ndarray copies it now, because the tape is an owner too
    assert_eq!(node.value(), array![1.0, 2.0].into_dyn());
}
