//! Two numbers in, one number out, with numpy's broadcasting: a table of functions, each with its derivatives beside it.

use std::ops::{Add, Div, Mul, Sub};

use surprisal_formula_macro::math;

use super::broadcast::{Binary, Pairwise};
use super::by_name::{self, Signature};
use super::{Call, Domain, Entry};
use crate::{Card, Scalar, Var};

/// `/// story`, then: Type name, "formula", "derivatives", domain, f, da, db.
macro_rules! arithmetic {
    ($($(#[doc = $story:literal])+ $Type:ident $name:ident, $forward:literal, $backward:literal, $domain:ident,
       |$a:ident, $b:ident| $f:expr,
       |$a0:pat_param, $b0:pat_param, $g0:ident| $da:expr, |$a1:pat_param, $b1:pat_param, $g1:ident| $db:expr;)+) => {
        $(
            #[derive(Clone, Copy)]
            struct $Type;
            impl Binary for $Type {
                const CARD: Card = Card {
                    name: stringify!($name),
                    inputs: "a b",
                    forward: $forward,
                    backward: $backward,
                    story: concat!($($story),+).trim_ascii(),
                };
                #[inline(always)]
                fn f<T: Scalar>($a: T, $b: T) -> T { $f }
                #[inline(always)]
                fn da<T: Scalar>($a0: T, $b0: T, $g0: T) -> T { $da }
                #[inline(always)]
                fn db<T: Scalar>($a1: T, $b1: T, $g1: T) -> T { $db }
            }
        )+
        pub(super) const TABLE: &[Entry] = &[
            $(Entry {
                card: $Type::CARD,
                domain: Domain::$domain,
                call: Call::Binary(|a, b| a.$name(b)),
                signature: Signature {
                    inputs: by_name::A_B,
                    settings: &[],
                    run: |given| given.record(Pairwise($Type)),
                },
            }),+
        ];
    };
}

arithmetic! {
    /// Passes the gradient on to both sides unchanged.
    Plus add, "a + b", "da = dy, db = dy", Any, |a, b| a + b, |_, _, dy| dy, |_, _, dy| dy;

    /// Passes the gradient on, to the right with its sign changed.
    Minus sub, "a - b", "da = dy, db = -dy", Any, |a, b| a - b, |_, _, dy| dy, |_, _, dy| -dy;

    /// Each side gets the gradient times the other side.
    Times mul, "a b", "da = b dy, db = a dy", Any, |a, b| a * b, |_, b, dy| b * dy, |a, _, dy| a * dy;

    /// The quotient; b must not be 0.
    Over div, "a / b", "da = dy / b, db = -(a / b) dy / b", NonZero, |a, b| a / b,
        |_, b, dy| dy / b, |a, b, dy| -(a / b) * dy / b;

    /// The larger of two numbers gets the gradient; equal numbers share it.
    Maximum maximum, "max(a, b)", "da = dy where a > b, dy / 2 where a = b, else 0; db = dy where a < b, dy / 2 where a = b, else 0", Any,
        |a, b| if a > b || a.value().is_nan() { a } else { b },
        |a, b, dy| share(a > b, a == b, dy), |a, b, dy| share(b > a, a == b, dy);

    /// The smaller of two numbers gets the gradient; equal numbers share it.
    Minimum minimum, "min(a, b)", "da = dy where a < b, dy / 2 where a = b, else 0; db = dy where a > b, dy / 2 where a = b, else 0", Any,
        |a, b| if a < b || a.value().is_nan() { a } else { b },
        |a, b, dy| share(a < b, a == b, dy), |a, b, dy| share(b < a, a == b, dy);
}

#[inline(always)]
fn share<T: Scalar>(mine: bool, equal: bool, dy: T) -> T {
    let half = if equal { T::of(0.5) * dy } else { T::ZERO };
    if mine { dy } else { half }
}

macro_rules! operators {
    ($($Trait:ident $method:ident $Type:ident;)+) => { $(
        impl<'t> $Trait for Var<'t> {
            type Output = Var<'t>;
            #[track_caller]
            fn $method(self, other: Var<'t>) -> Var<'t> { self.tape().apply(Pairwise($Type), [self, other]) }
        }
        /// With a number on the right.
        impl<'t> $Trait<f64> for Var<'t> {
            type Output = Var<'t>;
            #[track_caller]
            fn $method(self, other: f64) -> Var<'t> { self.$method(self.tape().constant(other)) }
        }
        /// With a number on the left.
        impl<'t> $Trait<Var<'t>> for f64 {
            type Output = Var<'t>;
            #[track_caller]
            fn $method(self, other: Var<'t>) -> Var<'t> { other.tape().constant(self).$method(other) }
        }
    )+ };
}

operators! {
    Add add Plus;
    Sub sub Minus;
    Mul mul Times;
    Div div Over;
}

impl<'t> std::ops::Neg for Var<'t> {
    type Output = Var<'t>;
    #[track_caller]
    fn neg(self) -> Var<'t> {
        self.map(super::elementwise::Neg)
    }
}

impl<'t> Var<'t> {
    /// The larger of two numbers each, with broadcasting. NaN if one of them is.
    ///
    #[doc = math!("y = max(a, b)")]
    #[doc = math!("da = dy where a > b, dy / 2 where a = b, else 0")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let (a, b) = (tape.input(&array![1.0, 5.0]), tape.input(&array![2.0, 2.0]));
    /// assert_eq!(a.maximum(b).value(), array![2.0, 5.0].into_dyn());
    /// assert_eq!(a.minimum(b).value(), array![1.0, 2.0].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(self, other: Var<'t>) -> Var<'t> {
        self.tape().apply(Pairwise(Maximum), [self, other])
    }
    /// The smaller of two numbers each, with broadcasting. NaN if one of them is.
    ///
    #[doc = math!("y = min(a, b)")]
    #[doc = math!("da = dy where a < b, dy / 2 where a = b, else 0")]
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 5.0]).requires_grad();
    /// let capped = x.minimum(tape.constant(2.0));
    /// capped.sum().backward();
    /// assert_eq!(capped.value(), array![1.0, 2.0].into_dyn());
    /// assert_eq!(x.grad(), Some(array![1.0, 0.0].into_dyn())); // what was capped learns nothing
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(self, other: Var<'t>) -> Var<'t> {
        self.tape().apply(Pairwise(Minimum), [self, other])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use crate::ops::at;

    #[test]
    fn equal_numbers_share_the_gradient() {
        let b = array![2.0, 2.0, 2.0];
        let (y, dx) = at(&array![1.0, 2.0, 3.0], |x| x.maximum(x.tape().input(&b)));
        assert_eq!((y, dx), (array![2.0, 2.0, 3.0].into_dyn(), array![0.0, 0.5, 1.0].into_dyn()));
        let (y, dx) = at(&array![1.0, 2.0, 3.0], |x| x.tape().constant(2.0).minimum(x));
        assert_eq!((y, dx), (array![1.0, 2.0, 2.0].into_dyn(), array![1.0, 0.5, 0.0].into_dyn()));
        let (_, dx) = at(&array![1.0, 2.0], |x| x.maximum(x) + x.minimum(x));
        assert_eq!(dx, array![2.0, 2.0].into_dyn()); // in all, nothing is lost
    }

    #[test]
    fn nan_wins_on_either_side() {
        let (y, _) = at(&array![f32::NAN, 1.0], |x| x.maximum(x.tape().input(&array![1.0, f32::NAN])));
        assert!(y.iter().all(|y| y.is_nan()));
        let (y, _) = at(&array![f32::NAN, 1.0], |x| x.minimum(x.tape().input(&array![1.0, f32::NAN])));
        assert!(y.iter().all(|y| y.is_nan()));
    }
}
