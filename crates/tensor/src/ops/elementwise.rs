//! One number in, one number out: a table of functions, each with its derivative beside it.

use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

use surprisal_formula_macro::math;

use super::by_name::{self, Signature};
use super::{Call, Domain, Entry};
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::threads::{HEAVY, for_each};
use crate::{Scalar, Shape, ShapeError, Var};

/// A function of one number and its derivative; [`Map`] makes an operation of it.
///
/// ```
/// use surprisal_tensor::{Card, Params, Scalar, Workspace, check_gradient, ndarray::array, ops::elementwise::Elementwise};
///
/// #[derive(Clone, Copy)]
/// struct Swish(f64); // x σ(βx)
/// impl Elementwise for Swish {
///     const CARD: Card = Card { name: "swish", inputs: "x", forward: "x σ(βx)", backward: "(σ(βx) + βx σ'(βx)) dy", story: "" };
///     fn f<T: Scalar>(&self, x: T) -> T {
///         x * (T::of(self.0) * x).sigmoid()
///     }
///     fn df<T: Scalar>(&self, x: T, _y: T) -> T {
///         let bx = T::of(self.0) * x;
///         bx.sigmoid() + bx * bx.sigmoid_prime()
///     }
/// }
/// check_gradient(&[array![0.3, -2.0].into_dyn()], |_, x| x[0].map(Swish(1.5)));
/// ```
pub trait Elementwise: Copy + Send + Sync + 'static {
    /// The card of the function.
    const CARD: Card;
    /// y = f(x)
    fn f<T: Scalar>(&self, x: T) -> T;
    /// dy/dx, from x and y = f(x): whichever keeps more digits.
    fn df<T: Scalar>(&self, x: T, y: T) -> T;
    /// Whether a slope of 0 stops whatever comes back, be it infinite: where the function is constant (relu below 0), or 0 was chosen
    /// among the slopes at a kink. Otherwise the gradient is the product of the two, and 0 times an infinity is NaN.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![-1.0, 4.0]).requires_grad();
    /// x.relu().sqrt().sum().backward(); // the slope of the root is infinite at 0
    /// assert_eq!(x.grad(), Some(array![0.0, 0.25].into_dyn()));
    /// ```
    fn zero_stops(&self) -> bool {
        false
    }
    /// Whether its settings make sense, or what is wrong with them.
    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }
    /// Its settings: see [`Op::settings`].
    fn settings(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

/// The operation that applies an [`Elementwise`] function to every number of its input.
pub struct Map<F>(pub F);

const PIECE: usize = 2 * HEAVY; // relu is light, tanh is not

crate::kernel! {
    fn map<T: Scalar, F: Elementwise>(f: F, x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) { *y = f.f(x) }
    }
}
crate::kernel! {
    fn map_back<T: Scalar, F: Elementwise>(f: F, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
        let numbers = dx.iter_mut().zip(x).zip(y).zip(dy);
        if f.zero_stops() {
            for (((dx, &x), &y), &dy) in numbers {
                let df = f.df(x, y);
                *dx = if df == T::ZERO { T::ZERO } else { df * dy };
            }
        } else {
            for (((dx, &x), &y), &dy) in numbers { *dx = f.df(x, y) * dy }
        }
    }
}

impl<F: Elementwise> Op for Map<F> {
    fn card(&self) -> Card {
        F::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        self.0.check().map(|()| *inputs.shape(0))
    }
    fn is_elementwise(&self) -> bool {
        true
    }
    fn settings(&self) -> Vec<(&'static str, f64)> {
        self.0.settings()
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        for_each((f.inputs.x(0), &mut *f.y), PIECE, |_, (x, y)| map(self.0, x, y));
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (x, y, dy) = (b.x(0), b.y, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, _| {
                for_each((x, y, dy, dx), PIECE, |_, (x, y, dy, dx)| map_back(self.0, x, y, dy, dx));
            });
        }
    }
}

