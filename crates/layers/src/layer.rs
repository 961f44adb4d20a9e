//! What a layer is.

use surprisal_tensor::{Scalar, Var};

/// Turns a value on a tape into another.
///
/// ```
/// use surprisal_layers::Layer;
/// use surprisal_tensor::{Params, Scalar, Var, Workspace, ndarray::array};
///
/// struct Double; // a layer of one's own
/// impl Layer for Double {
///     fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
///         2.0 * x
///     }
/// }
///
/// let params = Params::<f64>::new();
/// let y = Workspace::new().eval(&params, |tape| (Double, vec![Double, Double]).forward(tape.input(&array![1.0])));
/// assert_eq!(y, array![8.0].into_dyn());
/// ```
pub trait Layer {
    /// Records this layer's computation on the tape of `x`.
    ///
    /// # Panics
    /// At the caller's line, if the shape of `x` does not fit.
    #[track_caller]
    fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T>;
}

impl<L: Layer + ?Sized> Layer for &L {
    #[track_caller]
    fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
        (**self).forward(x)
    }
}

/// One after the other.
impl<L: Layer> Layer for Vec<L> {
    #[track_caller]
    fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
        let mut x = x;
        for layer in self {
            x = layer.forward(x); // a closure would not pass the caller's line on
        }
        x
    }
}

macro_rules! tuples {
    ($($($L:ident)+;)+) => { $(
        /// One after the other.
        impl<$($L: Layer),+> Layer for ($($L,)+) {
            #[track_caller]
            #[allow(non_snake_case)] // the fields are named as their types
            fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
                let ($($L,)+) = self;
                $(let x = $L.forward(x);)+
                x
            }
        }
    )+ };
}
tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; }
