//! Sizes at the edge of what can be addressed, in every function that makes a shape, a view or a buffer: each is right, or refused
//! with a reason. In a release arithmetic wraps, so CI runs this without overflow checks, and under a sanitizer:
//!
//! `cargo test --profile unchecked -p surprisal-tensor --test it edges:: -- --include-ignored` (`.ci/run` has the sanitizer's options)

use crate::panics::refusal;
use surprisal_tensor::threads::{LIGHT, for_each, reduce};
use surprisal_tensor::{
    Buf, Dual, Mat, Params, Scalar, Shape, Tape, Var, Workspace, concat, ndarray::array, stack,
};

/// 3 W = 2 modulo 2^64.
const W: usize = 6_148_914_691_236_517_206;
/// 2^32, whose square is 0 modulo 2^64.
const ROOT: usize = 1 << 32;
/// As many numbers as a shape may have.
const MOST: usize = isize::MAX as usize;

/// That it is refused, in words of ours: not as an overflow, an index, a failed `unwrap`, or a capacity.
#[track_caller]
fn refused<R>(what: &str, f: impl FnOnce() -> R) {
    let message = refusal(f).unwrap_or_else(|| panic!("{what} is not refused"));
    let ours =
        ["address", "no axis", "memory", "cannot", "does not fit", "do not fit", "meet", "pieces", "at most"];
    assert!(ours.iter().any(|words| message.contains(words)), "{what}: {message}");
    let theirs =
        ["overflow", "out of range", "out of bounds", "divide by zero", "unwrap", "already", "capacity"];
    assert!(!theirs.iter().any(|words| message.contains(words)), "{what}: {message}");
}

#[test]
#[ignore = "only where overflow checks are off: --profile unchecked"]
fn fails_if_overflow_checks_are_on() {
    let wrapped = refusal(|| assert_eq!(std::hint::black_box(W) * 3, 2));
    assert_eq!(wrapped, None, "this is to be run with --profile unchecked");
}

#[test]
fn a_shape_has_no_product_of_lengths_that_overflows() {
    let lengths = [0, 1, 2, 3, ROOT, 1 << 31, W, MOST, MOST + 1, usize::MAX];
    let mut shapes = 0;
    for a in lengths {
        for b in lengths {
            for c in lengths {
                for d in lengths {
                    let dims = [a, b, c, d];
                    let exact =
                        dims.iter().filter(|&&d| d > 0).try_fold(1u128, |n, &d| n.checked_mul(d as u128));
                    let fits = exact.is_some_and(|n| n <= MOST as u128);
                    assert_eq!(Shape::try_new(&dims).is_ok(), fits, "{dims:?}");
                    if !fits {
                        refused("a shape", || Shape::new(&dims));
                        refused("a shape", || Shape::from(dims));
                        continue;
                    }
                    shapes += 1;
                    let shape = Shape::new(&dims);
                    let product = |dims: &[usize]| dims.iter().map(|&d| d as u128).product::<u128>();
                    assert_eq!(shape.len() as u128, product(&dims));
                    for axis in 0..4 {
                        let (outer, n, inner) = shape.around(axis);
                        assert_eq!(outer as u128, product(&dims[..axis]));
                        assert_eq!((n, inner as u128), (dims[axis], product(&dims[axis + 1..])));
                        let without = shape.without(axis);
                        let others: Vec<_> = (0..4).filter(|&k| k != axis).map(|k| dims[k]).collect();
                        assert_eq!((without.dims(), without.len() as u128), (&others[..], product(&others)));
                    }
                }
            }
        }
    }
    assert!(shapes > 500, "{shapes}");
    refused("six axes", || Shape::new(&[1; 6]));
    refused("six axes", || Shape::from([1; 6]));
    for (shape, axis) in [(Shape::SCALAR, 0), (Shape::from([2, 3]), 2), (Shape::from([2, 3]), usize::MAX)] {
        refused("without", || shape.without(axis));
        refused("around", || shape.around(axis));
    }
    for axis in [isize::MIN, -3, 2, isize::MAX] {
        assert!(Shape::from([2, 3]).axis(axis).is_err());
        assert!(Shape::SCALAR.axis(axis).is_err());
    }
}

