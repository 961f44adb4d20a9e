//! The functions of one number, value and derivative, over every one of the 2^32 `f32`, against double precision.
//!
//! ```sh
//! cargo run --release -p surprisal-loss --example every_f32
//! ```
//!
//! takes minutes, and prints for each function the worst error in units in the last place and the input where it occurs. What runs
//! are the library's own kernels, through the tape. An argument N takes every Nth input only.
//!
//! Where the exact result is subnormal (below 1.18e-38) or 0, a unit is the smallest subnormal number, 2^-149: these results stand in
//! columns of their own, since there an intermediate result has lost digits that no formula brings back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use surprisal_loss::{BinaryCrossEntropyWithLogits, Reduction};
use surprisal_tensor::{Params, Tape, Var, Workspace};

/// A function on the tape, and its value and derivative in double precision, from x, e = exp(-|x|) and ln(1 + e).
pub struct Function {
    /// As the table calls it.
    pub name: &'static str,
    /// On the tape.
    pub call: for<'t> fn(Var<'t>) -> Var<'t>,
    /// In double precision.
    pub exact: fn(f64, f64, f64) -> [f64; 2],
    /// How many ULP the value and the derivative may be off, where the result is normal.
    pub bounds: [f64; 2],
}

fn sigmoid(x: f64, e: f64) -> f64 {
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}
fn softplus(x: f64, tail: f64) -> f64 {
    if x < 0.0 { tail } else { x + tail }
}
/// The loss of each logit against `target`.
fn bce(z: Var, target: f32) -> Var {
    let targets = z.tape().input_with(z.shape(), |_| target.into());
    BinaryCrossEntropyWithLogits { reduction: Reduction::None, ..Default::default() }.loss(z, targets)
}

/// Everything that is run.
pub const FUNCTIONS: [Function; 6] = [
    Function {
        name: "binary_cross_entropy_with_logits, y = 0",
        call: |z| bce(z, 0.0),
        exact: |z, e, tail| [softplus(z, tail), sigmoid(z, e)],
        bounds: [3.0, 3.0],
    },
    Function {
        name: "binary_cross_entropy_with_logits, y = 1",
        call: |z| bce(z, 1.0),
        exact: |z, e, tail| [softplus(-z, tail), -sigmoid(-z, e)],
        bounds: [3.0, 3.0],
    },
    Function {
        name: "softplus",
        call: |x| x.softplus(),
        exact: |x, e, tail| [softplus(x, tail), sigmoid(x, e)],
        bounds: [3.0, 3.0],
    },
    Function {
        name: "log_sigmoid",
        call: |x| x.log_sigmoid(),
        exact: |x, e, tail| [-softplus(-x, tail), sigmoid(-x, e)],
        bounds: [3.0, 3.0],
    },
    Function {
        name: "sigmoid",
        call: |x| x.sigmoid(),
        exact: |x, e, _| [sigmoid(x, e), e / ((1.0 + e) * (1.0 + e))],
        bounds: [3.0, 4.0],
    },
    Function {
        name: "tanh",
        call: |x| x.tanh(),
        exact: |x, e, _| {
            let squared = e * e; // exp(-2|x|), to the last digits of an f64 but one
            [x.tanh(), 4.0 * squared / ((1.0 + squared) * (1.0 + squared))]
        },
        bounds: [3.0, 4.0],
    },
];

/// The worst error among results of one kind, and the input where it occurs.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Worst {
    /// In units of the last place.
    pub units: f64,
    /// The input.
    pub at: f32,
}

impl Worst {
    fn meet(&mut self, units: f64, at: f32) {
        // of equal errors the one at the lowest bits, so that the order of work does not matter
        if units > self.units || units == self.units && units > 0.0 && at.to_bits() < self.at.to_bits() {
            *self = Worst { units, at };
        }
    }
    fn merge(&mut self, other: Worst) {
        self.meet(other.units, other.at);
    }
}

/// Of one function: value and derivative, each where the exact result is normal, and where it is subnormal or 0.
pub type Row = [[Worst; 2]; 2];

