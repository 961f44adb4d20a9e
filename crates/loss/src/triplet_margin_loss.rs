//! Triplet margin loss.
//!
#![doc = surprisal_formula_macro::math!("l = max(0, D(a, p) - D(a, n) + margin)")]
//!
//! For learning distances instead of classes: a network maps each item to a row of numbers, and rows of the same kind
//! (faces of one person) shall lie nearer together than rows of different kinds, also for kinds that were never seen in
//! training. Of three rows, the anchor a, a positive p of its kind and a negative n of another, the loss asks that p is
//! nearer to a than n is, by a margin. Where it is, the loss is 0, and nothing is learned: what counts is the choice of
//! triplets that are still wrong, which [`BatchTripletLoss`](crate::BatchTripletLoss) makes from a batch with labels.
//!
//! `D(x, y) = ‖x - y + ε‖`, ε added to every component. PyTorch adds 1e-6 to avoid a division by zero, so this is the
//! default here. Nothing here needs it: with ε = 0 equal rows have the distance 0, and not 1e-6 √n.
//!
//! # The gradient
//!
//! Where l > 0, with the directions u:
//!
#![doc = surprisal_formula_macro::math!("dl/da = u_ap - u_an, dl/dp = -u_ap, dl/dn = u_an")]
#![doc = surprisal_formula_macro::math!("u_xy = (x - y + ε) / D(x, y)")]
//!
//! With [`swap`](TripletMarginLoss::swap), where p is nearer to n than a is, `D(p, n)` and u_pn take the place of `D(a, n)`
//! and u_an, and p feels it instead of a; in a tie both count half. At the kink, l = 0, the gradient is 0, and so is that
//! of a distance 0.
//!
//! # In which form
//!
//! * The squares of a distance overflow in `f32` above 1.8e19, and lose digits below 1.1e-19; below 2.6e-23 they are 0.
//!   There rows are scaled by powers of two, and all distances and directions are right that can be written.
//! * Not `‖x‖² + ‖y‖² - 2 x·y`, as a product of matrices gives all distances at once: for x = 100 and y = 100.01 that is 0
//!   in `f32`, where the square is 1e-4.
//! * Where D(a, p) + margin nearly equals D(a, n), rounding would decide whether a row counts. There distances are computed
//!   in twice the precision.
//! * Where p and n are near to each other, seen from a (by less than D(a, p) / 256), u_ap - u_an cancels. With δ = n - p it is
//!   `(δ - u_an (D(a, p) - D(a, n))) / D(a, p)`, and the difference of distances is
//!   `δ·(x_ap + x_an) / (D(a, p) + D(a, n))`, x_ap = a - p + ε. A single component may still cancel, to an error of 1e-7 of
//!   the direction's length in `f32`.
//!
//! # Source
//!
//! Schroff, Kalenichenko and Philbin 2015, "FaceNet" (with squared distances); Balntas et al. 2016, "Learning local feature
//! descriptors with triplets and shallow convolutional neural networks" (the swap); PyTorch's `triplet_margin_loss`, whose
//! conventions these are.

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::sum::sum_by;
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::data::{apply, check_not_negative};
use crate::kinds::distance::{CANCELS, Distance, MEMO, add_slopes, same_rows, scale_for};
use crate::kinds::labels::rows_and_classes;
use crate::{LossError, Reduction};

