//! The same numbers under another shape.

use surprisal_formula_macro::math;

use super::axis::{transpose, unsqueezed};
use super::by_name::{self, Signature};
use crate::op::{Backward, Card, Forward, Op, Shapes};
use crate::shape::MAX_RANK;
use crate::{Scalar, Shape, ShapeError, Var};

/// Exchanges the rows and the columns of a matrix, or of every matrix along the last two axes.
///
#[doc = math!("y_ij = x_ji")]
#[doc = math!("dx_ji = dy_ij")]
#[derive(Clone, Copy, Debug)]
pub struct Transpose;

/// The axes in another order.
///
/// `y_jki = x_ijk` for the order 1, 2, 0; the gradient takes the way back.
#[derive(Clone, Copy, Debug)]
pub struct Permute {
    axes: [usize; MAX_RANK],
    rank: usize,
}

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
    pub(super) const SIGNATURE: Signature =
        Signature { inputs: by_name::X, settings: &[], run: |given| given.record(Transpose) };
}
impl Permute {
    pub(super) const CARD: Card = Card {
        name: "permute",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "Only the order of the axes changes; each number keeps its place along each of them.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::wholes("axes", "Axis i of the result is axis axes[i] of x")],
        run: |given| given.record(Permute::new(&given.wholes("axes")?)?),
    };

    /// The order in which axis i of the result is axis `axes[i]` of the input; each must occur once.
    ///
    /// # Errors
    /// If there are more axes than a tensor has.
    pub fn new(axes: &[usize]) -> Result<Permute, ShapeError> {
        if axes.len() > MAX_RANK {
            return Err(ShapeError::new(format!("a tensor has at most {MAX_RANK} axes, not {}", axes.len())));
        }
        let mut all = [0; MAX_RANK];
        all[..axes.len()].copy_from_slice(axes);
        Ok(Permute { axes: all, rank: axes.len() })
    }

    /// Calls `each` with the place in x of every run along the last axis of the result, in the result's order; `n` numbers lie
    /// `stride` apart.
    fn runs(&self, x: &Shape, mut each: impl FnMut(usize, usize, usize)) {
        let dims = x.dims();
        let stride = |axis: usize| dims[axis + 1..].iter().product::<usize>();
        let Some((&last, outer)) = self.axes[..self.rank].split_last() else { return each(0, 1, 1) };
        if x.len() == 0 {
            return;
        }
        let (mut turns, mut from) = ([0; MAX_RANK], 0);
        'run: loop {
            each(from, dims[last], stride(last));
            for (&axis, turn) in outer.iter().zip(&mut turns).rev() {
                (from, *turn) = (from + stride(axis), *turn + 1);
                if *turn < dims[axis] {
                    continue 'run;
                }
                (from, *turn) = (from - stride(axis) * dims[axis], 0);
            }
            return;
        }
    }
}
impl Reshape {
    pub(super) const CARD: Card = Card {
        name: "reshape",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "Only the shape changes: the same numbers, in the same order.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::wholes("shape", "The new shape")],
        run: |given| given.record(Reshape { shape: Shape::try_new(&given.wholes("shape")?)? }),
    };
    pub(super) const FLATTEN: Card = Card {
        name: "flatten",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "The last axes become one: an image is a row of numbers, in the same order.",
    };
    pub(super) const FLATTEN_SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::FIRST_AXIS],
        run: |given| given.record(Reshape::flat(given.inputs()[0].shape(), given.axis()?)?),
    };

    /// The axes from `start` on as one.
    fn flat(shape: Shape, start: isize) -> Result<Reshape, ShapeError> {
        let start = shape.axis(start)?;
        let mut dims = [0; MAX_RANK];
        dims[..start].copy_from_slice(&shape.dims()[..start]);
        dims[start] = shape.dims()[start..].iter().product();
        Ok(Reshape { shape: Shape::try_new(&dims[..=start])? })
    }
}

