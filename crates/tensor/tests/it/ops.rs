//! Every operation of the list, over every kind of shape: its gradient against both oracles, its input used once and twice,
//! and its Hessian-vector product against differences of gradients.

use crate::panics::message;
use expect_test::expect;
use surprisal_tensor::ndarray::{Array, ArrayD, IxDyn};
use surprisal_tensor::ops::{self, Call, Domain};
use surprisal_tensor::{Params, Scalar, Var, Workspace, check_gradient, hessian_vector_product};

/// Numbers without ties, kinks or symmetry: a different one for every place and salt.
fn numbers(shape: &[usize], domain: Domain, salt: f64) -> ArrayD<f64> {
    let mut i = 0.0;
    Array::from_shape_simple_fn(IxDyn(shape), || {
        i += 1.0;
        let x = 2.0 * (i * 1.7 + salt * 0.9).sin() + 0.01 * i;
        match domain {
            Domain::Any => x,
            Domain::NonZero => x + 0.2 * x.signum(),
            Domain::Positive => x.abs() + 0.2,
            Domain::AboveMinusOne => x.abs() - 0.8,
        }
    })
}

const SHAPES: [&[usize]; 9] = [&[], &[1], &[4], &[1, 4], &[3, 1], &[3, 4], &[0, 4], &[2, 1, 3], &[2, 3, 2]];
const PAIRS: [[&[usize]; 2]; 14] = [
    [&[], &[]],
    [&[3, 4], &[3, 4]],
    [&[3, 4], &[]],
    [&[], &[3, 4]],
    [&[3, 4], &[1]],
    [&[3, 4], &[4]],
    [&[4], &[3, 4]],
    [&[3, 1], &[3, 4]],
    [&[3, 1], &[1, 4]],
    [&[2, 1, 3], &[5, 1]],
    [&[2, 3, 4], &[3, 1]],
    [&[2, 3, 4], &[2, 1, 4]],
    [&[0, 4], &[4]],
    [&[0, 4], &[0, 4]],
];
/// m, k, n: also one row, one column, no row, and one number.
const PRODUCTS: [[usize; 3]; 8] =
    [[3, 4, 2], [1, 4, 3], [3, 1, 2], [3, 4, 1], [1, 1, 1], [0, 3, 2], [17, 5, 18], [2, 20, 3]];

/// The axes before m, k and k, n: a batch of one axis, of two, one matrix for the whole batch on either side, and no matrix.
const BATCHES: [[&[usize]; 2]; 7] =
    [[&[2], &[2]], [&[2, 1], &[2, 1]], [&[3], &[]], [&[], &[3]], [&[0], &[0]], [&[], &[0]], [&[0], &[]]];

/// One case: holds the gradient, then the gradient when every input is used twice, then the curvature.
fn holds(name: &str, inputs: &[ArrayD<f64>], f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>) {
    let shapes: Vec<_> = inputs.iter().map(|x| x.shape().to_vec()).collect();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        check_gradient(inputs, |_, x| f(x));
        // used twice, with different weights: were a gradient assigned where it should be added, one use would be lost
        check_gradient(inputs, |_, x| {
            let y = f(x);
            (y * 0.5 + f(x)) + y * 2.0
        });
        curvature_holds(inputs, &f);
    }));
    if let Err(panic) = result {
        let message = panic.downcast_ref::<String>().map_or("", |s| s);
        panic!("{name} on {shapes:?}: {message}");
    }
}

fn curvature_holds(inputs: &[ArrayD<f64>], f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>) {
    let mut params = Params::<f64>::default();
    for (k, x) in inputs.iter().enumerate() {
        params.add(&format!("x{k}"), x);
    }
    let mut direction = params.clone();
    for (i, v) in direction.as_mut_slice().iter_mut().enumerate() {
        *v = (i as f64 * 0.7 + 0.3).cos();
    }
    // a square outside, so that linear operations have curvature too
    let exact = hessian_vector_product(&params, &direction, |tape| run(tape, &f));
    let h = 1e-5;
    let shifted = |sign: f64| {
        let mut at = params.clone();
        for (x, v) in at.as_mut_slice().iter_mut().zip(direction.as_slice()) {
            *x += sign * h * v;
        }
        let mut workspace = Workspace::new();
        workspace.grad(&at.cast(), |tape| run(tape, &f)).1.primals()
    };
    let (above, below) = (shifted(1.0), shifted(-1.0));
    for (i, product) in exact.product.as_slice().iter().enumerate() {
        let difference = (above.as_slice()[i] - below.as_slice()[i]) / (2.0 * h);
        let error = (product - difference).abs() / difference.abs().max(1.0);
        assert!(error < 1e-6, "Hessian-vector product at {i}: {product} but differences say {difference}");
    }
}

