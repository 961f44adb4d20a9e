//! Dice loss.
//!
#![doc = surprisal_formula_macro::math!("l = 1 - (2 Σ p t + s) / (Σ p + Σ t + s)")]
//!
//! Probabilities p say which elements belong to a set, targets t which do. Dice's coefficient is twice what both hold in
//! common, over what each holds: 1 where they agree, 0 where they have nothing in common. Elements that both leave out
//! count nothing. That is what it is for: a tumor of 50 pixels in an image of 100 000 is lost in a mean over all pixels,
//! where "nothing anywhere" is 99.95 % right; its Dice is 0. The price: the slope of an element depends on all the others,
//! and a small set is noisy. [`ce_dice_loss`](mod@crate::ce_dice_loss) takes both together.
//!
//! s, `smooth`, makes the coefficient of two empty sets 1 instead of 0 / 0, and softens the loss of small sets: with s = 1
//! one wrong pixel beside an empty mask costs 1/2, with s = 0 it costs 1.
//!
//! # The gradient
//!
//! With `F = Σ [p (1 - t) + t (1 - p)]`, `I = 2 Σ p t + s` and `N = F + I`, which is the denominator, `l = F / N`, and
//!
#![doc = surprisal_formula_macro::math!("dl/dp = [(1 - 2 t) N - F] / N² = [(1 - t) I - t (N + F)] / N²")]
//!
//! so that an element outside pays `I / N²` for its p, and one inside earns `(N + F) / N²`. A logit's is this times
//! `σ'(z) = e / (1 + e)²`, e = e^-|z|. With [`squared`](DiceLoss::squared), `F = Σ (p - t)²` and
//! `dl/dp = 2 [(p - t) I - t F] / N²`.
//!
//! # In which form
//!
//! * Never as 1 minus the coefficient. Of four pixels with logits ±z, all right, that is in `f32` a third too large at z =
//!   16 and 0 from z = 16.7 on, where the loss is 4.5e-8 and still falls with every step of z. F is a sum of terms that are
//!   not negative.
//! * `1 - p` as `σ(-z)`: in `f32`, σ(z) is 1 from z = 16.7 on. That is why [`Sigmoid`](DiceActivation::Sigmoid) is the
//!   default; give it logits.
//! * For targets that are 0 or 1 nothing is subtracted in the gradient; for others its two terms may cancel.
//! * Where both sets are empty and s = 0, the loss is taken as 1 and its gradient as 0: with an empty mask it is 1 for
//!   every p, however small, and changes nothing. It is s > 0 that makes it tell.
//! * Where all numbers are tiny, they are multiplied by a power of two: with s = 0, p = t = 1e-30 squared would be 0 / 0 in
//!   `f32`.
//!
//! # Source
//!
//! Dice 1945, "Measures of the amount of ecologic association between species"; Milletari, Navab and Ahmadi 2016, "V-Net",
//! section 3 (squared). s = 1 and one set for the whole batch are the common choice; libraries differ in both.

use surprisal_tensor::sum::{sum_filled, sum_of};
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::kinds::Domain;
use crate::kinds::data::{apply, check, check_constant, check_logits, check_not_negative};
use crate::kinds::distance::scale_for;
use crate::kinds::pointwise::same_shape;
use crate::{LossError, Reduction};

