//! Rows of any shape, as rows of numbers.

use surprisal_tensor::Var;

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
