//! Places along an axis, named by numbers.

use ndarray::{ArrayBase, Data, Dimension};
use surprisal_formula_macro::math;

use super::axis::{blocks, blocks_mut, parts};
use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Inputs, Op, Shapes};
use crate::store::typed;
use crate::sum::accumulate_in_one;
use crate::threads::{HEAVY, LIGHT, Rows, for_each, reduce, rows_of};
use crate::{Scalar, Shape, ShapeError, Tape, Var};

/// Rows of a table, or places along any axis: chosen by indices, in any order, any number of times.
///
#[doc = math!("y_j = x_(index j)")]
///
/// Every place gets the sum of the gradients of where it went. The second input holds the indices.
#[derive(Clone, Copy, Debug)]
pub struct IndexSelect {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

/// One place along an axis for every number of the result.
///
#[doc = math!("y_ij = x_i(index ij)")]
///
/// along axis 1; every place gets the sum of the gradients of where it went. The second input holds the indices; its shape, which is that of the result, differs from x along the axis only.
#[derive(Clone, Copy, Debug)]
pub struct Gather {
    /// The axis, from the front (0, 1, ..) or the back (-1, ..).
    pub axis: isize,
}

impl IndexSelect {
    pub(super) const CARD: Card = Card {
        name: "index_select",
        inputs: "x",
        forward: "y_j = x_(index j)",
        backward: "Σ dy_j over every j whose index is i",
        story: "Looks up rows by their numbers, as an embedding does; a row that is used twice learns twice.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X_INDICES,
        settings: &[by_name::AXIS],
        run: |given| given.record(IndexSelect { axis: given.axis()? }),
    };
}
impl Gather {
    pub(super) const CARD: Card = Card {
        name: "gather",
        inputs: "x",
        forward: "y_ij = x_i(index ij)",
        backward: "Σ dy_ij over every j whose index is k, for x_ik",
        story: "Picks a place of its own from each row, as a class picks its probability.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X_INDICES,
        settings: &[by_name::AXIS],
        run: |given| given.record(Gather { axis: given.axis()? }),
    };
}

/// 2^52: above it only whole numbers are exact in `f64`, and the last bits of one are the distance from it.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// A whole number from 0 to below 2^32. A cast would do the same, but not several at once.
#[inline(always)]
fn index<T: Scalar>(x: T) -> u32 {
    (x.value() + WHOLE).to_bits() as u32
}

/// Whether it is a whole number from 0 to below `length`.
#[inline(always)]
fn is_below(i: f64, length: f64) -> bool {
    (i >= 0.0) & (i < length) & ((i + WHOLE) - WHOLE == i)
}

crate::kernel! {
    fn all_below<T: Scalar>(indices: &[T], length: usize) -> bool {
        indices.iter().fold(true, |all, &i| all & is_below(i.value(), length as f64))
    }
}

/// Whether every index names a place along the axis.
fn check(shape: &Shape, axis: usize, inputs: Shapes, k: usize) -> Result<(), ShapeError> {
    let length = shape.dims()[axis];
    if length > u32::MAX as usize {
        return Err(ShapeError::new(format!("axis {axis} of {shape} has more places than {}", u32::MAX)));
    }
    let indices = inputs.memory.value(&inputs.nodes[inputs.ids[k] as usize]);
    if typed!(indices, x => reduce(x, LIGHT, |_, x| all_below(x, length), |a, b| a && b)) {
        return Ok(());
    }
    match indices.numbers().enumerate().find(|&(_, i)| !is_below(i, length as f64)) {
        None => Ok(()),
        Some((position, index)) => Err(ShapeError::new(format!(
            "index {index} at position {position} does not lie in axis {axis} of {shape}, whose length is {length}"
        ))),
    }
}

impl Op for IndexSelect {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let (shape, indices) = (inputs.shape(0), inputs.shape(1));
        let axis = shape.axis(self.axis)?;
        if indices.rank() != 1 {
            return Err(ShapeError::new(format!("the indices {indices} are no list"))
                .hint("they have one axis; `gather` takes an index for every number"));
        }
        check(shape, axis, inputs, 1)?;
        shape.resized(axis, indices.len())
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Ok((_, n, inner)) = parts(f.inputs.shape(0), Some(self.axis)) else { return };
        let indices = f.inputs.x(1);
        for (x, y) in blocks(f.inputs.x(0), n * inner).zip(blocks_mut(f.y, indices.len() * inner)) {
            for_each((Rows(y, inner), indices), rows_of(LIGHT, inner), |_, (Rows(y, _), indices)| {
                for (y, &i) in blocks_mut(y, inner).zip(indices) {
                    y.copy_from_slice(&x[index(i) as usize * inner..][..inner]);
                }
            });
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let Ok((_, n, inner)) = parts(b.inputs.shape(0), Some(self.axis)) else { return };
        let (indices, dy) = (b.x(1), b.dy);
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|dx, _| {
            if dy.is_empty() {
                return dx.fill(T::ZERO);
            }
            // each piece looks for its places among all indices: few pieces where a place is a few numbers
            let pieces = (n / rows_of(LIGHT, inner)).min(inner / 32).max(1);
            for (dx, dy) in blocks_mut(dx, n * inner).zip(blocks(dy, indices.len() * inner)) {
                for_each(Rows(dx, inner), n.div_ceil(pieces).max(1), |start, Rows(dx, _)| {
                    let (end, before) = (dx.len(), start * inner);
                    dx.fill(T::ZERO);
                    for (dy, &i) in blocks(dy, inner).zip(indices) {
                        let at = (index(i) as usize * inner).wrapping_sub(before);
                        if at < end {
                            accumulate_in_one(&mut dx[at..at + inner], dy);
                        }
                    }
                });
            }
        });
    }
}

