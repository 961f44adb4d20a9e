//! The open door of the tape: an operation is one item that implements [`Op`].

use std::any::Any;

use crate::node::{Memory, Node};
use crate::product::Mat;
use crate::store::{AnyMemory, ONLY_F64, only_f64};
use crate::sum::{accumulate, column_sums};
use crate::threads::{LIGHT, for_each};
use crate::{Buf, Dual, Gradients, Scalar, Shape, ShapeError};

/// Metadata of an operation: one text for the documentation, for explanations and for the reference.
///
/// ```
/// # use surprisal_tensor::{Params, Workspace, ndarray::array};
/// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
/// # let tape = workspace.tape(&params);
/// let card = tape.constant(2.0).exp().card();
/// assert_eq!((card.name, card.forward, card.backward), ("exp", "e^x", "y dy"));
/// assert_eq!(card.story, "The function that is its own derivative.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Card {
    /// "matmul"
    pub name: &'static str,
    /// The names of the inputs in the formulas, in order: "A B". An explanation puts the names of the nodes there.
    pub inputs: &'static str,
    /// The formula: "A B".
    pub forward: &'static str,
    /// Its derivative: "dA = dY Bᵀ, dB = Aᵀ dY", where Y (or y, or l of a loss) is the result, and of a single input
    /// what is added to its gradient: "y dy".
    pub backward: &'static str,
    /// A sentence or two of why.
    pub story: &'static str,
}

/// One operation: its card, its shape rule, its value and its derivative.
///
/// Any crate adds nodes to the tape by implementing this once and calling [`Tape::apply`](crate::Tape::apply).
/// Data that changes from step to step (labels, weights of samples) are inputs, never fields: a field would cost an
/// allocation each step.
///
/// The two passes are generic over the type of numbers; [`op!`](crate::op!) writes the same without naming it.
///
/// ```
/// use surprisal_tensor::{Backward, Card, check_gradient, Forward, ndarray::array, Op, Scalar, Shape, ShapeError, Shapes, Var};
///
/// struct Cube;
/// impl Op for Cube {
///     fn card(&self) -> Card {
///         Card { name: "cube", inputs: "x", forward: "x³", backward: "3 x²", story: "" }
///     }
///     fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
///         Ok(*inputs.shape(0))
///     }
///     fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
///         for (y, &x) in f.y.iter_mut().zip(f.inputs.x(0)) {
///             *y = x * x * x;
///         }
///     }
///     fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
///         let (x, dy) = (b.x(0), b.dy);
///         if let Some(dx) = b.dx(0) {
///             dx.add2(x, dy, |x, dy| T::of(3.0) * x * x * dy);
///         }
///     }
/// }
///
/// check_gradient(&[array![1.0, -2.0, 0.5].into_dyn()], |tape, x| tape.apply(Cube, [x[0]]));
/// ```
pub trait Op: Any + Send {
    /// The card of this operation.
    fn card(&self) -> Card;
    /// The shape of the result, or why the inputs do not fit.
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError>;
    /// How many numbers [`forward`](Self::forward) keeps for [`backward`](Self::backward) beside the result.
    fn memo(&self, _inputs: Shapes) -> usize {
        0
    }
    /// Writes every element of `f.y` (which holds any numbers before).
    fn forward<T: Scalar>(&self, f: &mut Forward<T>);
    /// Adds to the gradients of the inputs that somebody needs.
    fn backward<T: Scalar>(&self, b: &mut Backward<T>);
    /// Whether each number of the result comes from the number at the same place of a single input, so that backward
    /// multiplies it by a slope: explanations then tell which units are saturated or dead.
    fn is_elementwise(&self) -> bool {
        false
    }
    /// The numbers that it is set to, by the names that its card's formulas have for them: `("exponent", 3.0)`. Explanations put them in.
    fn settings(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

/// What the tape stores: an [`Op`] whose two passes are compiled for each type of number, in the crate that records it.
pub trait Recorded: Any + Send {
    fn card(&self) -> Card;
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError>;
    fn memo(&self, inputs: Shapes) -> usize;
    fn is_elementwise(&self) -> bool;
    fn settings(&self) -> Vec<(&'static str, f64)>;
    fn forward_f32(&self, f: &mut Forward<f32>);
    fn forward_f64(&self, f: &mut Forward<f64>);
    fn forward_dual(&self, f: &mut Forward<Dual>);
    fn backward_f32(&self, b: &mut Backward<f32>);
    fn backward_f64(&self, b: &mut Backward<f64>);
    fn backward_dual(&self, b: &mut Backward<Dual>);
}

impl<O: Op> Recorded for O {
    fn card(&self) -> Card {
        Op::card(self)
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        Op::shape(self, inputs)
    }
    fn memo(&self, inputs: Shapes) -> usize {
        Op::memo(self, inputs)
    }
    fn is_elementwise(&self) -> bool {
        Op::is_elementwise(self)
    }
    fn settings(&self) -> Vec<(&'static str, f64)> {
        Op::settings(self)
    }
    fn forward_f32(&self, f: &mut Forward<f32>) {
        if ONLY_F64 {
            only_f64()
        }
        self.forward(f);
    }
    fn forward_f64(&self, f: &mut Forward<f64>) {
        self.forward(f);
    }
    fn forward_dual(&self, f: &mut Forward<Dual>) {
        if ONLY_F64 {
            only_f64()
        }
        self.forward(f);
    }
    fn backward_f32(&self, b: &mut Backward<f32>) {
        if ONLY_F64 {
            only_f64()
        }
        self.backward(b);
    }
    fn backward_f64(&self, b: &mut Backward<f64>) {
        self.backward(b);
    }
    fn backward_dual(&self, b: &mut Backward<Dual>) {
        if ONLY_F64 {
            only_f64()
        }
        self.backward(b);
    }
}

/// The shapes of the inputs of one node.
///
/// See the example of [`Grad`].
#[derive(Clone, Copy)]
pub struct Shapes<'a> {
    pub(crate) nodes: &'a [Node],
    pub(crate) ids: &'a [u32],
    pub(crate) memory: AnyMemory<'a>,
}

impl<'a> Shapes<'a> {
    /// The number of inputs.
    #[allow(clippy::len_without_is_empty)] // a node's number of inputs, not a container
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    /// The shape of input `k`.
    #[inline]
    pub fn shape(&self, k: usize) -> &'a Shape {
        &self.nodes[self.ids[k] as usize].shape
    }
    /// The lengths of the axes of input `k`.
    #[inline]
    pub fn dims(&self, k: usize) -> &'a [usize] {
        self.shape(k).dims()
    }
    /// The numbers of input `k`, by rows: for inputs, such as indices, that decide whether the others fit.
    pub fn numbers(&self, k: usize) -> impl Iterator<Item = f64> + use<'a> {
        self.memory.value(&self.nodes[self.ids[k] as usize]).numbers()
    }
}

