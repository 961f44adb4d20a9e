//! Initialization of weights.
//!
//! With initial weights that are too small the signal vanishes from layer to layer, with too large ones every sigmoid saturates;
//! both stop learning before it begins. The usual initializers keep the variance of the signal, or of the gradient, the same
//! through a layer of `n_in` inputs and `n_out` outputs.

use std::fmt;
use std::str::FromStr;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, StandardNormal, Uniform};
use surprisal_formula_macro::math;
use surprisal_tensor::Scalar;

use crate::NameError;

/// The generator of everything that is drawn: portable, so that a seed gives the same numbers on every machine.
pub type Rng = ChaCha8Rng;

/// A generator from a seed. There is no other source of randomness: all random numbers come from a generator that you pass.
///
/// ```
/// use rand::RngExt;
/// let (a, b): (f64, f64) = (surprisal_layers::rng(7).random(), surprisal_layers::rng(7).random());
/// assert_eq!(a, b);
/// ```
pub fn rng(seed: u64) -> Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number from the standard normal distribution, for noise.
///
/// ```
/// use surprisal_layers::{normal, rng};
/// use surprisal_tensor::{Params, Workspace};
/// let (params, mut workspace, mut rng) = (Params::new(), Workspace::new(), rng(7));
/// let tape = workspace.tape(&params);
/// let noise = tape.input_with([1000, 8], |_| normal(&mut rng));
/// assert!(noise.mean().item().abs() < 0.05);
/// ```
pub fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
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
///
/// Written as text, for a command line:
///
/// ```
/// # use surprisal_layers::Init;
/// assert_eq!("xavier_uniform".parse(), Ok(Init::XavierUniform));
/// assert_eq!("uniform:0.1".parse(), Ok(Init::Uniform(0.1)));
/// assert_eq!("normal".parse(), Ok(Init::Normal(1.0)));
/// assert_eq!(Init::Orthogonal(1.0).to_string(), "orthogonal:1");
/// assert_eq!(
///     "xavier".parse::<Init>().unwrap_err().to_string(),
///     "unknown initializer \"xavier\": choose zeros, constant:VALUE, uniform:BOUND, normal, normal:DEVIATION, linear, \
///      normal_over_sqrt_inputs, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal or \
///      orthogonal:GAIN; numbers are finite, a bound, standard deviation or gain not negative"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// 0. For biases; weights that are all equal stay equal.
    Zeros,
    /// Every number this one.
    Constant(f64),
    /// Uniform in ±bound.
    Uniform(f64),
    /// Normal with mean 0 and this standard deviation: N(0, 1) is `Normal(1.0)`.
    Normal(f64),
    /// Uniform in ±1/√n_in: what PyTorch's `Linear` does for weight and bias.
    Linear,
    /// Normal with standard deviation 1/√n_in (LeCun et al. 1998).
    NormalOverSqrtInputs,
    /// Uniform in ±a (Glorot and Bengio 2010).
    ///
    #[doc = math!("a = √(6 / (n_in + n_out))")]
    XavierUniform,
    /// Normal with standard deviation s (Glorot and Bengio 2010).
    ///
    #[doc = math!("s = √(2 / (n_in + n_out))")]
    XavierNormal,
    /// Uniform in ±a, for relu (He et al. 2015).
    ///
    #[doc = math!("a = √(6 / n_in)")]
    KaimingUniform,
    /// Normal with standard deviation s, for relu (He et al. 2015).
    ///
    #[doc = math!("s = √(2 / n_in)")]
    KaimingNormal,
    /// A random rotation times this gain, for weights: the columns are orthogonal and as long as the gain, or the rows, if
    /// there are fewer rows than columns. So the signal keeps its length through any number of linear layers, not only
    /// in the mean (Saxe et al. 2014). A gain of 1 is usual, √2 before relu.
    Orthogonal(f64),
}