/// `[outer, n, inner]` of x and `[outer, m, inner]` of the indices.
#[derive(Clone, Copy)]
struct Sizes {
    n: usize,
    m: usize,
    inner: usize,
}

crate::kernel! {
    fn gather<T: Scalar>(x: &[T], indices: &[T], sizes: Sizes, y: &mut [T]) {
        let (Sizes { n, m, inner }, mut places) = (sizes, [0; BLOCK]);
        for ((x, indices), y) in blocks(x, n * inner).zip(blocks(indices, m * inner)).zip(blocks_mut(y, m * inner)) {
            let (width, step) = sizes.stretch();
            for (indices, y) in blocks(indices, width).zip(blocks_mut(y, width)) {
                for (block, (indices, y)) in indices.chunks(BLOCK).zip(y.chunks_mut(BLOCK)).enumerate() {
                    let x = &x[block * BLOCK * step..];
                    write_places(indices, inner, &mut places);
                    for (k, (y, &place)) in y.iter_mut().zip(&places).enumerate() { *y = x[place + k * step] }
                }
            }
        }
    }
}
crate::kernel! {
    fn gather_back<T: Scalar>(dx: &mut [T], indices: &[T], sizes: Sizes, dy: &[T]) {
        let (Sizes { n, m, inner }, mut places) = (sizes, [0; BLOCK]);
        dx.fill(T::ZERO);
        for ((dx, indices), dy) in blocks_mut(dx, n * inner).zip(blocks(indices, m * inner)).zip(blocks(dy, m * inner)) {
            let (width, step) = sizes.stretch();
            for (indices, dy) in blocks(indices, width).zip(blocks(dy, width)) {
                for (block, (indices, dy)) in indices.chunks(BLOCK).zip(dy.chunks(BLOCK)).enumerate() {
                    let dx = &mut dx[block * BLOCK * step..];
                    write_places(indices, inner, &mut places);
                    for (k, (&dy, &place)) in dy.iter().zip(&places).enumerate() { dx[place + k * step] += dy }
                }
            }
        }
    }
}

/// The number of indices that become places at once, in a loop that vectorizes.
const BLOCK: usize = 128;

/// Writes where the places along an axis start.
#[inline(always)]
fn write_places<T: Scalar>(indices: &[T], inner: usize, places: &mut [usize; BLOCK]) {
    for (place, &i) in places.iter_mut().zip(indices) {
        *place = index(i) as usize * inner;
    }
}

impl Sizes {
    /// Numbers whose places along the last axes are 0, step, 2 step, ..: a whole row of indices where there are no such axes.
    #[inline(always)]
    fn stretch(self) -> (usize, usize) {
        if self.inner == 1 { (self.m, 0) } else { (self.inner, 1) }
    }
}

