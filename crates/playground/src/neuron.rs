//! One neuron, a = σ(w x + b), under half the squared error and under the cross-entropy.

use crate::json::{Json, json};
use surprisal_loss::{binary_cross_entropy, binary_cross_entropy_with_logits, half_squared_error};
use surprisal_tensor::{Params, Var, Workspace};

/// A neuron and what it is to learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neuron {
    /// Its weight under each loss.
    pub w: [f64; 2],
    /// Its bias under each loss.
    pub b: [f64; 2],
    /// Its input.
    pub x: f64,
    /// Its target.
    pub y: f64,
    /// The learning rate.
    pub rate: f64,
}

/// Scores of the curves, from the left to the right.
const SCORES: usize = 121;
const FAR: f64 = 12.0;

impl Neuron {
    /// Every number of both passes, the next parameters, and the curves.
    pub fn show(&self) -> Json {
        let scores: Vec<f64> =
            (0..SCORES).map(|at| FAR * (2.0 * at as f64 / (SCORES - 1) as f64 - 1.0)).collect();
        let at = |z: f64| [0, 1].map(|side| Passes::at(side, z, self.y));
        let curves: Vec<[Passes; 2]> = scores.iter().map(|&z| at(z)).collect();
        let of = |number: fn(&Passes) -> f64| {
            json!([0, 1].map(|side| curves.iter().map(|pair| number(&pair[side])).collect::<Vec<_>>()))
        };
        let first = |number: fn(&Passes) -> f64| {
            json!(curves.iter().map(|pair| number(&pair[0])).collect::<Vec<_>>())
        };
        json!({
            "sides": [self.side(0), self.side(1)],
            "curves": json!({"z": scores, "a": first(|p| p.a), "slope": first(|p| p.slope), "loss": of(|p| p.loss), "dz": of(|p| p.dz)}),
        })
    }

    fn side(&self, side: usize) -> Json {
        let (w, b) = (self.w[side], self.b[side]);
        let z = w * self.x + b;
        let Passes { a, loss, da, slope, dz } = Passes::at(side, z, self.y);
        let (dw, db) = (dz * self.x, dz);
        json!({
            "z": z, "a": a, "loss": loss, "da": da, "slope": slope, "dz": dz, "dw": dw, "db": db,
            "next_w": w - self.rate * dw, "next_b": b - self.rate * db,
        })
    }
}

/// The numbers of both passes between the score and the loss.
struct Passes {
    a: f64,
    loss: f64,
    da: f64,
    slope: f64,
    dz: f64,
}

impl Passes {
    fn at(side: usize, z: f64, y: f64) -> Passes {
        let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
        let tape = workspace.tape(&params);
        let (z, target) = (tape.constant(z).requires_grad(), tape.constant(y));
        let a = z.sigmoid();
        let slope = a.slopes().map_or(f64::NAN, |slopes| slopes.sum());
        let gradient = |x: Var| x.grad().map_or(f64::NAN, |gradient| gradient.sum());
        if side == 0 {
            let loss = half_squared_error(a, target);
            loss.backward();
            return Passes { a: a.item(), loss: loss.item(), da: gradient(a), slope, dz: gradient(z) };
        }
        // the loss of the output alone, for what it sends to the output
        let output = tape.constant(a.item()).requires_grad();
        binary_cross_entropy(output, target).backward();
        let da = gradient(output);
        // the fused loss is exact where the output rounds to 0 or 1
        let loss = binary_cross_entropy_with_logits(z, target);
        loss.backward();
        Passes { a: a.item(), loss: loss.item(), da, slope, dz: gradient(z) }
    }
}