loss! {
    /// The mean over the rows of how much the positive fails to be nearer to the anchor than the negative, by a margin of 1.
    ///
    /// All three are `[rows, numbers]`, or `[numbers]` for one row; all have a gradient. It is an ordinary value on the tape:
    /// `cross_entropy + 0.1 * triplet_margin_loss(a, p, n)`.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty.
    ///
    /// ```
    /// use surprisal_loss::TripletMarginLoss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let [anchor, positive, negative] =
    ///     [array![[0.0, 0.0]], array![[3.0, 4.0]], array![[0.0, 10.0]]].map(|x| tape.input(&x).requires_grad());
    /// let loss = TripletMarginLoss { margin: 6.0, eps: 0.0, ..Default::default() }.loss(anchor, positive, negative);
    /// loss.backward();
    /// assert_eq!(loss.item(), 1.0); // 5 - 10 + 6
    /// assert_eq!(positive.grad().unwrap(), array![[0.6, 0.8]].into_dyn()); // toward the anchor is down
    /// assert_eq!(negative.grad().unwrap(), array![[0.0, -1.0]].into_dyn());
    /// ```
    fn triplet_margin_loss(anchor: gradient(Number, "[rows, numbers] or [numbers]"), positive: gradient(Number, "the shape of anchor: what belongs to it"), negative: gradient(Number, "the shape of anchor: what does not"));
    card {
        inputs: "a p n",
        forward: "max(0, D(a, p) - D(a, n) + margin)",
        backward: "da = (u_ap - u_an) dl, dp = -u_ap dl, dn = u_an dl where l > 0, with u_xy = (x - y) / D(x, y)",
        story: "Draws the positive nearer to the anchor than the negative, by a margin; a negative that is far enough is left alone.",
    }
    train { "needs pairs or triplets of embeddings, which a table does not have: use it in a program of your own" }
    #[derive(Clone, Copy, Debug)]
    pub struct TripletMarginLoss {
        /// How per-row losses are reduced.
        reduction: Reduction;
        /// How much nearer the positive must be than the negative: 0 or more. 1 as in PyTorch.
        margin: f64 = 1 in NOT_NEGATIVE, "how much nearer the positive must be, 0 or more";
        /// ε, 0 or more. 1e-6 as in PyTorch; 0 is the plain distance.
        eps: f64 = 1e-6 in NOT_NEGATIVE, "added to every component of the differences, 0 or more";
        /// Whether `D(a, n)` is replaced by `D(p, n)` where that is smaller. `false` as in PyTorch.
        swap: bool = false, "whether the positive may take the anchor's place against the negative";
    }
}

impl TripletMarginLoss {
    /// [`triplet_margin_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`triplet_margin_loss()`] panics, and if the margin or ε is negative or not finite.
    #[track_caller]
    pub fn try_loss<'t>(
        &self,
        anchor: Var<'t>,
        positive: Var<'t>,
        negative: Var<'t>,
    ) -> Result<Var<'t>, LossError> {
        check_not_negative(ENTRY.card.name, "margin", self.margin)?;
        check_not_negative(ENTRY.card.name, "eps", self.eps)?;
        apply(Fused(*self), [anchor, positive, negative])
    }
}

struct Fused(TripletMarginLoss);

/// Which rows are compared.
const PAIRS: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];

/// D(a, p) - D(a, n) + margin; the shares that the second and the third distance have in it; and whether none of this
/// canceled.
#[inline(always)]
fn gap<T: Scalar>(distances: &[Distance<T>; 3], margin: T, swap: bool) -> (T, [T; 2], bool) {
    let less = |a: T, b: T| if a < b { a } else { b };
    let unit = distances.iter().fold(distances[0].unit(), |unit, d| less(unit, d.unit()));
    let unit = if margin > T::ZERO { less(unit, T::ONE) } else { unit };
    let [(near, near_rest), mut far, other] = distances.map(|d| d.times(unit));
    let longer = (far.0 - other.0) + (far.1 - other.1);
    let mut shares = [T::ONE, T::ZERO];
    if swap && longer > T::ZERO {
        (far, shares) = (other, [T::ZERO, T::ONE]);
    } else if swap && longer == T::ZERO {
        shares = [T::of(0.5); 2]; // a tie
    }
    let margin = margin * unit;
    let (gap, lost) = difference(near, far.0);
    let (gap, lost_too) = difference(gap, -margin);
    let all = gap + (lost + lost_too + near_rest - far.1);
    let kept = |difference: T, size: T| T::of(CANCELS) * difference.abs() > size;
    let sure = kept(gap, near + far.0 + margin) && (!swap || kept(longer, far.0));
    // what is left is no more than twice the precision can tell from a tie: the kink, where the gradient is 0
    let tie = all.abs() <= T::of(16.0 * T::EPSILON * T::EPSILON) * (near + far.0 + margin);
    let all = if tie { T::ZERO } else { all };
    (if gap.is_finite() { all } else { gap } / unit, shares, sure)
}