/// The inputs of one node. What it lends lives as long as the call.
///
/// See the example of [`Grad`].
#[derive(Clone, Copy)]
pub struct Inputs<'a, T: Scalar> {
    pub(crate) nodes: &'a [Node],
    pub(crate) ids: &'a [u32],
    pub(crate) memory: &'a Memory<'a, T>,
}

impl<'a, T: Scalar> Inputs<'a, T> {
    /// The number of inputs.
    #[allow(clippy::len_without_is_empty)] // a node's number of inputs, not a container
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    /// Their shapes alone.
    #[inline]
    pub fn shapes(&self) -> Shapes<'a> {
        Shapes { nodes: self.nodes, ids: self.ids, memory: T::memory(self.memory) }
    }
    #[inline]
    pub(crate) fn node(&self, k: usize) -> &'a Node {
        &self.nodes[self.ids[k] as usize]
    }
    /// The shape of input `k`.
    #[inline]
    pub fn shape(&self, k: usize) -> &'a Shape {
        &self.node(k).shape
    }
    /// The lengths of the axes of input `k`.
    #[inline]
    pub fn dims(&self, k: usize) -> &'a [usize] {
        self.shape(k).dims()
    }
    /// The numbers of input `k`, by rows.
    #[inline]
    pub fn x(&self, k: usize) -> &'a [T] {
        self.memory.value(self.node(k))
    }
}

/// What [`Op::forward`] reads and writes.
///
/// See the example of [`Grad`].
pub struct Forward<'a, T: Scalar> {
    /// The inputs: `f.inputs.x(0)`, `f.inputs.dims(0)`.
    pub inputs: Inputs<'a, T>,
    /// The result, to be written whole.
    pub y: &'a mut [T],
    /// As many numbers as [`Op::memo`] asked for, kept until `backward`.
    pub memo: &'a mut [T],
    /// Memory to work in.
    pub room: &'a mut Room<T>,
}

/// Memory for an operation to work in; what it holds is lost from one call to the next.
///
/// See the example of [`Grad`].
pub struct Room<T> {
    /// For the operation itself: `room.scratch.at_least(n)` are n numbers.
    pub scratch: Buf<T>,
    /// For the copies that a product of matrices makes: see [`Scalar::product`].
    pub packing: Buf<T>,
    pub(crate) part: Buf<T>, // what an addition to a gradient that is not the first fills before it is added
}