loss! {
    /// How much of the set that `input` says and the set that `targets` says lies outside of their overlap.
    ///
    /// `input` holds logits, of any shape; `targets` have its shape, lie in \[0, 1\], and are not differentiated. All elements
    /// together are one set, and the result is one number.
    ///
    /// # Panics
    /// At the caller's line, if the shapes differ or are empty, if a target is not in \[0, 1\], or if the input is the output
    /// of a sigmoid.
    ///
    /// ```
    /// use surprisal_loss::dice_loss;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let targets = tape.input(&array![1.0f32, 0.0]);
    /// let undecided = tape.input(&array![0.0f32, 0.0]);
    /// assert_eq!(dice_loss(undecided, targets).item(), f64::from(1.0f32 / 3.0)); // 1 - (2 · ½ + 1) / (1 + 1 + 1)
    /// let sure = tape.input(&array![20.0f32, -20.0]);
    /// assert!((dice_loss(sure, targets).item() - 1.3741e-9).abs() < 1e-13); // 1 minus the coefficient: 0
    /// ```
    fn dice_loss(input: gradient(Number, "any shape; logits, or probabilities where activation is none"), targets: constant(YesNo, "the shape of input, from 0 to 1"));
    card {
        inputs: "p t",
        forward: "Σ [p (1 - t) + t (1 - p)] / (Σ p + Σ t + s)",
        backward: "dp = [(1 - t) I - t (N + F)] / N² dl, with F = Σ [p (1 - t) + t (1 - p)], I = 2 Σ p t + s, N = F + I",
        story: "How much of two sets lies outside of their overlap; what belongs to neither does not count.",
    }
    train { "dice", "Dice loss", YesNo, ["smooth", "squared"] }
    #[derive(Clone, Copy, Debug)]
    pub struct DiceLoss {
        /// How per-sample losses are reduced; the loss of all elements is one number in any case.
        reduction: Reduction;
        /// What makes probabilities of the input: by default the sigmoid.
        activation: DiceActivation, "sigmoid of logits, or none for probabilities";
        /// s, finite and 0 or more: by default 1.
        smooth: f64 = 1 in NOT_NEGATIVE, "s, added above and below, 0 or more";
        /// The elements that form one set: by default all.
        per: DicePer, "all elements as one set, or each sample, along the first axis";
        /// Whether the denominator is `Σ p² + Σ t² + s`: by default not.
        squared: bool = false, "whether the numbers in the denominator are squared";
    }
}

/// What makes probabilities of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiceActivation {
    /// Nothing: it holds probabilities.
    None,
    /// The sigmoid: it holds logits.
    #[default]
    Sigmoid,
}

/// What is one set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DicePer {
    /// All elements of the batch.
    #[default]
    All,
    /// The elements of one sample: each entry of the first axis, of `[N, C, H, W]` the C H W elements of each image.
    Sample,
}

impl DiceLoss {
    /// [`dice_loss()`] with these options.
    ///
    /// A sample is one entry of the first axis, which needs a second beside it; the mean divides by the number of samples.
    ///
    /// # Errors
    /// Where [`dice_loss()`] panics, and if `smooth` is negative or not finite, or, where there is no activation, if an input is not in
    /// \[0, 1\].
    #[track_caller]
    pub fn try_loss<'t>(&self, input: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, LossError> {
        let name = ENTRY.card.name;
        check_not_negative(name, "smooth", self.smooth)?;
        check_constant(name, "target", targets, Domain::FromZeroToOne)?;
        match self.activation {
            DiceActivation::Sigmoid => check_logits(name, input)?,
            DiceActivation::None => check(
                name,
                "probability",
                input,
                Domain::FromZeroToOne,
                || "probabilities lie between 0 and 1; of logits, the activation is Sigmoid",
            )?,
        }
        apply(Fused(*self), [input, targets])
    }
}

words! { DiceActivation: "sigmoid" => Sigmoid, "none" => None }
words! { DicePer: "all" => All, "sample" => Sample }

struct Fused(DiceLoss);

/// What one element contributes.
#[derive(Clone, Copy)]
struct Form<T> {
    sigmoid: bool,
    squared: bool,
    scale: T, // a power of two that p and t count; 1 unless all of them are tiny
}

impl<T: Scalar> Form<T> {
    /// p, 1 - p, and dp/dx.
    #[inline(always)]
    fn probability(self, x: T) -> (T, T, T) {
        if !self.sigmoid {
            return (x, T::ONE - x, T::ONE);
        }
        let e = (-x.abs()).exp();
        let r = T::ONE / (T::ONE + e);
        let (near, far) = (r, e * r);
        let (p, q) = if x >= T::ZERO { (near, far) } else { (far, near) };
        (p, q, far * r)
    }

    /// p - t, without subtracting what is nearly 1.
    #[inline(always)]
    fn error(self, p: T, q: T, t: T) -> T {
        let error = if self.sigmoid && t > T::of(0.5) { (T::ONE - t) - q } else { p - t };
        error * self.scale
    }

    /// The parts of F and of Σ p t.
    #[inline(always)]
    fn parts(self, x: T, t: T) -> (T, T) {
        let (p, q, _) = self.probability(x);
        let scaled = t * self.scale;
        if self.squared {
            let error = self.error(p, q, t);
            (error * error, p * self.scale * scaled)
        } else {
            (p * self.scale * (T::ONE - t) + scaled * q, p * scaled)
        }
    }

