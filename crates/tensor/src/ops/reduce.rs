//! Sums and means, over everything or along one axis.

use surprisal_formula_macro::math;

use super::axis::{parts, reduced};
use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Inputs, Op, Shapes};
use crate::sum::{column_sums, sum, sum_of};
use crate::{Scalar, Shape, ShapeError, Var};

/// The sum of all numbers, or along one axis, which disappears.
///
#[doc = math!("y = Σ x")]
///
/// Every x gets the gradient of the sum it went into. Summed pairwise, so the error does not grow with the length.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..); `None` sums everything.
    pub axis: Option<isize>,
}

/// The mean of all numbers, or along one axis, which disappears: their sum over their number n.
///
#[doc = math!("y = Σ x / n")]
#[doc = math!("dx = dy / n")]
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    /// The axis; `None` averages everything.
    pub axis: Option<isize>,
}

impl Sum {
    pub(super) const CARD: Card = Card {
        name: "sum",
        inputs: "x",
        forward: "Σ x",
        backward: "dy, for every x of the sum",
        story: "Adds up; backward every summand gets the whole gradient.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::ANY_AXIS],
        run: |given| given.record(Sum { axis: given.find_axis() }),
    };
}
impl Mean {
    pub(super) const CARD: Card = Card {
        name: "mean",
        inputs: "x",
        forward: "Σ x / n",
        backward: "dy / n, for every x of the mean",
        story: "A sum that does not grow with the number of rows; backward every summand gets its share.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::ANY_AXIS],
        run: |given| given.record(Mean { axis: given.find_axis() }),
    };
}

crate::kernel! {
    fn row_sums<T: Scalar>(x: &[T], n: usize, y: &mut [T]) {
        for (i, y) in y.iter_mut().enumerate() {
            *y = sum_of(&x[i * n..(i + 1) * n]);
        }
    }
}

fn sum_forward<T: Scalar>(f: &mut Forward<T>, axis: Option<isize>) {
    let x = f.inputs.x(0);
    match parts(f.inputs.shape(0), axis) {
        Ok((1, _, 1)) => f.y[0] = sum(x),
        Ok((_, n, 1)) => row_sums(x, n, f.y),
        Ok((_, n, inner)) if inner > 0 => {
            for (i, y) in f.y.chunks_exact_mut(inner).enumerate() {
                column_sums(y, false, &x[i * n * inner..(i + 1) * n * inner], &mut f.room.scratch);
            }
        }
        _ => {} // nothing to write
    }
}

/// dx gets `factor` times the gradient of the sum it went into.
fn sum_backward<T: Scalar>(b: &mut Backward<T>, axis: Option<isize>, factor: T) {
    let dy = b.dy;
    let Ok((_, n, inner)) = parts(b.inputs.shape(0), axis) else { return };
    let Some(dx) = b.dx(0) else { return };
    dx.add_filled(|dx, _| {
        if inner == 1 && n > 0 {
            for (dx, &dy) in dx.chunks_exact_mut(n).zip(dy) {
                dx.fill(factor * dy);
            }
        } else if n * inner > 0 {
            for (block, dy) in dx.chunks_exact_mut(n * inner).zip(dy.chunks_exact(inner)) {
                for row in block.chunks_exact_mut(inner) {
                    for (dx, &dy) in row.iter_mut().zip(dy) {
                        *dx = factor * dy;
                    }
                }
            }
        }
    });
}

impl Op for Sum {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        reduced(inputs.shape(0), self.axis)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        sum_forward(f, self.axis);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        sum_backward(b, self.axis, T::ONE);
    }
}

impl Op for Mean {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let (_, n, _) = parts(inputs.shape(0), self.axis)?;
        if n == 0 {
            return Err(ShapeError::new(format!("{} has nothing to average", inputs.shape(0)))
                .hint("is the batch empty?"));
        }
        reduced(inputs.shape(0), self.axis)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        sum_forward(f, self.axis);
        let n = T::of(self.n(f.inputs));
        for y in f.y.iter_mut() {
            *y = *y / n;
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let factor = T::ONE / T::of(self.n(b.inputs));
        sum_backward(b, self.axis, factor);
    }
}

impl Mean {
    fn n<T: Scalar>(&self, inputs: Inputs<T>) -> f64 {
        parts(inputs.shape(0), self.axis).map_or(f64::NAN, |(_, n, _)| n as f64)
    }
}

impl<'t> Var<'t> {
    /// The sum of all numbers.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0], [3.0, 4.0]]).requires_grad();
    /// x.sum().backward();
    /// assert_eq!(x.sum().item(), 10.0);
    /// assert_eq!(x.grad(), Some(array![[1.0, 1.0], [1.0, 1.0]].into_dyn())); // all get the same
    /// ```
    #[track_caller]
    pub fn sum(self) -> Var<'t> {
        self.tape().apply(Sum { axis: None }, [self])
    }
    /// The sum along one axis, which disappears: `[64, 10].sum_axis(1)` is `[64]`. Negative axes count from the back.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.sum_axis(0).value(), array![5.0, 7.0, 9.0].into_dyn());
    /// assert_eq!(x.mean_axis(-1).value(), array![2.0, 5.0].into_dyn());
    /// assert_eq!(x.sum().item(), 21.0);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn sum_axis(self, axis: isize) -> Var<'t> {
        self.tape().apply(Sum { axis: Some(axis) }, [self])
    }
    /// The sum along several axes, which disappear: see [`merge_axes`](Self::merge_axes).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let images = tape.input(&Array4::<f64>::ones((2, 3, 4, 5)));
    /// assert_eq!(images.sum_axes(&[0, 2, 3]).value().as_slice(), Some(&[40.0; 3][..]));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or one is named twice.
    #[track_caller]
    pub fn sum_axes(self, axes: &[isize]) -> Var<'t> {
        self.merge_axes(axes).sum_axis(-1)
    }
    /// The mean of all numbers.
    ///
    #[doc = math!("y = Σ x / n")]
    #[doc = math!("dx = dy / n")]
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 3.0]).requires_grad();
    /// let mean = x.mean();
    /// mean.backward();
    /// assert_eq!(mean.item(), 2.0);
    /// assert_eq!(x.grad(), Some(array![0.5, 0.5].into_dyn())); // the more numbers, the less each counts
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is none.
    #[track_caller]
    pub fn mean(self) -> Var<'t> {
        self.tape().apply(Mean { axis: None }, [self])
    }
    /// The mean along one axis, which disappears.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.mean_axis(0).value(), array![2.5, 3.5, 4.5].into_dyn()); // of each column
    /// assert_eq!(x.mean_axis(-1).value(), array![2.0, 5.0].into_dyn()); // of each row
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or nothing along it.
    #[track_caller]
    pub fn mean_axis(self, axis: isize) -> Var<'t> {
        self.tape().apply(Mean { axis: Some(axis) }, [self])
    }
    /// The mean along several axes, which disappear: see [`merge_axes`](Self::merge_axes).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let images = tape.input(&Array4::<f64>::ones((2, 3, 4, 5)));
    /// assert_eq!(images.mean_axes(&[0, 2, 3]).value().as_slice(), Some(&[1.0; 3][..]));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or one is named twice, or there is nothing along them.
    #[track_caller]
    pub fn mean_axes(self, axes: &[isize]) -> Var<'t> {
        self.merge_axes(axes).mean_axis(-1)
    }
}