#[test]
fn a_matrix_lies_inside_its_slice() {
    let data = [1.0f32, 2.0, 3.0, 4.0];
    for (rows, cols) in [
        (3, W),
        (W, 3),
        (ROOT, ROOT),
        (usize::MAX, 2),
        (2, usize::MAX),
        (MOST + 1, 2),
        (2, 3),
        (0, 4),
        (4, 0),
    ] {
        refused("a matrix", || Mat::new(&data, rows, cols));
        refused("a matrix", || Mat::new(&data[..2], rows, cols));
    }
    refused("a matrix", || Mat::new(&data[..0], ROOT, ROOT));
    let empty = |rows, cols| Mat::new(&data[..0], rows, cols);
    for size in [0, 1, ROOT, usize::MAX] {
        let _ = (empty(0, size), empty(size, 0).t());
    }
}

/// Every product whose sizes are edges: refused, or it writes C and nothing else.
fn products_of<T: Scalar>() {
    let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(T::of);
    let sizes = [0, 1, 2, 3, 6, ROOT, W, MOST, usize::MAX];
    let mut products = 0;
    for (m, k, n) in sizes.iter().flat_map(|&m| sizes.iter().flat_map(move |&k| sizes.map(|n| (m, k, n)))) {
        let within = |rows: usize, cols: usize| rows.checked_mul(cols).filter(|&n| n <= data.len());
        let (Some(in_a), Some(in_b)) = (within(m, k), within(k, n)) else { continue };
        for transposed in 0..4 {
            let a = match transposed & 1 {
                0 => Mat::new(&data[..in_a], m, k),
                _ => Mat::new(&data[..in_a], k, m).t(),
            };
            let b = match transposed & 2 {
                0 => Mat::new(&data[..in_b], k, n),
                _ => Mat::new(&data[..in_b], n, k).t(),
            };
            for len in [0usize, 1, 2, 4, 6, 9, 36] {
                let mut c = vec![T::of(0.5); len + 8];
                let refused = refusal(|| T::product(a, b, &mut c[4..4 + len], false, &mut Buf::new(0)));
                assert_eq!(
                    refused.is_none(),
                    m.checked_mul(n) == Some(len),
                    "[{m}, {k}] x [{k}, {n}] into {len}"
                );
                let around = c[..4].iter().chain(&c[4 + len..]);
                assert!(around.into_iter().all(|c| c.value() == 0.5), "[{m}, {k}] x [{k}, {n}]");
                if let Some(message) = refused {
                    assert!(message.contains("does not fit"), "{message}");
                } else {
                    products += 1;
                    let sum: f64 = if k == 0 { 0.0 } else { f64::NAN };
                    assert!(k > 0 || c[4..4 + len].iter().all(|c| c.value() == sum));
                }
            }
        }
    }
    assert!(products > 200, "{products}");
    // columns that do not meet rows
    for (a, b) in [((2, 3), (2, 3)), ((0, ROOT), (3, 0)), ((3, 0), (1, 3))] {
        let mat = |(rows, cols): (usize, usize)| Mat::new(&data[..rows * cols], rows, cols);
        refused("a product", || T::product(mat(a), mat(b), &mut [T::ZERO; 9], false, &mut Buf::new(0)));
    }
}

#[test]
fn a_product_writes_its_result_and_nothing_else() {
    products_of::<f32>();
    products_of::<f64>();
    products_of::<Dual>();
}

