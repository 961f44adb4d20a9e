//! Where weights start.
//!
//! A start that is too small lets the signal die from layer to layer, one that is too large saturates every sigmoid; both
//! stop learning before it begins. The usual starts keep the variance of the signal, or of the gradient, the same
//! through a layer of `n_in` inputs and `n_out` outputs.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Uniform};
use surprisal_tensor::Scalar;

/// The generator of everything that is drawn: portable, so that a seed gives the same numbers on every machine.
pub type Rng = ChaCha8Rng;

/// A generator from a seed. There is no other source of chance: what is not drawn from a generator you pass is not random.
///
/// ```
/// use rand::RngExt;
/// let (a, b): (f64, f64) = (surprisal_layers::rng(7).random(), surprisal_layers::rng(7).random());
/// assert_eq!(a, b);
/// ```
pub fn rng(seed: u64) -> Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// How the numbers of a parameter are drawn.
///
/// ```
/// use surprisal_layers::{Init, rng};
/// let mut weights = [0f32; 10_000];
/// Init::XavierNormal.fill(&mut weights, 100, 100, &mut rng(0));
/// let variance = weights.iter().map(|w| w * w).sum::<f32>() / 1e4;
/// assert!((variance - 0.01).abs() < 0.001); // 2 / (100 + 100)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// 0. For biases; weights that are all equal stay equal.
    Zeros,
    /// Every number this one.
    Constant(f64),
    /// Uniform in ±bound.
    Uniform(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform in ±1/√n_in: what PyTorch's `Linear` does for weight and bias.
    Linear,
    /// Normal with standard deviation 1/√n_in (LeCun et al. 1998).
    NormalOverSqrtInputs,
    /// Uniform in ±√(6 / (n_in + n_out)) (Glorot and Bengio 2010).
    XavierUniform,
    /// Normal with standard deviation √(2 / (n_in + n_out)) (Glorot and Bengio 2010).
    XavierNormal,
    /// Uniform in ±√(6 / n_in), for relu (He et al. 2015).
    KaimingUniform,
    /// Normal with standard deviation √(2 / n_in), for relu (He et al. 2015).
    KaimingNormal,
}

impl Init {
    /// Draws every number of a parameter of a layer with so many inputs and outputs.
    ///
    /// Drawn in `f64` and rounded, so that the same seed starts an `f32` and an `f64` model alike.
    ///
    /// # Panics
    /// If a bound or deviation is negative or not finite.
    #[track_caller]
    pub fn fill<T: Scalar>(self, slots: &mut [T], n_in: usize, n_out: usize, rng: &mut Rng) {
        let (n_in, n_out) = (n_in.max(1) as f64, n_out as f64);
        let (uniform, size) = match self {
            Init::Zeros => return slots.fill(T::ZERO),
            Init::Constant(value) => return slots.fill(T::of(value)),
            Init::Uniform(bound) => (true, bound),
            Init::Normal(deviation) => (false, deviation),
            Init::Linear => (true, 1.0 / n_in.sqrt()),
            Init::NormalOverSqrtInputs => (false, 1.0 / n_in.sqrt()),
            Init::XavierUniform => (true, (6.0 / (n_in + n_out)).sqrt()),
            Init::XavierNormal => (false, (2.0 / (n_in + n_out)).sqrt()),
            Init::KaimingUniform => (true, (6.0 / n_in).sqrt()),
            Init::KaimingNormal => (false, (2.0 / n_in).sqrt()),
        };
        assert!(size >= 0.0 && size.is_finite(), "{self:?}: a bound or deviation is finite and not negative");
        if uniform {
            let distribution = Uniform::new_inclusive(-size, size).expect("a finite range has an order");
            slots.fill_with(|| T::of(distribution.sample(rng)));
        } else {
            let distribution = Normal::new(0.0, size).expect("a deviation that is finite and not negative");
            slots.fill_with(|| T::of(distribution.sample(rng)));
        }
    }
}
