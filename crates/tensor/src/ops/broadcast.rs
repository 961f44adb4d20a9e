//! Two inputs with numpy's broadcasting, undone in one place on the way back.

use std::ops::Range;

use crate::op::{Backward, Card, Forward, Grad, Op, Shapes};
use crate::shape::MAX_RANK;
use crate::sum::sum_of;
use crate::threads::{LIGHT, for_each};
use crate::{Scalar, Shape, ShapeError};

/// A function of two numbers and its two derivatives.
pub(super) trait Binary: Copy + Send + Sync + 'static {
    const CARD: Card;
    fn f<T: Scalar>(a: T, b: T) -> T;
    /// What a gets of the gradient dy.
    fn da<T: Scalar>(a: T, b: T, dy: T) -> T;
    /// What b gets of it.
    fn db<T: Scalar>(a: T, b: T, dy: T) -> T;
}

/// How to walk two shapes together: runs along the last axes, and an odometer over the others.
///
/// A stride of 0 repeats a number. Axes that both shapes walk in one stride are merged, so that equal shapes are
/// one run, whatever their rank.
struct Walk {
    run: Axis,
    outer: [Axis; MAX_RANK],
    rank: usize,
    empty: bool,
}

#[derive(Clone, Copy, Default)]
struct Axis {
    len: usize,
    a: usize, // strides
    b: usize,
}

impl Walk {
    fn of(a: &Shape, b: &Shape) -> Walk {
        if a == b {
            let run = Axis { len: a.len(), a: 1, b: 1 };
            return Walk { run, outer: Default::default(), rank: 0, empty: a.len() == 0 };
        }
        let mut axes = [Axis { len: 1, a: 1, b: 1 }; MAX_RANK];
        let mut count = 0;
        let (mut a_stride, mut b_stride, mut total) = (1, 1, 1);
        for (x, y) in from_the_back(a.dims(), b.dims()) {
            let len = if x == 1 { y } else { x };
            let axis =
                Axis { len, a: if x == 1 { 0 } else { a_stride }, b: if y == 1 { 0 } else { b_stride } };
            (a_stride, b_stride, total) = (a_stride * x, b_stride * y, total * len);
            if len == 1 {
                continue;
            }
            let inner: &mut Axis = &mut axes[count.max(1) - 1];
            if count > 0 && axis.a == inner.a * inner.len && axis.b == inner.b * inner.len {
                inner.len *= len;
            } else {
                axes[count] = axis;
                count += 1;
            }
        }
        let mut outer = [Axis::default(); MAX_RANK];
        let rank = count.max(1) - 1;
        outer[..rank].copy_from_slice(&axes[1..rank + 1]);
        Walk { run: axes[0], outer, rank, empty: total == 0 }
    }

    /// The places in y, a and b where a run starts, of one run after the other.
    fn runs(&self) -> Runs<'_> {
        Runs { walk: self, turns: [0; MAX_RANK], next: if self.empty { None } else { Some((0, 0, 0)) } }
    }
}

struct Runs<'a> {
    walk: &'a Walk,
    turns: [usize; MAX_RANK],
    next: Option<(usize, usize, usize)>,
}

impl Iterator for Runs<'_> {
    type Item = (usize, usize, usize);
    #[inline(never)] // compiled once for the loops of all operations
    fn next(&mut self) -> Option<Self::Item> {
        let here = self.next.take();
        let (y, mut a, mut b) = here?;
        let Walk { run, outer, rank, .. } = self.walk;
        for (axis, turn) in outer[..*rank].iter().zip(&mut self.turns) {
            (a, b, *turn) = (a + axis.a, b + axis.b, *turn + 1);
            if *turn < axis.len {
                self.next = Some((y + run.len, a, b));
                break;
            }
            (a, b, *turn) = (a - axis.a * axis.len, b - axis.b * axis.len, 0);
        }
        here
    }
}

/// Pairs the axes of two shapes from the last one on; the shorter is continued with ones.
fn from_the_back<'a>(a: &'a [usize], b: &'a [usize]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let at = |dims: &[usize], i: usize| if i < dims.len() { dims[dims.len() - 1 - i] } else { 1 };
    (0..a.len().max(b.len())).map(move |i| (at(a, i), at(b, i)))
}

fn broadcast(a: &Shape, b: &Shape) -> Result<Shape, ShapeError> {
    if a == b {
        return Ok(*a);
    }
    let rank = a.rank().max(b.rank());
    let mut dims = [0; MAX_RANK];
    for (i, (x, y)) in from_the_back(a.dims(), b.dims()).enumerate() {
        if x != y && x != 1 && y != 1 {
            let error = ShapeError::new(format!("{a} and {b}: {x} meets {y} in axis -{}", i + 1));
            return Err(if a.rank() == 1 && b.rank() == 2 && a.dims()[0] == b.dims()[0] {
                error.hint(format!(
                    "to repeat {a} along the rows, make it a column: x.reshape([{}, 1])",
                    a.dims()[0]
                ))
            } else if b.rank() == 1 && a.rank() == 2 && b.dims()[0] == a.dims()[0] {
                error.hint(format!(
                    "to repeat {b} along the rows, make it a column: x.reshape([{}, 1])",
                    b.dims()[0]
                ))
            } else {
                error.hint("axes are matched from the last; they must be equal, or one of them 1")
            });
        }
        dims[rank - 1 - i] = if x == 1 { y } else { x };
    }
    Shape::try_new(&dims[..rank])
}

/// How many copies of a number that a run repeats lie side by side.
const COPIES: usize = 64;