impl<'t> Var<'t> {
    /// Applies a function to every number.
    ///
    /// Every method such as [`relu`](Self::relu) is one of these; [`Elementwise`] shows a function of one's own.
    ///
    /// ```
    /// use surprisal_tensor::ops::elementwise::{LeakyRelu, Tanh};
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![-2.0, 2.0]);
    /// assert_eq!(x.map(Tanh).value(), x.tanh().value());
    /// assert_eq!(x.map(LeakyRelu { slope: 0.5 }).value(), array![-1.0, 2.0].into_dyn());
    /// ```
    #[track_caller]
    pub fn map<F: Elementwise>(self, f: F) -> Var<'t> {
        self.tape().apply(Map(f), [self])
    }
}

/// `/// story`, then: Type method, an example's numbers and their results to four places, "formula", "derivative", domain, f, df, and,
/// if not all settings make sense, their check, and where a slope of 0 stops infinities: see [`Elementwise::zero_stops`].
/// Settings stand behind the type, each with the value that the gradient checks use: `Type { slope = 0.1 }`.
macro_rules! elementwise {
    ($($(#[doc = $story:literal])+ $Type:ident $({ $($(#[doc = $about:literal])+ $field:ident = $sample:expr),+ })? $method:ident
       [$($at:expr),+] to [$($is:expr),+], $forward:literal, $backward:literal, $domain:ident,
       |$x:ident| $f:expr, |$dx:pat_param, $dy:pat_param| $df:expr $(, |$own:ident| $check:expr)? $(, 0 stops where |$it:pat_param| $stops:expr)?;)+) => {
        $(
            item! {
                $(#[doc = $story])+
                ///
                #[doc = math!("y = " $forward)]
                #[doc = math!("dx = " $backward)]
                ///
                #[doc = concat!("See the example of [`", stringify!($method), "`](crate::Var::", stringify!($method), ").")]
                $Type $({ $($(#[doc = $about])+ $field),+ })?
            }
            #[allow(unused_variables)] // not every function uses all its settings in both
            impl Elementwise for $Type {
                const CARD: Card = Card {
                    name: stringify!($method),
                    inputs: "x",
                    forward: $forward,
                    backward: $backward,
                    story: concat!($($story),+).trim_ascii(),
                };
                #[inline(always)]
                fn f<T: Scalar>(&self, $x: T) -> T {
                    let $Type $({ $($field),+ })? = *self;
                    $f
                }
                #[inline(always)]
                fn df<T: Scalar>(&self, $dx: T, $dy: T) -> T {
                    let $Type $({ $($field),+ })? = *self;
                    $df
                }
                $(fn check(&self) -> Result<(), ShapeError> {
                    let $own = self;
                    $check
                })?
                $(fn settings(&self) -> Vec<(&'static str, f64)> {
                    vec![$((stringify!($field), self.$field)),+]
                })?
                $(#[inline(always)]
                fn zero_stops(&self) -> bool {
                    let $it = self;
                    $stops
                })?
            }
        )+
        $(impl $Type {
            /// Applies it to every number, as [`Var::map`] does; not compiled again where it is called.
            #[track_caller]
            pub fn apply<'t>(self, x: Var<'t>) -> Var<'t> { x.map(self) }
        })+
        #[allow(clippy::should_implement_trait)] // `neg` is the operator too
        impl<'t> Var<'t> {
            $(
                $(#[doc = $story])+
                ///
                #[doc = math!("y = " $forward)]
                #[doc = math!("dx = " $backward)]
                ///
                /// ```
                /// # use surprisal_tensor::{Params, Workspace, check_gradient, ndarray::array};
                #[doc = concat!("let x = array![", stringify!($($at),+), "].into_dyn();")]
                #[doc = concat!(
                    "let y = Workspace::new().eval(&Params::<f64>::default(), |tape| tape.input(&x).",
                    stringify!($method), "(", $(stringify!($($sample),+),)? "));"
                )]
                #[doc = concat!(
                    "assert_eq!(y.mapv(|y| (y * 1e4).round() / 1e4), array![", stringify!($($is),+), "].into_dyn());"
                )]
                #[doc = concat!(
                    "check_gradient(&[x], |_, x| x[0].", stringify!($method), "(", $(stringify!($($sample),+),)? "));"
                )]
                /// ```
                #[track_caller]
                pub fn $method(self $($(, $field: f64)+)?) -> Var<'t> { $Type $({ $($field),+ })? .apply(self) }
            )+
        }
        pub(super) const TABLE: &[Entry] = &[
            $(Entry {
                card: $Type::CARD,
                domain: Domain::$domain,
                call: Call::Unary(|x| x.$method($($($sample),+)?)),
                signature: Signature {
                    inputs: by_name::X,
                    settings: &[$($(by_name::number(stringify!($field), "", concat!($($about),+).trim_ascii())),+)?],
                    run: |given| {
                        $($(let $field = given.number(stringify!($field))?;)+)?
                        given.record(Map($Type $({ $($field),+ })?))
                    },
                },
            }),+
        ];
    };
}

