//! The same numbers under another shape.

use crate::op::{Backward, Card, Forward, Inputs, Op};
use crate::{Scalar, Shape, ShapeError, Var};

/// Exchanges the rows and the columns of a matrix.
///
/// `y_ij = x_ji`, `dx_ji = dy_ij`.
#[derive(Clone, Copy, Debug)]
pub struct Transpose;

/// The same numbers, by rows, under another shape.
///
/// `y = x`, `dx = dy`.
#[derive(Clone, Copy, Debug)]
pub struct Reshape {
    /// The new shape.
    pub shape: Shape,
}

impl Transpose {
    pub(super) const CARD: Card = Card {
        name: "t",
        forward: "xᵀ",
        backward: "dyᵀ",
        story: "Rows become columns; the gradient is turned back.",
    };
}
impl Reshape {
    pub(super) const CARD: Card = Card {
        name: "reshape",
        forward: "x",
        backward: "dy",
        story: "Only the shape changes: the same numbers, in the same order.",
    };
}

fn transpose<T: Copy>(x: &[T], rows: usize, cols: usize, y: &mut [T]) {
    for i in 0..rows {
        for j in 0..cols {
            y[j * rows + i] = x[i * cols + j];
        }
    }
}

impl<T: Scalar> Op<T> for Transpose {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        match *inputs.dims(0) {
            [rows, cols] => Ok([cols, rows].into()),
            _ => Err(ShapeError::new(format!("{} is not a matrix", inputs.shape(0)))
                .hint("only matrices, [rows, columns], are transposed")),
        }
    }
    fn forward(&self, f: &mut Forward<T>) {
        if let [rows, cols] = *f.inputs.dims(0) {
            transpose(f.inputs.x(0), rows, cols, f.y);
        }
    }
    fn backward(&self, b: &mut Backward<T>) {
        let (dims, dy) = (b.inputs.dims(0), b.dy);
        if let (&[rows, cols], Some(dx)) = (dims, b.dx(0)) {
            dx.add_filled(|dx, _| transpose(dy, cols, rows, dx));
        }
    }
}

impl<T: Scalar> Op<T> for Reshape {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Inputs<T>) -> Result<Shape, ShapeError> {
        let (from, to) = (inputs.shape(0), self.shape);
        if from.len() == to.len() {
            return Ok(to);
        }
        Err(ShapeError::new(format!("{from} has {} numbers, {to} would have {}", from.len(), to.len())))
    }
    fn forward(&self, f: &mut Forward<T>) {
        f.y.copy_from_slice(f.inputs.x(0));
    }
    fn backward(&self, b: &mut Backward<T>) {
        let dy = b.dy;
        if let Some(dx) = b.dx(0) {
            dx.add(dy, |dy| dy);
        }
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The transpose of a matrix.
    ///
    /// # Panics
    /// At the caller's line, if this is not a matrix.
    #[track_caller]
    pub fn t(self) -> Var<'t, T> {
        self.tape().apply(Transpose, [self])
    }
    /// The same numbers under another shape.
    ///
    /// # Panics
    /// At the caller's line, if the numbers of elements differ.
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Shape>) -> Var<'t, T> {
        self.tape().apply(Reshape { shape: shape.into() }, [self])
    }
}
