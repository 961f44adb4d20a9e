//! Rows of any shape, as rows of numbers.

use surprisal_tensor::{MAX_RANK, Shape, Var};

use crate::Layer;
use crate::layer::note;

/// Makes each row one list of numbers: `[rows, a, b, ..]` to `[rows, a b ..]`; the first axis stays.
///
/// ```
/// use surprisal_layers::{Flatten, Layer};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array3};
/// let images = Array3::<f32>::zeros((16, 8, 8));
/// let y = Workspace::new().eval(&Params::new(), |tape| Flatten.forward(tape.input(&images)));
/// assert_eq!(y.shape(), [16, 64]);
/// ```
///
/// # Panics
/// At the caller's line, if the input is a single number: it has no rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten;

impl Layer for Flatten {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, shape) = (note(self, x), x.shape());
        match *shape.dims() {
            [] => panic!("flatten: a single number has no rows"),
            [rows, ..] => x.reshape([rows, x.shape().around(0).2]),
        }
    }
}

/// Gives each row a shape, as of an image: `[rows, a b ..]` to `[rows, a, b, ..]`; the inverse of [`Flatten`].
///
/// ```
/// use surprisal_layers::{Layer, Unflatten};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array2};
/// let rows = Array2::<f32>::zeros((16, 64));
/// let y = Workspace::new().eval(&Params::new(), |tape| Unflatten::new([1, 8, 8]).forward(tape.input(&rows)));
/// assert_eq!(y.shape(), [16, 1, 8, 8]);
/// ```
///
/// # Panics
/// At the caller's line, if rows do not have as many numbers as the shape.
#[derive(Clone, Copy, Debug)]
pub struct Unflatten(Shape);

impl Unflatten {
    /// With this shape of a row.
    ///
    /// # Panics
    /// If there are more than four axes.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Unflatten {
        let shape = shape.into();
        assert!(shape.rank() < MAX_RANK, "unflatten: {shape} has too many axes: at most {}", MAX_RANK - 1);
        Unflatten(shape)
    }
}

impl Layer for Unflatten {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, shape) = (note(self, x), x.shape());
        let rows = match *shape.dims() {
            [rows, ..] if shape.len() == rows * self.0.len() => rows,
            _ => panic!("unflatten: {shape} is not rows of {} numbers, as {} has", self.0.len(), self.0),
        };
        let mut dims = [rows; MAX_RANK];
        dims[1..=self.0.rank()].copy_from_slice(self.0.dims());
        x.reshape(&dims[..=self.0.rank()])
    }
    fn kind(&self) -> String {
        format!("Unflatten {}", self.0)
    }
}
