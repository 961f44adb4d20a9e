//! [`Var`]: a value on a tape.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

use ndarray::{ArrayBase, ArrayD, Data, Dimension};

use crate::params::view;
use crate::store::{Stored, typed};
use crate::tape::{Read, Recording};
use crate::workspace::Given;
use crate::{Scalar, Shape, Tape};

/// A value on a tape: a reference and an index, so it can be copied freely and `a * b + c` reads as mathematics.
///
/// Methods that record an operation panic, at the caller's line, if the shapes do not fit.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let x = tape.input(&array![0.0, 2.0]).requires_grad();
/// let neuron = (3.0 * x - 6.0).sigmoid();
/// neuron.sum().backward();
/// assert_eq!(neuron.value()[1], 0.5);
/// assert_eq!(x.grad().unwrap()[1], 3.0 * 0.25); // w σ'(0)
/// ```
#[derive(Clone, Copy)]
pub struct Var<'t> {
    pub(crate) tape: &'t Tape<'t>,
    pub(crate) id: u32,
}

impl<'t> Var<'t> {
    /// The tape that this value is recorded on.
    ///
    /// A layer, which is given no tape, finds it so.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(2.0);
    /// let doubled = x + x.tape().constant(2.0);
    /// assert_eq!(doubled.item(), 4.0);
    /// ```
    #[inline]
    pub fn tape(self) -> &'t Tape<'t> {
        self.tape
    }

    /// The lengths of the axes.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.shape().dims(), [2, 3]);
    /// assert_eq!(x.mean().shape().to_string(), "[]"); // a single number
    /// ```
    #[inline]
    #[track_caller]
    pub fn shape(self) -> Shape {
        self.tape.read().graph.nodes[self.id as usize].shape
    }

