//! Training from fixed or random initial parameters.

use surprisal_layers::{Activation, Init, Layer, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::ndarray::{Array2, ArrayD};
use surprisal_tensor::{Params, Workspace};

use super::NETS;
use crate::gallery::{Head, Lab, Record, Training};

/// Fixed initial parameters: the weights of each layer by input, then its biases.
pub(super) struct Fixed {
    pub name: &'static str,
    sizes: &'static [usize],
    pub eta: f64,
    start: &'static [f64],
}

pub(super) const PLAIN: Fixed = Fixed {
    name: "plain",
    sizes: &[2, 2, 1],
    eta: 2.0,
    start: &[1.0, -1.0, 1.0, -1.0, -0.5, 1.5, 0.5, 0.5, -0.3],
};

pub(super) const BAD_BASIN: Fixed = Fixed {
    name: "bad basin",
    sizes: &[2, 2, 1],
    eta: 2.0,
    start: &[0.5, -0.4, 0.3, 0.8, 0.1, -0.2, 0.7, -0.6, 0.05],
};

pub(super) const SATURATED: Fixed = Fixed {
    name: "saturated output",
    sizes: &[2, 4, 1],
    eta: 0.5,
    start: &[
        1.2, -0.6, 0.4, -1.1, -0.9, 1.3, 0.9, -0.7, 0.1, -0.2, 0.3, -0.1, // hidden
        1.6, 1.8, 1.5, 1.4, 2.0, // output
    ],
};

/// A net, a loss, a rate.
#[derive(Clone, Copy)]
pub(super) struct Arm {
    pub net: usize,
    pub loss: Head,
    pub rate: f64,
}

/// Trains a net; `each` gets epoch, parameters, outputs and the largest error, and returns whether to continue.
fn descend(
    (sizes, start): (&[usize], impl FnOnce(&mut Params<f64>, &Sizes) -> Mlp),
    loss: Head,
    rate: f64,
    cap: usize,
    mut each: impl FnMut(usize, &Params<f64>, &ArrayD<f64>, f64) -> bool,
) {
    let sizes = Sizes::new(sizes).unwrap_or_else(|error| panic!("{error}"));
    let rows = 1 << sizes.inputs();
    let x = Array2::from_shape_fn((rows, sizes.inputs()), |(i, bit)| {
        f64::from((i >> (sizes.inputs() - 1 - bit)) as u8 & 1)
    });
    let y = Array2::from_shape_fn((rows, 1), |(i, _)| f64::from(i.count_ones() % 2));
    let mut params = Params::default();
    let net = start(&mut params, &sizes);
    let mut workspace = Workspace::new();
    Training { epochs: cap, rows, batch: rows }.run(
        &mut params,
        &mut Sgd::new(rate),
        &mut rng(0), // all rows at once have no order
        |tape, _| loss.loss(net.forward(tape.input(&x)), tape.input(&y)),
        |epoch, params| {
            let outputs = workspace.eval(params, |tape| net.forward(tape.input(&x)).sigmoid());
            let error = outputs.iter().zip(&y).map(|(a, y)| (a - y).abs()).fold(0.0, f64::max);
            each(epoch, params, &outputs, error)
        },
    );
}

/// The epoch at which the net of each seed has solved its task; infinite if never.
pub(super) fn fates(lab: &Lab, Arm { net, loss, rate }: Arm) -> Record {
    let mut record = Record::new("fates", &["seed", "epochs"]);
    let init = Init::Normal(lab.number("deviation"));
    for &seed in &lab.seeds {
        let start = |params: &mut Params<f64>, sizes: &Sizes| {
            Mlp::with_init(params, sizes, Activation::Sigmoid, init, init, &mut rng(seed))
        };
        let mut solved = f64::INFINITY;
        descend((NETS[net].0, start), loss, rate, lab.count("cap"), |epoch, _, _, error| {
            if error < lab.number("threshold") {
                solved = epoch as f64;
            }
            solved.is_infinite()
        });
        record.push([seed as f64, solved]);
    }
    record
}

/// The trajectory from fixed initial parameters, at epochs that become sparse, and when the task is solved. Hidden units are those of the
/// 2-2-1 net.
pub(super) fn trajectory(fixed: &Fixed, loss: Head, rate: f64, threshold: f64, cap: usize) -> Record {
    let mut record = Record::new(
        "trajectory",
        &[
            "epoch", "error", "solved", "a00", "a01", "a10", "a11", "h00", "k00", "h01", "k01", "h10", "k10",
            "h11", "k11",
        ],
    );
    let start = |params: &mut Params<f64>, sizes: &Sizes| {
        let net = Mlp::new(params, sizes, Activation::Sigmoid, &mut rng(0));
        params.as_mut_slice().copy_from_slice(fixed.start);
        net
    };
    let mut solved = f64::INFINITY;
    descend((fixed.sizes, start), loss, rate, cap, |epoch, params, a, error| {
        if error < threshold {
            solved = solved.min(epoch as f64);
        }
        let sparse = epoch <= 20 || epoch % (epoch / 20) == 0 || epoch == cap;
        if sparse || solved == epoch as f64 {
            let theta = params.as_slice();
            let width = fixed.sizes[1];
            let hidden = |row: usize, unit: usize| {
                let (first, second) = ((row / 2) as f64, (row % 2) as f64);
                let z = first * theta[unit] + second * theta[width + unit] + theta[2 * width + unit];
                1.0 / (1.0 + (-z).exp())
            };
            let mut row = vec![epoch as f64, error, solved];
            row.extend(a);
            row.extend((0..4).flat_map(|row| [hidden(row, 0), hidden(row, 1)]));
            record.push(row);
        }
        true
    });
    record
}