fn run<'t>(tape: &'t surprisal_tensor::Tape<'t>, f: &impl Fn(&[Var<'t>]) -> Var<'t>) -> Var<'t> {
    let inputs: Vec<_> = tape.ids().map(|id| tape.param(id)).collect();
    f(&inputs).square().sum()
}

#[test]
fn every_operation_has_the_gradient_its_forward_formula_says() {
    let mut cases = 0;
    for entry in ops::all() {
        let (name, domain) = (entry.card.name, entry.domain);
        let mut case = |inputs: &[ArrayD<f64>], f: &dyn for<'t> Fn(&[Var<'t>]) -> Var<'t>| {
            cases += 1;
            holds(name, inputs, f);
        };
        match entry.call {
            Call::Unary(f) => {
                for shape in SHAPES {
                    case(&[numbers(shape, domain, 1.0)], &|x| f(x[0]));
                }
            }
            Call::Binary(f) => {
                for [a, b] in PAIRS {
                    case(&[numbers(a, Domain::Any, 1.0), numbers(b, domain, 2.0)], &|x| f(x[0], x[1]));
                }
                case(&[numbers(&[3, 4], Domain::NonZero, 1.0)], &|x| f(x[0], x[0]));
            }
            Call::Axis(f) => {
                for shape in SHAPES {
                    for axis in (0..shape.len()).filter(|&axis| shape[axis] > 0) {
                        case(&[numbers(shape, domain, 1.0)], &|x| f(x[0], axis as isize));
                        case(&[numbers(shape, domain, 1.0)], &|x| {
                            f(x[0], axis as isize - shape.len() as isize)
                        });
                    }
                }
            }
            Call::Reduction(least, all, along) => {
                for shape in SHAPES {
                    if shape.iter().product::<usize>() >= least {
                        case(&[numbers(shape, domain, 1.0)], &|x| all(x[0]));
                    }
                    for axis in (0..shape.len()).filter(|&axis| shape[axis] >= least) {
                        case(&[numbers(shape, domain, 1.0)], &|x| along(x[0], axis as isize));
                        case(&[numbers(shape, domain, 1.0)], &|x| {
                            along(x[0], axis as isize - shape.len() as isize)
                        });
                    }
                }
                case(&[numbers(&[300], domain, 1.0)], &|x| all(x[0])); // more than a block of sums
            }
            Call::Join(f) => {
                for shape in SHAPES.into_iter().filter(|shape| !shape.is_empty()) {
                    let inputs = [1.0, 2.0, 3.0].map(|salt| numbers(shape, domain, salt));
                    for axis in 0..shape.len() {
                        case(&inputs, &|x| f(x, axis as isize));
                        case(&inputs, &|x| f(&[x[1], x[0], x[1]], axis as isize - shape.len() as isize));
                    }
                }
            }
            Call::Matrix(f) => {
                for shape in SHAPES.into_iter().filter(|shape| shape.len() >= 2) {
                    case(&[numbers(shape, domain, 1.0)], &|x| f(x[0]));
                }
            }
            Call::Product(f) => {
                for [m, k, n] in PRODUCTS {
                    case(&[numbers(&[m, k], domain, 1.0), numbers(&[k, n], domain, 2.0)], &|x| f(x[0], x[1]));
                }
                for [a, b] in BATCHES {
                    for [m, k, n] in [[3, 4, 2], [1, 1, 1]] {
                        let (a, b) = ([a, &[m, k]].concat(), [b, &[k, n]].concat());
                        case(&[numbers(&a, domain, 1.0), numbers(&b, domain, 2.0)], &|x| f(x[0], x[1]));
                    }
                }
                case(&[numbers(&[3, 3], domain, 1.0)], &|x| f(x[0], x[0]));
                case(&[numbers(&[2, 3, 3], domain, 1.0)], &|x| f(x[0], x[0]));
            }
            Call::Affine(f) => {
                for [m, k, n] in PRODUCTS {
                    let inputs = [
                        numbers(&[m, k], domain, 1.0),
                        numbers(&[k, n], domain, 2.0),
                        numbers(&[n], domain, 3.0),
                    ];
                    case(&inputs, &|x| f(x[0], x[1], x[2]));
                }
                let batch = [
                    numbers(&[2, 3, 4], domain, 1.0),
                    numbers(&[4, 2], domain, 2.0),
                    numbers(&[2], domain, 3.0),
                ];
                case(&batch, &|x| f(x[0], x[1], x[2]));
            }
            Call::Shapes(sets, f) => {
                for shapes in sets {
                    let input = |(k, shape): (usize, &&[usize])| numbers(shape, domain, k as f64);
                    case(&Vec::from_iter(shapes.iter().enumerate().map(input)), &|x| f(x));
                }
            }
        }
    }
    assert!(cases > 600, "{cases} cases");
}

#[test]
fn every_card_says_something() {
    for entry in ops::all() {
        let card = entry.card;
        for text in [card.name, card.forward, card.backward, card.story] {
            assert!(!text.is_empty(), "{card:?}");
        }
        assert!(card.story.ends_with('.'), "{card:?}");
    }
}

