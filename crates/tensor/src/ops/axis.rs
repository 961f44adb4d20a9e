//! Rows along any axis: turned so that each is contiguous, computed on, and turned back.

use crate::shape::MAX_RANK;
use crate::{Buf, Scalar, Shape, ShapeError};

/// A shape seen around an axis as `[outer, n, inner]`; element `(o, j, i)` stands at `(o * n + j) * inner + i`.
pub(super) type Parts = (usize, usize, usize);

/// The shape around an axis; without one, everything is a single row.
pub(super) fn parts(shape: &Shape, axis: Option<isize>) -> Result<Parts, ShapeError> {
    Ok(match axis {
        None => (1, shape.len(), 1),
        Some(axis) => shape.around(shape.axis(axis)?),
    })
}

/// The shape without the axis, or without any.
pub(super) fn reduced(shape: &Shape, axis: Option<isize>) -> Result<Shape, ShapeError> {
    Ok(match axis {
        None => Shape::SCALAR,
        Some(axis) => shape.without(shape.axis(axis)?),
    })
}

/// The shape with a new axis of length 1, which is one of the longer shape.
pub(super) fn unsqueezed(shape: &Shape, axis: isize) -> Result<Shape, ShapeError> {
    let rank = shape.rank() + 1;
    if rank > MAX_RANK {
        return Err(ShapeError::new(format!("{shape} has {MAX_RANK} axes, the most that a tensor may have")));
    }
    let axis = Shape::new(&[1; MAX_RANK][..rank]).axis(axis)?;
    let mut dims = [1; MAX_RANK];
    dims[..axis].copy_from_slice(&shape.dims()[..axis]);
    dims[axis + 1..rank].copy_from_slice(&shape.dims()[axis..]);
    Shape::try_new(&dims[..rank])
}

/// Exchanges rows and columns of every `[rows, cols]` matrix in x.
pub(super) fn transpose<T: Copy>(x: &[T], rows: usize, cols: usize, y: &mut [T]) {
    for (x, y) in blocks(x, rows * cols).zip(blocks_mut(y, rows * cols)) {
        for i in 0..rows {
            for j in 0..cols {
                y[j * rows + i] = x[i * cols + j];
            }
        }
    }
}

/// A slice in blocks of one length; none where that is 0.
pub(super) fn blocks<T>(x: &[T], len: usize) -> impl Iterator<Item = &[T]> {
    x.chunks_exact(len.max(1))
}
/// The same, to write.
pub(super) fn blocks_mut<T>(x: &mut [T], len: usize) -> impl Iterator<Item = &mut [T]> {
    x.chunks_exact_mut(len.max(1))
}

/// The rows along an axis one after the other, `[outer, inner, n]`: x itself if they are, else in scratch.
pub(super) fn rows<'a, T: Scalar>((_, n, inner): Parts, x: &'a [T], scratch: &'a mut Buf<T>) -> &'a [T] {
    if inner == 1 {
        return x;
    }
    let turned = scratch.at_least(x.len());
    transpose(x, n, inner, turned);
    turned
}

/// Calls `f` with inputs and result laid out by rows along an axis, and puts what it wrote back in place.
pub(super) fn along<T: Scalar, const N: usize>(
    (outer, n, inner): Parts,
    from: [&[T]; N],
    to: &mut [T],
    scratch: &mut Buf<T>,
    f: impl FnOnce([&[T]; N], &mut [T]),
) {
    if inner == 1 || to.is_empty() {
        return f(from, to);
    }
    let len = outer * n * inner;
    let room = len.checked_mul(N + 1).expect("as many numbers as some arrays in memory have");
    let mut parts = scratch.at_least(room).chunks_exact_mut(len);
    let turned = from.map(|from| {
        let part = parts.next().expect("there is a part for every input");
        transpose(from, n, inner, part);
        &*part
    });
    let result = parts.next().expect("and one for the result");
    f(turned, result);
    transpose(result, inner, n, to);
}