/// Calls `each` with the pieces of one run: their places, and their numbers of a and of b, as many of both. So the loops of an operation are
/// compiled once, whichever side is repeated.
#[inline(always)]
fn pieces<T: Scalar>(run: &Axis, a: &[T], b: &[T], mut each: impl FnMut(Range<usize>, &[T], &[T])) {
    let mut copies = [T::ZERO; COPIES];
    let piece = if run.a == 0 {
        copies.fill(a[0]);
        COPIES
    } else if run.b == 0 {
        copies.fill(b[0]);
        COPIES
    } else {
        run.len
    };
    for start in (0..run.len).step_by(piece) {
        let places = start..run.len.min(start + piece);
        let a = if run.a == 0 { &copies[..places.len()] } else { &a[places.clone()] };
        let b = if run.b == 0 { &copies[..places.len()] } else { &b[places.clone()] };
        each(places, a, b);
    }
}

crate::kernel! {
    fn forward<T: Scalar, B: Binary>(_op: B, walk: &Walk, a: &[T], b: &[T], y: &mut [T]) {
        for (i, j, k) in walk.runs() {
            let y = &mut y[i..i + walk.run.len];
            pieces(&walk.run, &a[j..], &b[k..], |places, a, b| {
                for ((y, &a), &b) in y[places].iter_mut().zip(a).zip(b) { *y = B::f(a, b) }
            });
        }
    }
}

crate::kernel! {
    /// The gradient that each number of y sends to the number of a (or of b) that it came from.
    fn backward<T: Scalar, F: Fn(T, T, T) -> T>(walk: &Walk, a: &[T], b: &[T], dy: &[T], g: &mut [T], f: F) {
        for (i, j, k) in walk.runs() {
            let run = i..i + walk.run.len;
            let (g, dy) = (&mut g[run.clone()], &dy[run]);
            pieces(&walk.run, &a[j..], &b[k..], |places, a, b| {
                let places = g[places.clone()].iter_mut().zip(&dy[places]);
                for (((g, &dy), &a), &b) in places.zip(a).zip(b) { *g = f(a, b, dy) }
            });
        }
    }
}

crate::kernel! {
    /// Adds these gradients to d, which has the shape of a (or of b): a repeated number gets the sum of what its copies get.
    fn add_up<T: Scalar>(walk: &Walk, of_a: bool, g: &[T], d: &mut [T]) {
        let n = walk.run.len;
        let stride = if of_a { walk.run.a } else { walk.run.b };
        for ((_, j, k), g) in walk.runs().zip(g.chunks_exact(n)) {
            let d = &mut d[if of_a { j } else { k }..];
            if stride == 0 {
                d[0] += sum_of(g);
            } else {
                for (d, &g) in d.iter_mut().zip(g) { *d += g }
            }
        }
    }
}

crate::kernel! {
    /// The common case: nothing is repeated.
    fn forward_same<T: Scalar, B: Binary>(_op: B, a: &[T], b: &[T], y: &mut [T]) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) { *y = B::f(a, b) }
    }
}
crate::kernel! {
    fn backward_same<T: Scalar, F: Fn(T, T, T) -> T>(a: &[T], b: &[T], dy: &[T], d: &mut [T], f: F) {
        for (((d, &a), &b), &dy) in d.iter_mut().zip(a).zip(b).zip(dy) { *d = f(a, b, dy) }
    }
}

/// The operation that applies a [`Binary`] function to two inputs that broadcast.
pub(super) struct Pairwise<B>(pub B);

impl<B: Binary> Op for Pairwise<B> {
    fn card(&self) -> Card {
        B::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        broadcast(inputs.shape(0), inputs.shape(1))
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (a, b) = (f.inputs.x(0), f.inputs.x(1));
        if a.len() == f.y.len() && b.len() == f.y.len() {
            for_each((a, b, &mut *f.y), LIGHT, |_, (a, b, y)| forward_same(self.0, a, b, y));
        } else {
            forward(self.0, &Walk::of(f.inputs.shape(0), f.inputs.shape(1)), a, b, f.y);
        }
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        send(b, 0, B::da);
        send(b, 1, B::db);
    }
}

/// Adds to input k the result of `f` of both inputs and the gradient.
#[inline]
fn send<T: Scalar>(b: &mut Backward<T>, k: usize, f: impl Fn(T, T, T) -> T + Copy + Sync) {
    let (x0, x1, dy) = (b.x(0), b.x(1), b.dy);
    let shapes = [b.inputs.shape(0), b.inputs.shape(1)];
    let Some(d) = b.dx(k) else { return };
    if x0.len() == dy.len() && x1.len() == dy.len() {
        d.add_filled(|d, _| {
            for_each((x0, x1, dy, d), LIGHT, |_, (a, b, dy, d)| backward_same(a, b, dy, d, f));
        });
    } else {
        send_repeated(d, k, shapes, dy.len(), &|walk, g| backward(walk, x0, x1, dy, g, f));
    }
}

/// [`send`] where a number is repeated; `fill` writes the gradients of the n numbers of y.
#[inline(never)]
fn send_repeated<T: Scalar>(
    d: Grad<T>,
    k: usize,
    [a, b]: [&Shape; 2],
    n: usize,
    fill: &dyn Fn(&Walk, &mut [T]),
) {
    let walk = Walk::of(a, b);
    d.add_scattered(|d, room| {
        if !walk.empty {
            let g = room.scratch.at_least(n);
            fill(&walk, g);
            add_up(&walk, k == 0, g, d);
        }
    });
}
