//! Single operations: what a task's time is made of. `cargo bench -p surprisal-bench --bench ops -- exp` runs those whose name
//! starts with exp.
//!
//! | name | what is timed | told with it |
//! |---|---|---|
//! | `exp/1000` | the value of an operation on so many numbers | `ns_per_element` |
//! | `exp/1000/gradient` | its value and its gradient, and those of the sum on top of it | `ns_per_element` |
//! | `product/64x784x128/NN` | a product `[64, 784] x [784, 128]`; T: this side is stored transposed | `gflops` |
//! | `node/relu` | one more node in a chain of nodes of a single number: its value | `ns_per_node` |
//! | `node/relu/gradient` | its value and its gradient | `ns_per_node` |
//! | `OPsoftmax_4096x64` | the value of an operation, and the gradients of all its inputs from a given gradient of the value, as in `../peers/ops.py` | `loss5` |

use surprisal::ndarray::{ArcArray1, ArcArray2, Array2};
use surprisal::prelude::*;
use surprisal_bench::{Bench, Timing, from_minus_1_to_1, labels};
use surprisal_tensor::{Buf, Mat};

fn main() {
    let bench = Bench::new("surprisal", 0.3);
    threads::with(bench.threads(), || threads::within(|| run_all(&bench)));
}

fn run_all(bench: &Bench) {
    for (name, function) in ELEMENTWISE {
        for n in [1_000, 1_000_000] {
            operation(bench, &format!("{name}/{n}"), &[n], function);
        }
    }
    for (name, function) in REDUCTIONS {
        for shape in [[10, 100], [1000, 1000]] {
            operation(bench, &format!("{name}/{}x{}", shape[0], shape[1]), &shape, function);
        }
    }
    for (name, function) in ROWS {
        for shape in [[1024, 10], [1024, 100], [128, 32_000]] {
            operation(bench, &format!("{name}/{}x{}", shape[0], shape[1]), &shape, function);
        }
    }
    for (m, k, n) in SHAPES {
        product(bench, m, k, n);
    }
    for (name, nodes, link) in LINKS {
        node(bench, name, nodes, link);
    }
    for (rows, columns) in [(128, 32_000), (4096, 64)] {
        for name in COMPARED {
            compared(bench, name, rows, columns);
        }
    }
}

type Function = for<'t> fn(Var<'t>) -> Var<'t>;

/// On numbers from 0.1 to 2.
const ELEMENTWISE: [(&str, Function); 17] = [
    ("exp", |x| x.exp()),
    ("exp_m1", |x| x.exp_m1()),
    ("ln", |x| x.ln()),
    ("ln_1p", |x| x.ln_1p()),
    ("sqrt", |x| x.sqrt()),
    ("tanh", |x| x.tanh()),
    ("sigmoid", |x| x.sigmoid()),
    ("log_sigmoid", |x| x.log_sigmoid()),
    ("softplus", |x| x.softplus()),
    ("silu", |x| x.silu()),
    ("gelu", |x| x.gelu()),
    ("relu", |x| x.relu()),
    ("square", |x| x.square()),
    ("powf", |x| x.powf(1.7)),
    ("add", |x| x + x),
    ("multiply", |x| x * x),
    ("recip", |x| x.recip()),
];

const REDUCTIONS: [(&str, Function); 6] = [
    ("sum", |x| x.sum()),
    ("sum_axis_0", |x| x.sum_axis(0)),
    ("sum_axis_1", |x| x.sum_axis(1)),
    ("max_axis_1", |x| x.max_axis(1)),
    ("var_axis_0", |x| x.var_axis(0)),
    ("norm", |x| x.norm()),
];

const ROWS: [(&str, Function); 3] = [
    ("softmax", |x| x.softmax(1)),
    ("log_softmax", |x| x.log_softmax(1)),
    ("logsumexp", |x| x.logsumexp_axis(1)),
];

