//! Parts of an axis: cut out, put together.

use std::ops::Range;

use surprisal_formula_macro::math;

use super::axis::{blocks, blocks_mut, parts, unsqueezed};
use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::{Scalar, Shape, ShapeError, Var};

/// The places `start..end` along an axis.
///
#[doc = math!("y_j = x_(start + j)")]
///
/// What was left out gets no gradient.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
    /// The first place.
    pub start: usize,
    /// The place behind the last.
    pub end: usize,
}

/// Inputs one behind the other along an axis; their other axes are equal.
///
#[doc = math!("y = (a, b, ..)")]
///
/// Each input gets its part of the gradient.
#[derive(Clone, Copy, Debug)]
pub struct Concat {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
    /// Whether it is a new one, which each input gets first: then it is [`stack`].
    pub new: bool,
}

impl Slice {
    pub(super) const CARD: Card = Card {
        name: "slice",
        inputs: "x",
        forward: "x_start .. x_(end - 1)",
        backward: "dy at the places that were kept, else 0",
        story: "Keeps a part; what was left out cannot be to blame.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[
            by_name::LAST_AXIS,
            by_name::whole("start", "0", "The first place that is kept"),
            by_name::whole("end", "", "The first place behind it that is not"),
        ],
        run: |given| {
            let (start, end) = (given.whole("start")?, given.whole("end")?);
            given.record(Slice { axis: given.axis()?, start, end })
        },
    };
}
impl Concat {
    pub(super) const CARD: Card = Card {
        name: "concat",
        inputs: "a b",
        forward: "(a, b, ..)",
        backward: "each input gets its part of dy",
        story: "Puts inputs one behind the other; backward the gradient is cut where they met.",
    };
    /// [`stack`] is a concat of inputs with a new axis each.
    pub(super) const STACK: Card = Card {
        name: "stack",
        inputs: "a b",
        forward: "(a, b, ..) along one more axis",
        backward: "each input gets its part of dy",
        story: "Several inputs of one shape become one with an axis more.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::JOINED,
        settings: &[by_name::FIRST_AXIS],
        run: |given| given.record(Concat { axis: given.axis()?, new: false }),
    };
    pub(super) const STACK_SIGNATURE: Signature = Signature {
        inputs: by_name::JOINED,
        settings: &[by_name::FIRST_AXIS],
        run: |given| given.record(Concat { axis: given.axis()?, new: true }),
    };
}

impl Op for Slice {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let (shape, Slice { axis, start, end }) = (inputs.shape(0), *self);
        let place = shape.axis(axis)?;
        let length = shape.dims()[place];
        if start <= end && end <= length {
            return shape.resized(place, end - start);
        }
        let error = ShapeError::new(format!("{start}..{end} does not lie in axis {axis} of {shape}"));
        Err(error.hint(format!("its length is {length}")))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Ok((_, n, inner)) = parts(f.inputs.shape(0), Some(self.axis)) else { return };
        let part = self.start * inner..self.end * inner;
        for (x, y) in blocks(f.inputs.x(0), n * inner).zip(blocks_mut(f.y, part.len())) {
            y.copy_from_slice(&x[part.clone()]);
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let Ok((_, n, inner)) = parts(b.inputs.shape(0), Some(self.axis)) else { return };
        let (part, dy) = (self.start * inner..self.end * inner, b.dy);
        if let Some(dx) = b.dx(0) {
            dx.add_scattered(|dx, _| {
                for (dx, dy) in blocks_mut(dx, n * inner).zip(blocks(dy, part.len())) {
                    for (dx, &dy) in dx[part.clone()].iter_mut().zip(dy) {
                        *dx += dy;
                    }
                }
            });
        }
    }
}