impl<T: Scalar> Room<T> {
    pub(crate) fn new() -> Self {
        Room { scratch: Buf::new(5), packing: Buf::new(7), part: Buf::new(4) }
    }
}

/// What [`Op::backward`] reads, and where it adds.
///
/// See the example of [`Grad`].
pub struct Backward<'a, T: Scalar> {
    /// The inputs' values and shapes.
    pub inputs: Inputs<'a, T>,
    /// The result of `forward`.
    pub y: &'a [T],
    /// The gradient of the loss with respect to the result.
    pub dy: &'a [T],
    /// What `forward` kept.
    pub memo: &'a [T],
    pub(crate) before: &'a mut [T],
    pub(crate) reached: &'a mut [bool],
    pub(crate) grads: &'a mut Gradients<T>,
    pub(crate) room: &'a mut Room<T>,
}

impl<T: Scalar> Forward<'_, T> {
    /// A constant in the type of the numbers.
    ///
    /// See the example of [`op!`](crate::op!).
    #[inline(always)]
    pub fn constant(&self, x: f64) -> T {
        T::of(x)
    }
}

impl<'a, T: Scalar> Backward<'a, T> {
    /// A constant in the type of the numbers.
    ///
    /// See the example of [`op!`](crate::op!).
    #[inline(always)]
    pub fn constant(&self, x: f64) -> T {
        T::of(x)
    }

    /// The numbers of input `k`.
    #[inline]
    pub fn x(&self, k: usize) -> &'a [T] {
        self.inputs.x(k)
    }

    /// Where to add to the gradient of input `k`; `None` when nobody needs it.
    ///
    /// See the example of [`Grad`].
    #[inline]
    pub fn dx(&mut self, k: usize) -> Option<Grad<'_, T>> {
        let id = self.inputs.ids[k] as usize;
        let node = &self.inputs.nodes[id];
        if !node.tracked {
            return None;
        }
        let (buf, reached) = match node.param {
            Some(param) => self.grads.slot(param, node.start, node.len),
            None => (&mut self.before[node.grad..node.grad + node.len], &mut self.reached[id]),
        };
        let first = !std::mem::replace(reached, true);
        Some(Grad { buf, first, room: self.room })
    }

    /// Adds f(a_i, b_i) to the gradients of inputs `k` and `l`, one number to each: as two [`Grad::add2`], but where both are needed and
    /// nothing was added before, `a` and `b` are read once.
    #[inline]
    #[track_caller]
    pub(crate) fn add2_to_both(
        &mut self,
        [k, l]: [usize; 2],
        a: &[T],
        b: &[T],
        f: impl Fn(T, T) -> [T; 2] + Copy + Sync,
    ) {
        if let Some([d, e]) = self.first_of_both(k, l) {
            assert!([d.len(), e.len(), b.len()] == [a.len(); 3], "two gradients take a number each");
            for_each(((d, e), a, b), LIGHT, |_, ((d, e), a, b)| store_map2(d, e, a, b, f));
            return;
        }
        if let Some(d) = self.dx(k) {
            d.add2(a, b, move |a, b| f(a, b)[0]);
        }
        if let Some(e) = self.dx(l) {
            e.add2(a, b, move |a, b| f(a, b)[1]);
        }
    }

    /// Where the gradients of two inputs are to be stored, if both are needed and neither holds anything yet.
    fn first_of_both(&mut self, k: usize, l: usize) -> Option<[&mut [T]; 2]> {
        let ids = [k, l].map(|k| self.inputs.ids[k] as usize);
        let nodes = ids.map(|id| &self.inputs.nodes[id]);
        if !nodes.iter().all(|node| node.tracked) {
            return None;
        }
        match nodes.map(|node| node.param) {
            [Some(k), Some(l)] => self.grads.first_slots([k, l]),
            [None, None] if !ids.iter().any(|&id| self.reached[id]) => {
                let slots =
                    self.before.get_disjoint_mut(nodes.map(|node| node.grad..node.grad + node.len)).ok()?;
                ids.iter().for_each(|&id| self.reached[id] = true);
                Some(slots)
            }
            _ => None,
        }
    }
}