fn operation(bench: &Bench, name: &str, shape: &[usize], function: Function) {
    let mut params = Params::new();
    let x = params.add_with("x", shape, |x| {
        x.iter_mut().enumerate().for_each(|(i, x)| *x = 0.1 + 1.9 * (i as f32 * 0.618_034).fract());
    });
    let mut workspace = Workspace::new();
    let print = |name: &str, timing: Timing| {
        bench.print(name, timing, &[("ns_per_element", timing.us * 1e3 / params[x].len() as f64)]);
    };
    if bench.wants(name) {
        let value = || {
            let tape = workspace.no_grad(&params);
            function(tape.param(x));
        };
        print(name, bench.time(value));
    }
    let name = format!("{name}/gradient");
    if bench.wants(&name) {
        let both = || {
            let tape = workspace.tape(&params);
            function(tape.param(x)).sum().backward();
        };
        print(&name, bench.time(both));
    }
}

/// The products of T1 to T5 and T8, as they are computed forward.
const SHAPES: [(usize, usize, usize); 15] = [
    (569, 30, 1),
    (100, 2, 16),
    (100, 16, 16),
    (100, 16, 1),
    (64, 784, 128),
    (64, 128, 64),
    (64, 64, 10),
    (256, 784, 1024),
    (256, 1024, 1024),
    (256, 1024, 10),
    (10, 784, 30),
    (10, 30, 10),
    (1, 784, 128),
    (1, 128, 64),
    (1, 64, 10),
];

/// X W of the forward pass, Xᵀ D for the gradient of the weights, D Wᵀ for that of the inputs.
fn product(bench: &Bench, m: usize, k: usize, n: usize) {
    let numbers = |len: usize| (0..len).map(|i| (i as f32 * 0.618_034).fract() - 0.5).collect::<Vec<_>>();
    let (x, w, d, mut scratch) = (numbers(m * k), numbers(k * n), numbers(m * n), Buf::new(0));
    let (x, w, d) = (Mat::new(&x, m, k), Mat::new(&w, k, n), Mat::new(&d, m, n));
    for (name, a, b, len) in [
        (format!("product/{m}x{k}x{n}/NN"), x, w, m * n),
        (format!("product/{k}x{m}x{n}/TN"), x.t(), d, k * n),
        (format!("product/{m}x{n}x{k}/NT"), d, w.t(), m * k),
    ] {
        if bench.wants(&name) {
            let mut c = vec![0.0; len];
            let timing = bench.time(|| f32::product(a, b, &mut c, false, &mut scratch));
            let gflops = 2e-3 * (m * k * n) as f64 / timing.us;
            bench.print(&name, timing, &[("gflops", gflops)]);
        }
    }
}

/// From the value before, and the places of a weight 1 and a bias 0, to the next value.
type Link = for<'t> fn(Var<'t>, [ParamId; 2]) -> Var<'t>;

/// How many nodes a link has, and the link.
const LINKS: [(&str, usize, Link); 4] = [
    ("relu", 1, |x, _| x.relu()),
    ("multiply", 1, |x, _| x * x),
    ("affine", 3, |x, [w, b]| x.affine(x.tape().param(w), x.tape().param(b))),
    ("input", 2, |x, _| x + x.tape().input_with([1, 1], |_| 0.0)),
];

/// The difference between a chain of 201 links and one of a single link, for each node.
fn node(bench: &Bench, name: &str, nodes: usize, link: Link) {
    let mut params = Params::new();
    let w = params.add_with("w", [1, 1], |w| w[0] = 1.0); // and every value is 1
    let b = params.add_with("b", [1], |b| b[0] = 0.0);
    let mut workspace = Workspace::new();
    for (name, gradient) in [(format!("node/{name}"), false), (format!("node/{name}/gradient"), true)] {
        if !bench.wants(&name) {
            continue;
        }
        let mut time = |links: usize| {
            bench.time(|| {
                let tape = if gradient { workspace.tape(&params) } else { workspace.no_grad(&params) };
                let end = (0..links).fold(tape.param(w), |x, _| link(x, [w, b]));
                if gradient {
                    end.backward();
                }
            })
        };
        let (long, short) = (time(201), time(1));
        let per_node = (long.us - short.us) * 1e3 / (200 * nodes) as f64;
        bench.print(&name, long, &[("ns_per_node", per_node)]);
    }
}