const BLOCK: usize = 1 << 16;

/// Runs every `step`th input.
pub fn run(step: u64, progress: impl Fn(f64) + Sync) -> [Row; FUNCTIONS.len()] {
    let inputs = (1u64 << 32).div_ceil(step);
    let blocks = inputs.div_ceil(BLOCK as u64);
    let next = AtomicU64::new(0);
    let work = || {
        let (params, mut workspace) = (Params::new(), Workspace::new());
        let mut rows = [Row::default(); FUNCTIONS.len()];
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks {
                return rows;
            }
            let first = block * BLOCK as u64;
            let count = (inputs - first).min(BLOCK as u64);
            let x: Vec<f32> = (first..first + count).map(|i| f32::from_bits((i * step) as u32)).collect();
            let parts = x.iter().map(|&x| {
                let e = (-f64::from(x).abs()).exp();
                (e, e.ln_1p())
            });
            let parts: Vec<(f64, f64)> = parts.collect();
            for (function, row) in FUNCTIONS.iter().zip(&mut rows) {
                let tape: Tape = workspace.tape(&params);
                let input = tape.input_with([x.len()], |i| x[i].into()).requires_grad();
                let output = (function.call)(input);
                output.sum().backward();
                let slope = input.grad().expect("it was asked for").mapv(|d| d as f32);
                output.with_value(|y: &[f32]| {
                    for (((&x, &(e, tail)), &y), &dy) in x.iter().zip(&parts).zip(y).zip(&slope) {
                        let exact = (function.exact)(f64::from(x), e, tail);
                        for ((computed, exact), worst) in [y, dy].into_iter().zip(exact).zip(row.iter_mut()) {
                            let (kind, units) = error(computed, exact);
                            worst[kind].meet(units, x);
                        }
                    }
                });
            }
            progress((block + 1) as f64 / blocks as f64);
        }
    };
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    let mut rows = [Row::default(); FUNCTIONS.len()];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let part = worker.join().expect("a worker does not panic");
            for (worst, part) in
                rows.as_flattened_mut().as_flattened_mut().iter_mut().zip(part.as_flattened().as_flattened())
            {
                worst.merge(*part);
            }
        }
    });
    rows
}

/// Whether the exact result is subnormal or 0, and the error in units of its last place.
fn error(computed: f32, exact: f64) -> (usize, f64) {
    let computed = f64::from(computed);
    if exact.is_nan() || exact.is_infinite() {
        let same = computed == exact || computed.is_nan() && exact.is_nan();
        return (0, if same { 0.0 } else { f64::INFINITY });
    }
    let subnormal = exact.abs() < f64::from(f32::MIN_POSITIVE);
    let exponent = if subnormal { -126 } else { (exact.abs().to_bits() >> 52) as i32 - 1023 };
    let ulp = f64::from_bits(((exponent - 23 + 1023) as u64) << 52);
    let units = (computed - exact).abs() / ulp;
    (usize::from(subnormal), if units.is_nan() { f64::INFINITY } else { units })
}

#[allow(dead_code)] // the test that includes this file has no use for it
fn main() {
    let step = match std::env::args().nth(1).map(|n| n.parse()) {
        None => 1,
        Some(Ok(step @ 1..)) => step,
        Some(_) => {
            eprintln!("error: the argument is a whole number N from 1 on: every Nth input is taken");
            std::process::exit(2);
        }
    };
    let rows = run(step, |part| eprint!("\r{:5.1} %", 100.0 * part));
    eprintln!();
    println!(
        "| function | value: ULP | at | derivative: ULP | at | value, subnormal | at | derivative, subnormal | at |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (function, [value, slope]) in FUNCTIONS.iter().zip(rows) {
        let cell = |worst: Worst| format!("{:.2} | {:e}", worst.units, worst.at);
        println!(
            "| {} | {} | {} | {} | {} |",
            function.name,
            cell(value[0]),
            cell(slope[0]),
            cell(value[1]),
            cell(slope[1])
        );
    }
}