/// The distances of [`PAIRS`]; without a swap the third is not asked for.
#[inline(always)]
fn measure<'a, T: Scalar>(
    row: impl Fn(usize) -> &'a [T],
    eps: T,
    swap: bool,
    distance: impl Fn(&[T], &[T], T) -> Distance<T>,
) -> [Distance<T>; 3] {
    let pairs = if swap { PAIRS } else { [PAIRS[0], PAIRS[1], PAIRS[1]] };
    pairs.map(|[j, k]| distance(row(j), row(k), eps))
}

kernel! {
    fn triplets<T: Scalar>(rows: [&[T]; 3], eps: T, margin: T, swap: bool, losses: &mut [T], memo: &mut [T]) {
        let width = rows[0].len() / losses.len();
        for (i, (l, memo)) in losses.iter_mut().zip(memo.chunks_exact_mut(3 * MEMO)).enumerate() {
            let row = |k: usize| &rows[k][i * width..][..width];
            let mut distances = measure(row, eps, swap, Distance::plain);
            let (mut all, mut shares, sure) = gap(&distances, margin, swap);
            if !sure || !distances.iter().all(Distance::is_safe) {
                distances = measure(row, eps, swap, Distance::careful);
                (all, shares, _) = gap(&distances, margin, swap);
                let ([a, p, n], [ap, an, _]) = ([row(0), row(1), row(2)], distances);
                if !swap && is_near(ap, [p, n]) { all = farther(ap, an, [a, p, n], eps) / ap.unit() + margin }
            }
            let active = if all <= T::ZERO { T::ZERO } else { T::ONE }; // NaN stays NaN
            *l = if all <= T::ZERO { T::ZERO } else { all };
            let slopes = [active, -active * shares[0], -active * shares[1]];
            for ((d, slope), memo) in distances.iter().zip(slopes).zip(memo.chunks_exact_mut(MEMO)) { d.keep(slope, memo) }
        }
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Ok(self.0.reduction.shape(same_rows(inputs, &["anchor", "positive", "negative"])?))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        rows_and_classes(inputs.shape(0)).0 * 3 * MEMO
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let rows = rows_and_classes(f.inputs.shape(0)).0;
        let (losses, inputs) = (f.room.scratch.at_least(rows), [0, 1, 2].map(|k| f.inputs.x(k)));
        triplets(inputs, T::of(self.0.eps), T::of(self.0.margin), self.0.swap, losses, f.memo);
        let count = T::of(rows as f64);
        self.0.reduction.reduce_large(losses, count, f.y, |shares| {
            // the loss is a length: with all of them smaller
            let h: T = scale_for(8.0 * rows as f64);
            let inputs = inputs.map(|x| x.iter().map(|&x| x * h).collect::<Vec<_>>());
            let [eps, margin] = [self.0.eps, self.0.margin].map(|x| T::of(x) * h);
            let memo = &mut vec![T::ZERO; rows * 3 * MEMO];
            triplets(inputs.each_ref().map(Vec::as_slice), eps, margin, self.0.swap, shares, memo);
            shares.iter_mut().for_each(|l| *l = *l / count / h);
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (memo, dy, inputs, eps) = (b.memo, b.dy, [0, 1, 2].map(|k| b.x(k)), T::of(self.0.eps));
        let factor: T = self.0.reduction.factor(T::of(rows_and_classes(b.inputs.shape(0)).0 as f64));
        for k in 0..3 {
            let Some(d) = b.dx(k) else { continue };
            d.add_filled(|d, _| {
                d.fill(T::ZERO);
                for (p, [x, y]) in PAIRS.into_iter().enumerate().filter(|(_, pair)| pair.contains(&k)) {
                    let factor = if k == x { factor } else { -factor };
                    add_slopes(inputs[x], inputs[y], eps, memo, 3 * MEMO, p * MEMO, factor, dy, d);
                }
                if k == 0 {
                    near_directions(inputs, eps, memo, factor, dy, d);
                }
            });
        }
    }
}

/// Whether p and n are near to each other, seen from a: not only in one direction, but in the distance too.
#[inline(always)]
fn is_near<T: Scalar>(ap: Distance<T>, [p, n]: [&[T]; 2]) -> bool {
    T::of(CANCELS) * Distance::careful(p, n, T::ZERO).times(ap.unit()).0 < ap.length
}

/// D_ap - D_an in the units of D_ap, where p and n are near to each other, seen from a, and the difference cancels: with
/// δ = n - p = e_ap - e_an, it is δ·(e_ap + e_an) / (D_ap + D_an).
#[inline(always)]
fn farther<T: Scalar>(ap: Distance<T>, an: Distance<T>, [a, p, n]: [&[T]; 3], eps: T) -> T {
    let both = ap.length + an.times(ap.unit()).0;
    sum_by(a.len(), |j| {
        let middle = (ap.component(a[j], p[j], eps) + ap.component(a[j], n[j], eps)) / both;
        ap.component(n[j], p[j], T::ZERO) * middle
    })
}

kernel! {
    /// There, u_ap - u_an = (δ - u_an (D_ap - D_an)) / D_ap.
    fn near_directions<T: Scalar>(rows: [&[T]; 3], eps: T, memo: &[T], factor: T, dy: &[T], d: &mut [T]) {
        let width = d.len() / (memo.len() / (3 * MEMO));
        for (i, (d, memo)) in d.chunks_exact_mut(width).zip(memo.chunks_exact(3 * MEMO)).enumerate() {
            let ((ap, slope), (an, other)) = (Distance::kept(memo), Distance::kept(&memo[MEMO..]));
            let (d_ap, d_an) = (ap.length, an.times(ap.unit()).0);
            let both_count = other == -T::ONE && d_ap > T::ZERO && d_an > T::ZERO;
            let scale = slope * factor * if dy.len() == 1 { dy[0] } else { dy[i] };
            let largest = d.iter().fold(T::ZERO, |largest, d| d.abs().max(largest));
            if !both_count || T::of(CANCELS * (width as f64).sqrt()) * largest > scale.abs() { continue }
            let [a, p, n] = rows.map(|x| &x[i * width..][..width]);
            if !is_near(ap, [p, n]) { continue }
            let farther = farther(ap, an, [a, p, n], eps);
            for (((d, &a), &p), &n) in d.iter_mut().zip(a).zip(p).zip(n) {
                let u_an = ap.component(a, n, eps) / d_an;
                *d = (ap.component(n, p, T::ZERO) - u_an * farther) / d_ap * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::{Array2, ArrayD};
    use surprisal_tensor::{Params, Workspace};

    fn rows(salt: f64) -> ArrayD<f64> {
        Array2::from_shape_fn((4, 3), |(i, j)| ((i * 3 + j) as f64 * 1.7 + salt).sin() * 2.0).into_dyn()
    }

    #[test]
    fn equals_its_definition_with_every_option() {
        let triplet = [rows(0.0), rows(1.0), rows(4.0)];
        for (margin, eps, swap) in [(1.0, 1e-6, false), (0.5, 0.0, true), (3.0, 0.25, true)] {
            equals_definition(&triplet, |_, x, reduction| {
                let d = |j: usize, k: usize| (x[j] - x[k] + eps).norm_axis(-1);
                let far = if swap { d(0, 2).minimum(d(1, 2)) } else { d(0, 2) };
                let loss = TripletMarginLoss { reduction, margin, eps, swap };
                [loss.loss(x[0], x[1], x[2]), (d(0, 1) - far + margin).relu()]
            });
        }
    }

    /// The loss of one row without ε, and the gradients.
    fn at<const N: usize>(margin: f64, swap: bool, triplet: [[f32; N]; 3]) -> (f32, [Vec<f32>; 3]) {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let [a, p, n] = triplet.map(|x| tape.input(&Array2::from(vec![x])).requires_grad());
        let l = TripletMarginLoss { margin, eps: 0.0, swap, ..Default::default() }.loss(a, p, n);
        l.backward();
        (l.item() as f32, [a, p, n].map(|x| x.grad().unwrap().iter().map(|&d| d as f32).collect()))
    }

    /// Numbers from 0 to 1, the same in every run.
    struct Random(u64);
    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / 2f64.powi(53)
        }
        fn between(&mut self, low: f64, high: f64) -> f64 {
            low + (high - low) * self.next()
        }
    }

    /// The direction of e less that of f, in the plane: 2 sin(θ/2) along the normal of the angle between them, from the product of sines,
    /// of which nothing cancels.
    fn turn(e: [f64; 2], f: [f64; 2]) -> [f64; 2] {
        let product = f[0] * e[1];
        let cross =
            f[0].mul_add(e[1], -product) + (product - f[1] * e[0]) - f[1].mul_add(e[0], -(f[1] * e[0]));
        let (length, other) = (e[0].hypot(e[1]), f[0].hypot(f[1]));
        let angle = (cross / (length * other)).atan2((e[0] * f[0] + e[1] * f[1]) / (length * other));
        let middle = f[1].atan2(f[0]) + angle / 2.0;
        let size = 2.0 * (angle / 2.0).sin();
        [-size * middle.sin(), size * middle.cos()]
    }

    /// Two directions that are nearly one, at any distances from the anchor: the same rounding as where nothing cancels.
    fn nearly_parallel<T: Scalar>(of: impl Fn(f64) -> T) {
        let mut random = Random(7);
        let tape_params = Params::<T>::default();
        let mut workspace = Workspace::new();
        let unit = T::EPSILON / 2.0;
        for i in 0..3000 {
            let a =
                if i % 2 == 0 { [0.0; 2] } else { [random.between(-2.0, 2.0), random.between(-2.0, 2.0)] };
            let (angle, turned) = (random.between(0.0, 6.3), 10f64.powf(random.between(-9.0, -1.0)));
            let [near, far] =
                [random.between(-8.0, 1.0), random.between(-8.0, 1.0)].map(|power| 10f64.powf(power));
            let at =
                |distance: f64, angle: f64| [a[0] + distance * angle.cos(), a[1] + distance * angle.sin()];
            let equal = i % 5 == 4; // then ε is the distance
            let p = if equal { a } else { at(near, angle) };
            let n = at(far, if equal { 0.785 + turned } else { angle + turned });
            let rounded = [a, p, n].map(|x| x.map(|x| of(x).value()));
            let eps = if equal || i % 3 == 0 { of(1e-6).value() } else { 0.0 };
            let [e_ap, e_an] = [1, 2].map(|k| [0, 1].map(|j| rounded[0][j] - rounded[k][j] + eps));
            if e_ap == [0.0; 2] || e_an == [0.0; 2] {
                continue; // rounded to one row
            }
            let [[x, y], own @ ..] = [turn(e_ap, e_an), e_ap.map(|x| x / e_ap[0].hypot(e_ap[1]))];
            let tape = workspace.tape(&tape_params);
            let [a, p, n] = rounded
                .map(|x| tape.input(&Array2::from_shape_fn((1, 2), |(_, j)| of(x[j]))).requires_grad());
            TripletMarginLoss { margin: 64.0, eps: 1e-6 * f64::from(eps > 0.0), ..Default::default() }
                .loss(a, p, n)
                .backward();
            let [da, dp] = [a, p].map(|x| x.grad().unwrap().iter().map(|x| x.value()).collect::<Vec<_>>());
            // what subtracting the rows loses is not the loss's: it is reported by the size of the rows
            let size = |e: [f64; 2]| {
                rounded.as_flattened().iter().fold(eps, |m, x| m.max(x.abs())) / e[0].hypot(e[1])
            };
            let lost = if i % 2 == 0 { 1.0 } else { 1.0 + size(e_ap) + size(e_an) };
            for (found, exact) in [(da[0], x), (da[1], y), (dp[0], -own[0][0]), (dp[1], -own[0][1])] {
                assert!(
                    (found - exact).abs() <= 16.0 * unit * lost,
                    "{i}: {rounded:?}, ε {eps}: {found:e}, exactly {exact:e}"
                );
            }
        }
    }

    #[test]
    fn nearly_parallel_directions_are_subtracted_to_rounding() {
        nearly_parallel(|x| x as f32);
        nearly_parallel(|x| x);
        // near p, far n, one direction
        let (_, [a, ..]) =
            at(64.0, false, [[0.0, 0.0], [9.755_184e-9, 1.031_547e-9], [0.949_191_6, 0.100_391_135]]);
        assert!(a[0].abs() < 3e-6 && (a[1] - 2.1e-5).abs() < 1e-6, "{a:?}");
    }

    #[test]
    fn a_tie_that_is_exact_is_the_kink() {
        let params = Params::<f64>::default();
        let mut workspace = Workspace::new();
        for eps in [0.0, 1e-6, 0.001, 0.1, 0.3] {
            let tape = workspace.tape(&params);
            let [a, p, n] =
                [0.0, 1.0, 2.0].map(|x| tape.input(&Array2::from_elem((1, 1), x)).requires_grad());
            let loss = TripletMarginLoss { eps, ..Default::default() }.loss(a, p, n);
            loss.backward();
            assert_eq!((loss.item(), [a, p, n].map(|x| x.grad().unwrap().sum())), (0.0, [0.0; 3]), "{eps}");
        }
    }

    #[test]
    fn equal_rows_have_no_direction() {
        assert_eq!(at(1.0, true, [[1.0, 2.0]; 3]), (1.0, [vec![0.0; 2], vec![0.0; 2], vec![0.0; 2]]));
        assert_eq!(at(1.0, false, [[1.0], [1.0], [1.5]]), (0.5, [vec![1.0], vec![0.0], vec![-1.0]]));
        assert_eq!(at(0.5, false, [[1.0], [1.0], [1.5]]), (0.0, [vec![0.0], vec![0.0], vec![0.0]])); // the kink
        assert_eq!(at(1.0, true, [[-1.0], [1.0], [0.0]]), (2.0, [vec![-0.5], vec![0.5], vec![0.0]])); // a tie
    }

    #[test]
    fn all_sizes_have_distances_and_directions() {
        for scale in [f32::MAX, 1e30, 1e-30, 1e-44] {
            let (l, [_, p, n]) = at(0.0, false, [[0.0, 0.0], [-scale, scale], [scale / 2.0, 0.0]]);
            let (exact, root) = ((2f64.sqrt() - 0.5) * f64::from(scale), 0.5f32.sqrt());
            assert!((f64::from(l) - exact).abs() <= 1e-6 * exact + 1e-45, "{l} instead of {exact}");
            assert!((p[0] + root).abs() + (p[1] - root).abs() < 3e-7 && n == [-1.0, 0.0], "{p:?} {n:?}");
        }
        let (_, [_, p, _]) = at(0.0, false, [[f32::MAX, 0.0], [-f32::MAX, 0.0], [0.0; 2]]);
        assert_eq!(p, [-1.0, 0.0]); // 6.8e38 apart
    }

    #[test]
    fn what_rounding_takes_does_not_decide() {
        for side in 1..20 {
            // √2 side + 1, and the two numbers next to it
            let [side, nearest] = [side as f32, 1.0 + side as f32 * 2f32.sqrt()];
            for n in [nearest.next_down(), nearest, nearest.next_up()] {
                let exact = 2f64.sqrt() * f64::from(side) + 1.0 - f64::from(n);
                let (l, [_, p, _]) = at(1.0, false, [[0.0, 0.0], [side, side], [n, 0.0]]);
                assert!((f64::from(l) - exact.max(0.0)).abs() < 1e-12, "{l} instead of {exact:e}");
                assert_eq!(p[0] > 0.0, exact > 0.0);
            }
        }
        // seen from afar, p and n are nearly the same
        let (_, [a, ..]) = at(1.0, false, [[100.0, 0.0], [0.0, 1e-6], [0.0, -1e-6]]);
        assert!((a[1] + 2e-8).abs() < 1e-14, "{a:?}");
    }
}
