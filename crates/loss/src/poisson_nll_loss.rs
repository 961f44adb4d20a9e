//! Surprise at a count, for x the logarithm of its rate.
//!
#![doc = surprisal_formula_macro::math!("l = e^x - t x")]
//!
//! How many calls, clicks or decays come in an hour? Where each comes independently of the others, the number t is Poisson
//! distributed, with a rate λ that the model gives: as its logarithm x, any number at all (the default), or as itself. The surprise
//! at t is
//!
#![doc = surprisal_formula_macro::math!("-ln(e^-λ λ^t / t!) = λ - t ln λ + ln t!")]
//!
//! The last term is the same whatever the model says, and is left out, so a loss may be negative; `full` adds Stirling's
//! approximation of it, `t ln t - t + ½ ln(2πt)`, for t above 1. For rates, `λ - t ln(λ + ε)` keeps the logarithm finite at λ = 0.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("dl/dx = e^x - t")]
//!
//! Predicted minus true. For rates it is
//!
#![doc = surprisal_formula_macro::math!("dl/dλ = 1 - t / (λ + ε) = (λ + ε - t) / (λ + ε)")]
//!
//! The mean divides by the number of elements. Targets have no gradient.
//!
//! # In which form
//!
//! * For t = 1, `e^x - 1` by exp_m1: as a difference it is 0 in `f32` for x = 3e-8.
//! * Where e^x rounds to t itself, the slope would be 0, and is not: it is `t (e^(x - ln t) - 1)`, with more digits of ln t than
//!   one number holds.
//! * For rates, the quotient with one difference on top, its rounding put back. `1 - t / (λ + ε)` is 0 in `f32` for λ = t = 1 and ε = 1e-8, where
//!   it is 1e-8, and 2 % off at λ = 1000.00006, t = 1000.
//! * For rates, the logarithm with what rounding λ + ε lost: in `f32`, 1 + 1e-8 is 1, and t = 367965 times its logarithm is 0.0037.
//! * `full`, with `d = x - ln t`: `t (e^d - 1 - d) + ½ ln(2πt)`, two terms that are not negative. Where |d| < ½, the first is a series in d,
//!   and d is `ln_1p((e^x - t) / t)`. Term by term, in `f32`, t = 1e6 and x = 13.81 give 24 where the loss is 22.98.
//! * Terms whose factor t is 0 are left out: 0 times the infinite logarithm of a rate of 0 would be NaN. An infinite rate is
//!   infinitely surprising, whatever is subtracted.
//!
//! # Source
//!
//! Nelder and Wedderburn, "Generalized linear models", *Journal of the Royal Statistical Society* A 135 (1972); PyTorch's
//! `poisson_nll_loss`.

use std::f64::consts::TAU;

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::{Card, Scalar, Var};

use crate::kinds::Domain;
use crate::kinds::data::check_option;
use crate::kinds::log_ratio::log_ratio;
use crate::kinds::pointwise::{Pointwise, pointwise};
use crate::{LossError, Reduction};

loss! {
    /// The mean over all elements of `e^input - target · input`: the surprise at the counts `target`, less ln t!, when the model gives the
    /// logarithms of their rates; both of one shape. Only the input has a gradient.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, or if a target is negative or NaN or needs a gradient.
    ///
    /// ```
    /// use surprisal_loss::poisson_nll_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let input = tape.input(&array![0.0, 0.0]).requires_grad(); // a rate of 1 for both
    /// let loss = poisson_nll_loss(input, tape.input(&array![0.0, 3.0]));
    /// loss.backward();
    /// assert_eq!(loss.item(), 1.0);
    /// assert_eq!(input.grad().unwrap(), array![0.5, -1.0].into_dyn()); // (1 - 0) / 2, (1 - 3) / 2
    /// ```
    fn poisson_nll_loss(input: gradient(Number, "any shape: logarithms of rates, or rates"), target: constant(NotNegative, "the shape of input: counts, not negative"));
    card {
        inputs: "x t",
        forward: "e^x - t x, or λ - t ln(λ + ε)",
        backward: "dx = (e^x - t) dl, or dλ = (λ + ε - t) / (λ + ε) dl",
        story: "The negative log-likelihood of a count, given the logarithm of its rate; its slope is predicted minus true.",
    }
    train { "poisson", "Poisson loss", Count, [] }
    #[derive(Clone, Copy, Debug)]
    pub struct PoissonNllLoss {
        /// How per-element losses are reduced.
        reduction: Reduction;
        /// Whether the input is the logarithm of the rate, which may be any number, or the rate itself. True by default.
        log_input: bool = true, "whether the input is the logarithm of the rate";
        /// Adds Stirling's approximation of ln t! where t > 1. False by default.
        full: bool = false, "adds Stirling's approximation of ln t! where t > 1";
        /// ε, 0 or more: is added to a rate before its logarithm is taken. 1e-8 by default.
        eps: f64 = 1e-8 in NOT_NEGATIVE, "is added to a rate before its logarithm is taken, 0 or more";
    }
}

