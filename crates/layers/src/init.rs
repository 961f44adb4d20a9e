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
use surprisal_settings::{Kind, Problem, Range, SettingError, named};
use surprisal_tensor::Scalar;

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

macro_rules! initializers {
    ($($(#[$doc:meta])* $Name:ident $(($number:ident: $type:ident $(= $default:literal)? in $range:expr))? $text:literal, |$n_in:pat_param, $n_out:pat_param| $draw:expr;)+) => {
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
        ///     "no initializer is named \"xavier\" | known: zeros, constant:VALUE, uniform:BOUND, normal:STD, linear, \
        ///      normal_over_sqrt_inputs, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal:GAIN \
        ///      | did you mean \"xavier_normal\"?"
        /// );
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Init { $($(#[$doc])* $Name $(($type))?,)+ }

        impl Init {
            /// The numbers to draw for a layer with these numbers of inputs and outputs.
            fn draw(self, inputs: f64, outputs: f64) -> Draw {
                match self { $(Init::$Name $(($number))? => { let ($n_in, $n_out) = (inputs, outputs); $draw })+ }
            }

            /// Its text without a number, the number, and the numbers that it may be.
            fn written(self) -> (&'static str, Option<(f64, Range)>) {
                match self { $(Init::$Name $(($number))? => ($text, [$(($number, $range))?].first().copied()),)+ }
            }

            /// With another number, if it has one.
            fn with(self, number: f64) -> Init {
                match self { $(Init::$Name { .. } => Init::$Name $(({ let $number: $type = number; $number }))?,)+ }
            }

            /// Every one of them; those with a number have their default, or NaN.
            const ALL: &[Init] = &[$(Init::$Name $((initializers!(@default $number $($default)?)))?),+];
        }
    };
    (@default $number:ident) => { f64::NAN };
    (@default $number:ident $default:literal) => { $default };
}

/// A distribution.
enum Draw {
    Constant(f64),
    Uniform(f64),
    Normal(f64),
    Orthogonal(f64),
}

initializers! {
    /// 0. For biases; weights that are all equal stay equal.
    Zeros "zeros", |_, _| Draw::Constant(0.0);
    /// Every number this one.
    Constant(value: f64 in Range::ANY) "constant:VALUE", |_, _| Draw::Constant(value);
    /// Uniform in ±bound.
    Uniform(bound: f64 in Range::NOT_NEGATIVE) "uniform:BOUND", |_, _| Draw::Uniform(bound);
    /// Normal with mean 0 and this standard deviation: N(0, 1) is `Normal(1.0)`.
    Normal(std: f64 = 1.0 in Range::NOT_NEGATIVE) "normal:STD", |_, _| Draw::Normal(std);
    /// Uniform in ±1/√n_in: what PyTorch's `Linear` does for weight and bias.
    Linear "linear", |n_in, _| Draw::Uniform(1.0 / n_in.sqrt());
    /// Normal with standard deviation 1/√n_in (LeCun et al. 1998).
    NormalOverSqrtInputs "normal_over_sqrt_inputs", |n_in, _| Draw::Normal(1.0 / n_in.sqrt());
    /// Uniform in ±a (Glorot and Bengio 2010).
    ///
    #[doc = math!("a = √(6 / (n_in + n_out))")]
    XavierUniform "xavier_uniform", |n_in, n_out| Draw::Uniform((6.0 / (n_in + n_out)).sqrt());
    /// Normal with standard deviation s (Glorot and Bengio 2010).
    ///
    #[doc = math!("s = √(2 / (n_in + n_out))")]
    XavierNormal "xavier_normal", |n_in, n_out| Draw::Normal((2.0 / (n_in + n_out)).sqrt());
    /// Uniform in ±a, for relu (He et al. 2015).
    ///
    #[doc = math!("a = √(6 / n_in)")]
    KaimingUniform "kaiming_uniform", |n_in, _| Draw::Uniform((6.0 / n_in).sqrt());
    /// Normal with standard deviation s, for relu (He et al. 2015).
    ///
    #[doc = math!("s = √(2 / n_in)")]
    KaimingNormal "kaiming_normal", |n_in, _| Draw::Normal((2.0 / n_in).sqrt());
    /// A random rotation times this gain, for weights: the columns are orthogonal with the gain as their norm, or the rows, if
    /// there are fewer rows than columns. So the signal keeps its norm through any number of linear layers, not only
    /// in the mean (Saxe et al. 2014). A gain of 1 is usual, √2 before relu.
    Orthogonal(gain: f64 = 1.0 in Range::NOT_NEGATIVE) "orthogonal:GAIN", |_, _| Draw::Orthogonal(gain);
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
    /// If its number is out of its range: not finite, or negative for a bound, standard deviation or gain; if a bias is to be orthogonal.
    #[track_caller]
    pub fn fill<T: Scalar>(self, slots: &mut [T], n_in: usize, n_out: usize, rng: &mut Rng) {
        if let (_, Some((number, range))) = self.written()
            && !range.holds(number)
        {
            panic!("{self:?}: expected {}, found {number}", Kind::Number(range));
        }
        match self.draw(n_in.max(1) as f64, n_out as f64) {
            Draw::Constant(value) => slots.fill(T::of(value)),
            Draw::Orthogonal(gain) => fill_orthogonal(slots, n_in, n_out, gain, rng),
            Draw::Uniform(bound) => {
                let distribution =
                    Uniform::new_inclusive(-bound, bound).expect("a finite range has an order");
                slots.fill_with(|| T::of(distribution.sample(rng)));
            }
            Draw::Normal(std) => {
                let distribution = Normal::new(0.0, std).expect("it is finite and not negative");
                slots.fill_with(|| T::of(distribution.sample(rng)));
            }
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
        let (text, number) = self.written();
        f.write_str(named(text).0)?;
        number.map_or(Ok(()), |(number, _)| write!(f, ":{number}"))
    }
}

impl FromStr for Init {
    type Err = SettingError;
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let (name, number) = named(text);
        let Some(init) = Init::ALL.iter().find(|init| named(init.written().0).0 == name) else {
            let known = Init::ALL.iter().map(|init| init.written().0).collect();
            return Err(Problem::Unknown { what: "initializer", found: text.into(), known }.of(""));
        };
        let number = match (init.written().1, number) {
            (None, None) => return Ok(*init),
            (Some((default, _)), None) if !default.is_nan() => return Ok(*init),
            (None, Some(found)) => {
                let expected = Kind::Word(&["no number"]).into();
                return Err(Problem::Value { name: name.into(), expected, found: found.into() }.of(""));
            }
            (Some((_, range)), number) => {
                let found = number.unwrap_or("").trim();
                let number = found.parse().ok().filter(|number| range.holds(*number));
                number.ok_or_else(|| {
                    let expected = Kind::Number(range).into();
                    Problem::Value { name: name.into(), expected, found: found.into() }.of("")
                })?
            }
        };
        Ok(init.with(number))
    }
}
