//! Groups of channels with mean 0 and variance 1.

use surprisal_formula_macro::math;
use surprisal_tensor::{MAX_RANK, ParamId, Params, Scalar, Shape, Var};

use crate::Layer;
use crate::layer::note;
use crate::layer_norm::{add_filled, centered, expect_eps, with_last_axis_one};

/// Cuts the channels of each sample in groups, subtracts from each group its mean, divides by its standard deviation, then scales and shifts
/// each channel: `[N, C, ..]` to the same.
///
#[doc = math!("y = (x - μ) / √(σ² + ε) · weight_c + bias_c")]
///
/// with mean and variance over the channels of the group and all places. A sample is normalized by itself, so training and evaluation are
/// the same (Wu and He 2018). With one group all channels are normalized together, with as many as there are channels each alone.
///
/// Has the parameters `NAME.weight` (starts with ones) and `NAME.bias` (zeros), both `[C]`.
///
/// ```
/// use surprisal_layers::{GroupNorm, Layer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let layer = GroupNorm { eps: 0.0, ..GroupNorm::new(&mut params, "norm", 2, 2) };
/// let images = array![[[[1.0, 3.0]], [[50.0, 10.0]]]]; // two channels, each a group
/// let y = Workspace::new().eval(&params, |tape| layer.forward(tape.input(&images)));
/// assert_eq!(y, array![[[[-1.0, 1.0]], [[1.0, -1.0]]]].into_dyn());
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if axis 1 is not the channels, or if `eps` is negative, not finite, or not 0 but
/// rounded to 0 in the type of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm {
    /// The number of groups.
    pub groups: usize,
    /// `NAME.weight`, `[C]`
    pub weight: ParamId,
    /// `NAME.bias`, `[C]`
    pub bias: ParamId,
    /// Epsilon, added to the variance; 1e-5 by default.
    pub eps: f64,
}

impl GroupNorm {
    /// Adds a layer's parameters.
    ///
    /// See the example above.
    ///
    /// # Panics
    /// If the name is taken, or the groups do not divide the channels.
    #[track_caller]
    pub fn new<T: Scalar>(params: &mut Params<T>, name: &str, groups: usize, channels: usize) -> GroupNorm {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "{name}: {groups} groups do not divide {channels} channels: choose a number that does"
        );
        GroupNorm {
            groups,
            weight: add_filled(params, name, "weight", channels, T::ONE),
            bias: add_filled(params, name, "bias", channels, T::ZERO),
            eps: 1e-5,
        }
    }
}

impl Layer for GroupNorm {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape, shape) = (note(self, x), x.tape(), x.shape());
        expect_eps("group_norm", x, self.eps);
        let entry = tape.entry(self.weight);
        let channels = entry.shape.len();
        let &[n, c, ..] = shape.dims() else {
            panic!("group_norm: {shape} is not [N, C, ..]");
        };
        assert!(
            c == channels,
            "group_norm: {shape} does not have the {channels} channels of \"{}\" as axis 1",
            entry.name
        );
        let rows = x.reshape([n, self.groups, shape.len() / (n * self.groups).max(1)]);
        let one_for_each = with_last_axis_one(rows.shape());
        let (_, centered) = centered(rows, |x| x.mean_axis(-1).reshape(one_for_each));
        let variance = centered.square().mean_axis(-1).reshape(one_for_each);
        let normal = (centered / (variance + self.eps).sqrt()).reshape(shape);
        let [weight, bias] = [self.weight, self.bias].map(|id| tape.param(id).reshape(channel_shape(shape)));
        normal * weight + bias
    }
}

/// `[C, 1, ..]`, which broadcasts over `[N, C, ..]`.
fn channel_shape(shape: Shape) -> Shape {
    let mut dims = [1; MAX_RANK];
    dims[0] = shape.dims()[1];
    Shape::new(&dims[..shape.rank() - 1])
}
