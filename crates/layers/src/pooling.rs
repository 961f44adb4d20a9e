//! Images and sequences in other sizes, without parameters.

use surprisal_tensor::Var;
pub use surprisal_tensor::ops::pooling::{AvgPool2d, MaxPool2d};
pub use surprisal_tensor::ops::resample::Interpolation;
pub use surprisal_tensor::ops::sequences::{AvgPool1d, MaxPool1d};

use crate::Layer;
use crate::convolution::Pair;
use crate::layer::note;

impl Layer for MaxPool2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        x.max_pool2d(*self)
    }
}

impl Layer for AvgPool2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        x.avg_pool2d(*self)
    }
}

impl Layer for MaxPool1d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        x.max_pool1d(*self)
    }
}

impl Layer for AvgPool1d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        x.avg_pool1d(*self)
    }
}

/// Images a whole number of times as high and as wide: `[N, C, H, W]` to `[N, C, s H, s W]`.
///
/// ```
/// use surprisal_layers::{Interpolation, Layer, Upsample};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let image = array![[[[1.0, 3.0]]]];
/// let up = Upsample::new([1, 2], Interpolation::Nearest);
/// let y = Workspace::new().eval(&Params::<f64>::default(), |tape| up.forward(tape.input(&image)));
/// assert_eq!(y, array![[[[1.0, 1.0, 3.0, 3.0]]]].into_dyn());
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the input is not a batch of images.
#[derive(Clone, Copy, Debug)]
pub struct Upsample {
    /// How many times as high, and as wide.
    pub scale: [usize; 2],
    /// How pixels are mixed.
    pub mode: Interpolation,
}

impl Upsample {
    /// `scale` times as large, `2` or `[2, 1]`.
    pub fn new(scale: impl Into<Pair>, mode: Interpolation) -> Upsample {
        Upsample { scale: scale.into().0, mode }
    }
}

impl Layer for Upsample {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, shape) = (note(self, x), x.shape());
        let &[_, _, h, w] = shape.dims() else {
            panic!("upsample: {shape} is not a batch of images [N, C, H, W]");
        };
        x.resize([h.saturating_mul(self.scale[0]), w.saturating_mul(self.scale[1])], self.mode)
    }
}