/// `log_input` in the type, so that no loop computes what it does not need.
#[derive(Clone, Copy)]
struct Counts<const LOG: bool>(PoissonNllLoss);

impl<const LOG: bool> Counts<LOG> {
    /// ε, which is for rates alone.
    #[inline(always)]
    fn eps<T: Scalar>(&self) -> T {
        if LOG { T::ZERO } else { T::of(self.0.eps) }
    }
    /// ln(λ + ε), with what rounding the sum lost: λ = 1 and ε = 1e-8 in `f32`.
    #[inline(always)]
    fn log_rate<T: Scalar>(&self, rate: T) -> T {
        let (sum, lost) = difference(rate, -self.eps::<T>());
        if lost.abs() > T::ZERO { sum.ln() + lost / sum } else { sum.ln() }
    }
    /// λ + ε - t
    #[inline(always)]
    fn excess<T: Scalar>(&self, rate: T, t: T) -> T {
        let (d, lost) = difference(rate, t);
        (d + self.eps()) + lost
    }
    /// The loss, with or without ln t!
    #[inline(always)]
    fn surprise<T: Scalar>(&self, full: bool, x: T, t: T) -> T {
        let (rate, log) = if LOG { (x.exp(), x) } else { (x, self.log_rate(x)) };
        let loss = if t == T::ZERO {
            rate
        } else if full && t > T::ONE {
            let log_t = t.ln();
            let d = log - log_t;
            let most = if d.abs() < T::of(0.5) {
                t * exp_m1_less((self.excess(rate, t) / t).ln_1p()) - self.eps()
            } else {
                (rate - t) - t * d
            };
            most + T::of(0.5) * (log_t + T::of(TAU.ln()))
        } else {
            rate - t * log
        };
        if rate < T::of(f64::INFINITY) { loss } else { rate }
    }
    /// Off the hot path, which would not vectorize with it.
    #[inline(never)]
    fn full_losses<T: Scalar>(&self, x: &[T], t: &[T], l: &mut [T]) {
        for ((l, &x), &t) in l.iter_mut().zip(x).zip(t) {
            *l = self.surprise(true, x, t);
        }
    }
}

/// e^d - 1 - d, for |d| < ½: its series up to d^15, cut off below 2^-56.
#[inline(always)]
fn exp_m1_less<T: Scalar>(d: T) -> T {
    let series = (3..=15).rev().fold(T::ONE, |sum, k| T::ONE + sum * (d * T::of(1.0 / f64::from(k))));
    T::of(0.5) * d * d * series
}

/// `scale` e^x, where e^x alone may be infinite.
#[cold]
fn scaled_exp<T: Scalar>(x: T, scale: T) -> T {
    let half = (x * T::of(0.5)).exp();
    half * scale * half
}

impl<const LOG: bool> Pointwise for Counts<LOG> {
    const CARD: Card = ENTRY.card;
    const TARGETS: Domain = Domain::NotNegative;
    const TARGET_GRADIENT: bool = false;