    /// The name on the card of the operation that made this value: "softmax"; "input" or "param" where none did.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(2.0);
    /// assert_eq!((x.op_name(), x.exp().op_name(), (x * x).op_name()), ("input", "exp", "mul"));
    /// ```
    #[track_caller]
    pub fn op_name(self) -> &'static str {
        self.tape.read().graph.op(self.index()).card().name
    }

    /// Whether `backward` computes a gradient for this value: it depends on a trainable parameter, or on an input that
    /// [`requires_grad`](Self::requires_grad).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![2.0]);
    /// assert!(!x.exp().needs_grad());
    /// assert!((x * tape.param(w)).needs_grad());
    /// assert!(!(x * tape.param(w).detach()).needs_grad());
    /// ```
    #[inline]
    #[track_caller]
    pub fn needs_grad(self) -> bool {
        self.tape.read().graph.nodes[self.id as usize].tracked
    }

    /// The value of a node that is a single number.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 3.0]);
    /// assert_eq!(x.mean().item(), 2.0);
    /// assert_eq!((x * 2.0).value(), array![2.0, 6.0].into_dyn());
    /// x.with_value(|x: &[f64]| assert_eq!(x, [1.0, 3.0])); // without a copy
    /// ```
    ///
    /// # Panics
    /// If it is not one.
    #[track_caller]
    pub fn item(self) -> f64 {
        self.number()
    }

    /// [`item`](Self::item) in a type of one's choice.
    #[track_caller]
    pub(crate) fn number<T: Scalar>(self) -> T {
        let recording = self.tape.read();
        let numbers = recording.numbers(self.id);
        assert!(
            numbers.len() == 1,
            "item: {} is not a single number: use `value`, or reduce it with `sum` or `mean`",
            recording.graph.nodes[self.id as usize].shape
        );
        T::own(numbers).map_or_else(|| T::of(numbers.get(0)), |own| own[0]) // a dual number keeps its tangent
    }

    /// A copy of the value as an array.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!((x * 10.0).value(), array![[10.0, 20.0], [30.0, 40.0]].into_dyn());
    /// ```
    #[track_caller]
    pub fn value(self) -> ArrayD<f64> {
        self.to_array()
    }

    /// [`value`](Self::value) in a type of one's choice, of [`Dual`](crate::Dual) with the tangents.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![0.1f32, 0.2]);
    /// assert_eq!(x.to_array::<f32>(), array![0.1f32, 0.2].into_dyn());
    /// ```
    #[track_caller]
    pub fn to_array<T: Scalar>(self) -> ArrayD<T> {
        let mut copy = ArrayD::from_elem(self.shape().dims(), T::ZERO);
        let slots = copy.as_slice_mut().expect("a new array is stored by rows");
        self.tape.read().numbers(self.id).copy_to(slots);
        copy
    }

    /// Reads the value in place, by rows; the closure cannot record anything.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0], [3.0, 9.0]]);
    /// let largest = x.with_value(|x: &[f64]| x.iter().copied().fold(f64::MIN, f64::max));
    /// assert_eq!(largest, 9.0);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the closure takes numbers of another type than the tape's.
    #[track_caller]
    pub fn with_value<T: Scalar, R>(self, read: impl FnOnce(&[T]) -> R) -> R {
        let recording = self.tape.read();
        match T::own(recording.numbers(self.id)) {
            Some(x) => read(x),
            None => panic!(
                "with_value: this tape computes in {}, the closure reads {}: take a copy in any type with `to_array`",
                self.tape.dtype(),
                T::DTYPE
            ),
        }
    }

    /// Reads the value in place, whatever the type of its numbers.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Read, Scalar, Workspace, ndarray::array};
    /// struct Negative;
    /// impl Read for Negative {
    ///     type Out = usize;
    ///     fn read<T: Scalar>(self, x: &[T]) -> usize {
    ///         x.iter().filter(|&&x| x < T::ZERO).count()
    ///     }
    /// }
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// assert_eq!(tape.input(&array![-1.0, 2.0]).read(Negative), 1);
    /// ```
    #[track_caller]
    pub fn read<R: Read>(self, read: R) -> R::Out {
        typed!(self.tape.read().numbers(self.id), x => read.read(x))
    }

    /// Gives this node a name, for error messages and explanations.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let odds = tape.input(&array![0.0]).named("odds");
    /// odds.ln().named("logit");
    /// let first = tape.first_non_finite().unwrap();
    /// assert!(first.to_string().contains("\"logit\""), "{first}");
    /// ```
    #[track_caller]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        let graph = &mut *self.tape.write().graph;
        graph.names.push(name.into());
        graph.nodes[self.id as usize].name = graph.names.len() as u32;
        self
    }

    /// Walks the tape back from this number: the gradient of every parameter is then in
    /// [`Workspace::grads`](crate::Workspace::grads), that of every node in [`Var::grad`]. Each call starts anew; nothing accumulates.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![2.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let z = tape.param(w) * 3.0;
    /// let loss = z.square().sum();
    /// loss.backward();
    /// assert_eq!(z.grad(), Some(array![12.0].into_dyn())); // 2 z
    /// assert_eq!(workspace.grads()[w], [36.0]); // the same, times 3
    /// ```
    ///
    /// # Panics
    /// If this is not a single number, or if the tape records no gradients.
    #[track_caller]
    pub fn backward(self) {
        self.walk(Given::Numbers(f64::numbers(&[1.0])), 1);
    }

    /// [`backward`](Self::backward) from a value of any shape, whose gradient is given: that of the sum of the products of both.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![2.0, 3.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// tape.param(w).square().backward_with(&array![10.0, 1.0]);
    /// assert_eq!(workspace.grads()[w], [40.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the gradient has another shape, or if the tape records no gradients.
    #[track_caller]
    pub fn backward_with<E: Scalar, S: Data<Elem = E>, D: Dimension>(self, gradient: &ArrayBase<S, D>) {
        assert!(
            gradient.shape() == self.shape().dims(),
            "backward_with: a gradient of shape {:?} does not fit {}",
            gradient.shape(),
            self.tape.read().graph.describe(self.tape.entries(), self.id)
        );
        let walk = |numbers: &[E]| self.walk(Given::Numbers(E::numbers(numbers)), numbers.len());
        match gradient.as_slice() {
            Some(numbers) => walk(numbers),
            None => walk(&Vec::from_iter(gradient.iter().copied())),
        }
    }

    /// [`backward_with`](Self::backward_with) a gradient that is a value on the tape. It is not copied: with
    /// [`Tape::shared`] a large one is read where it is.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![2.0, 3.0]);
    /// let dy = array![10.0, 1.0].into_shared();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let y = tape.param(w).square();
    /// y.backward_by(tape.shared(&dy));
    /// assert_eq!(y.grad(), Some(array![10.0, 1.0].into_dyn()));
    /// assert_eq!(workspace.grads()[w], [40.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the gradient has another shape or belongs to another tape, or if this tape records no gradients.
    #[track_caller]
    pub fn backward_by(self, gradient: Var<'t>) {
        assert!(
            std::ptr::eq(self.tape, gradient.tape),
            "backward_by: the gradient belongs to another tape: record it on the tape of the value"
        );
        let shape = gradient.shape();
        assert!(
            shape == self.shape(),
            "backward_by: a gradient of shape {shape} does not fit {}",
            self.tape.read().graph.describe(self.tape.entries(), self.id)
        );
        self.walk(Given::Node(gradient.id), shape.len());
    }

    #[track_caller]
    fn walk(self, gradient: Given, len: usize) {
        let Recording { graph, store } = &mut *self.tape.write();
        assert!(
            graph.record,
            "backward: this tape records no gradients: start it with `tape`, not with `no_grad` or `eval`"
        );
        assert!(
            graph.nodes[self.id as usize].len == len,
            "backward: starts from a single number, found {}: reduce it with `sum` or `mean`, use a loss, or give its gradient to \
             `backward_with`",
            graph.describe(self.tape.entries(), self.id)
        );
        typed!(store, on => on.backward(graph, self.id as usize, gradient));
    }

    /// The gradient of the last `backward` with respect to this node. `None` if `backward` has not run, or if
    /// this node is an input without [`requires_grad`](Self::requires_grad), detached, or frozen.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![3.0]).requires_grad();
    /// let y = x.square();
    /// let (aside, loss) = (x.exp(), y.sum());
    /// assert_eq!(y.grad(), None); // not yet
    /// loss.backward();
    /// assert_eq!((y.grad().unwrap()[0], x.grad().unwrap()[0]), (1.0, 6.0));
    /// assert_eq!(aside.grad().unwrap()[0], 0.0); // the loss does not depend on it
    /// ```
    #[track_caller]
    pub fn grad(self) -> Option<ArrayD<f64>> {
        let w = self.tape.read();
        let node = &w.graph.nodes[self.id as usize];
        let root = w.graph.walked_from?;
        if !node.tracked {
            return None;
        }
        let mut gradient = ArrayD::zeros(node.shape.dims());
        let slots = gradient.as_slice_mut().expect("a new array is stored by rows");
        if self.id <= root || node.param.is_some() {
            typed!(&w.store, on => if let Some(g) = on.grad(w.graph, self.id) {
                slots.iter_mut().zip(g).for_each(|(slot, g)| *slot = g.value());
            });
        }
        Some(gradient)
    }

    /// Asks for the gradient of an input.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let image = tape.input(&array![0.5, 2.0]).requires_grad();
    /// image.square().sum().backward();
    /// assert_eq!(image.grad(), Some(array![1.0, 4.0].into_dyn())); // how the loss answers to each pixel
    /// ```
    ///
    /// # Panics
    /// Unless called right where the input is recorded: what was computed from it before would be left out.
    #[track_caller]
    pub fn requires_grad(self) -> Self {
        let Recording { graph, store } = &mut *self.tape.write();
        let id = self.id as usize;
        assert!(
            graph.nodes[id].tracked || id + 1 == graph.nodes.len(),
            "requires_grad: call it right where the input is recorded: `tape.input(&x).requires_grad()`"
        );
        typed!(store, on => on.track(graph, id));
        self
    }

    /// The same value, detached: no gradient flows back through it.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![3.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let w_now = tape.param(w);
    /// (w_now * w_now.detach()).sum().backward();
    /// assert_eq!(workspace.grads()[w], [3.0]); // and not 2 w = 6
    /// ```
    ///
    /// Of a [`Dual`](crate::Dual) it keeps the value and drops the tangent: to second derivatives too it is a constant.
    #[track_caller]
    pub fn detach(self) -> Self {
        let at = Location::caller();
        let Recording { graph, store } = &mut *self.tape.write();
        let id = typed!(store, on => on.detach(graph, self.id, at));
        Var { tape: self.tape, id }
    }
}

impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let w = self.tape.read();
        let described = w.graph.describe(self.tape.entries(), self.id);
        let shape = &w.graph.nodes[self.id as usize].shape;
        typed!(w.numbers(self.id), x => write!(f, "{described}: {}", view(shape, x)))
    }
}
