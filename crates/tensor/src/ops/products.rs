//! Products of matrices.

use crate::op::{Backward, Card, Forward, Inputs, Op};
use crate::product::Mat;
use crate::{Scalar, Shape, ShapeError, Var};

/// The product of two matrices, `[m, k]` and `[k, n]` to `[m, n]`.
///
/// `Y = A B`. With G the gradient of Y: `dA = G Bᵀ`, `dB = Aᵀ G`.
#[derive(Clone, Copy, Debug)]
pub struct Matmul;

impl Matmul {
    pub(super) const CARD: Card = Card {
        name: "matmul",
        forward: "A B",
        backward: "dA = dY Bᵀ, dB = Aᵀ dY",
        story: "Every row of A is weighed by every column of B; backward each gets the gradient weighed by the other.",
    };
}

/// The rows and columns of input `k`, which must be a matrix.
fn matrix<T: Scalar>(inputs: Inputs<T>, k: usize) -> Result<(usize, usize), ShapeError> {
    match *inputs.dims(k) {
        [rows, cols] => Ok((rows, cols)),
        [n] => Err(ShapeError::new(format!("{} is not a matrix", inputs.shape(k)))
            .hint(format!("one row is x.reshape([1, {n}]), one column x.reshape([{n}, 1])"))),
        _ => Err(ShapeError::new(format!("{} is not a matrix", inputs.shape(k)))
            .hint("reshape it to [rows, columns] first")),
    }
}

impl<T: Scalar> Op<T> for Matmul {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        let ((m, k), (rows, n)) = (matrix(inputs, 0)?, matrix(inputs, 1)?);
        if k == rows {
            return Ok([m, n].into());
        }
        let error = ShapeError::new(format!("[{m}, {k}] x [{rows}, {n}]: {k} columns meet {rows} rows"));
        Err(if k == n {
            error.hint(format!("the right side would fit transposed: b.t() is [{n}, {rows}]"))
        } else {
            error.hint("is a layer missing between them, or is the layer made for other data?")
        })
    }
    fn forward(&self, f: &mut Forward<T>) {
        let (a, b) = factors(f.inputs);
        T::product(a, b, f.y, false, f.scratch);
    }
    fn backward(&self, g: &mut Backward<T>) {
        let (a, b) = factors(g.inputs);
        let dy = Mat::new(g.dy, g.inputs.dims(0)[0], g.inputs.dims(1)[1]);
        if let Some(da) = g.dx(0) {
            da.add_product(dy, b.t());
        }
        if let Some(db) = g.dx(1) {
            db.add_product(a.t(), dy);
        }
    }
}

#[inline]
fn factors<'a, T: Scalar>(inputs: Inputs<'a, T>) -> (Mat<'a, T>, Mat<'a, T>) {
    let mat = |k: usize| Mat::new(inputs.x(k), inputs.dims(k)[0], inputs.dims(k)[1]);
    (mat(0), mat(1))
}

/// What a fully connected layer does, in one node: `[rows, in]`, `[in, out]` and `[out]` to `[rows, out]`.
///
/// `Y = X W + b`, b added to every row. With G the gradient of Y: `dX = G Wᵀ`, `dW = Xᵀ G`, `db` = the column sums of G.
#[derive(Clone, Copy, Debug)]
pub struct Affine;

impl Affine {
    pub(super) const CARD: Card = Card {
        name: "affine",
        forward: "X W + b",
        backward: "dX = dY Wᵀ, dW = Xᵀ dY, db = column sums of dY",
        story: "A matrix product with a bias added to every row: a fully connected layer.",
    };
}

impl<T: Scalar> Op<T> for Affine {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        let shape = Matmul.shape(inputs)?;
        let n = shape.dims()[1];
        if inputs.dims(2) == [n] {
            return Ok(shape);
        }
        Err(ShapeError::new(format!("the bias {} does not fit {n} outputs", inputs.shape(2)))
            .hint(format!("a bias has one number for every output: [{n}]")))
    }
    fn forward(&self, f: &mut Forward<T>) {
        let (x, w) = factors(f.inputs);
        let bias = f.inputs.x(2);
        if let [bias] = bias {
            f.y.fill(*bias);
        } else if !bias.is_empty() {
            for row in f.y.chunks_exact_mut(bias.len()) {
                row.copy_from_slice(bias);
            }
        }
        T::product(x, w, f.y, true, f.scratch);
    }
    fn backward(&self, b: &mut Backward<T>) {
        Matmul.backward(b);
        let dy = b.dy;
        if let Some(db) = b.dx(2) {
            db.add_column_sums(dy);
        }
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The matrix product: `[m, k]` times `[k, n]` is `[m, n]`.
    ///
    /// # Panics
    /// At the caller's line, if the columns of the left do not meet as many rows on the right.
    #[track_caller]
    pub fn matmul(self, right: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Matmul, [self, right])
    }

    /// `x.affine(w, b)` is x W + b in one node: `[rows, in]`, `[in, out]` and `[out]` to `[rows, out]`.
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit.
    #[track_caller]
    pub fn affine(self, weight: Var<'t, T>, bias: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(Affine, [self, weight, bias])
    }
}
