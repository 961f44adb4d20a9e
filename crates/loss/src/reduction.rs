//! From many losses to one.

use surprisal_tensor::sum::{sum, sum_by};
use surprisal_tensor::{Scalar, Shape};

/// How per-row or per-element losses are reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean: the size of the gradient does not depend on the size of the batch. What it divides by stands with each loss.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// They stay as they are, one for each row or element.
    None,
}

impl Reduction {
    /// Its name as an option.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
            Reduction::None => "none",
        }
    }

    /// The shape of the result, when the single losses have shape `each`.
    pub(crate) fn shape(self, each: Shape) -> Shape {
        if self == Reduction::None { each } else { Shape::SCALAR }
    }

    /// What each single loss is multiplied by, when the mean divides by `count`.
    pub(crate) fn factor<T: Scalar>(self, count: T) -> T {
        if self == Reduction::Mean { T::ONE / count } else { T::ONE }
    }

    /// Writes the result, when the mean divides by `count`.
    pub(crate) fn reduce<T: Scalar>(self, losses: &[T], count: T, y: &mut [T]) {
        match self {
            Reduction::None => y.copy_from_slice(losses),
            Reduction::Sum => y[0] = sum(losses),
            Reduction::Mean => y[0] = mean(sum(losses), count, losses.len(), |i| losses[i] / count),
        }
    }

    /// [`reduce`](Self::reduce) where a single loss may be beyond the largest number although the mean is not: there
    /// `shares` writes each loss over `count` in their place.
    pub(crate) fn reduce_large<T: Scalar>(
        self,
        losses: &mut [T],
        count: T,
        y: &mut [T],
        shares: impl FnOnce(&mut [T]),
    ) {
        self.reduce(losses, count, y);
        if self == Reduction::Mean && !y[0].is_finite() {
            shares(losses);
            y[0] = sum(losses);
        }
    }
}

/// The mean of n losses, of which `share` is the part of each: its loss over `count`. Where their total is beyond the largest number, the
/// mean may still be one.
#[inline(always)]
pub(crate) fn mean<T: Scalar>(total: T, count: T, n: usize, share: impl Fn(usize) -> T) -> T {
    /// Compiled once for all losses.
    #[cold]
    #[inline(never)]
    fn of_shares<T: Scalar>(n: usize, share: &dyn Fn(usize) -> T) -> T {
        sum_by(n, share)
    }
    if total.is_finite() { total / count } else { of_shares(n, &share) }
}

#[cfg(test)]
mod tests {
    use crate::*;
    use surprisal_tensor::ndarray::{Array2, array};
    use surprisal_tensor::{Params, Var, Workspace};