/// The operations that peers are measured with too.
const COMPARED: [&str; 7] =
    ["log_softmax", "softmax", "layer_norm", "batch_norm", "gather", "where", "embedding"];

/// An operation on x, `[rows, columns]`, which is a parameter. The gradient of its value is an array, which no operation could fold.
///
/// gather has an index for each number of x, embedding one for each row of the table x; batch_norm moves the running moments too.
fn compared(bench: &Bench, name: &str, rows: usize, columns: usize) {
    let task = format!("OP{name}_{rows}x{columns}");
    if !bench.wants(&task) {
        return;
    }
    let (len, mut params) = (rows * columns, Params::new());
    let mut parameter = |name: &str, seed: u64, scale: f32| {
        let numbers = from_minus_1_to_1(seed, len).into_iter().map(|x| scale * x);
        params.add_with(name, [rows, columns], |slots| {
            slots.iter_mut().zip(numbers).for_each(|(slot, x)| *slot = x)
        })
    };
    let x = parameter("x", 5, 4.0);
    let table =
        |numbers: Vec<f32>| Array2::from_shape_vec((rows, columns), numbers).expect("a number for each");
    let dy = table(from_minus_1_to_1(6, len)).into_shared();
    let places = |n: usize, below: usize| labels(9, n, below).into_iter().map(|i| i as usize);
    match name {
        "log_softmax" => compare(bench, &task, &params, &dy, |tape| tape.param(x).log_softmax(1)),
        "softmax" => compare(bench, &task, &params, &dy, |tape| tape.param(x).softmax(1)),
        "layer_norm" => {
            let layer = LayerNorm::new(&mut params, "norm", columns);
            params[layer.weight].copy_from_slice(&from_minus_1_to_1(7, columns));
            params[layer.bias].copy_from_slice(&from_minus_1_to_1(8, columns));
            compare(bench, &task, &params, &dy, |tape| layer.forward(tape.param(x)));
        }
        "batch_norm" => {
            let layer = BatchNorm1d::new(&mut params, "norm", columns);
            params[layer.weight].copy_from_slice(&from_minus_1_to_1(7, columns));
            params[layer.bias].copy_from_slice(&from_minus_1_to_1(8, columns));
            compare(bench, &task, &params, &dy, |tape| layer.forward(tape.param(x)));
        }
        "gather" => {
            let indices = table(places(len, columns).map(|i| i as f32).collect()).into_shared();
            compare(bench, &task, &params, &dy, |tape| tape.param(x).gather_by(1, tape.shared(&indices)));
        }
        "where" => {
            let other = parameter("other", 10, 4.0);
            let condition: ArcArray2<f32> =
                table(places(len, 2).map(|one| one as f32).collect()).into_shared();
            compare(bench, &task, &params, &dy, |tape| {
                tape.shared(&condition).where_(tape.param(x), tape.param(other))
            });
        }
        _ => {
            let indices: ArcArray1<f32> = places(rows, rows).map(|i| i as f32).collect();
            compare(bench, &task, &params, &dy, |tape| {
                tape.param(x).index_select_by(0, tape.shared(&indices))
            });
        }
    }
}

/// Times forward and backward; what is compared is the sum of the mean sizes of value and gradients.
fn compare(
    bench: &Bench,
    task: &str,
    params: &Params<f32>,
    dy: &ArcArray2<f32>,
    operation: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>,
) {
    let size = |x: &[f32]| x.iter().map(|&x| f64::from(x).abs()).sum::<f64>() / x.len() as f64;
    let mut workspace = Workspace::new();
    let tape = workspace.tape(params);
    let y = operation(&tape);
    y.backward_by(tape.shared(dy));
    let value = y.with_value(size);
    let gradients = workspace.grads();
    let trained = params.ids().filter(|&id| params.is_trainable(id));
    let sizes = value + trained.map(|id| size(&gradients[id])).sum::<f64>();
    bench.run(task, sizes, || {
        let tape = workspace.tape(params);
        operation(&tape).backward_by(tape.shared(dy));
    });
}