impl Gather {
    fn sizes<T: Scalar>(&self, inputs: Inputs<T>) -> Option<Sizes> {
        let ((_, n, inner), (_, m, _)) =
            (parts(inputs.shape(0), Some(self.axis)).ok()?, parts(inputs.shape(1), Some(self.axis)).ok()?);
        Some(Sizes { n, m, inner })
    }
}

impl Op for Gather {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let (shape, indices) = (inputs.shape(0), inputs.shape(1));
        let axis = shape.axis(self.axis)?;
        if shape.rank() != indices.rank() || shape.resized(axis, 0) != indices.resized(axis, 0) {
            return Err(ShapeError::new(format!(
                "the indices {indices} do not fit {shape} along axis {axis}"
            ))
            .hint("they must have the same number of axes, and be equal in all others"));
        }
        check(shape, axis, inputs, 1)?;
        Ok(*indices)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let Some(sizes) = self.sizes(f.inputs) else { return };
        let (of_x, of_y) = (sizes.n * sizes.inner, sizes.m * sizes.inner);
        let parts = (Rows(&mut *f.y, of_y), Rows(f.inputs.x(1), of_y), Rows(f.inputs.x(0), of_x));
        for_each(parts, rows_of(HEAVY, of_y), |_, (y, indices, x)| gather(x.0, indices.0, sizes, y.0));
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (Some(sizes), indices, dy) = (self.sizes(b.inputs), b.x(1), b.dy) else { return };
        let (of_x, of_y) = (sizes.n * sizes.inner, sizes.m * sizes.inner);
        let Some(dx) = b.dx(0) else { return };
        dx.add_filled(|dx, _| {
            let parts = (Rows(dy, of_y), Rows(indices, of_y), Rows(dx, of_x));
            for_each(parts, rows_of(HEAVY, of_y), |_, (dy, indices, dx)| {
                gather_back(dx.0, indices.0, sizes, dy.0);
            });
        });
    }
}

/// Records indices as numbers.
#[track_caller]
fn record<'t, 'i>(
    name: &str,
    tape: &'t Tape<'t>,
    shape: &[usize],
    indices: impl Iterator<Item = &'i usize> + Clone,
) -> Var<'t> {
    let dtype = tape.dtype();
    if let Some(i) = indices.clone().find(|&&i| dtype.round(i as f64) != i as f64) {
        panic!("{name}: index {i} is not among the whole numbers that {dtype} holds exactly");
    }
    let mut indices = indices.into_iter();
    tape.input_with(shape, |_| indices.next().map_or(f64::NAN, |&i| i as f64))
}