impl Concat {
    /// The shape of input `k`, with the new axis if there is one.
    fn input(self, inputs: Shapes, k: usize) -> Result<Shape, ShapeError> {
        if self.new { unsqueezed(inputs.shape(k), self.axis) } else { Ok(*inputs.shape(k)) }
    }
    /// How many numbers input `k` gives to each block of the result.
    fn share(self, inputs: Shapes, k: usize) -> usize {
        let parts = self.input(inputs, k).and_then(|shape| parts(&shape, Some(self.axis)));
        parts.map_or(0, |(_, n, inner)| n * inner)
    }
}

/// Each input with the part of a block that is its own, and how long a block is.
fn shares(op: Concat, inputs: Shapes<'_>) -> (impl Iterator<Item = (usize, Range<usize>)>, usize) {
    let total = (0..inputs.len()).map(|k| op.share(inputs, k)).sum();
    let each = (0..inputs.len()).scan(0, move |start, k| {
        let part = *start..*start + op.share(inputs, k);
        *start = part.end;
        Some((k, part))
    });
    (each, total)
}

impl Op for Concat {
    fn card(&self) -> Card {
        if self.new { Self::STACK } else { Self::CARD }
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        if inputs.len() == 0 {
            return Err(ShapeError::new("there is nothing to join"));
        }
        let first = self.input(inputs, 0)?;
        let axis = first.axis(self.axis)?;
        let mut length = 0usize;
        for k in 0..inputs.len() {
            let shape = self.input(inputs, k)?;
            if shape.rank() != first.rank() || shape.resized(axis, 0) != first.resized(axis, 0) {
                let (first, shape) = (inputs.shape(0), inputs.shape(k));
                let error = ShapeError::new(format!("{first} and {shape} do not meet along axis {axis}"));
                return Err(error.hint(if self.new {
                    "what is stacked has one shape"
                } else {
                    "they must have the same number of axes, and be equal in all others"
                }));
            }
            length = length.saturating_add(shape.dims()[axis]); // then no shape has it
        }
        first.resized(axis, length)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (shares, total) = shares(*self, f.inputs.shapes());
        for (k, part) in shares {
            for (x, y) in blocks(f.inputs.x(k), part.len()).zip(blocks_mut(f.y, total)) {
                y[part.clone()].copy_from_slice(x);
            }
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (dy, (shares, total)) = (b.dy, shares(*self, b.inputs.shapes()));
        for (k, part) in shares {
            if let Some(dx) = b.dx(k) {
                dx.add_filled(|dx, _| {
                    for (dx, dy) in blocks_mut(dx, part.len()).zip(blocks(dy, total)) {
                        dx.copy_from_slice(&dy[part.clone()]);
                    }
                });
            }
        }
    }
}

impl<'t> Var<'t> {
    /// The places `start..end` along an axis: `[64, 10].slice(1, 2..5)` is `[64, 3]`.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).requires_grad();
    /// let part = x.slice(1, 1..3);
    /// part.sum().backward();
    /// assert_eq!(part.value(), array![[2.0, 3.0], [5.0, 6.0]].into_dyn());
    /// assert_eq!(x.grad(), Some(array![[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]].into_dyn()));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or the range does not lie in it.
    #[track_caller]
    pub fn slice(self, axis: isize, range: Range<usize>) -> Var<'t> {
        self.tape().apply(Slice { axis, start: range.start, end: range.end }, [self])
    }
}

/// Inputs one behind the other along an axis: `[2, 3]` and `[4, 3]` along axis 0 are `[6, 3]`.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::{concat, stack}};
/// let params = Params::new();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let (a, b) = (tape.input(&array![1.0, 2.0]), tape.input(&array![3.0, 4.0]));
/// assert_eq!(concat(&[a, b, a], 0).value(), array![1.0, 2.0, 3.0, 4.0, 1.0, 2.0].into_dyn());
/// assert_eq!(stack(&[a, b], 1).value(), array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
/// ```
///
/// # Panics
/// At the caller's line, if there is no input, no such axis, or another axis differs.
#[track_caller]
pub fn concat<'t>(inputs: &[Var<'t>], axis: isize) -> Var<'t> {
    join(inputs, axis, false)
}