impl Init {
    /// Draws every number of a parameter of a layer with `n_in` inputs and `n_out` outputs; a weight is `[n_in, n_out]`, by rows.
    ///
    /// Drawn in `f64` and rounded, so that the same seed initializes an `f32` and an `f64` model alike.
    ///
    /// ```
    /// use surprisal_layers::{Init, rng};
    /// let mut weight = [0f64; 100 * 10]; // 100 inputs, 10 outputs
    /// Init::Linear.fill(&mut weight, 100, 10, &mut rng(7));
    /// assert!(weight.iter().all(|w| w.abs() <= 0.1)); // 1/√100
    /// let mut in_f32 = [0f32; 100 * 10];
    /// Init::Linear.fill(&mut in_f32, 100, 10, &mut rng(7));
    /// assert_eq!(in_f32, weight.map(|w| w as f32)); // one seed, one start
    /// ```
    ///
    /// # Panics
    /// If a bound, standard deviation or gain is negative or not finite; if a bias is to be orthogonal.
    #[track_caller]
    pub fn fill<T: Scalar>(self, slots: &mut [T], n_in: usize, n_out: usize, rng: &mut Rng) {
        assert!(self.is_drawable(), "{self:?}: a bound, deviation or gain is finite and not negative");
        let (inputs, outputs) = (n_in.max(1) as f64, n_out as f64);
        let (uniform, size) = match self {
            Init::Zeros => return slots.fill(T::ZERO),
            Init::Constant(value) => return slots.fill(T::of(value)),
            Init::Orthogonal(gain) => return fill_orthogonal(slots, n_in, n_out, gain, rng),
            Init::Uniform(bound) => (true, bound),
            Init::Normal(deviation) => (false, deviation),
            Init::Linear => (true, 1.0 / inputs.sqrt()),
            Init::NormalOverSqrtInputs => (false, 1.0 / inputs.sqrt()),
            Init::XavierUniform => (true, (6.0 / (inputs + outputs)).sqrt()),
            Init::XavierNormal => (false, (2.0 / (inputs + outputs)).sqrt()),
            Init::KaimingUniform => (true, (6.0 / inputs).sqrt()),
            Init::KaimingNormal => (false, (2.0 / inputs).sqrt()),
        };
        if uniform {
            let distribution = Uniform::new_inclusive(-size, size).expect("a finite range has an order");
            slots.fill_with(|| T::of(distribution.sample(rng)));
        } else {
            let distribution = Normal::new(0.0, size).expect("a deviation that is finite and not negative");
            slots.fill_with(|| T::of(distribution.sample(rng)));
        }
    }

    fn is_drawable(self) -> bool {
        match self {
            Init::Uniform(size) | Init::Normal(size) | Init::Orthogonal(size) => {
                size >= 0.0 && size.is_finite()
            }
            _ => true,
        }
    }
}

#[track_caller]
fn fill_orthogonal<T: Scalar>(slots: &mut [T], n_in: usize, n_out: usize, gain: f64, rng: &mut Rng) {
    assert!(
        n_in.checked_mul(n_out) == Some(slots.len()),
        "Init::Orthogonal initializes a weight, [{n_in}, {n_out}], not {} numbers: initialize a bias with Init::Zeros",
        slots.len()
    );
    let directions = orthonormal(n_in.min(n_out), n_in.max(n_out), rng);
    for i in 0..n_in {
        for j in 0..n_out {
            let number = if n_in < n_out { directions[i][j] } else { directions[j][i] };
            slots[i * n_out + j] = T::of(gain * number);
        }
    }
}

/// So many orthonormal vectors, every direction equally likely: normal vectors, made orthogonal one after the other (Gram
/// and Schmidt).
///
/// This is the Q of the QR decomposition of a normal matrix whose R has a positive diagonal, which is what PyTorch's
/// sign correction makes of its QR. Each vector is cleaned twice, since the first time leaves what rounding adds.
fn orthonormal(count: usize, length: usize, rng: &mut Rng) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector: Vec<f64> = (0..length).map(|_| StandardNormal.sample(rng)).collect();
        for earlier in directions.iter().chain(&directions) {
            let along = dot(earlier, &vector);
            vector.iter_mut().zip(earlier).for_each(|(v, e)| *v -= along * e);
        }
        let length = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|v| *v /= length);
        directions.push(vector);
    }
    directions
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Init::Zeros => f.write_str("zeros"),
            Init::Constant(value) => write!(f, "constant:{value}"),
            Init::Uniform(bound) => write!(f, "uniform:{bound}"),
            Init::Normal(deviation) => write!(f, "normal:{deviation}"),
            Init::Linear => f.write_str("linear"),
            Init::NormalOverSqrtInputs => f.write_str("normal_over_sqrt_inputs"),
            Init::XavierUniform => f.write_str("xavier_uniform"),
            Init::XavierNormal => f.write_str("xavier_normal"),
            Init::KaimingUniform => f.write_str("kaiming_uniform"),
            Init::KaimingNormal => f.write_str("kaiming_normal"),
            Init::Orthogonal(gain) => write!(f, "orthogonal:{gain}"),
        }
    }
}

impl FromStr for Init {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let unknown = || NameError::Init { found: text.into() };
        let finite = |number: &str| number.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(unknown);
        let (name, number) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => (name, Some(finite(number)?)),
        };
        let init = match (name, number) {
            ("zeros", None) => Init::Zeros,
            ("constant", Some(value)) => Init::Constant(value),
            ("uniform", Some(bound)) => Init::Uniform(bound),
            ("normal", deviation) => Init::Normal(deviation.unwrap_or(1.0)),
            ("linear", None) => Init::Linear,
            ("normal_over_sqrt_inputs", None) => Init::NormalOverSqrtInputs,
            ("xavier_uniform", None) => Init::XavierUniform,
            ("xavier_normal", None) => Init::XavierNormal,
            ("kaiming_uniform", None) => Init::KaimingUniform,
            ("kaiming_normal", None) => Init::KaimingNormal,
            ("orthogonal", gain) => Init::Orthogonal(gain.unwrap_or(1.0)),
            _ => return Err(unknown()),
        };
        if init.is_drawable() { Ok(init) } else { Err(unknown()) }
    }
}