    #[inline(always)]
    fn value<T: Scalar>(&self, x: T, t: T) -> T {
        self.surprise(false, x, t)
    }
    fn repair_values<T: Scalar>(&self, x: &[T], t: &[T], l: &mut [T]) {
        if self.0.full {
            self.full_losses(x, t, l);
        }
    }
    fn share<T: Scalar>(&self, x: T, t: T, n: T) -> T {
        let loss = self.surprise(self.0.full, x, t);
        if loss.is_finite() || !x.is_finite() {
            return loss / n;
        }
        let (rate, log) = if LOG { (scaled_exp(x, T::ONE / n), x) } else { (x / n, self.log_rate(x)) };
        let t = t / n;
        if t == T::ZERO {
            rate
        } else if self.0.full && t > T::ONE / n {
            let log_t = (t * n).ln();
            (rate - t) - t * (log - log_t) + T::of(0.5) * (log_t + T::of(TAU.ln())) / n
        } else {
            rate - t * log
        }
    }
    #[inline(always)]
    fn slope<T: Scalar>(&self, x: T, t: T, scale: T) -> T {
        if LOG {
            return scale * if t == T::ONE { x.exp_m1() } else { x.exp() - t };
        }
        let rate = x + self.eps();
        // 1 where 0 / 0 or ∞ / ∞ would be NaN
        let one = t == T::ZERO || rate == T::of(f64::INFINITY);
        if one { scale } else { scale * (self.excess(x, t) / rate) }
    }
    /// e^x - t = t (e^(x - ln t) - 1), where it has become 0; and where e^x is infinite, `scale` e^x may not be.
    fn repair<T: Scalar>(&self, x: &[T], t: &[T], scale: impl Fn(usize) -> T, d: &mut [T]) {
        // first a loop that vectorizes: it is rare
        if !LOG || d.iter().fold(true, |all, &d| all & (d != T::ZERO) & (d.abs() < T::of(f64::INFINITY))) {
            return;
        }
        for (i, d) in d.iter_mut().enumerate().filter(|(i, d)| !d.is_finite() && x[*i].is_finite()) {
            *d = scaled_exp(x[i], scale(i)) - scale(i) * t[i];
        }
        for (i, d) in d.iter_mut().enumerate().filter(|(_, d)| **d == T::ZERO) {
            let (x, t) = (x[i].value(), t[i].value());
            if t >= f64::MIN_POSITIVE {
                *d += scale(i) * T::of(t * (-log_ratio(t, x, 0.0)).exp_m1());
            }
        }
    }
}

impl PoissonNllLoss {
    /// [`poisson_nll_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`poisson_nll_loss()`] panics, and if ε is negative, NaN, or beyond the largest number of the input's type.
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, target: Var<'t>) -> Result<Var<'t>, LossError> {
        let PoissonNllLoss { reduction, eps, .. } = *self;
        let told = "it is 0 or more, and finite in the input's type";
        check_option(
            ENTRY.card.name,
            "eps",
            eps,
            eps >= 0.0 && input.tape().dtype().round(eps).is_finite(),
            told,
        )?;
        if self.log_input {
            pointwise(Counts::<true>(*self), input, target, reduction)
        } else {
            pointwise(Counts::<false>(*self), input, target, reduction)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::pointwise::equal;
    use std::f64::consts::LN_2;
    use surprisal_tensor::ndarray::array;
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let rates = array![[0.3, 1.2, 2.5, 7.0], [0.01, 3.0, 15.5, 0.6]].into_dyn();
        let t = array![[0.0, 1.0, 2.25, 6.0], [3.0, 0.5, 15.0, 2.0]];
        let stirling = t.mapv(|t: f64| if t > 1.0 { t * t.ln() - t + 0.5 * (TAU * t).ln() } else { 0.0 });
        let (t, stirling) = (t.mapv(Dual::of), stirling.mapv(Dual::of));
        for (log_input, full, eps) in [true, false]
            .into_iter()
            .flat_map(|log| [false, true].map(|full| (log, full)))
            .flat_map(|(log, full)| [0.0, 1e-8, 0.25].map(|eps| (log, full, eps)))
        {
            for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
                let x = if log_input { rates.mapv(f64::ln) } else { rates.clone() };
                check_gradient(&[x], |tape, x| {
                    let (t, stirling) = (tape.input(&t), tape.input(&stirling));
                    let fused = PoissonNllLoss { reduction, log_input, full, eps }.loss(x[0], t);
                    let plain = if log_input { x[0].exp() - t * x[0] } else { x[0] - t * (x[0] + eps).ln() };
                    let plain = if full { plain + stirling } else { plain };
                    equal(fused, plain, reduction)
                });
            }
        }
    }