    /// The same with a scale by which the largest of the numbers comes near 1.
    #[cold]
    fn scaled(self, x: &[T], t: &[T], smooth: f64) -> Self {
        let smooth = if self.squared { smooth.sqrt() } else { smooth };
        let numbers = x.iter().map(|&x| self.probability(x).0).chain(t.iter().copied());
        let size = numbers.fold(smooth, |size, x| size.max(x.value()));
        Form { scale: if size > 0.0 { scale_for(size) } else { T::ONE }, ..self }
    }

    fn smooth(self, smooth: f64) -> T {
        let smooth = T::of(smooth) * self.scale;
        if self.squared { smooth * self.scale } else { smooth }
    }
}

kernel! {
    /// F, the parts outside of the overlap, and 2 Σ p t. `overlaps` is room to work in.
    fn sums<T: Scalar>(form: Form<T>, x: &[T], t: &[T], overlaps: &mut [T]) -> (T, T) {
        let outside = sum_filled(x.len(), |range, parts| {
            let elements = x[range.clone()].iter().zip(&t[range.clone()]);
            for ((part, overlap), (&x, &t)) in parts.iter_mut().zip(&mut overlaps[range]).zip(elements) {
                (*part, *overlap) = form.parts(x, t);
            }
        });
        let overlap = sum_of(overlaps);
        (outside, overlap + overlap)
    }
}
kernel! {
    /// dp = (1 - t) a - t b, or (p - t) a - t b.
    fn slopes<T: Scalar>(form: Form<T>, x: &[T], t: &[T], a: T, b: T, d: &mut [T]) {
        for ((d, &x), &t) in d.iter_mut().zip(x).zip(t) {
            let (p, q, slope) = form.probability(x);
            let (own, other) = if form.squared { (form.error(p, q, t), t * form.scale) } else { (T::ONE - t, t) };
            *d = (own * a - other * b) * (slope * form.scale);
        }
    }
}

/// F / (F + I); 1 where both are 0, as it is however small they are together.
#[inline(always)]
pub(crate) fn share<T: Scalar>(outside: T, inside: T) -> T {
    let all = outside + inside;
    if all == T::ZERO { T::ONE } else { outside / all }
}

/// The a and b of [`slopes`], times `scale`.
#[inline(always)]
pub(crate) fn share_slopes<T: Scalar>(outside: T, inside: T, squared: bool, scale: T) -> (T, T) {
    let all = outside + inside;
    if all == T::ZERO {
        return (T::ZERO, T::ZERO);
    }
    let slope = |part: T| part / all / all * scale;
    if squared {
        (slope(inside + inside), slope(outside + outside))
    } else {
        (slope(inside), slope(all + outside))
    }
}

