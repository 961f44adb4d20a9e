//! Products of matrices.

use surprisal_formula_macro::math;

use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Grad, Inputs, Op, Shapes};
use crate::product::Mat;
use crate::shape::MAX_RANK;
use crate::{Scalar, Shape, ShapeError, Var};

/// The product of two matrices, `[m, k]` and `[k, n]` to `[m, n]`, or of as many pairs as the axes before the last two say.
///
#[doc = math!("Y = A B")]
#[doc = math!("dA = dY Bᵀ, dB = Aᵀ dY")]
///
/// Either side may be one matrix for the whole batch; it gets the sum of the gradients.
#[derive(Clone, Copy, Debug)]
pub struct Matmul;

impl Matmul {
    pub(super) const CARD: Card = Card {
        name: "matmul",
        inputs: "A B",
        forward: "A B",
        backward: "dA = dY Bᵀ, dB = Aᵀ dY",
        story: "Every row of A is weighed by every column of B; backward each gets the gradient weighed by the other.",
    };
    pub(super) const SIGNATURE: Signature =
        Signature { inputs: by_name::A_B, settings: &[], run: |given| given.record(Matmul) };
}

/// The axes before the last two of input `k`, and these two.
fn matrices(inputs: Shapes<'_>, k: usize) -> Result<(&[usize], [usize; 2]), ShapeError> {
    match inputs.dims(k) {
        [batch @ .., rows, cols] => Ok((batch, [*rows, *cols])),
        [n] => Err(ShapeError::new(format!("{} is not a matrix", inputs.shape(k)))
            .hint(format!("one row is x.reshape([1, {n}]), one column x.reshape([{n}, 1])"))),
        [] => Err(ShapeError::new(format!("{} is not a matrix", inputs.shape(k)))
            .hint("reshape it to [rows, columns] first")),
    }
}

/// `count` products of `[m, k]` and `[k, n]`. A batch of A that meets a single B is one tall matrix.
struct Batch {
    count: usize,
    a_shared: bool,
    m: usize,
    k: usize,
    n: usize,
}

impl Batch {
    /// Of inputs that fit.
    #[inline]
    fn of<T: Scalar>(inputs: Inputs<T>) -> Batch {
        let (a, b) = (inputs.dims(0), inputs.dims(1));
        let (batch, [k, n]) = (&b[..b.len() - 2], [b[b.len() - 2], b[b.len() - 1]]);
        let in_a = if batch.is_empty() { &a[..a.len() - 1] } else { &a[a.len() - 2..a.len() - 1] };
        let a_shared = a.len() < b.len();
        Batch { count: batch.iter().product(), a_shared, m: in_a.iter().product(), k, n }
    }
    fn a<'a, T>(&self, i: usize, a: &'a [T]) -> Mat<'a, T> {
        let (i, size) = (if self.a_shared { 0 } else { i }, self.m * self.k);
        Mat::new(&a[i * size..(i + 1) * size], self.m, self.k)
    }
    fn b<'a, T>(&self, i: usize, b: &'a [T]) -> Mat<'a, T> {
        let size = self.k * self.n;
        Mat::new(&b[i * size..(i + 1) * size], self.k, self.n)
    }
    fn y<'a, T>(&self, i: usize, y: &'a [T]) -> Mat<'a, T> {
        let size = self.m * self.n;
        Mat::new(&y[i * size..(i + 1) * size], self.m, self.n)
    }
}

impl Op for Matmul {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let ((a_batch, [m, k]), (b_batch, [rows, n])) = (matrices(inputs, 0)?, matrices(inputs, 1)?);
        let (a, b) = (inputs.shape(0), inputs.shape(1));
        if k != rows {
            let columns = if k == 1 { "1 column meets".into() } else { format!("{k} columns meet") };
            let of_rows = if rows == 1 { "1 row".into() } else { format!("{rows} rows") };
            let error = ShapeError::new(format!("{a} x {b}: {columns} {of_rows}"));
            return Err(if k == n {
                error.hint(format!("the right side would fit transposed: b.t() is [{n}, {rows}]"))
            } else {
                error.hint("is a layer missing between them, or is the layer made for other data?")
            });
        }
        if a_batch != b_batch && !a_batch.is_empty() && !b_batch.is_empty() {
            return Err(ShapeError::new(format!(
                "{a} x {b}: a batch of {a_batch:?} meets one of {b_batch:?}"
            ))
            .hint("the axes before the last two must be equal, or one side a single matrix"));
        }
        let batch = if a_batch.is_empty() { b_batch } else { a_batch };
        let mut dims = [0; MAX_RANK];
        dims[..batch.len()].copy_from_slice(batch);
        (dims[batch.len()], dims[batch.len() + 1]) = (m, n);
        Shape::try_new(&dims[..batch.len() + 2])
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (batch, [a, b]) = (Batch::of(f.inputs), [f.inputs.x(0), f.inputs.x(1)]);
        let size = batch.m * batch.n;
        for i in 0..if f.y.is_empty() { 0 } else { batch.count } {
            let y = &mut f.y[i * size..(i + 1) * size];
            T::product(batch.a(i, a), batch.b(i, b), y, false, &mut f.room.packing);
        }
    }
    fn backward<T: Scalar>(&self, g: &mut Backward<T>) {
        let (mut batch, [a, b], dy) = (Batch::of(g.inputs), [g.x(0), g.x(1)], g.dy);
        if dy.is_empty() {
            batch.count = 0; // products of nothing, as many as there may be
        }
        if let Some(da) = g.dx(0) {
            let size = if batch.a_shared { 0 } else { batch.m * batch.k };
            add_products(da, batch.count, size, |i| (batch.y(i, dy), batch.b(i, b).t()));
        }
        if let Some(db) = g.dx(1) {
            add_products(db, batch.count, batch.k * batch.n, |i| (batch.a(i, a).t(), batch.y(i, dy)));
        }
    }
}