impl Unsqueeze {
    pub(super) const CARD: Card = Card {
        name: "unsqueeze",
        inputs: "x",
        forward: "x",
        backward: "dy",
        story: "A new axis of length 1: the same numbers, ready to be repeated along it.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::AXIS],
        run: |given| given.record(Unsqueeze { axis: given.axis()? }),
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
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: by_name::X,
        settings: &[by_name::AXIS],
        run: |given| given.record(Squeeze { axis: given.axis()? }),
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

impl Op for Permute {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let (shape, axes) = (inputs.shape(0), &self.axes[..self.rank]);
        if axes.len() != shape.rank() || !(0..axes.len()).all(|axis| axes.contains(&axis)) {
            let error = ShapeError::new(format!("{axes:?} is not an order of the axes of {shape}"));
            return Err(
                error.hint(format!("each of the axes 0 to {} must occur once", shape.rank().max(1) - 1))
            );
        }
        let mut dims = [0; MAX_RANK];
        dims.iter_mut().zip(axes).for_each(|(dim, &axis)| *dim = shape.dims()[axis]);
        Shape::try_new(&dims[..self.rank])
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (x, mut y) = (f.inputs.x(0), f.y.iter_mut());
        self.runs(f.inputs.shape(0), |from, n, stride| {
            (0..n).zip(&mut y).for_each(|(i, y)| *y = x[from + i * stride]);
        });
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (shape, mut dy) = (b.inputs.shape(0), b.dy.iter());
        if let Some(dx) = b.dx(0) {
            dx.add_filled(|dx, _| {
                self.runs(shape, |from, n, stride| {
                    (0..n).zip(&mut dy).for_each(|(i, &dy)| dx[from + i * stride] = dy);
                });
            });
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
    /// The axes in another order: axis i of the result is axis `axes[i]` of this.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let images = Array::from_shape_fn((2, 4, 5, 3), |(n, y, x, c)| (1000 * n + 100 * y + 10 * x + c) as f64);
    /// let channels_first = tape.input(&images).permute(&[0, 3, 1, 2]);
    /// assert_eq!(channels_first.shape().dims(), [2, 3, 4, 5]);
    /// assert_eq!(channels_first.value()[[1, 2, 3, 4]], images[[1, 3, 4, 2]]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, unless the list contains each axis once.
    #[track_caller]
    pub fn permute(self, axes: &[usize]) -> Var<'t> {
        match Permute::new(axes) {
            Ok(permute) => self.tape().apply(permute, [self]),
            Err(error) => panic!("permute: {error}"),
        }
    }

    /// Several axes as one, which is the last: any operation along that axis is then one along all of them. Negative axes count
    /// from the back; the others keep their order.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let images = tape.input(&Array4::<f64>::ones((2, 3, 4, 5)));
    /// let of_channels = images.merge_axes(&[0, 2, 3]); // [3, 2 4 5]
    /// assert_eq!(of_channels.shape().dims(), [3, 40]);
    /// assert_eq!(of_channels.var_axis(-1).shape().dims(), [3]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or one is named twice.
    #[track_caller]
    pub fn merge_axes(self, axes: &[isize]) -> Var<'t> {
        let shape = self.shape();
        let mut merged = [false; MAX_RANK];
        for &axis in axes {
            match shape.axis(axis) {
                Ok(axis) if !merged[axis] => merged[axis] = true,
                Ok(_) => panic!("merge_axes: axis {axis} of {shape} is named twice in {axes:?}"),
                Err(error) => panic!("merge_axes: {error}"),
            }
        }
        let (mut order, mut dims, mut kept) = ([0; MAX_RANK], [1; MAX_RANK + 1], 0);
        for axis in (0..shape.rank()).filter(|&axis| !merged[axis]) {
            (order[kept], dims[kept]) = (axis, shape.dims()[axis]);
            kept += 1;
        }
        let inner = (0..shape.rank()).filter(|&axis| merged[axis]);
        for (place, axis) in (kept..).zip(inner) {
            order[place] = axis;
            dims[kept] *= shape.dims()[axis];
        }
        let order = &order[..shape.rank()];
        let turned = if order.is_sorted() { self } else { self.permute(order) };
        turned.reshape(&dims[..=kept])
    }

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
        /// Not compiled again where it is called.
        #[inline(never)]
        #[track_caller]
        fn record(x: Var<'_>, shape: Shape) -> Var<'_> {
            x.tape().apply(Reshape { shape }, [x])
        }
        record(self, shape.into())
    }
    /// The axes from `start` on as one, as PyTorch's `flatten(start)`: `[64, 3, 8, 8].flatten(1)` is `[64, 192]`, `flatten(0)` a list of all
    /// numbers. Negative axes count from the back.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let images = tape.input(&Array4::<f32>::zeros((64, 3, 8, 8)));
    /// assert_eq!(images.flatten(1).shape().dims(), [64, 192]);
    /// assert_eq!(images.flatten(-2).shape().dims(), [64, 3, 64]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn flatten(self, start: isize) -> Var<'t> {
        match Reshape::flat(self.shape(), start) {
            Ok(reshape) => self.tape().apply(reshape, [self]),
            Err(error) => panic!("flatten: {error}"),
        }
    }
    /// A new axis of length 1: `[64, 10].unsqueeze(1)` is `[64, 1, 10]`, `unsqueeze(-1)` `[64, 10, 1]`.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let row_means = tape.input(&array![1.0, 10.0]);
    /// let x = tape.input(&array![[0.0, 2.0], [9.0, 11.0]]);
    /// let centered = x - row_means.unsqueeze(1); // [2, 1] meets [2, 2]; [2] would be taken from the columns
    /// assert_eq!(centered.value(), array![[-1.0, 1.0], [-1.0, 1.0]].into_dyn());
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