/// The gradient of one input: it can only be added to.
///
/// The first addition of a backward pass is a store, so nothing is ever filled with zeros beforehand and no
/// `zero_grad` exists that could be forgotten.
///
/// An operation of one's own, with two inputs and two of the ways to add:
///
/// ```
/// use surprisal_tensor::{Backward, Card, check_gradient, Forward, ndarray::array, Op, Scalar, Shape, ShapeError, Shapes};
///
/// struct Stretch; // the rows of x, each number times its column's factor
/// impl Op for Stretch {
///     fn card(&self) -> Card {
///         Card { name: "stretch", inputs: "x f", forward: "x f", backward: "dx = f dy, df = Σ x dy", story: "" }
///     }
///     fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
///         match (inputs.dims(0), inputs.dims(1)) {
///             (&[_, columns], &[factors]) if columns == factors => Ok(*inputs.shape(0)),
///             (x, f) => Err(ShapeError::new(format!("{x:?} is not [rows, columns] with {f:?} factors"))),
///         }
///     }
///     fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
///         let (x, factors) = (f.inputs.x(0), f.inputs.x(1));
///         f.y.iter_mut().zip(x).zip(factors.iter().cycle()).for_each(|((y, &x), &f)| *y = x * f);
///     }
///     fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
///         let (x, factors, dy) = (b.x(0), b.x(1), b.dy);
///         if let Some(dx) = b.dx(0) {
///             dx.add_filled(|dx, _| {
///                 dx.iter_mut().zip(dy).zip(factors.iter().cycle()).for_each(|((dx, &dy), &f)| *dx = f * dy);
///             });
///         }
///         if let Some(df) = b.dx(1) {
///             df.add_scattered(|df, _| {
///                 let n = df.len();
///                 x.iter().zip(dy).enumerate().for_each(|(i, (&x, &dy))| df[i % n] += x * dy);
///             });
///         }
///     }
/// }
///
/// let (x, f) = (array![[1.0, 2.0], [3.0, 4.0]].into_dyn(), array![0.5, -1.0].into_dyn());
/// check_gradient(&[x, f], |tape, v| tape.apply(Stretch, [v[0], v[1]]) + v[0]); // x is used twice: both are added
/// ```
#[must_use = "a gradient that is asked for and not added to would hold any numbers"]
pub struct Grad<'a, T: Scalar> {
    buf: &'a mut [T],
    first: bool,
    room: &'a mut Room<T>,
}

crate::kernel! {
    fn add_map<T: Scalar, F: Fn(T) -> T>(d: &mut [T], first: bool, a: &[T], f: F) {
        if first {
            for (d, &a) in d.iter_mut().zip(a) { *d = f(a) }
        } else {
            for (d, &a) in d.iter_mut().zip(a) { *d += f(a) }
        }
    }
}
crate::kernel! {
    fn add_map2<T: Scalar, F: Fn(T, T) -> T>(d: &mut [T], first: bool, a: &[T], b: &[T], f: F) {
        if first {
            for ((d, &a), &b) in d.iter_mut().zip(a).zip(b) { *d = f(a, b) }
        } else {
            for ((d, &a), &b) in d.iter_mut().zip(a).zip(b) { *d += f(a, b) }
        }
    }
}

crate::kernel! {
    fn store_map2<T: Scalar, F: Fn(T, T) -> [T; 2]>(d: &mut [T], e: &mut [T], a: &[T], b: &[T], f: F) {
        for ((d, e), (&a, &b)) in d.iter_mut().zip(e).zip(a.iter().zip(b)) { [*d, *e] = f(a, b) }
    }
}

