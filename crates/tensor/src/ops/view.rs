//! The same numbers under another shape.

use surprisal_formula_macro::math;

use super::axis::{transpose, unsqueezed};
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::shape::MAX_RANK;
use crate::{Scalar, Shape, ShapeError, Var};

/// Exchanges the rows and the columns of a matrix, or of every matrix along the last two axes.
///
#[doc = math!("y_ij = x_ji")]
#[doc = math!("dx_ji = dy_ij")]
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

/// A new axis of length 1.
///
/// `y = x`, `dx = dy`.
#[derive(Clone, Copy, Debug)]
pub struct Unsqueeze {
    /// Where the axis will be, from the front (0, 1, ..) or the back (-1, ..) of the new shape.
    pub axis: isize,
}

/// An axis of length 1 less.
///
/// `y = x`, `dx = dy`.
#[derive(Clone, Copy, Debug)]
pub struct Squeeze {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

impl Transpose {
    pub(super) const CARD: Card = Card {
        name: "t",
        inputs: "x",
        forward: "xᵀ",
        backward: "dyᵀ",
        story: "Rows become columns; the gradient is turned back.",
    };
}
impl Reshape {
    pub(super) const CARD: Card = Card {
        name: "reshape",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "Only the shape changes: the same numbers, in the same order.",
    };
}

impl Unsqueeze {
    pub(super) const CARD: Card = Card {
        name: "unsqueeze",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "A new axis of length 1: the same numbers, ready to be repeated along it.",
    };
}
impl Squeeze {
    pub(super) const CARD: Card = Card {
        name: "squeeze",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "An axis of length 1 holds nothing apart: the same numbers without it.",
    };
}

impl Op for Transpose {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let shape = inputs.shape(0);
        match *shape.dims() {
            [.., rows, cols] => {
                let last = shape.rank() - 1;
                let mut dims = [0; MAX_RANK];
                dims[..=last].copy_from_slice(shape.dims());
                (dims[last - 1], dims[last]) = (cols, rows);
                Shape::try_new(&dims[..=last])
            }
            _ => Err(ShapeError::new(format!("{shape} is not a matrix"))
                .hint("only matrices, [rows, columns], are transposed")),
        }
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        if let [.., rows, cols] = *f.inputs.dims(0) {
            transpose(f.inputs.x(0), rows, cols, f.y);
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (dims, dy) = (b.inputs.dims(0), b.dy);
        if let (&[.., rows, cols], Some(dx)) = (dims, b.dx(0)) {
            dx.add_filled(|dx, _| transpose(dy, cols, rows, dx));
        }
    }
}

/// What keeps every number in its order: a shape rule is all it needs.
macro_rules! same_numbers {
    ($Type:ident, |$own:ident, $from:ident| $shape:expr) => {
        impl Op for $Type {
            fn card(&self) -> Card {
                Self::CARD
            }
            fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
                let ($own, $from) = (self, inputs.shape(0));
                $shape
            }
            fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
                f.y.copy_from_slice(f.inputs.x(0));
            }
            fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
                let dy = b.dy;
                if let Some(dx) = b.dx(0) {
                    dx.add(dy, |dy| dy);
                }
            }
        }
    };
}

same_numbers!(Reshape, |to, from| {
    let to = to.shape;
    if from.len() == to.len() {
        return Ok(to);
    }
    Err(ShapeError::new(format!("{from} has {} numbers, {to} would have {}", from.len(), to.len())))
});

same_numbers!(Unsqueeze, |new, from| unsqueezed(from, new.axis));

same_numbers!(Squeeze, |old, from| {
    let axis = from.axis(old.axis)?;
    match from.dims()[axis] {
        1 => Ok(from.without(axis)),
        n => Err(ShapeError::new(format!("axis {} of {from} has length {n}, not 1", old.axis))),
    }
});

impl<'t> Var<'t> {
    /// The transpose of a matrix, or of every matrix along the last two axes: `[.., rows, columns]` to `[.., columns, rows]`.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.t().value(), array![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there are fewer than two axes.
    #[track_caller]
    pub fn t(self) -> Var<'t> {
        self.tape().apply(Transpose, [self])
    }
    /// The same numbers under another shape.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.reshape([3, 2]).value(), array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the numbers of elements differ.
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Shape>) -> Var<'t> {
        self.tape().apply(Reshape { shape: shape.into() }, [self])
    }
    /// A new axis of length 1: `[64, 10].unsqueeze(1)` is `[64, 1, 10]`, `unsqueeze(-1)` `[64, 10, 1]`.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let row_means = tape.input(&array![1.0, 10.0]);
    /// let x = tape.input(&array![[0.0, 2.0], [9.0, 11.0]]);
    /// let centred = x - row_means.unsqueeze(1); // [2, 1] meets [2, 2]; [2] would be taken from the columns
    /// assert_eq!(centred.value(), array![[-1.0, 1.0], [-1.0, 1.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the new shape could have no such axis.
    #[track_caller]
    pub fn unsqueeze(self, axis: isize) -> Var<'t> {
        self.tape().apply(Unsqueeze { axis }, [self])
    }
    /// An axis of length 1 less: `[64, 1, 10].squeeze(1)` is `[64, 10]`.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let outputs = tape.input(&array![[0.5], [0.9]]);
    /// assert_eq!(outputs.squeeze(1).value(), array![0.5, 0.9].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or its length is not 1.
    #[track_caller]
    pub fn squeeze(self, axis: isize) -> Var<'t> {
        self.tape().apply(Squeeze { axis }, [self])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Axis, array};

    use crate::ops::{at, complaint};

    #[test]
    fn every_matrix_of_a_batch_is_transposed() {
        let x = Array::from_shape_fn((2, 3, 4), |(b, i, j)| (100 * b + 10 * i + j) as f64);
        assert_eq!(at(&x, |x| x.t()).0, x.permuted_axes([0, 2, 1]).to_owned().into_dyn());
    }

    #[test]
    fn axes_of_length_one_come_and_go() {
        let x = array![[1.0, 2.0], [3.0, 4.0]];
        for axis in 0..3usize {
            let expected = x.clone().insert_axis(Axis(axis)).into_dyn();
            assert_eq!(at(&x, |x| x.unsqueeze(axis as isize)).0, expected);
            assert_eq!(at(&x, |x| x.unsqueeze(axis as isize - 3)).0, expected);
            assert_eq!(at(&expected, |x| x.squeeze(axis as isize)).0, x.clone().into_dyn());
        }
        let message = complaint(|| at(&x, |x| x.squeeze(-1)));
        assert!(message.starts_with("squeeze: axis -1 of [2, 2] has length 2, not 1"), "{message}");
        let message = complaint(|| at(&x, |x| x.unsqueeze(3)));
        assert!(message.starts_with("unsqueeze: there is no axis 3"), "{message}");
        let message = complaint(|| at(&x, |x| x.reshape([1, 1, 1, 2, 2]).unsqueeze(0)));
        assert!(message.starts_with("unsqueeze: [1, 1, 1, 2, 2] has 5 axes, the most that"), "{message}");
    }
}
