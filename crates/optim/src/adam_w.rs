//! [`AdamW`]: Adam, with a weight decay that stays out of its division.

use surprisal_formula_macro::math;

use crate::Optim;
use crate::adam::AdamLike;

/// [`Adam`](crate::Adam) that decays every number by the same share.
///
/// With learning rate η and weight decay λ, a step is
///
#[doc = math!("θ ← θ - η λ θ - η m̂ / (√v̂ + ε)")]
///
/// with Adam's m̂ and v̂ of the gradient alone, and the defaults of PyTorch: β1 = 0.9, β2 = 0.999, ε = 1e-8, λ = 0.01.
/// In [`Adam`](crate::Adam) the decay is part of the gradient and divided as it is: a number with large gradients hardly decays. Here
/// the two are decoupled.
///
/// Source: Loshchilov and Hutter (2019), "Decoupled weight decay regularization", algorithm 2; η in front of λ as in PyTorch.
///
/// ```
/// use surprisal_optim::{Adam, AdamW, Optimizer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
///
/// let steep_and_flat = array![1000.0, 0.001];
/// let stepped = |optimizer: &mut dyn Optimizer<f64>| {
///     let mut params = Params::default();
///     let w = params.add("w", &array![1.0, 1.0]);
///     let mut workspace = Workspace::new();
///     let (_, grads) = workspace.grad(&params, |tape| (tape.input(&steep_and_flat) * tape.param(w)).sum());
///     optimizer.step(&mut params, grads);
///     params[w].to_vec()
/// };
/// let is = |found: Vec<f64>, w: f64| found.iter().all(|v| (v - w).abs() < 1e-5);
/// assert!(is(stepped(&mut AdamW::new(0.1).weight_decay(0.5)), 0.85)); // one learning rate, and 0.1 · 0.5 of itself
/// assert!(is(stepped(&mut Adam::new(0.1).weight_decay(0.5)), 0.9)); // the decay is gone: divided by itself
/// ```
pub type AdamW<T = f32> = Optim<AdamWRule, T>;

/// The rule of [`AdamW`].
pub type AdamWRule = AdamLike<true>;