/// Adds `count` products, each `size` numbers behind the one before; all to the same place if that is 0.
fn add_products<'a, T: Scalar>(
    d: Grad<T>,
    count: usize,
    size: usize,
    factors: impl Fn(usize) -> (Mat<'a, T>, Mat<'a, T>),
) {
    if count == 1 {
        let (a, b) = factors(0);
        return d.add_product(a, b);
    }
    d.add_filled(|d, room| {
        if count == 0 {
            d.fill(T::ZERO);
        }
        for i in 0..count {
            let (a, b) = factors(i);
            let place = if size == 0 { &mut *d } else { &mut d[i * size..(i + 1) * size] };
            T::product(a, b, place, size == 0 && i > 0, &mut room.packing);
        }
    });
}

/// What a fully connected layer does, in one node: `[.., in]`, `[in, out]` and `[out]` to `[.., out]`.
///
#[doc = math!("Y = X W + b")]
#[doc = math!("dX = dY Wᵀ, dW = Xᵀ dY, db = column sums of dY")]
///
/// b is added to every row.
#[derive(Clone, Copy, Debug)]
pub struct Affine;

impl Affine {
    pub(super) const CARD: Card = Card {
        name: "affine",
        inputs: "X W b",
        forward: "X W + b",
        backward: "dX = dY Wᵀ, dW = Xᵀ dY, db = column sums of dY",
        story: "A matrix product with a bias added to every row: a fully connected layer.",
    };
    pub(super) const SIGNATURE: Signature =
        Signature { inputs: by_name::X_WEIGHT_BIAS, settings: &[], run: |given| given.record(Affine) };
}

impl Op for Affine {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        match (inputs.dims(0), inputs.dims(1), inputs.dims(2)) {
            ([_, .., k], [rows, n], [outputs]) if k == rows && n == outputs => {
                let x = inputs.shape(0);
                x.resized(x.rank() - 1, *n)
            }
            _ => Err(misfit(inputs)),
        }
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let bias = f.inputs.x(2);
        if let [bias] = bias {
            f.y.fill(*bias);
        } else if !bias.is_empty() {
            for row in f.y.chunks_exact_mut(bias.len()) {
                row.copy_from_slice(bias);
            }
        }
        let [x, w] = factors(f.inputs);
        T::product(x, w, f.y, true, &mut f.room.packing);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let ([x, w], dy) = (factors(b.inputs), b.dy);
        let dy_rows = Mat::new(dy, x.size()[0], w.size()[1]);
        if let Some(dx) = b.dx(0) {
            dx.add_product(dy_rows, w.t());
        }
        if let Some(dw) = b.dx(1) {
            dw.add_product(x.t(), dy_rows);
        }
        if let Some(db) = b.dx(2) {
            db.add_column_sums(dy);
        }
    }
}

/// X, all of whose rows are one matrix, and W.
#[inline(always)]
fn factors<T: Scalar>(inputs: Inputs<T>) -> [Mat<T>; 2] {
    let (x, w) = (inputs.x(0), inputs.dims(1));
    let ([rows @ .., _], &[k, n]) = (inputs.dims(0), w) else { unreachable!("`shape` has refused it") };
    [Mat::new(x, rows.iter().product(), k), Mat::new(inputs.x(1), k, n)]
}

