//! What a layer is.

use std::any::type_name;

use surprisal_tensor::{Scalar, Var};

use crate::Summary;

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

    /// [`forward`](Self::forward) that tells a [`summary`](crate::summary()) what is computed: a layer its kind, its parameters and
    /// its output, a layer made of layers lets each of them tell. As provided: the name of the type, and no parameters.
    ///
    /// ```
    /// use surprisal_layers::{Layer, Summary, summary};
    /// use surprisal_tensor::{ParamId, Params, Scalar, Var, ndarray::array};
    ///
    /// struct Scale(ParamId);
    /// impl Layer for Scale {
    ///     fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
    ///         x * x.tape().param(self.0)
    ///     }
    ///     fn describe<'t, T: Scalar>(&self, x: Var<'t, T>, summary: &mut Summary) -> Var<'t, T> {
    ///         summary.layer("Scale", &[self.0], self.forward(x))
    ///     }
    /// }
    ///
    /// let mut params = Params::<f32>::new();
    /// let model = Scale(params.add("scale.factor", &array![1.0, 1.0]));
    /// assert_eq!(
    ///     summary(&params, &model, [5, 2]).to_string(),
    ///     "\
    /// layer  kind   output  parameters  trainable
    /// input         [5, 2]
    /// scale  Scale  [5, 2]           2          2
    /// total                          2          2
    /// "
    /// );
    /// ```
    #[track_caller]
    fn describe<'t, T: Scalar>(&self, x: Var<'t, T>, summary: &mut Summary) -> Var<'t, T> {
        let name = type_name::<Self>();
        let name = name.split('<').next().unwrap_or(name);
        summary.layer(name.rsplit("::").next().unwrap_or(name), &[], self.forward(x))
    }

    /// How many rows a batch must have in training: 1 as provided, 2 for a [`BatchNorm1d`](crate::BatchNorm1d). A layer made of layers
    /// needs as many as the most demanding of them; a training can then refuse a batch that is too small before the first step.
    ///
    /// ```
    /// use surprisal_layers::{BatchNorm1d, Layer, Relu};
    /// # let mut params = surprisal_tensor::Params::<f32>::new();
    /// let model = (Relu, BatchNorm1d::new(&mut params, "norm", 8));
    /// assert_eq!((Relu.least_rows(), model.least_rows()), (1, 2));
    /// ```
    fn least_rows(&self) -> usize {
        1
    }
}

impl<L: Layer + ?Sized> Layer for &L {
    #[track_caller]
    fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
        (**self).forward(x)
    }
    #[track_caller]
    fn describe<'t, T: Scalar>(&self, x: Var<'t, T>, summary: &mut Summary) -> Var<'t, T> {
        (**self).describe(x, summary)
    }
    fn least_rows(&self) -> usize {
        (**self).least_rows()
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
    #[track_caller]
    fn describe<'t, T: Scalar>(&self, x: Var<'t, T>, summary: &mut Summary) -> Var<'t, T> {
        let mut x = x;
        for layer in self {
            x = layer.describe(x, summary);
        }
        x
    }
    fn least_rows(&self) -> usize {
        self.iter().map(L::least_rows).max().unwrap_or(1)
    }
}

macro_rules! tuples {
    ($($($L:ident)+;)+) => { $(
        /// One after the other.
        #[allow(non_snake_case)] // the fields are named as their types
        impl<$($L: Layer),+> Layer for ($($L,)+) {
            #[track_caller]
            fn forward<'t, T: Scalar>(&self, x: Var<'t, T>) -> Var<'t, T> {
                let ($($L,)+) = self;
                $(let x = $L.forward(x);)+
                x
            }
            #[track_caller]
            fn describe<'t, T: Scalar>(&self, x: Var<'t, T>, summary: &mut Summary) -> Var<'t, T> {
                let ($($L,)+) = self;
                $(let x = $L.describe(x, summary);)+
                x
            }
            fn least_rows(&self) -> usize {
                let ($($L,)+) = self;
                [$($L.least_rows()),+].into_iter().fold(1, usize::max)
            }
        }
    )+ };
}
tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; }