impl<'t> Var<'t> {
    /// The places along an axis with these indices: `table.index_select(0, &[2, 0, 2])` is three rows of the table.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let table = tape.input(&array![[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]).requires_grad();
    /// let rows = table.index_select(0, &[2, 0, 2]);
    /// rows.sum().backward();
    /// assert_eq!(rows.value(), array![[2.0, 2.1], [0.0, 0.1], [2.0, 2.1]].into_dyn());
    /// assert_eq!(table.grad(), Some(array![[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]].into_dyn())); // 2 was taken twice
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or an index does not lie in it.
    #[track_caller]
    pub fn index_select(self, axis: isize, indices: &[usize]) -> Var<'t> {
        let indices = record("index_select", self.tape(), &[indices.len()], indices.iter());
        self.index_select_by(axis, indices)
    }

    /// [`index_select`](Self::index_select) with indices that are a value on the tape, of one axis.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let table = tape.input(&array![[0.0, 0.1], [1.0, 1.1]]);
    /// assert_eq!(table.index_select_by(0, tape.input(&array![1.0])).value(), array![[1.0, 1.1]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or an index is not a whole number that lies in it.
    #[track_caller]
    pub fn index_select_by(self, axis: isize, indices: Var<'t>) -> Var<'t> {
        self.tape().apply(IndexSelect { axis }, [self, indices])
    }

    /// For every index the number at that place along the axis, in its own row:
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let p = tape.input(&array![[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]);
    /// assert_eq!(p.gather(1, &array![[1], [0]]).value(), array![[0.7], [0.5]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, an index does not lie in it, or another axis differs.
    #[track_caller]
    pub fn gather<S: Data<Elem = usize>, D: Dimension>(
        self,
        axis: isize,
        indices: &ArrayBase<S, D>,
    ) -> Var<'t> {
        let indices = record("gather", self.tape(), indices.shape(), indices.iter());
        self.gather_by(axis, indices)
    }

    /// [`gather`](Self::gather) with indices that are a value on the tape.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let p = tape.input(&array![[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]);
    /// let labels = tape.input(&array![[1.0], [0.0]]);
    /// assert_eq!(p.gather_by(1, labels).value(), array![[0.7], [0.5]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, an index is not a whole number that lies in it, or another axis differs.
    #[track_caller]
    pub fn gather_by(self, axis: isize, indices: Var<'t>) -> Var<'t> {
        self.tape().apply(Gather { axis }, [self, indices])
    }
}

impl<'t> Tape<'t> {
    /// Records labels as rows that are 1 at the label and 0 elsewhere: `[labels, classes]`.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// assert_eq!(tape.one_hot(&[2, 0], 3).value(), array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such class.
    #[track_caller]
    pub fn one_hot(&'t self, labels: &[usize], classes: usize) -> Var<'t> {
        if let Some(position) = labels.iter().position(|&label| label >= classes) {
            panic!("one_hot: label {} at position {position}, of {classes} classes", labels[position]);
        }
        self.input_with([labels.len(), classes], |i| f64::from(labels[i / classes] == i % classes))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::ops::{at, complaint};

    #[test]
    fn a_row_that_is_used_twice_learns_twice() {
        let table = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let (y, dx) = at(&table, |x| x.index_select(0, &[2, 0, 2]));
        assert_eq!(y, array![[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]].into_dyn());
        assert_eq!(dx, array![[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]].into_dyn());
        assert_eq!(at(&table, |x| x.index_select(-1, &[1])).0, array![[2.0], [4.0], [6.0]].into_dyn());
        assert_eq!(at(&table, |x| x.index_select(0, &[])).0.shape(), [0, 2]);
    }

    #[test]
    fn gather_agrees_with_its_definition_along_every_axis() {
        let x = ndarray::Array::from_shape_fn((2, 3, 2), |(i, j, k)| (100 * i + 10 * j + k) as f64);
        for axis in 0..3 {
            let mut shape = [2, 3, 2];
            shape[axis] = 4;
            let indices = ndarray::ArrayD::from_shape_fn(&shape[..], |at| {
                (at[0] + 2 * at[1] + at[2]) % x.shape()[axis]
            });
            let (y, _) = at(&x, |x| x.gather(axis as isize, &indices));
            for (place, &index) in indices.indexed_iter() {
                let mut from = place.clone();
                from[axis] = index;
                assert_eq!(y[&place], x[[from[0], from[1], from[2]]]);
            }
        }
    }

    #[test]
    fn an_index_out_of_range_is_reported_with_its_place() {
        let x = array![[1.0, 2.0], [3.0, 4.0]];
        let messages = [
            complaint(|| at(&x, |x| x.index_select(0, &[1, 0, 2]))),
            complaint(|| at(&x, |x| x.gather(1, &array![[0], [5]]))),
            complaint(|| at(&x, |x| x.gather(1, &array![[0]]))),
            complaint(|| at(&x, |x| x.tape().one_hot(&[1, 3], 3))),
            complaint(|| at(&array![1.0f32], |x| x.index_select(0, &[16_777_217]))),
            complaint(|| {
                at(&x, |x| x.tape().apply(IndexSelect { axis: 0 }, [x, x.tape().input(&array![0.5])]))
            }),
        ];
        expect_test::expect![[r#"
            index_select: index 2 at position 2 does not lie in axis 0 of [2, 2], whose length is 2
              left:   input [2, 2]
              right:  input [3]
            gather: index 5 at position 1 does not lie in axis 1 of [2, 2], whose length is 2
              left:   input [2, 2]
              right:  input [2, 1]
            gather: the indices [1, 1] do not fit [2, 2] along axis 1
              left:   input [2, 2]
              right:  input [1, 1]
              hint: they must have the same number of axes, and be equal in all others
            one_hot: label 3 at position 1, of 3 classes
            index_select: index 16777217 is not among the whole numbers that f32 holds exactly
            index_select: index 0.5 at position 0 does not lie in axis 0 of [2, 2], whose length is 2
              left:   input [2, 2]
              right:  input [1]"#]]
        .assert_eq(&messages.join("\n"));
    }
}