/// Why they do not fit.
#[cold]
fn misfit(inputs: Shapes) -> ShapeError {
    let n = match (Matmul.shape(inputs), inputs.dims(1)) {
        (Err(error), _) => return error,
        (Ok(_), &[_, n]) => n,
        (Ok(_), _) => {
            return ShapeError::new(format!("the weight {} is not a matrix", inputs.shape(1)))
                .hint("one matrix serves the whole batch; `matmul` takes one for each");
        }
    };
    ShapeError::new(format!("the bias {} does not fit {n} outputs", inputs.shape(2)))
        .hint(format!("a bias has one number for every output: [{n}]"))
}

impl<'t> Var<'t> {
    /// The matrix product: `[m, k]` times `[k, n]` is `[m, n]`, and `[batch, m, k]` times `[batch, k, n]` a batch of them.
    /// Either side may be a single matrix for the whole batch.
    ///
    #[doc = math!("Y = A B")]
    #[doc = math!("dA = dY Bᵀ, dB = Aᵀ dY")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let a = tape.input(&array![[1.0, 2.0], [3.0, 4.0]]);
    /// let b = tape.input(&array![[10.0], [1.0]]);
    /// assert_eq!(a.matmul(b).value(), array![[12.0], [34.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the columns of the left do not meet as many rows on the right, or the batches differ.
    #[track_caller]
    pub fn matmul(self, right: Var<'t>) -> Var<'t> {
        self.tape().apply(Matmul, [self, right])
    }

    /// A fully connected layer in one node, `x.affine(w, b)`: `[rows, in]`, `[in, out]` and `[out]` to `[rows, out]`; there may
    /// be more axes before `in`.
    ///
    #[doc = math!("Y = X W + b")]
    #[doc = math!("dX = dY Wᵀ, dW = Xᵀ dY, db = column sums of dY")]
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![[2.0], [-1.0]]);
    /// let b = params.add("b", &array![0.5]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 1.0], [0.0, 3.0]]);
    /// let y = x.affine(tape.param(w), tape.param(b));
    /// assert_eq!(y.value(), array![[1.5], [-2.5]].into_dyn());
    /// y.sum().backward();
    /// assert_eq!(workspace.grads()[w], [1.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit.
    #[track_caller]
    pub fn affine(self, weight: Var<'t>, bias: Var<'t>) -> Var<'t> {
        self.tape().apply(Affine, [self, weight, bias])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array2, Array3, Axis, stack};

    use crate::ops::{at, complaint};

    fn numbers(shape: (usize, usize, usize), salt: f64) -> Array3<f64> {
        let mut i = salt;
        Array::from_shape_simple_fn(shape, || {
            i += 1.0;
            (i * 0.7).sin()
        })
    }

    #[test]
    fn a_batch_of_products_is_each_of_them() {
        let (a, b) = (numbers((3, 4, 5), 0.0), numbers((3, 5, 2), 9.0));
        let near = |x: &Array3<f64>, y: ndarray::ArrayD<f64>| {
            (x.clone().into_dyn() - y).iter().all(|d| d.abs() < 1e-14)
        };
        let each = |f: &dyn Fn(usize) -> Array2<f64>| {
            let all: Vec<_> = (0..3).map(f).collect();
            stack(Axis(0), &all.iter().map(|y| y.view()).collect::<Vec<_>>()).unwrap()
        };
        let at_batch = |x: &Array3<f64>, i: usize| x.index_axis(Axis(0), i).to_owned();
        let pairs = each(&|i| at_batch(&a, i).dot(&at_batch(&b, i)));
        assert!(near(&pairs, at(&a, |x| x.matmul(x.tape().input(&b))).0));
        let right = each(&|i| at_batch(&a, i).dot(&at_batch(&b, 1)));
        assert!(near(&right, at(&a, |x| x.matmul(x.tape().input(&at_batch(&b, 1)))).0));
        let left = each(&|i| at_batch(&a, 2).dot(&at_batch(&b, i)));
        assert!(near(&left, at(&at_batch(&a, 2), |x| x.matmul(x.tape().input(&b))).0));
    }

    #[test]
    fn batches_that_do_not_meet_are_reported() {
        let (a, b) = (numbers((3, 4, 5), 0.0), numbers((2, 5, 2), 0.0));
        let messages = [
            complaint(|| at(&a, |x| x.matmul(x.tape().input(&b)))),
            complaint(|| at(&a, |x| x.affine(x.t(), x.sum()))),
        ];
        expect_test::expect![[r#"
            matmul: [3, 4, 5] x [2, 5, 2]: a batch of [3] meets one of [2]
              left:   input [3, 4, 5]
              right:  input [2, 5, 2]
              hint: the axes before the last two must be equal, or one side a single matrix
            affine: the weight [3, 5, 4] is not a matrix
              first:  input [3, 4, 5]
              second: t [3, 5, 4]
              third:  sum []
              hint: one matrix serves the whole batch; `matmul` takes one for each"#]]
        .assert_eq(&messages.join("\n"));
    }
}