/// Sizes around every edge of vectors, tiles and strips, with watched numbers around C and the factors.
fn tiles_of<T: Scalar>(seed: usize) {
    let number = |i: usize| T::of(((i * 7 + seed) % 11) as f64 - 5.0);
    let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 49];
    for (i, &m) in sizes.iter().enumerate() {
        for (j, &k) in sizes.iter().enumerate() {
            for (l, &n) in sizes.iter().enumerate() {
                if !(i + 2 * j + 3 * l + seed).is_multiple_of(5) {
                    continue; // every pair of sizes, if not every three
                }
                // allocations of exactly this size, so that a sanitizer sees what lies behind them
                let a: Box<[T]> = (0..m * k).map(number).collect();
                let b: Box<[T]> = (0..k * n).map(|i| number(i + 3)).collect();
                for transposed in 0..4 {
                    let mat_a = if transposed & 1 == 0 { Mat::new(&a, m, k) } else { Mat::new(&a, k, m).t() };
                    let mat_b = if transposed & 2 == 0 { Mat::new(&b, k, n) } else { Mat::new(&b, n, k).t() };
                    let mut c = vec![T::of(0.25); m * n].into_boxed_slice();
                    let mut scratch = Buf::new(0);
                    T::product(mat_a, mat_b, &mut c, false, &mut scratch);
                    T::product(mat_a, mat_b, &mut c, true, &mut scratch);
                    let at = |x: &[T], row: usize, col: usize, rows: usize, cols: usize, t: bool| {
                        if t { x[col * rows + row] } else { x[row * cols + col] }.value()
                    };
                    for (place, c) in c.iter().enumerate() {
                        let (row, col) = (place / n, place % n);
                        let terms = (0..k).map(|p| {
                            at(&a, row, p, m, k, transposed & 1 != 0)
                                * at(&b, p, col, k, n, transposed & 2 != 0)
                        });
                        assert_eq!(
                            c.value(),
                            2.0 * terms.sum::<f64>(),
                            "[{m}, {k}] x [{k}, {n}], {transposed}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn products_of_every_edge_are_right_and_stay_inside() {
    for seed in 0..2 {
        tiles_of::<f32>(seed);
        tiles_of::<f64>(seed);
    }
}

#[test]
fn products_in_blocks_and_parts_stay_inside() {
    // packed, its transpose packed, and unpacked: several blocks along every side
    for [m, k, n] in [[530, 300, 530], [251, 530, 170], [530, 1100, 20], [13, 1100, 3]] {
        let ones = |n: usize| vec![1.0f32; n].into_boxed_slice();
        let (a, b) = (ones(m * k), ones(k * n));
        for a in [Mat::new(&a, m, k), Mat::new(&a, k, m).t()] {
            for b in [Mat::new(&b, k, n), Mat::new(&b, n, k).t()] {
                let mut c = ones(m * n);
                f32::product(a, b, &mut c, true, &mut Buf::new(0));
                assert!(c.iter().all(|&c| c == k as f32 + 1.0), "[{m}, {k}] x [{k}, {n}]");
            }
        }
    }
}

#[test]
fn a_buffer_has_its_length_or_refuses_it() {
    for len in [usize::MAX, usize::MAX - 61, MOST, MOST / 4, MOST / 8 + 1, 1 << 55] {
        let mut buf = Buf::<f32>::collect(5, [1.0, 2.0].into_iter());
        refused("a buffer", || buf.resize(len));
        refused("a buffer", || {
            buf.at_least(len);
        });
        assert_eq!(*buf, [1.0, 2.0]);
        buf.resize(3);
        assert_eq!(buf[..2], [1.0, 2.0]);
    }
    let mut units = Buf::<()>::new(7);
    units.resize(5);
    assert_eq!((units.len(), units.at_least(9).len()), (5, 9));
}

#[test]
fn work_is_cut_in_pieces_of_something() {
    let mut numbers = [1.0f32; 10];
    refused("a piece of nothing", || for_each(&mut numbers[..], 0, |_, _| ()));
    refused("a piece of nothing", || reduce(&numbers[..], 0, |_, x| x.len(), |a, b| a + b));
    for_each(&mut numbers[..0], 0, |_, numbers| assert!(numbers.is_empty()));
    for piece in [1, 3, LIGHT, usize::MAX] {
        assert_eq!(reduce(&numbers[..], piece, |_, x| x.len(), |a, b| a + b), 10);
    }
}

/// Every operation that makes another shape of the shapes of its inputs.
fn derived_shapes<'t>(a: Var<'t>, b: Var<'t>) {
    let calls: [(&str, &dyn Fn() -> Var<'t>); 40] = [
        ("matmul", &|| a.matmul(b)),
        ("matmul, transposed", &|| a.matmul(b.t())),
        ("transposed matmul", &|| a.t().matmul(b)),
        ("affine", &|| a.affine(b, b.sum_axis(0))),
        ("add", &|| a + b),
        ("mul, as column and row", &|| a.unsqueeze(-1) * b.unsqueeze(0)),
        ("mul, as row and column", &|| a.unsqueeze(0) * b.unsqueeze(-1)),
        ("maximum", &|| a.unsqueeze(1).maximum(b.unsqueeze(0))),
        ("where", &|| a.where_(b, a)),
        ("sum", &|| a.sum()),
        ("sum_axis 0", &|| a.sum_axis(0)),
        ("sum_axis -1", &|| a.sum_axis(-1)),
        ("sum_axis, twice", &|| a.sum_axis(0).sum_axis(0)),
        ("mean", &|| a.mean()),
        ("mean_axis 0", &|| a.mean_axis(0)),
        ("mean_axis 1", &|| a.mean_axis(1)),
        ("max_axis 0", &|| a.max_axis(0)),
        ("min_axis 1", &|| a.min_axis(1)),
        ("prod", &|| a.prod()),
        ("prod_axis 0", &|| a.prod_axis(0)),
        ("prod_axis 1", &|| a.prod_axis(1)),
        ("var_axis 0", &|| a.var_axis(0)),
        ("norm_axis 0", &|| a.norm_axis(0)),
        ("norm_axis 1", &|| a.norm_axis(1)),
        ("logsumexp_axis 0", &|| a.logsumexp_axis(0)),
        ("softmax 0", &|| a.softmax(0)),
        ("log_softmax 1", &|| a.log_softmax(1)),
        ("t", &|| a.t()),
        ("reshape", &|| a.reshape(b.shape())),
        ("reshape, flat", &|| a.reshape([a.shape().len()])),
        ("unsqueeze", &|| a.unsqueeze(1)),
        ("squeeze", &|| a.squeeze(0)),
        ("slice", &|| a.slice(0, 0..1)),
        ("slice to the end", &|| a.slice(-1, 0..usize::MAX)),
        ("concat 0", &|| concat(&[a, b, a], 0)),
        ("concat 1", &|| concat(&[a, a, a], 1)),
        ("stack", &|| stack(&[a, a, a], 0)),
        ("index_select 0", &|| a.index_select(0, &[0, 0, 0])),
        ("index_select 1", &|| a.index_select(1, &[])),
        ("gather", &|| a.gather(0, &array![[0usize]])),
    ];
    for (name, call) in calls {
        let refused = refusal(|| {
            let y = call();
            let dims = y.shape().dims().to_vec();
            let exact = dims.iter().filter(|&&d| d > 0).map(|&d| d as u128).product::<u128>();
            assert!(exact <= MOST as u128, "BROKEN {name}: {dims:?}");
            y.with_value(|values: &[f64]| {
                assert_eq!(values.len(), y.shape().len(), "BROKEN {name}: {dims:?}")
            });
            if y.needs_grad() {
                y.sum().backward();
                assert_eq!(a.grad().map(|g| g.len()), Some(a.shape().len()), "BROKEN {name}");
            }
        });
        if let Some(message) = refused {
            let theirs = ["BROKEN", "overflow", "out of range", "out of bounds", "divi", "unwrap", "already"];
            assert!(
                !theirs.iter().any(|words| message.contains(words)),
                "{name} of {} and {}: {message}",
                a.shape(),
                b.shape()
            );
        }
    }
}

#[test]
fn every_operation_makes_a_shape_that_fits_or_refuses() {
    let lengths = [0, 1, 2, 1 << 50, 1 << 60, 1 << 61, W, MOST]; // none, few, or more than any machine has
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let mut pairs = 0;
    for (a, b) in lengths.iter().flat_map(|&a| lengths.map(|b| (a, b))) {
        // few numbers under large shapes: one axis is empty, or all are short
        let fits = |dims: [usize; 2]| Shape::try_new(&dims).is_ok_and(|shape| shape.len() <= 4);
        for (first, second) in
            [([a, b], [b, a]), ([a, b], [a, b]), ([a, b], [1, b]), ([0, a], [0, b]), ([a, 0], [b, 0])]
        {
            if !fits(first) || !fits(second) {
                continue;
            }
            pairs += 1;
            let tape = workspace.tape(&params);
            let input = |dims: [usize; 2]| tape.input_with(dims, |_| 0.5).requires_grad();
            derived_shapes(input(first), input(second));
        }
    }
    assert!(pairs > 100, "{pairs}");
}

#[test]
fn a_sum_over_an_empty_axis_leaves_no_shape_without_memory() {
    let params = Params::new();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    refused("a shape", || tape.input_with([0, 3, W], |_| 0.0));
    refused("a shape", || tape.input_with([0, W, 3], |_| 0.0));
    refused("as many zeros as a sum has", || tape.input_with([0, 1 << 60], |_| 0.0).sum_axis(0));
    refused("an input", || tape.input_with([1 << 60], |_| 0.0));
    refused("one_hot", || tape.one_hot(&[0, 1, 2], W));
    refused("one_hot", || tape.one_hot(&[0, 1, 2], MOST / 4));
    // an empty batch of as many products as there may be
    let products =
        tape.input_with([1 << 60, 0, 2], |_| 0.0).matmul(tape.input_with([1 << 60, 2, 0], |_| 0.0));
    assert_eq!(products.shape().dims(), [1 << 60, 0, 0]);
    let empty = tape.input_with([1 << 60, 0, 2], |_| 0.0).requires_grad();
    empty.matmul(tape.input_with([2, 3], |_| 1.0)).sum().backward();
    assert_eq!(empty.grad().map(|g| g.len()), Some(0));
    // and afterward all is as before
    let x = tape.input(&array![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(x.matmul(x).value(), array![[7.0, 10.0], [15.0, 22.0]].into_dyn());
}

#[test]
fn parameters_that_no_memory_holds_are_refused_and_leave_no_trace() {
    let mut params = Params::new();
    let w = params.add("w", &array![1.0, 2.0]);
    for dims in [[3, W], [ROOT, ROOT], [MOST, 1], [1 << 30, 1 << 30]] {
        refused("a parameter", || params.add_with("large", dims, |_| {}));
    }
    refused("a parameter", || params.add_with("cut off", [5], |x| assert!(x.is_empty(), "cannot be drawn")));
    assert_eq!((params.as_slice(), params.entries().len()), (&[1.0, 2.0][..], 1));
    let b = params.add("b", &array![3.0]);
    assert_eq!(
        (&params[w], &params[b], params.as_slice()),
        (&[1.0, 2.0][..], &[3.0][..], &[1.0, 2.0, 3.0][..])
    );
}

#[test]
fn closures_that_use_their_tape_are_reported() {
    let mut params = Params::<f64>::default();
    let w = params.add("w", &array![1.0]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.input(&array![1.0, 2.0]);
    type Use<'a> = &'a dyn Fn(&Tape);
    let uses: [(&str, Use); 8] = [
        ("record", &|_| {
            x.exp();
        }),
        ("input", &|_| {
            tape.constant(1.0);
        }),
        ("param", &|_| {
            tape.param(w);
        }),
        ("detach", &|_| {
            x.detach();
        }),
        ("named", &|_| {
            x.named("x");
        }),
        ("backward", &|_| x.backward()),
        ("requires_grad", &|_| {
            x.requires_grad();
        }),
        ("slopes", &|_| {
            x.slopes();
        }),
    ];
    for (what, uses) in uses {
        refused(what, || {
            x.with_value(|_: &[f64]| {
                uses(&tape);
                0.0
            })
        });
        refused(what, || {
            tape.input_with([2], |_| {
                uses(&tape);
                0.0
            })
        });
    }
    refused("value", || tape.input_with([2], |_| x.value()[0]));
    refused("shape", || tape.input_with([2], |_| x.shape().rank() as f64));
    // reading while reading is fine
    assert_eq!(
        x.with_value(|outer: &[f64]| outer[0] + x.with_value(|inner: &[f64]| inner[1]) + x.value()[1]),
        5.0
    );
    assert_eq!(x.exp().ln().value().len(), 2); // and the tape goes on
}