impl Fused {
    fn form<T: Scalar>(&self, scale: T) -> Form<T> {
        Form { sigmoid: self.0.activation == DiceActivation::Sigmoid, squared: self.0.squared, scale }
    }
    fn samples(&self, inputs: Shapes) -> usize {
        if self.0.per == DicePer::All { 1 } else { inputs.dims(0)[0] }
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        same_shape(inputs, "the input", "the targets")?;
        let shape = inputs.shape(0);
        if self.0.per == DicePer::All {
            return Ok(Shape::SCALAR);
        }
        if shape.rank() < 2 {
            return Err(ShapeError::new(format!(
                "the input is {shape}: expected samples along the first of two or more axes"
            ))
            .hint(format!("one sample is reshape([1, {}])", shape.len())));
        }
        Ok(self.0.reduction.shape(Shape::from([shape.dims()[0]])))
    }
    fn memo(&self, inputs: Shapes) -> usize {
        3 * self.samples(inputs)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, t, samples) = (f.inputs.x(0), f.inputs.x(1), self.samples(f.inputs.shapes()));
        let size = x.len() / samples;
        let (losses, overlaps) = f.room.scratch.at_least(samples + size).split_at_mut(samples);
        for (i, (l, memo)) in losses.iter_mut().zip(f.memo.chunks_exact_mut(3)).enumerate() {
            let (x, t) = (&x[i * size..][..size], &t[i * size..][..size]);
            let (mut form, smooth) = (self.form(T::ONE), self.0.smooth);
            let (mut outside, mut overlap) = sums(form, x, t, overlaps);
            if outside + overlap + T::of(smooth) < T::of(1e-12) {
                form = form.scaled(x, t, smooth);
                (outside, overlap) = sums(form, x, t, overlaps);
            }
            let inside = overlap + form.smooth(smooth);
            *l = share(outside, inside);
            memo.copy_from_slice(&[outside, inside, form.scale]);
        }
        self.0.reduction.reduce(losses, T::of(samples as f64), f.y);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (x, t, dy, memo, samples) = (b.x(0), b.x(1), b.dy, b.memo, self.samples(b.inputs.shapes()));
        let size = x.len() / samples;
        let factor: T = self.0.reduction.factor(T::of(samples as f64));
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|d, _| {
            for (i, (d, memo)) in d.chunks_exact_mut(size).zip(memo.chunks_exact(3)).enumerate() {
                let form = self.form(memo[2]);
                let scale = factor * if dy.len() == 1 { dy[0] } else { dy[i] };
                let (a, b) = share_slopes(memo[0], memo[1], form.squared, scale);
                slopes(form, &x[i * size..][..size], &t[i * size..][..size], a, b, d);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::equals_definition;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace};

    fn probs() -> ArrayD<f64> {
        Array2::from_shape_fn((3, 4), |(i, j)| 0.5 + ((i * 4 + j) as f64 * 1.3).sin() * 0.45).into_dyn()
    }

    /// The loss of each sample, or of all.
    fn definition<'t>(loss: &DiceLoss, x: Var<'t>, t: Var<'t>) -> Var<'t> {
        let p = if loss.activation == DiceActivation::Sigmoid { x.sigmoid() } else { x };
        let sum = |x: Var<'t>| if loss.per == DicePer::All { x.sum() } else { x.sum_axis(-1) };
        let size = |x: Var<'t>| if loss.squared { sum(x * x) } else { sum(x) };
        1.0 - (2.0 * sum(p * t) + loss.smooth) / (size(p) + size(t) + loss.smooth)
    }

    #[test]
    fn equals_its_definition_with_every_option() {
        let t = Array2::from_shape_fn((3, 4), |(i, j)| Dual::of((i + j) as f64 % 3.0 / 2.0));
        for activation in [DiceActivation::None, DiceActivation::Sigmoid] {
            for (smooth, squared) in [(1.0, false), (0.0, true), (0.3, true), (0.0, false)] {
                for per in [DicePer::All, DicePer::Sample] {
                    equals_definition(&[probs()], |tape, x, reduction| {
                        let loss = DiceLoss { reduction, activation, smooth, per, squared };
                        let t = tape.input(&t);
                        [loss.loss(x[0], t), definition(&loss, x[0], t)]
                    });
                }
            }
        }
    }

    /// The loss of x in `f32` and its gradient.
    fn at(loss: DiceLoss, x: [f32; 2], t: [f32; 2]) -> (f32, [f32; 2]) {
        let params = Params::new();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let x = tape.input(&array![x[0], x[1]]).requires_grad();
        let l = loss.loss(x, tape.input(&array![t[0], t[1]]));
        l.backward();
        let d = x.grad().unwrap();
        (l.item() as f32, [d[0] as f32, d[1] as f32])
    }

    #[test]
    fn of_two_empty_sets_smooth_decides() {
        for (squared, activation, x) in [
            (false, DiceActivation::None, 0.0),
            (true, DiceActivation::None, 0.0),
            (false, DiceActivation::Sigmoid, -200.0),
            (true, DiceActivation::Sigmoid, -50.0), // its square is subnormal
        ] {
            let loss = DiceLoss { squared, activation, smooth: 0.0, ..Default::default() };
            assert_eq!(at(loss, [x, x], [0.0; 2]), (1.0, [0.0; 2]));
            assert!(at(DiceLoss { smooth: 1.0, ..loss }, [x, x], [0.0; 2]).0 < 1e-40);
        }
    }

    #[test]
    fn tiny_numbers_are_in_proportion_as_others() {
        let loss = |squared| DiceLoss {
            squared,
            activation: DiceActivation::None,
            smooth: 0.0,
            ..Default::default()
        };
        let tiny = 2f32.powi(-80);
        let (l, d) = at(loss(true), [tiny, tiny], [tiny, 0.0]); // F = 1, N = 3, I = 2
        assert!((l - 1.0 / 3.0).abs() < 1e-7 && (d[1] * tiny - 4.0 / 9.0).abs() < 1e-7);
        assert!((at(loss(false), [tiny, tiny], [tiny, 0.0]).1[1] - 2.0 / 9.0).abs() < 1e-7);
    }
}