impl<T: Scalar> Grad<'_, T> {
    /// Adds f(a_i).
    ///
    /// As `dx.add(dy, |dy| -dy)` for y = -x.
    ///
    /// # Panics
    /// At the caller's line, if there are not as many numbers as in this gradient.
    #[inline]
    #[track_caller]
    pub fn add(self, a: &[T], f: impl Fn(T) -> T + Copy + Sync) {
        self.expect_length(a.len());
        for_each((self.buf, a), LIGHT, |_, (d, a)| add_map(d, self.first, a, f));
    }

    /// Adds f(a_i, b_i).
    ///
    /// As `dx.add2(x, dy, |x, dy| x * dy + x * dy)` for y = x²: see the example of [`Op`].
    ///
    /// # Panics
    /// At the caller's line, if there are not as many numbers of each as in this gradient.
    #[inline]
    #[track_caller]
    pub fn add2(self, a: &[T], b: &[T], f: impl Fn(T, T) -> T + Copy + Sync) {
        self.expect_length(a.len());
        self.expect_length(b.len());
        for_each((self.buf, a, b), LIGHT, |_, (d, a, b)| add_map2(d, self.first, a, b, f));
    }

    /// Adds what `fill` writes: it gets a slice that holds any numbers, writes all of it, and has room to work in.
    ///
    /// See the example of [`Grad`].
    #[inline]
    pub fn add_filled(self, fill: impl FnOnce(&mut [T], &mut Room<T>)) {
        if self.first {
            return fill(self.buf, self.room);
        }
        let mut part = std::mem::take(&mut self.room.part);
        fill(part.at_least(self.buf.len()), self.room);
        accumulate(self.buf, &part[..self.buf.len()]);
        self.room.part = part;
    }

    /// Adds at places of the caller's choice: `add` gets a slice that holds what was added so far (zeros at first), and
    /// adds to it; it has room to work in.
    ///
    /// See the example of [`Grad`].
    #[inline]
    pub fn add_scattered(self, add: impl FnOnce(&mut [T], &mut Room<T>)) {
        if self.first {
            self.buf.fill(T::ZERO);
        }
        add(self.buf, self.room);
    }

    /// Adds the sums of the columns of `a`, whose rows are as long as this gradient.
    ///
    /// As `db.add_column_sums(dy)` for the bias of a layer, Y = X W + b.
    pub fn add_column_sums(self, a: &[T]) {
        column_sums(self.buf, !self.first, a, &mut self.room.scratch);
    }

    /// Adds the product A B.
    ///
    /// As `dx.add_product(Mat::new(dy, rows, outputs), Mat::new(w, inputs, outputs).t())` for Y = X W, where dX = dY Wᵀ.
    ///
    /// # Panics
    /// At the caller's line, if the columns of A are not as many as the rows of B, or the product is not as long as this gradient.
    #[track_caller]
    pub fn add_product(self, a: Mat<T>, b: Mat<T>) {
        T::product(a, b, self.buf, !self.first, &mut self.room.packing);
    }

    #[inline]
    #[track_caller]
    fn expect_length(&self, found: usize) {
        assert!(found == self.buf.len(), "a gradient of {} numbers cannot take {found}", self.buf.len());
    }
}

/// Implements [`Op`] for a type without naming the type of numbers: both passes are compiled for f32, f64 and dual numbers.
///
/// `forward` and `backward` take `f: &mut Forward` and `b: &mut Backward`; every other method is as in [`Op`]. Constants are made
/// with [`Forward::constant`] and [`Backward::constant`].
///
/// ```
/// use surprisal_tensor::{Card, Shape, ShapeError, Shapes, check_gradient, ndarray::array, op};
///
/// struct Cube;
/// op! {
///     impl Op for Cube {
///         fn card(&self) -> Card {
///             Card { name: "cube", inputs: "x", forward: "x³", backward: "3 x² dy", story: "" }
///         }
///         fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
///             Ok(*inputs.shape(0))
///         }
///         fn forward(&self, f: &mut Forward) {
///             for (y, &x) in f.y.iter_mut().zip(f.inputs.x(0)) {
///                 *y = x * x * x;
///             }
///         }
///         fn backward(&self, b: &mut Backward) {
///             let (x, dy, three) = (b.x(0), b.dy, b.constant(3.0));
///             if let Some(dx) = b.dx(0) {
///                 dx.add2(x, dy, |x, dy| three * x * x * dy);
///             }
///         }
///     }
/// }
///
/// check_gradient(&[array![1.0, -2.0, 0.5].into_dyn()], |tape, x| tape.apply(Cube, [x[0]]));
/// ```
#[macro_export]
macro_rules! op {
    (impl Op for $Type:ty { $($items:tt)* }) => {
        $crate::op! { @ [$Type] [] $($items)* }
    };
    (@ [$Type:ty] [$($done:tt)*]) => {
        impl $crate::Op for $Type { $($done)* }
    };
    (@ [$Type:ty] [$($done:tt)*] fn forward(&$me:ident, $f:ident: &mut Forward) $body:block $($rest:tt)*) => {
        $crate::op! { @ [$Type] [$($done)* fn forward<T: $crate::Scalar>(&$me, $f: &mut $crate::Forward<T>) $body] $($rest)* }
    };
    (@ [$Type:ty] [$($done:tt)*] fn backward(&$me:ident, $b:ident: &mut Backward) $body:block $($rest:tt)*) => {
        $crate::op! { @ [$Type] [$($done)* fn backward<T: $crate::Scalar>(&$me, $b: &mut $crate::Backward<T>) $body] $($rest)* }
    };
    (@ [$Type:ty] [$($done:tt)*] fn $name:ident($($arguments:tt)*) -> $Out:ty $body:block $($rest:tt)*) => {
        $crate::op! { @ [$Type] [$($done)* fn $name($($arguments)*) -> $Out $body] $($rest)* }
    };
}