/// Inputs of one shape side by side along a new axis: three `[64, 10]` along axis 0 are `[3, 64, 10]`.
///
/// ```
/// use surprisal_tensor::stack;
/// # use surprisal_tensor::{Params, Workspace, ndarray::array};
/// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
/// # let tape = workspace.tape(&params);
/// let (a, b) = (tape.input(&array![1.0, 2.0]), tape.input(&array![3.0, 4.0]));
/// assert_eq!(stack(&[a, b], 0).value(), array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
/// assert_eq!(stack(&[a, b], 1).value(), array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
/// ```
///
/// # Panics
/// At the caller's line, if there is no input, the shapes differ, or the result could have no such axis.
#[track_caller]
pub fn stack<'t>(inputs: &[Var<'t>], axis: isize) -> Var<'t> {
    join(inputs, axis, true)
}

#[track_caller]
fn join<'t>(inputs: &[Var<'t>], axis: isize, new: bool) -> Var<'t> {
    let Some(first) = inputs.first() else {
        panic!("{}: there is nothing to join", if new { "stack" } else { "concat" });
    };
    first.tape().apply(Concat { axis, new }, inputs)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;
    use crate::check_gradient;
    use crate::ops::{at, complaint};

    #[test]
    fn parts_that_are_cut_out_and_put_together_are_the_whole() {
        let x = Array::from_shape_fn((3, 4, 2), |(i, j, k)| (100 * i + 10 * j + k) as f64);
        for axis in 0..3 {
            let n = x.shape()[axis];
            let (y, dx) = at(&x, |x| {
                let parts = [0..1, 1..1, 1..n].map(|range| x.slice(axis as isize, range));
                concat(&parts, axis as isize)
            });
            assert_eq!(y, x.clone().into_dyn());
            assert_eq!(dx, Array::ones((3, 4, 2)).into_dyn());
        }
    }

    #[test]
    fn inputs_of_different_lengths_get_their_parts_of_the_gradient() {
        let inputs = [
            Array::ones((2, 1, 2)),
            Array::zeros((2, 3, 2)),
            Array::ones((2, 0, 2)),
            Array::zeros((2, 2, 2)),
        ];
        check_gradient(&inputs.map(|x| x.into_dyn()), |_, x| concat(x, 1).sigmoid());
        check_gradient(&[array![0.5].into_dyn()], |_, x| concat(x, 0));
    }

    #[test]
    fn what_is_stacked_stands_side_by_side() {
        let (y, _) = at(&array![[1.0, 2.0], [3.0, 4.0]], |x| stack(&[x, -x, x], -1));
        assert_eq!(
            y,
            array![[[1.0, -1.0, 1.0], [2.0, -2.0, 2.0]], [[3.0, -3.0, 3.0], [4.0, -4.0, 4.0]]].into_dyn()
        );
    }

    #[test]
    fn what_does_not_meet_is_reported() {
        let x = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let messages = [
            complaint(|| at(&x, |x| concat(&[x, x.t()], 0))),
            complaint(|| at(&x, |x| concat(&[x, x.sum()], 0))),
            complaint(|| at(&x, |x| x.slice(1, 1..3))),
            complaint(|| concat(&[], 0)),
        ];
        expect_test::expect![[r#"
            concat: [3, 2] and [2, 3] do not meet along axis 0
              left:   input [3, 2]
              right:  t [2, 3]
              hint: they must have the same number of axes, and be equal in all others
            concat: [3, 2] and [] do not meet along axis 0
              left:   input [3, 2]
              right:  sum []
              hint: they must have the same number of axes, and be equal in all others
            slice: 1..3 does not lie in axis 1 of [3, 2]
              input:  input [3, 2]
              hint: its length is 2
            concat: there is nothing to join"#]]
        .assert_eq(&messages.join("\n"));
    }
}
