//! Dropout: a part of the numbers, drawn anew each time, is left out.

use surprisal_formula_macro::math;
use surprisal_settings::{Kind, Range, Setting};

use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::threads::{HEAVY, for_each};
use crate::{Scalar, Shape, ShapeError, Var};

/// Sets each number to 0 with probability p and divides the others by 1 - p, so that the mean stays.
///
#[doc = math!("y_i = m_i x_i / (1 - p)")]
#[doc = math!("dx_i = m_i dy_i / (1 - p)")]
///
/// with m_i = 0 or 1 drawn from the seed and i alone: backward draws the same again, so nothing is kept.
/// (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.)
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability of being left out, in [0, 1).
    pub p: f64,
    /// What the mask is drawn from: the same seed gives the same mask.
    pub seed: u64,
}

const P: Setting = Setting {
    name: "p",
    kind: Kind::Number(Range::BELOW_ONE),
    default: "0.5",
    help: "Probability of being left out",
};

impl Dropout {
    pub(super) const CARD: Card = Card {
        name: "dropout",
        inputs: "x",
        forward: "m x / (1 - p), m = 0 or 1",
        backward: "m dy / (1 - p)",
        story: "Leaves a part out at random, so that no unit can rely on another being there.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[P, by_name::whole("seed", "0", "What decides which numbers are left out")],
        run: |given| given.record(Dropout { p: given.number("p")?, seed: given.whole("seed")? as u64 }),
    };

    /// y = m x / (1 - p)
    fn mask<T: Scalar>(self, x: &[T], y: &mut [T]) {
        for_each((x, y), HEAVY, |first, (x, y)| dropout(self, first, x, y));
    }
}

/// The mixer of splitmix64: every bit of the result depends on every bit of z.
/// (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.)
#[inline(always)]
fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

crate::kernel! {
    /// The i-th random number is that of splitmix64 started at the mixed seed, so that seeds near each other do not give
    /// the same mask shifted.
    fn dropout<T: Scalar>(op: Dropout, first: usize, x: &[T], y: &mut [T]) {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let start = mix(op.seed.wrapping_add(GOLDEN)).wrapping_add((first as u64).wrapping_mul(GOLDEN));
        let bits_53 = (1u64 << 53) as f64;
        let (least, scale) = ((op.p * bits_53) as u64, T::of(1.0 / (1.0 - op.p)));
        for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
            let random = mix(start.wrapping_add((i as u64).wrapping_mul(GOLDEN))) >> 11;
            *y = if random >= least { scale * x } else { T::ZERO };
        }
    }
}

impl Op for Dropout {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        if (0.0..1.0).contains(&self.p) {
            return Ok(*inputs.shape(0));
        }
        Err(ShapeError::new(format!("p = {} is not in [0, 1)", self.p))
            .hint("p is the probability of being left out: 0 keeps everything, 1 would keep nothing"))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        self.mask(f.inputs.x(0), f.y);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let dy = b.dy;
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, _| self.mask(dy, dx));
        }
    }
}

impl<'t> Var<'t> {
    /// Each number is set to 0 with probability p, or else divided by 1 - p. The same seed gives the same mask: take a
    /// new one for every layer and step, and leave dropout out when evaluating.
    ///
    #[doc = math!("y = m x / (1 - p), m = 0 or 1")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array1};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let y = tape.input(&Array1::<f64>::ones(1000)).dropout(0.2, 7);
    /// assert!(y.value().iter().all(|&y| y == 0.0 || y == 1.25));
    /// assert!((y.mean().item() - 1.0).abs() < 0.05); // the mean stays
    /// ```
    ///
    /// # Panics
    /// At the caller's line, unless p is in [0, 1).
    #[track_caller]
    pub fn dropout(self, p: f64, seed: u64) -> Var<'t> {
        self.tape().apply(Dropout { p, seed }, [self])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use crate::ops::{at, complaint};

    fn mask(p: f64, seed: u64) -> Vec<f32> {
        at(&Array1::ones(100_000), |x| x.dropout(p, seed)).0.into_iter().collect()
    }

    #[test]
    fn a_part_is_left_out_and_the_mean_stays() {
        for p in [0.1, 0.5, 0.9] {
            let y = mask(p, 1);
            let out = y.iter().filter(|&&y| y == 0.0).count() as f64 / 1e5;
            assert!((out - p).abs() < 4.0 * (p * (1.0 - p) / 1e5).sqrt(), "{out} left out, not {p}"); // 4 standard deviations
            assert!(y.iter().all(|&y| y == 0.0 || y == (1.0 / (1.0 - p)) as f32));
        }
        assert_eq!(mask(0.0, 1), [1.0; 100_000]);
    }

    #[test]
    fn the_seed_decides_and_nothing_else() {
        assert_eq!(mask(0.5, 3), mask(0.5, 3));
        let (y, dx) = at(&Array1::<f32>::ones(1000), |x| x.dropout(0.3, 9));
        assert_eq!(y, dx); // backward draws the same mask
        // other seeds, also one that is a step of the generator away, agree in half the places, wherever they are laid
        for other in [4, 3u64.wrapping_add(0x9e37_79b9_7f4a_7c15)] {
            let (a, b) = (mask(0.5, 3), mask(0.5, other));
            for shift in 0..3 {
                let equal = a.iter().skip(shift).zip(&b).filter(|(a, b)| a == b).count();
                assert!((equal as f64 / 1e5 - 0.5).abs() < 0.01, "seed {other}, shift {shift}: {equal}");
            }
        }
    }

    #[test]
    fn a_probability_of_one_or_more_is_an_error() {
        let messages = [1.0, -0.1, f64::NAN].map(|p| complaint(|| mask(p, 0)));
        expect_test::expect![[r#"
            dropout: p = 1 is not in [0, 1)
              input:  input [100000]
              hint: p is the probability of being left out: 0 keeps everything, 1 would keep nothing
            dropout: p = -0.1 is not in [0, 1)
              input:  input [100000]
              hint: p is the probability of being left out: 0 keeps everything, 1 would keep nothing
            dropout: p = NaN is not in [0, 1)
              input:  input [100000]
              hint: p is the probability of being left out: 0 keeps everything, 1 would keep nothing"#]]
        .assert_eq(&messages.join("\n"));
    }
}
