//! A vector for each of many things.

use surprisal_formula_macro::math;
use surprisal_tensor::{MAX_RANK, ParamId, Params, Scalar, Shape, Var};

use crate::layer::note;
use crate::{Init, Layer, Rng};

/// Indices, stored as numbers, to rows of a table: `[rows]` to `[rows, dim]`, `[rows, words]` to `[rows, words, dim]`.
///
#[doc = math!("y_i = weight[x_i]")]
///
/// The same as a product with one-hot rows, without the zeros: a row of the table gets the sum of the gradients of the
/// places that took it, and no other row gets any. Holds `NAME.weight` of shape `[count, dim]`.
///
/// ```
/// use surprisal_layers::{Embedding, Layer, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::new();
/// let word = Embedding::new(&mut params, "word", 1000, 16, &mut rng(0));
/// let y = Workspace::new().eval(&params, |tape| word.forward(tape.input(&array![7.0, 42.0, 7.0])));
/// assert_eq!(y.shape(), [3, 16]);
/// assert_eq!(y.as_slice().unwrap()[..16], params[word.weight][7 * 16..8 * 16]);
/// ```
///
/// `f32` holds whole numbers up to 2²⁴ exactly: enough for 16 million rows.
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if a number is not one of 0, 1, .. `count` - 1.
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// `NAME.weight`, `[count, dim]`
    pub weight: ParamId,
}

impl Embedding {
    /// Adds a layer's table of `count` rows, initialized as in PyTorch's `Embedding`: normal with mean 0 and standard deviation 1.
    ///
    /// ```
    /// use surprisal_layers::{Embedding, rng};
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let word = Embedding::new(&mut params, "word", 1000, 16, &mut rng(7));
    /// assert_eq!(params.entry(word.weight).name, "word.weight");
    /// assert_eq!(params.entry(word.weight).shape.dims(), [1000, 16]);
    /// assert!((params.norm() / 16_000f64.sqrt() - 1.0).abs() < 0.02); // each number about 1 in size
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn new<T: Scalar>(
        params: &mut Params<T>,
        name: &str,
        count: usize,
        dim: usize,
        rng: &mut Rng,
    ) -> Embedding {
        Embedding::with_init(params, name, count, dim, Init::Normal(1.0), rng)
    }

    /// Adds a layer's table with a given initializer.
    ///
    /// ```
    /// use surprisal_layers::{Embedding, Init, rng};
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// Embedding::with_init(&mut params, "word", 1000, 16, Init::Uniform(0.05), &mut rng(7));
    /// assert!(params.as_slice().iter().all(|w| w.abs() <= 0.05));
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn with_init<T: Scalar>(
        params: &mut Params<T>,
        name: &str,
        count: usize,
        dim: usize,
        weight: Init,
        rng: &mut Rng,
    ) -> Embedding {
        Embedding {
            weight: params
                .add_with(&format!("{name}.weight"), [count, dim], |w| weight.fill(w, count, dim, rng)),
        }
    }

    #[track_caller]
    fn rows<'t>(&self, indices: Var<'t>) -> Var<'t> {
        indices.tape().param(self.weight).index_select_by(0, indices)
    }
}

impl Layer for Embedding {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, shape) = (note(self, x), x.shape());
        if shape.rank() == 1 {
            return self.rows(x);
        }
        let rows = self.rows(x.reshape([shape.len()]));
        rows.reshape(with_axis(shape, rows.shape().dims()[1]))
    }
}

#[track_caller]
fn with_axis(shape: Shape, last: usize) -> Shape {
    let mut dims = [last; MAX_RANK + 1];
    dims[..shape.rank()].copy_from_slice(shape.dims());
    Shape::new(&dims[..=shape.rank()])
}