/// A struct with or without fields.
macro_rules! item {
    ($(#[$meta:meta])+ $Type:ident) => {
        $(#[$meta])+
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $Type;
    };
    ($(#[$meta:meta])+ $Type:ident { $($(#[$about:meta])+ $field:ident),+ }) => {
        $(#[$meta])+
        #[derive(Clone, Copy, Debug)]
        pub struct $Type { $($(#[$about])+ pub $field: f64),+ }
    };
}

elementwise! {
    /// Changes the sign.
    Neg neg [-1.0, 2.0] to [1.0, -2.0], "-x", "-dy", Any, |x| -x, |_, _| -T::ONE;

    /// The distance from 0. Its derivative at 0 is taken as 0.
    Abs abs [-3.0, 2.0] to [3.0, 2.0], "|x|", "sign(x) dy", NonZero, |x| x.abs(),
        |x, _| if x > T::ZERO { T::ONE } else if x < T::ZERO { -T::ONE } else { T::ZERO },
        0 stops where |_| true;

    /// The function that is its own derivative.
    Exp exp [0.0, 1.0] to [1.0, 2.7183], "e^x", "y dy", Any, |x| x.exp(), |_, y| y;

    /// e^x less its value at 0, in one: near 0, where e^x rounds to 1, it keeps every digit.
    ExpM1 exp_m1 [0.0, 1.0] to [0.0, 1.7183], "e^x - 1", "e^x dy", Any, |x| x.exp_m1(), |x, _| x.exp();

    /// The natural logarithm: the surprise of an event of probability x is -ln x. Defined for x > 0.
    Ln ln [0.5, 1.0] to [-0.6931, 0.0], "ln x", "dy / x", Positive, |x| x.ln(), |x, _| T::ONE / x;

    /// The logarithm of what is a little more or less than 1, without rounding it to 1 first. Defined for x > -1.
    Ln1p ln_1p [0.0, 1.0] to [0.0, 0.6931],
        "ln(1 + x)", "dy / (1 + x)", AboveMinusOne, |x| x.ln_1p(), |x, _| T::ONE / (T::ONE + x);

    /// Grows fastest where it is largest: why squared error punishes large errors hard.
    Square square [-3.0, 2.0] to [9.0, 4.0], "x²", "2 x dy", Any, |x| x * x, |x, _| x + x;

    /// Undoes the square. Defined for x >= 0; at 0 its slope is infinite.
    Sqrt sqrt [2.0, 9.0] to [1.4142, 3.0], "√x", "dy / (2 y)", Positive, |x| x.sqrt(), |_, y| T::ONE / (y + y);

    /// One over x; x must not be 0.
    Recip recip [-4.0, 2.0] to [-0.25, 0.5], "1 / x", "-y² dy", NonZero, |x| T::ONE / x, |_, y| -y * y;

    /// Any fixed power. Defined for x > 0, and for every x if the exponent is a whole number. At 0 the slope is infinite for an
    /// exponent below 1, but for 0: x^0 is 1 everywhere, and its slope 0.
    Powf {
        /// The power.
        exponent = 1.7
    } powf [0.5, 2.0] to [0.3078, 3.249],
        "x^exponent", "exponent x^(exponent - 1) dy", Positive, |x| x.powf(exponent),
        |x, _| if exponent == 0.0 { T::ZERO } else { T::of(exponent) * x.powf(exponent - 1.0) },
        0 stops where |power| power.exponent == 0.0;

    /// Cuts off what lies outside an interval; what was cut gets no gradient. Its derivative at the borders is taken as 0.
    Clamp {
        /// The smallest result.
        low = -0.75,
        /// The largest.
        high = 1.25
    } clamp [0.3, 1.7] to [0.3, 1.25], "min(max(x, low), high)", "dy where low < x < high, else 0", Any,
        |x| {
            let (low, high) = (T::of(low), T::of(high));
            if x < low { low } else if x > high { high } else { x }
        },
        |x, _| if x > T::of(low) && x < T::of(high) { T::ONE } else { T::ZERO },
        |clamp| interval(clamp.low, clamp.high), 0 stops where |_| true;

    /// Squashes any number into (0, 1): the probability of "yes" whose log-odds are x.
    /// Its derivative is at most 1/4 and vanishes on both sides: a saturated unit hardly learns.
    Sigmoid sigmoid [0.0, 2.0] to [0.5, 0.8808],
        "1 / (1 + e^-x)", "σ(x) σ(-x) dy", Any, |x| x.sigmoid(), |x, _| x.sigmoid_prime();

    /// The logarithm of the sigmoid, without forming it: minus this is the surprise at a "yes" whose log-odds are x.
    LogSigmoid log_sigmoid [0.0, 2.0] to [-0.6931, -0.1269],
        "ln σ(x) = -softplus(-x)", "σ(-x) dy", Any, |x| -(-x).softplus(), |x, _| (-x).sigmoid();

    /// A relu with a round corner: 0 far to the left, x far to the right, and nowhere flat.
    Softplus softplus [0.0, 2.0] to [0.6931, 2.1269],
        "ln(1 + e^x)", "σ(x) dy", Any, |x| x.softplus(), |x, _| x.sigmoid();

    /// A sigmoid stretched to (-1, 1), with slope 1 at 0.
    Tanh tanh [0.0, 2.0] to [0.0, 0.964], "tanh x", "(1 - y²) dy", Any, |x| x.tanh(), |x, _| x.tanh_prime();

    /// Lets positive numbers pass and stops the others. Its derivative at 0 is taken as 0.
    Relu relu [-1.0, 2.0] to [0.0, 2.0], "max(x, 0)", "dy where x > 0, else 0", NonZero,
        |x| if x > T::ZERO || x.value().is_nan() { x } else { T::ZERO },
        |x, _| if x > T::ZERO { T::ONE } else { T::ZERO }, 0 stops where |_| true;

    /// A relu that lets a little of the negative numbers pass, so that no unit stops learning for good.
    /// Its derivative at 0 is taken as the slope.
    LeakyRelu {
        /// The slope below 0; 0.01 is usual.
        slope = 0.1
    } leaky_relu [-1.0, 2.0] to [-0.1, 2.0], "x where x > 0, else slope x", "dy where x > 0, else slope dy", NonZero,
        |x| if x > T::ZERO { x } else { T::of(slope) * x },
        |x, _| if x > T::ZERO { T::ONE } else { T::of(slope) }, 0 stops where |relu| relu.slope == 0.0;

    /// A relu that levels off at -alpha, so that the mean of its results is near 0. Its derivative at 0 is taken as alpha.
    Elu {
        /// How far down it goes; with 1, which is usual, it has no kink.
        alpha = 0.6
    } elu [-1.0, 2.0] to [-0.3793, 2.0],
        "x where x > 0, else alpha (e^x - 1)", "dy where x > 0, else alpha e^x dy", NonZero,
        |x| if x > T::ZERO { x } else { T::of(alpha) * x.exp_m1() },
        |x, _| if x > T::ZERO { T::ONE } else { T::of(alpha) * x.exp() }, 0 stops where |elu| elu.alpha == 0.0;

    /// Each number times its own sigmoid: like relu far from 0, but smooth, and a little below 0 on the left. Also called swish.
    Silu silu [-1.0, 2.0] to [-0.2689, 1.7616],
        "x σ(x)", "(σ(x) + x σ(x) σ(-x)) dy", Any, |x| x * x.sigmoid(), |x, _| x.sigmoid() + x * x.sigmoid_prime();

    /// Each number times the tanh of its softplus: like silu, a little lower on the left (Misra 2019).
    Mish mish [-1.0, 2.0] to [-0.3034, 1.944],
        "x tanh(ln(1 + e^x))", "(tanh(ln(1 + e^x)) + x σ(x) (1 - tanh(ln(1 + e^x))²)) dy", Any,
        |x| x * x.softplus().tanh(), |x, _| x.softplus().tanh() + x * x.sigmoid() * x.softplus().tanh_prime();

    /// Each number times the probability Φ(x) that a standard normal number is below it: the smooth relu of transformers.
    /// φ is the density of Φ.
    Gelu gelu [-1.0, 2.0] to [-0.1587, 1.9545],
        "x Φ(x)", "(Φ(x) + x φ(x)) dy", Any, |x| x * x.normal_cdf(), |x, _| x.normal_cdf() + x * x.normal_density();

    /// The approximation of gelu with which many transformers were trained, u = √(2/π) (x + 0.044715 x³).
    /// It differs from gelu by less than 0.0005.
    GeluTanh gelu_tanh [-1.0, 2.0] to [-0.1588, 1.9546],
        "x (1 + tanh u) / 2 = x σ(2u)", "(σ(2u) + x σ(2u) σ(-2u) 2u') dy", Any,
        |x| x * twice_u(x).0.sigmoid(),
        |x, _| {
            let (twice_u, slope) = twice_u(x);
            let bend = twice_u.sigmoid_prime();
            // far out the bend is 0, and the slope, or x times it, may be infinite
            if bend > T::ZERO { twice_u.sigmoid() + x * bend * slope } else { twice_u.sigmoid() }
        };
}

fn interval(low: f64, high: f64) -> Result<(), ShapeError> {
    if low <= high {
        Ok(())
    } else {
        Err(ShapeError::new(format!("invalid bounds: low {low} > high {high}")))
    }
}

/// 2u of [`GeluTanh`], and its derivative.
#[inline(always)]
fn twice_u<T: Scalar>(x: T) -> (T, T) {
    let (scale, cubic) = (T::of(SQRT_2 * FRAC_2_SQRT_PI), T::of(0.044715));
    let bent = cubic * x * x;
    (scale * (x + x * bent), scale * (T::ONE + bent + bent + bent))
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, array};

    use super::*;
    use crate::check_gradient;
    use crate::ops::{at, complaint};

    /// The value and the derivative at one x.
    fn point<T: Scalar>(x: f64, f: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> [f64; 2] {
        let (y, dx) = at(&array![T::of(x)], f);
        [y[0].value(), dx[0].value()]
    }

    #[test]
    fn at_a_kink_the_gradient_is_the_smallest() {
        assert_eq!(point::<f64>(0.0, |x| x.abs()), [0.0, 0.0]);
        assert_eq!(point::<f64>(0.0, |x| x.relu()), [0.0, 0.0]);
        assert_eq!(point::<f64>(-2.0, |x| x.clamp(-2.0, 3.0)), [-2.0, 0.0]);
        assert_eq!(point::<f64>(3.0, |x| x.clamp(-2.0, 3.0)), [3.0, 0.0]);
        assert_eq!(point::<f64>(0.0, |x| x.leaky_relu(0.01)), [0.0, 0.01]);
        assert_eq!(point::<f64>(0.0, |x| x.elu(0.5)), [0.0, 0.5]);
    }

    #[test]
    fn the_small_end_keeps_its_digits_in_f32() {
        let close = |[y, dx]: [f64; 2], exact: [f64; 2]| {
            let near = |a: f64, b: f64| (a - b).abs() <= 3e-6 * b.abs() + 1e-45;
            assert!(near(y, exact[0]) && near(dx, exact[1]), "{y:e}, {dx:e} instead of {exact:?}");
        };
        close(point::<f32>(-100.0, |x| x.softplus()), [3.78e-44, 3.78e-44]);
        close(point::<f32>(100.0, |x| x.softplus()), [100.0, 1.0]);
        close(point::<f32>(100.0, |x| x.log_sigmoid()), [-3.78e-44, 3.78e-44]);
        close(point::<f32>(-100.0, |x| x.log_sigmoid()), [-100.0, 1.0]);
        close(point::<f32>(-20.0, |x| x.silu()), [-4.122_307_236e-8, -3.916_191_874e-8]);
        close(point::<f32>(-10.0, |x| x.gelu()), [-7.619_853_024e-23, -7.618_400_096e-22]);
        close(point::<f32>(1e-10, |x| x.exp_m1()), [1e-10, 1.0]);
        close(point::<f32>(1e-10, |x| x.ln_1p()), [1e-10, 1.0]);
    }

    #[test]
    fn far_out_everything_stays_finite() {
        for x in [-1e20, 1e20, -3e38, 3e38] {
            let (passed, slope) = if x > 0.0 { (x, 1.0) } else { (0.0, 0.0) };
            let x32 = f64::from(x as f32);
            let passed = if passed > 0.0 { x32 } else { 0.0 };
            assert_eq!(point::<f32>(x, |x| x.gelu()), [passed, slope]);
            assert_eq!(point::<f32>(x, |x| x.gelu_tanh()), [passed, slope]);
            assert_eq!(point::<f32>(x, |x| x.silu()), [passed, slope]);
            assert_eq!(point::<f32>(x, |x| x.softplus()), [passed, slope]);
        }
    }

    #[test]
    fn gelu_agrees_with_known_values_and_its_approximation() {
        assert!((point::<f64>(1.0, |x| x.gelu())[0] - 0.841_344_746_068_542_9).abs() < 3e-16); // Φ(1)
        assert!((point::<f64>(-3.0, |x| x.gelu())[0] + 3.0 * 1.349_898_031_630_094_6e-3).abs() < 1e-17);
        for x in (-600..600).map(|i| f64::from(i) / 100.0) {
            let [exact, approximate] = [point::<f64>(x, |x| x.gelu()), point::<f64>(x, |x| x.gelu_tanh())];
            assert!((exact[0] - approximate[0]).abs() < 5e-4, "at {x}");
        }
    }

    #[test]
    fn gelu_in_f32_keeps_its_digits_on_the_left() {
        for x in (-1250..1000).map(|i| f64::from(i) / 100.0) {
            let x = f64::from(x as f32);
            let (y, exact) = (point::<f32>(x, |x| x.gelu())[0], point::<f64>(x, |x| x.gelu())[0]);
            let allowed = (8.0 + 2.0 * x * x) * 2f64.powi(-24) * exact.abs();
            assert!((y - exact).abs() <= allowed, "at {x}: {y:e} instead of {exact:e}");
        }
    }

    #[test]
    fn powers_of_every_kind_have_their_gradients() {
        let any = || [array![-1.5, 0.3, 2.0].into_dyn()];
        check_gradient(&any(), |_, x| x[0].powf(2.0) + x[0].powf(3.0) + x[0].powf(-1.0) + x[0].powf(0.0));
        assert_eq!(point::<f64>(0.0, |x| x.powf(0.0)), [1.0, 0.0]);
        assert_eq!(point::<f64>(0.0, |x| x.powf(1.0)), [0.0, 1.0]);
        assert_eq!(point::<f64>(0.0, |x| x.powf(2.0)), [0.0, 0.0]);
        assert_eq!(point::<f32>(3.0, |x| x.powf(0.1))[0], f64::from(3f64.powf(0.1) as f32)); // not of 0.1 as f32
        check_gradient(&any(), |_, x| x[0].elu(1.0) + x[0].leaky_relu(0.0) + x[0].clamp(0.0, f64::INFINITY));
    }

    type Guard = fn(Var) -> Var;

    #[test]
    fn a_slope_of_zero_that_was_chosen_stops_an_infinite_gradient() {
        // the root's slope at 0 is infinite: what would have been 0 times infinity is what the card says, 0
        fn guarded<T: Scalar>() {
            let guards: [(&str, Guard); 9] = [
                ("relu", |x| x.relu()),
                ("clamp", |x| x.clamp(0.0, 5.0)),
                ("clamp from below", |x| x.clamp(0.0, f64::INFINITY)),
                ("leaky_relu", |x| x.leaky_relu(0.0)),
                ("elu", |x| x.elu(0.0)),
                ("powf", |x| x.powf(0.0) - 1.0),
                ("maximum", |x| x.maximum(x.tape().constant(0.0))),
                ("where", |x| {
                    let positive = x.value().mapv(|x| f64::from(x > 0.0));
                    x.tape().input(&positive).where_(x, x.tape().constant(0.0))
                }),
                ("dropout", |x| x.dropout(0.999_999, 3)),
            ];
            for (name, guard) in guards {
                let (_, dx) = at(&array![T::of(-1.0), T::of(-0.25)], |x| guard(x).sqrt());
                assert!(dx.iter().all(|dx| dx.value() == 0.0), "{name}: {dx}");
            }
        }
        guarded::<f32>();
        guarded::<f64>();
        guarded::<crate::Dual>();
        let kinks: [(&str, Guard); 6] = [
            ("relu", |x| x.relu()),
            ("abs", |x| x.abs()),
            ("clamp", |x| x.clamp(0.0, 5.0)),
            ("leaky_relu", |x| x.leaky_relu(0.0)),
            ("elu", |x| x.elu(0.0)),
            ("norm", |x| x.unsqueeze(0).norm_axis(1)),
        ];
        for (name, kink) in kinks {
            assert_eq!(point::<f64>(0.0, |x| kink(x).sqrt()), [0.0, 0.0], "{name}"); // also at the kink itself
        }
        // where the slope is not 0, the infinity goes on
        assert_eq!(point::<f64>(0.0, |x| x.leaky_relu(0.5).sqrt())[1], f64::INFINITY);
        assert_eq!(point::<f64>(1.0, |x| (x.relu() - 1.0).sqrt())[1], f64::INFINITY);
        // and NaN does: the card says nothing else
        assert!(point::<f64>(2.0, |x| x.relu() * f64::NAN)[1].is_nan());
    }

    #[test]
    fn at_an_edge_a_smooth_function_passes_the_product_of_slope_and_gradient() {
        // infinite slopes
        assert_eq!(point::<f64>(0.0, |x| x.sqrt()), [0.0, f64::INFINITY]);
        assert_eq!(point::<f64>(0.0, |x| x.powf(0.5)), [0.0, f64::INFINITY]);
        assert_eq!(point::<f64>(0.0, |x| x.ln()), [f64::NEG_INFINITY, f64::INFINITY]);
        // 0 times infinity: x² and |x|^1.5 are smooth at 0, so nothing was chosen; the length of a vector and |x| say 0
        assert!(point::<f64>(0.0, |x| x.square().sqrt())[1].is_nan());
        assert!(point::<f64>(0.0, |x| x.powf(2.0).sqrt())[1].is_nan());
        assert!(point::<f64>(0.0, |x| x.sqrt() * 0.0)[1].is_nan());
        assert_eq!(point::<f64>(0.0, |x| x.unsqueeze(0).norm_axis(1))[1], 0.0);
        assert_eq!(point::<f64>(0.0, |x| x.abs())[1], 0.0);
        // `where` gives 0 to what was not chosen; behind an infinite slope that is 0 times infinity, so the input is guarded
        let (_, dx) = at(&array![0.0f64, 4.0], |x| {
            let positive = x.tape().input(&array![0.0, 1.0]);
            positive.where_(x.sqrt(), x.tape().constant(0.0))
        });
        assert!(dx[0].is_nan() && dx[1] == 0.25, "{dx}");
        let (_, dx) = at(&array![0.0, 4.0], |x| {
            let positive = x.tape().input(&array![0.0, 1.0]);
            let safe = positive.where_(x, x.tape().constant(1.0));
            positive.where_(safe.sqrt(), x.tape().constant(0.0))
        });
        assert_eq!(dx, array![0.0, 0.25].into_dyn());
    }

    #[test]
    fn nan_stays_visible() {
        let nan: ArrayD<f32> = array![f32::NAN].into_dyn();
        let (y, _) = at(&nan, |x| {
            let all = [
                x.clamp(0.0, 1.0),
                x.leaky_relu(0.1),
                x.elu(1.0),
                x.gelu(),
                x.gelu_tanh(),
                x.silu(),
                x.softplus(),
            ];
            all.iter().for_each(|y| assert!(y.item().is_nan(), "{y:?}"));
            x.abs()
        });
        assert!(y[0].is_nan());
    }

    #[test]
    fn an_interval_the_wrong_way_round_is_an_error() {
        let message = complaint(|| at(&array![1.0], |x| x.clamp(2.0, 1.0)));
        expect_test::expect![[r#"
            clamp: invalid bounds: low 2 > high 1
              input:  input [1]"#]]
        .assert_eq(&message);
    }
}