#[test]
fn a_sum_over_no_rows_is_zero_and_a_mean_over_none_is_an_error() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let empty = tape.input(&Array::<f64, _>::zeros((0, 3)));
    assert_eq!(empty.sum_axis(0).value().as_slice(), Some(&[0.0; 3][..]));
    assert_eq!(empty.sum().item(), 0.0);
    expect![[r#"
        mean: [0, 3] has nothing to average
          input:  input [0, 3]
          hint: is the batch empty?"#]]
    .assert_eq(&message(|| empty.mean_axis(0)));
}

/// Hides the numbers at the ends of lines, whose last digits the machine decides.
fn without_numbers(message: &str) -> String {
    let lines = message.lines().map(|line| match line.rsplit_once(' ') {
        Some((start, end)) if end.parse::<f64>().is_ok_and(f64::is_finite) => format!("{start} NUMBER"),
        _ => line.to_owned(),
    });
    Vec::from_iter(lines).join("\n")
}

#[test]
fn a_wrong_gradient_is_found_and_named() {
    use surprisal_tensor::{Card, ops::elementwise::Elementwise};
    #[derive(Clone, Copy)]
    struct Wrong;
    impl Elementwise for Wrong {
        const CARD: Card = Card { name: "wrong", inputs: "x", forward: "x²", backward: "x dy", story: "" };
        fn f<T: Scalar>(&self, x: T) -> T {
            x * x
        }
        fn df<T: Scalar>(&self, x: T, _: T) -> T {
            x * T::of(2.0 + 1e-8) // off by what a loose check would let pass
        }
    }
    let wrong = message(|| {
        check_gradient(&[numbers(&[2, 3], Domain::Any, 1.0)], |_, x| x[0].map(Wrong));
    });
    expect![[r#"
        the gradient is wrong at x0[0, 0]:
          backward            NUMBER
          dual numbers        NUMBER
          central difference  NUMBER
          hint: the two oracles agree, so `backward` is wrong"#]]
    .assert_eq(&without_numbers(&wrong));
}

#[test]
fn every_formula_of_a_card_can_be_rendered() {
    for entry in ops::all() {
        for formula in [entry.card.forward, entry.card.backward] {
            if let Err(error) = surprisal_formula::inline(formula) {
                panic!("{}: {error}", entry.card.name);
            }
        }
    }
}

/// Reading before writing works on fresh memory, and goes wrong in every step but the first.
#[test]
fn what_reads_the_memory_that_it_should_write_is_found() {
    use surprisal_tensor::{Backward, Card, Forward, Op, Shape, ShapeError, Shapes};
    struct Stale {
        forward: bool,
    }
    impl Op for Stale {
        fn card(&self) -> Card {
            Card { name: "stale", inputs: "x", forward: "2 x", backward: "2 dy", story: "" }
        }
        fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
            Ok(*inputs.shape(0))
        }
        fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
            for (y, &x) in f.y.iter_mut().zip(f.inputs.x(0)) {
                *y = if self.forward { *y + x + x } else { x + x };
            }
        }
        fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
            let dy = b.dy;
            if let Some(dx) = b.dx(0) {
                dx.add_filled(|dx, _| dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy + dy));
            }
        }
    }
    let messages = [false, true].map(|forward| {
        message(|| {
            check_gradient(&[numbers(&[2, 3], Domain::Any, 1.0)], |tape, x| {
                tape.apply(Stale { forward }, [x[0]])
            });
        })
    });
    expect![[r#"
        the gradient is wrong at x0[0, 0]:
          backward            NaN
          dual numbers        NUMBER
          central difference  NUMBER
          hint: `backward` gives no number: does it read what it should write, such as `+=` on the slice of `add_filled`? Write it with `=`, or add with `add_scattered`; or does it divide by 0?
        the gradient is wrong at x0[0, 0]:
          backward            NaN
          dual numbers        NaN
          central difference  NaN
          hint: the function gives no number: is it defined here, or does `forward` read `f.y` before it writes it?"#]].assert_eq(&without_numbers(&messages.join("\n")));
}

/// The reference is written from the cards: `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_reference_in_docs_is_what_the_cards_say() {
    let mut text = String::from(
        "# Operations\n\nEvery operation of the tape, from its card; x is the input, y the result, dy its gradient. \
         Written by a test of `crates/tensor/tests/it/ops.rs`, which also holds each gradient to two oracles.\n\n\
         | operation | value | gradient | |\n|---|---|---|---|\n",
    );
    for entry in ops::all() {
        let card = entry.card;
        let [forward, backward] = [card.forward, card.backward].map(|formula| formula.replace('|', "\\|"));
        text += &format!("| `{}` | {forward} | {backward} | {} |\n", card.name, card.story);
    }
    expect_test::expect_file!["../../../../docs/ops.md"].assert_eq(&text);
}
