//! The trait of layers.

use std::any::type_name;

use surprisal_tensor::{LayerGuard, Var};

/// Turns a value on a tape into another.
///
/// ```
/// use surprisal_layers::Layer;
/// use surprisal_tensor::{Params, Var, Workspace, ndarray::array};
///
/// struct Double; // a layer of one's own
/// impl Layer for Double {
///     fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
///         2.0 * x
///     }
/// }
///
/// let model: Vec<Box<dyn Layer>> = vec![Box::new(Double), Box::new((Double, Double))];
/// let y = Workspace::new().eval(&Params::<f64>::default(), |tape| model.forward(tape.input(&array![1.0])));
/// assert_eq!(y, array![8.0].into_dyn());
/// ```
pub trait Layer {
    /// Records this layer's computation on the tape of `x`.
    ///
    /// # Panics
    /// At the caller's line, if the shape of `x` does not fit.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t>;

    /// What a [`summary`](crate::summary()) calls it: as provided, the name of the type. A layer that is called nothing, such as a
    /// tuple, has no line of its own.
    ///
    /// ```
    /// use surprisal_layers::{Dropout, Layer, Relu};
    /// assert_eq!((Relu.kind(), Dropout::new(0.2).kind()), ("Relu".to_string(), "Dropout { p: 0.2 }".to_string()));
    /// ```
    fn kind(&self) -> String {
        let name = type_name::<Self>();
        let name = name.split('<').next().unwrap_or(name);
        name.rsplit("::").next().unwrap_or(name).to_string()
    }
}

/// For summaries: everything recorded until the guard is dropped belongs to this layer.
#[inline]
pub(crate) fn note<'t, L: Layer + ?Sized>(layer: &L, x: Var<'t>) -> Option<LayerGuard<'t>> {
    x.tape().layer(|| layer.kind())
}

/// One layer of several.
#[inline]
#[track_caller]
pub(crate) fn step<'t, L: Layer + ?Sized>(layer: &L, x: Var<'t>) -> Var<'t> {
    let _layer = note(layer, x);
    layer.forward(x)
}

/// What is a layer too: a reference, a box.
macro_rules! pointers {
    ($($Pointer:ty)+) => { $(
        impl<L: Layer + ?Sized> Layer for $Pointer {
            #[track_caller]
            fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
                (**self).forward(x)
            }
            fn kind(&self) -> String {
                (**self).kind()
            }
        }
    )+ };
}
pointers! { &L Box<L> }

impl<L: Layer> Layer for Vec<L> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let mut x = x;
        for layer in self {
            x = step(layer, x); // a closure would not pass the caller's line on
        }
        x
    }
    fn kind(&self) -> String {
        String::new()
    }
}

macro_rules! tuples {
    ($($($L:ident)+;)+) => { $(
        #[allow(non_snake_case)] // the fields are named as their types
        impl<$($L: Layer),+> Layer for ($($L,)+) {
            #[track_caller]
            fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
                let ($($L,)+) = self;
                $(let x = step($L, x);)+
                x
            }
            fn kind(&self) -> String {
                String::new()
            }
        }
    )+ };
}
tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; }