    #[test]
    fn the_full_loss_keeps_its_digits_where_the_count_is_large() {
        for (x, exact) in [(13.81f32, 22.979_662), (13.815, 7.957_220_6), (13.5, 44_934.754)] {
            let loss =
                Counts::<true>(PoissonNllLoss { eps: 0.0, ..Default::default() }).surprise(true, x, 1e6);
            assert!((loss - exact).abs() < 5e-6 * exact, "{x}: {loss}, not {exact}");
        }
    }

    #[test]
    fn at_the_rounded_optimum_the_slope_is_what_rounding_hides() {
        let mut workspace = Workspace::<f32>::new();
        let params = Params::new();
        let tape = workspace.tape(&params);
        let x = tape.input(&array![2f32.ln(), 0.0, 0.0]).requires_grad();
        let t = tape.input(&array![2.0, 1.0, 3.0]);
        PoissonNllLoss { reduction: Reduction::Sum, ..Default::default() }.loss(x, t).backward();
        assert_eq!(
            x.grad().unwrap().mapv(|d| d as f32),
            array![2.0 * (f64::from(2f32.ln()) - LN_2) as f32, 0.0, -2.0].into_dyn()
        );
    }

    #[test]
    fn what_counts_nothing_is_left_out() {
        let (log, rate) = (
            Counts::<true>(PoissonNllLoss { eps: 0.0, ..Default::default() }),
            Counts::<false>(PoissonNllLoss { eps: 0.0, ..Default::default() }),
        );
        assert_eq!((log.value(f32::NEG_INFINITY, 0.0), log.slope(f32::NEG_INFINITY, 0.0, 1.0)), (0.0, 0.0));
        assert_eq!((log.value(f32::MAX, 7.0), log.slope(f32::MAX, 7.0, 1.0)), (f32::INFINITY, f32::INFINITY));
        assert_eq!((rate.value(0f32, 0.0), rate.slope(0f32, 0.0, 1.0)), (0.0, 1.0));
        assert_eq!((rate.value(0f32, 2.0), rate.slope(0f32, 2.0, 1.0)), (f32::INFINITY, f32::NEG_INFINITY));
        assert_eq!(
            (rate.value(f32::INFINITY, 2.0), rate.slope(f32::INFINITY, 2.0, 1.0)),
            (f32::INFINITY, 1.0)
        );
        assert_eq!(log.slope(3e-8f32, 1.0, 1.0), 3e-8);
        assert_eq!(
            Counts::<false>(PoissonNllLoss { eps: 1e-8, ..Default::default() }).slope(1f32, 1.0, 1.0),
            1e-8
        );
        assert!(rate.value(f32::NAN, 2.0).is_nan() && log.slope(f32::NAN, 1.0, 1.0).is_nan());
    }

    #[test]
    fn a_rate_keeps_an_epsilon_below_its_last_digit() {
        let rate = Counts::<false>(PoissonNllLoss { eps: 1e-8, ..Default::default() });
        let eps = f64::from(1e-8f32);
        for (x, t) in [(1.0f32, 367_965.0f32), (1.0, 1e8), (0.999_999_94, 3e7), (1.000_000_1, 8e6)] {
            let (found, wide) = (f64::from(rate.value(x, t)), f64::from(x));
            let log = (wide - 1.0 + eps).ln_1p();
            let exact = wide - f64::from(t) * log;
            let size = wide + f64::from(t) * log.abs();
            assert!(
                (found - exact).abs() <= 4.0 * f64::from(f32::EPSILON) * size,
                "{x}, {t}: {found}, exactly {exact}"
            );
        }
        assert_eq!(rate.value(0.0f32, 0.0), 0.0);
        assert_eq!(
            Counts::<false>(PoissonNllLoss { eps: 0.0, ..Default::default() }).value(0.0f32, 1.0),
            f32::INFINITY
        );
        assert_eq!(rate.value(f32::INFINITY, 1.0), f32::INFINITY);
    }
}