    /// Of four losses all but the first are 0.
    #[test]
    fn a_mean_is_a_number_where_one_loss_or_the_sum_is_beyond_the_range() {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let is = |mean: Var, expected: f64| {
            let mean = mean.item();
            assert!((mean / expected - 1.0).abs() < 2e-7, "{mean:e}: {expected:e}");
        };
        let four = |x: f32| tape.input(&array![x, 0.0, 0.0, 0.0]);
        let zeros = four(0.0);
        let large = f64::from(3.04e19f32);
        is(mse_loss(four(3.04e19), zeros), large * large / 4.0);
        is(half_squared_error(four(3.04e19), zeros), large * large / 8.0);
        let huge = f64::from(3e38f32);
        is(l1_loss(four(3e38), four(-3e38)), huge / 2.0);
        is(smooth_l1_loss(four(3e38), four(-3e38)), huge / 2.0);
        is(log_cosh_loss(four(3e38), four(-3e38)), huge / 2.0);
        is(huber_loss(four(3e38), four(-3e38)), huge / 2.0);
        is(HuberLoss { delta: 2.0, ..Default::default() }.loss(four(3e38), zeros), huge / 2.0);
        is(
            HuberLoss { delta: f64::INFINITY, ..Default::default() }.loss(four(3.04e19), zeros),
            large * large / 8.0,
        );
        is(quantile_loss(four(3e38), four(-3e38), &[0.5]), huge / 4.0);
        let ones = tape.input(&array![1.0f32, -1.0, -1.0, -1.0]);
        let scores = |x: f32| tape.input(&array![x, -1.0, -1.0, -1.0]);
        is(squared_hinge_loss(scores(-3.04e19), ones), large * large / 4.0);
        is(HingeLoss { margin: 1e38, ..Default::default() }.loss(scores(-3e38), ones), (huge + 4e38) / 4.0);
        let weight = Some(vec![4.0, 1.0, 1.0, 1.0]);
        let weighted = BinaryCrossEntropyWithLogits { weight, ..Default::default() };
        is(weighted.loss(four(3e38), zeros), huge);
        let pos_weight = Some(vec![4.0]);
        let weighted = BinaryCrossEntropyWithLogits { pos_weight, ..Default::default() };
        is(weighted.loss(four(-3e38), four(1.0)), huge);
        is(
            SigmoidFocalLoss { alpha: -1.0, gamma: 0.0, ..Default::default() }.loss(four(3e38), zeros),
            huge / 4.0,
        );
        let poisson = PoissonNllLoss { full: true, ..Default::default() };
        is(poisson.loss(four(89.0), zeros), (89f64.exp() + 3.0) / 4.0);
        is(poisson_nll_loss(four(-1e20), four(1e19)), 1e39 / 4.0);
        let rates = PoissonNllLoss { log_input: false, ..Default::default() };
        is(
            rates.loss(four(1e-30), four(1e37)),
            f64::from(1e37f32) * -(f64::from(1e-30f32) + 1e-8).ln() / 4.0,
        );

        let rows = |x: f32| {
            tape.input(&Array2::from_shape_fn((4, 2), |(i, j)| if i == 0 && j == 1 { x } else { 0.0 }))
        };
        let classes = [0; 4];
        let margin = MultiMarginLoss { p: 2, margin: 0.0, ..Default::default() };
        is(margin.loss(rows(5e19), &classes), f64::from(5e19f32).powi(2) / 8.0);
        let weight = || Some(vec![4.0, 4.0]);
        is(
            SoftmaxFocalLoss { alpha: weight(), gamma: 0.0, ..Default::default() }.loss(rows(3e38), &classes),
            huge,
        );
        is(
            SoftmaxCrossEntropy { weight: weight(), ..Default::default() }.loss(rows(3e38), &classes),
            huge / 4.0,
        );
        let first = tape.input(&array![[1.0f32, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]);
        is(SoftmaxCrossEntropy { weight: weight(), ..Default::default() }.loss(rows(3e38), first), huge);
        is(
            NllLoss { weight: Some(vec![1.0, 4.0]), ..Default::default() }.loss(rows(-3e38), &[1, 0, 0, 0]),
            huge * 4.0 / 7.0,
        );
        is(topk_cross_entropy(rows(3e38), &classes, 4), huge / 4.0);
        is(
            contrastive_loss(rows(3.04e19), rows(0.0), tape.input(&array![1.0f32, 1.0, 1.0, 1.0])),
            large * large / 8.0,
        );
        let apart = ContrastiveLoss { margin: 3.04e19, ..Default::default() };
        is(apart.loss(rows(0.0), rows(0.0), tape.input(&array![0.0f32, 1.0, 1.0, 1.0])), large * large / 8.0);
        let far = TripletMarginLoss { margin: 1e38, eps: 0.0, ..Default::default() };
        is(far.loss(rows(0.0), rows(3e38), rows(0.0)), (huge + 4e38) / 4.0);
        let certain = tape.input(&array![[0.0f32, 1.0], [0.0, 1.0]]);
        let log_q = tape.input(&array![[0.0f32, -3e38], [0.0, -3e38]]);
        is(KlDiv { reduction: KlReduction::BatchMean, ..Default::default() }.loss(log_q, certain), huge);

        // and what is infinite stays so
        assert_eq!(mse_loss(four(f32::INFINITY), zeros).item(), f64::INFINITY);
        assert_eq!(poisson_nll_loss(four(f32::INFINITY), zeros).item(), f64::INFINITY);
        assert_eq!(mse_loss(four(2e20), zeros).item(), f64::INFINITY);
    }

    #[test]
    fn a_slope_of_a_mean_is_a_number_where_that_of_one_loss_is_not() {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let input = tape.input(&array![89.0f32, 0.0, 0.0, 0.0]).requires_grad();
        let target = tape.input(&array![1.0f32, 1.0, 1.0, 1.0]);
        poisson_nll_loss(input, target).backward();
        let slope = input.grad().unwrap()[0];
        assert!((slope / (89f64.exp() / 4.0) - 1.0).abs() < 3e-7, "{slope:e}");
    }
}
