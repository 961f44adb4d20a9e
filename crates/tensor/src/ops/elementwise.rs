//! One number in, one number out: a table of functions, each with its derivative beside it.

use super::{Call, Domain, Entry};
use crate::op::{Backward, Card, Forward, Inputs, Op};
use crate::{Scalar, Shape, ShapeError, Var};

/// A function of one number and its derivative; [`Map`] makes an operation of it.
///
/// ```
/// use surprisal_tensor::{Card, Params, Scalar, Workspace, check_gradient, ndarray::array, ops::elementwise::Elementwise};
///
/// #[derive(Clone, Copy)]
/// struct Swish(f64); // x σ(βx)
/// impl Elementwise for Swish {
///     const CARD: Card = Card { name: "swish", forward: "x σ(βx)", backward: "(σ(βx) + βx σ'(βx)) dy", story: "" };
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
pub trait Elementwise: Copy + Send + 'static {
    /// What the function says of itself.
    const CARD: Card;
    /// y = f(x)
    fn f<T: Scalar>(&self, x: T) -> T;
    /// dy/dx, from x and y = f(x): whichever keeps more digits.
    fn df<T: Scalar>(&self, x: T, y: T) -> T;
}

/// The operation that applies an [`Elementwise`] function to every number of its input.
pub struct Map<F>(pub F);

crate::kernel! {
    fn map<T: Scalar, F: Elementwise>(f: F, x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) { *y = f.f(x) }
    }
}
crate::kernel! {
    fn map_back<T: Scalar, F: Elementwise>(f: F, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
        for (((dx, &x), &y), &dy) in dx.iter_mut().zip(x).zip(y).zip(dy) { *dx = f.df(x, y) * dy }
    }
}

impl<T: Scalar, F: Elementwise> Op<T> for Map<F> {
    fn card(&self) -> Card {
        F::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        Ok(*inputs.shape(0))
    }
    fn forward(&self, f: &mut Forward<T>) {
        map(self.0, f.inputs.x(0), f.y);
    }
    fn backward(&self, b: &mut Backward<T>) {
        let (x, y, dy) = (b.x(0), b.y, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, _| map_back(self.0, x, y, dy, dx));
        }
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Applies a function to every number.
    #[track_caller]
    pub fn map<F: Elementwise>(self, f: F) -> Var<'t, T> {
        self.tape().apply(Map(f), [self])
    }
}

/// `/// story`, then: Type method, "formula", "derivative", domain, f, df.
macro_rules! elementwise {
    ($($(#[doc = $story:literal])+ $Type:ident $method:ident, $forward:literal, $backward:literal, $domain:ident,
       |$x:ident| $f:expr, |$dx:pat_param, $dy:pat_param| $df:expr;)+) => {
        $(
            $(#[doc = $story])+
            #[doc = concat!("\n`y = ", $forward, "`, `dx = ", $backward, "`")]
            #[derive(Clone, Copy, Debug, Default)]
            pub struct $Type;
            impl Elementwise for $Type {
                const CARD: Card = Card {
                    name: stringify!($method),
                    forward: $forward,
                    backward: $backward,
                    story: concat!($($story),+).trim_ascii(),
                };
                #[inline(always)]
                fn f<T: Scalar>(&self, $x: T) -> T { $f }
                #[inline(always)]
                fn df<T: Scalar>(&self, $dx: T, $dy: T) -> T { $df }
            }
        )+
        #[allow(clippy::should_implement_trait)] // `neg` is the operator too
        impl<'t, T: Scalar> Var<'t, T> {
            $(
                $(#[doc = $story])+
                #[doc = concat!("\n`y = ", $forward, "`, `dx = ", $backward, "`")]
                #[track_caller]
                pub fn $method(self) -> Var<'t, T> { self.map($Type) }
            )+
        }
        pub(super) const TABLE: &[Entry] = &[
            $(Entry { card: $Type::CARD, domain: Domain::$domain, call: Call::Unary(|x| x.$method()) }),+
        ];
    };
}

elementwise! {
    /// Changes the sign.
    Neg neg, "-x", "-dy", Any, |x| -x, |_, _| -T::ONE;

    /// The function that is its own derivative.
    Exp exp, "e^x", "y dy", Any, |x| x.exp(), |_, y| y;

    /// The natural logarithm: the surprise of an event of probability x is -ln x. Defined for x > 0.
    Ln ln, "ln x", "dy / x", Positive, |x| x.ln(), |x, _| T::ONE / x;

    /// Grows fastest where it is largest: why squared error punishes large errors hard.
    Square square, "x²", "2 x dy", Any, |x| x * x, |x, _| x + x;

    /// Squashes any number into (0, 1): the probability of "yes" whose log-odds are x.
    /// Its derivative is at most 1/4 and vanishes on both sides: a saturated unit hardly learns.
    Sigmoid sigmoid, "1 / (1 + e^-x)", "σ(x) σ(-x) dy", Any, |x| x.sigmoid(), |x, _| x.sigmoid_prime();

    /// A sigmoid stretched to (-1, 1), with slope 1 at 0.
    Tanh tanh, "tanh x", "(1 - y²) dy", Any, |x| x.tanh(), |x, _| x.tanh_prime();

    /// Lets positive numbers pass and stops the others. Its derivative at 0 is taken as 0.
    Relu relu, "max(x, 0)", "dy where x > 0, else 0", NonZero,
        |x| if x > T::ZERO || x.value().is_nan() { x } else { T::ZERO },
        |x, _| if x > T::ZERO { T::ONE } else { T::ZERO };
}