    /// The same numbers, with the gradient 0, 1, 2, ..
    fn weighed(y: crate::Var<'_>) -> crate::Var<'_> {
        let places = y.tape().input_with(y.shape(), |i| i as f64);
        y.detach() + places * y - (places * y).detach()
    }

    #[test]
    fn axes_take_any_order_and_merge() {
        let x = Array::from_shape_fn((2, 3, 4, 5), |(a, b, c, d)| (1000 * a + 100 * b + 10 * c + d) as f64);
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 3, 1], [0, 3, 1, 2], [1, 0, 2, 3], [2, 3, 0, 1]] {
            let (y, dx) = at(&x, |x| weighed(x.permute(&order)));
            let turned = x.clone().permuted_axes(order);
            assert_eq!(y, turned.to_owned().into_dyn());
            // the gradient of the number at each place is the place that it came to
            let mut places = Array::from_shape_fn(x.dim(), |_| 0.0);
            let mut view = places.view_mut().permuted_axes(order);
            view.iter_mut().enumerate().for_each(|(i, place)| *place = i as f64);
            assert_eq!(dx, places.into_dyn());
        }
        let merged = at(&x, |x| x.merge_axes(&[0, -1, 2])).0;
        let expected = x
            .clone()
            .permuted_axes([1, 0, 2, 3])
            .as_standard_layout()
            .to_owned()
            .into_shape_with_order((3, 40))
            .unwrap();
        assert_eq!(merged, expected.clone().into_dyn());
        let means = at(&x, |x| x.mean_axes(&[0, 2, 3])).0;
        assert_eq!(means, expected.mean_axis(Axis(1)).unwrap().into_dyn());
        let variances = at(&x, |x| x.var_axes(&[0, 2, 3])).0;
        assert!((variances - expected.var_axis(Axis(1), 1.0).into_dyn()).iter().all(|d| d.abs() < 1e-9));
        assert_eq!(
            at(&x, |x| x.max_axes(&[3, 1])).0,
            array![[204.0, 214.0, 224.0, 234.0], [1204.0, 1214.0, 1224.0, 1234.0]].into_dyn()
        );
        assert_eq!(at(&x, |x| x.merge_axes(&[])).0.shape(), [2, 3, 4, 5, 1]);
        assert_eq!(at(&Array::<f64, _>::zeros((2, 0, 3)), |x| x.permute(&[2, 1, 0])).0.shape(), [3, 0, 2]);
        let orders = [&[0, 1][..], &[0, 1, 1, 3], &[0, 1, 2, 4], &[0; 6]];
        let mut messages = Vec::from(orders.map(|order| complaint(|| at(&x, |x| x.permute(order)))));
        messages.push(complaint(|| at(&x, |x| x.sum_axes(&[1, -3]))));
        expect_test::expect![[r#"
            permute: [0, 1] is not an order of the axes of [2, 3, 4, 5]
              input:  input [2, 3, 4, 5]
              hint: each of the axes 0 to 3 must occur once
            permute: [0, 1, 1, 3] is not an order of the axes of [2, 3, 4, 5]
              input:  input [2, 3, 4, 5]
              hint: each of the axes 0 to 3 must occur once
            permute: [0, 1, 2, 4] is not an order of the axes of [2, 3, 4, 5]
              input:  input [2, 3, 4, 5]
              hint: each of the axes 0 to 3 must occur once
            permute: a tensor has at most 5 axes, not 6
            merge_axes: axis -3 of [2, 3, 4, 5] is named twice in [1, -3]"#]]
        .assert_eq(&messages.join("\n"));
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
        let cube = x.clone().insert_axis(Axis(1)).into_dyn();
        for (start, dims) in [(0, &[4][..]), (1, &[2, 2]), (2, &[2, 1, 2]), (-2, &[2, 2])] {
            let (y, dx) = at(&cube.clone().into_dyn(), |x| x.flatten(start).square());
            assert_eq!(y.shape(), dims);
            assert_eq!(y.iter().copied().collect::<Vec<_>>(), [1.0, 4.0, 9.0, 16.0]);
            assert_eq!(dx, &cube * 2.0);
        }
        let messages = [
            complaint(|| at(&x, |x| x.flatten(2))),
            complaint(|| at(&x, |x| x.squeeze(-1))),
            complaint(|| at(&x, |x| x.unsqueeze(3))),
            complaint(|| at(&x, |x| x.reshape([1, 1, 1, 2, 2]).unsqueeze(0))),
        ];
        expect_test::expect![[r#"
            flatten: there is no axis 2
              hint: axes are 0 to 1 from the front, -1 to -2 from the back
            squeeze: axis -1 of [2, 2] has length 2, not 1
              input:  input [2, 2]
            unsqueeze: there is no axis 3
              input:  input [2, 2]
              hint: axes are 0 to 2 from the front, -1 to -3 from the back
            unsqueeze: [1, 1, 1, 2, 2] has 5 axes, the most that a tensor may have
              input:  reshape [1, 1, 1, 2, 2]"#]]
        .assert_eq(&messages.join("\n"));
    }
}
