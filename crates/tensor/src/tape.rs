//! The tape: what was computed, in the order in which it was computed, so that it can be walked backward.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::panic::Location;

use ndarray::{ArcArray, ArrayBase, ArrayD, ArrayViewD, Data, Dimension};

use crate::op::Op;
use crate::params::view;
use crate::threads::{LIGHT, for_each};
use crate::workspace::{Home, Leaf, Memory, Node, PARAM};
use crate::{ParamId, Params, Scalar, Shape, ShapeError, Workspace};

/// A recording of one computation. It borrows the parameters and the workspace until its last use.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::new();
/// let w = params.add("w", &array![3.0]);
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let loss = tape.param(w).square().sum(); // recorded as it is computed ..
/// loss.backward(); // .. and walked back
/// assert_eq!(tape.len(), 3);
/// assert_eq!(workspace.grads()[w], [6.0]); // the tape has ended: theta may change now
/// ```
pub struct Tape<'p, T: Scalar = f32> {
    params: &'p Params<T>,
    pub(crate) workspace: RefCell<&'p mut Workspace<T>>,
    training: bool,
    seed: Cell<Option<u64>>,
    // no `Drop`: it would prolong the borrow of the parameters to the end of the block
}

/// A value on a tape: a reference and an index, so it can be copied freely and `a * b + c` reads as mathematics.
///
/// Methods that record an operation panic, at the caller's line, if the shapes do not fit.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::new();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let x = tape.input(&array![0.0, 2.0]).requires_grad();
/// let neuron = (3.0 * x - 6.0).sigmoid();
/// neuron.sum().backward();
/// assert_eq!(neuron.value()[1], 0.5);
/// assert_eq!(x.grad().unwrap()[1], 3.0 * 0.25); // w σ'(0)
/// ```
pub struct Var<'t, T: Scalar = f32> {
    pub(crate) tape: &'t Tape<'t, T>,
    pub(crate) id: u32,
}
impl<T: Scalar> Clone for Var<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Scalar> Copy for Var<'_, T> {}

impl<'t, T: Scalar> Tape<'t, T> {
    pub(crate) fn new(params: &'t Params<T>, workspace: &'t mut Workspace<T>, training: bool) -> Self {
        Tape { params, workspace: RefCell::new(workspace), training, seed: Cell::new(None) }
    }

    /// What has been recorded.
    #[track_caller]
    pub(crate) fn read(&self) -> Ref<'_, &'t mut Workspace<T>> {
        match self.workspace.try_borrow() {
            Ok(workspace) => workspace,
            Err(_) => panic!(
                "this tape is being written to: the closure of `input_with` cannot use it; read what it needs before"
            ),
        }
    }

    /// The same, to record more.
    #[track_caller]
    pub(crate) fn write(&self) -> RefMut<'_, &'t mut Workspace<T>> {
        match self.workspace.try_borrow_mut() {
            Ok(workspace) => workspace,
            Err(_) => panic!(
                "this tape is being read or written to: a closure of `with_value` or `input_with` cannot record on it; take the \
                 value out first, with `value()`"
            ),
        }
    }

    /// The parameters that this tape was started with.
    ///
    /// A layer that holds a [`ParamId`] finds its shape and name here.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// # let w = params.add("w", &array![[1.0], [2.0]]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// assert_eq!(tape.params().entry(w).shape.dims(), [2, 1]);
    /// ```
    pub fn params(&self) -> &'t Params<T> {
        self.params
    }

    /// Whether layers that differ between training and evaluation (dropout, batch normalisation) are in training. A tape of
    /// [`Workspace::tape`] is, until [`evaluating`](Self::evaluating); one of [`Workspace::no_grad`] is not.
    ///
    /// See the example of [`evaluating`](Self::evaluating).
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Puts such layers in evaluation; gradients are recorded all the same.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// assert!(workspace.tape(&params).is_training());
    /// assert!(!workspace.no_grad(&params).is_training());
    /// let tape = workspace.tape(&params).evaluating();
    /// assert!(!tape.is_training());
    /// tape.constant(1.0).requires_grad().exp().backward(); // on `no_grad` this would panic
    /// ```
    pub fn evaluating(mut self) -> Self {
        self.training = false;
        self
    }

    /// Gives the tape a seed for what is drawn in training, such as dropout's masks: one for each step, from your own generator.
    ///
    /// See the example of [`next_seed`](Self::next_seed).
    pub fn seeded(self, seed: u64) -> Self {
        self.seed.set(Some(seed));
        self
    }

    /// A seed of its own for one layer of this step.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// let mut two = |seed| {
    ///     let tape = workspace.tape(&params).seeded(seed);
    ///     [tape.next_seed(), tape.next_seed()]
    /// };
    /// assert_eq!(two(7), two(7)); // a step can be repeated ..
    /// assert_ne!(two(7)[0], two(7)[1]); // .. and its layers draw different numbers
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the tape has no seed.
    #[track_caller]
    pub fn next_seed(&self) -> u64 {
        let Some(seed) = self.seed.get() else {
            panic!(
                "this layer draws random numbers in training, and the tape has no seed: start it with \
                 `workspace.tape(&params).seeded(rng.next_u64())`, with `let mut rng = rng(7)` before the loop, or evaluate with `no_grad` or `evaluating`"
            );
        };
        self.seed.set(Some(seed.wrapping_add(0x9e37_79b9_7f4a_7c15))); // the odd number of splitmix64: all seeds differ
        seed
    }

    /// Notes a new value for a frozen parameter, such as a running mean: it is written by the optimizer's next step, or by
    /// [`Gradients::apply_updates`](crate::Gradients::apply_updates).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// let running_mean = params.add("running_mean", &array![0.0]);
    /// params.freeze(running_mean);
    /// # let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// tape.update(running_mean, 0.9 * tape.param(running_mean) + 0.1 * 5.0);
    /// assert_eq!(tape.param(running_mean).value()[0], 0.0); // only noted ..
    /// workspace.grads().apply_updates(&mut params); // .. until an optimizer's step does this
    /// assert_eq!(params[running_mean], [0.5]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the parameter is trainable, the shapes differ, or the value belongs to another tape.
    #[track_caller]
    pub fn update(&self, id: ParamId, value: Var<'_, T>) {
        let entry = self.params.entry(id);
        assert!(!self.params.is_trainable(id), "update: \"{}\" is trainable: gradients move it", entry.name);
        assert!(
            std::ptr::addr_eq(value.tape, self),
            "update: the new value of \"{}\" belongs to another tape: record it on the tape whose `update` is called",
            entry.name
        );
        let mut w = self.write();
        let w = &mut **w;
        let node = &w.nodes[value.id as usize];
        assert!(
            node.len == entry.shape.len(),
            "update: \"{}\" is {}, its new value {}",
            entry.name,
            entry.shape,
            node.shape
        );
        let memory = Memory { values: &w.values, theta: self.params.as_slice(), shared: &w.shared };
        w.grads.note_update(id, memory.value(node));
    }

    /// Records data: an array of any number of axes, or a view of one. It is copied; one that is used step after step can be
    /// [`shared`](Self::shared).
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let table = array![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(tape.input(&table).shape().dims(), [2, 2]);
    /// assert_eq!(tape.input(&table.column(1)).value(), array![2.0, 4.0].into_dyn()); // a view
    /// ```
    #[track_caller]
    pub fn input<S: Data<Elem = T>, D: Dimension>(&'t self, x: &ArrayBase<S, D>) -> Var<'t, T> {
        self.input_with(x.shape(), |slots| match x.as_slice() {
            Some(x) => for_each((slots, x), LIGHT, |_, (slots, x)| slots.copy_from_slice(x)),
            None => slots.iter_mut().zip(x).for_each(|(slot, &x)| *slot = x),
        })
    }

    /// Records data without copying it: an array that may have several owners, such as a whole data set.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let x = array![[1.0, 2.0], [3.0, 4.0]].into_shared(); // ndarray's ArcArray
    /// let (params, mut workspace) = (Params::new(), Workspace::new());
    /// assert_eq!(workspace.tape(&params).shared(&x).mean().item(), 2.5);
    /// ```
    ///
    /// The workspace is one of its owners until the next tape starts. What is not stored by rows is copied.
    #[track_caller]
    pub fn shared<D: Dimension>(&'t self, x: &ArcArray<T, D>) -> Var<'t, T> {
        if !x.is_standard_layout() {
            return self.input(x);
        }
        let flat = x.clone().into_shape_with_order(x.len()).expect("by rows, as many numbers");
        let id = self.write().share(flat, x.shape().into(), Location::caller());
        Var { tape: self, id }
    }

    /// Records data that `fill` writes in place, by rows: no array in between. The closure cannot use the tape.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input_with([2, 3], |slots| slots.iter_mut().enumerate().for_each(|(i, x)| *x = i as f64));
    /// assert_eq!(x.value(), array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]].into_dyn());
    /// ```
    #[track_caller]
    pub fn input_with(&'t self, shape: impl Into<Shape>, fill: impl FnOnce(&mut [T])) -> Var<'t, T> {
        let mut w = self.write();
        let (id, slots) = w.input(shape.into(), Location::caller());
        fill(slots);
        Var { tape: self, id }
    }

    /// Records one number.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let half = tape.constant(0.5);
    /// assert_eq!(half.maximum(tape.input(&array![0.0, 1.0])).value(), array![0.5, 1.0].into_dyn());
    /// assert!(!half.needs_grad());
    /// ```
    #[track_caller]
    pub fn constant(&'t self, value: f64) -> Var<'t, T> {
        self.input_with([], |slot| slot[0] = T::of(value))
    }

    /// Records the use of a parameter; nothing is copied.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// let w = params.add("w", &array![3.0]);
    /// # let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// (tape.param(w) * tape.param(w)).sum().backward(); // two uses, one gradient
    /// assert_eq!(workspace.grads()[w], [6.0]);
    /// ```
    #[track_caller]
    pub fn param(&'t self, id: ParamId) -> Var<'t, T> {
        let entry = self.params.entry(id);
        let mut w = self.write();
        let tracked = w.record && self.params.is_trainable(id);
        let node = Node {
            shape: entry.shape,
            len: entry.range.len(),
            param: Some(id),
            home: Home::Theta,
            start: entry.range.start,
            memo: 0,
            tracked,
            grad: 0,
            inputs: (0, 0),
            at: Location::caller(),
            name: None,
            scope: 0,
        };
        let id = w.put(Leaf(PARAM), node);
        Var { tape: self, id }
    }

    /// Records an operation and computes its value; the inputs are an array or a slice.
    ///
    /// What the methods of [`Var`] call; operations of one's own are called so too: see the example of [`Op`].
    ///
    /// ```
    /// use surprisal_tensor::ops::softmax::Softmax;
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let z = tape.input(&array![1.0, 1.0]);
    /// assert_eq!(tape.apply(Softmax { axis: -1 }, [z]).value(), z.softmax(-1).value());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit or an input belongs to another tape.
    #[track_caller]
    #[inline]
    pub fn apply<O: Op<T>>(&'t self, op: O, inputs: impl AsRef<[Var<'t, T>]>) -> Var<'t, T> {
        match self.try_apply(op, inputs) {
            Ok(var) => var,
            Err(error) => panic!("{error}"),
        }
    }

    /// [`apply`](Self::apply), with shapes that do not fit as an error.
    ///
    /// ```
    /// use surprisal_tensor::ops::reduce::Sum;
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 2.0]);
    /// assert_eq!(tape.try_apply(Sum { axis: Some(0) }, [x])?.item(), 3.0);
    /// let error = tape.try_apply(Sum { axis: Some(1) }, [x]).unwrap_err();
    /// assert!(error.to_string().starts_with("sum: there is no axis 1"), "{error}");
    /// # Ok::<(), surprisal_tensor::ShapeError>(())
    /// ```
    ///
    /// # Panics
    /// If an input belongs to another tape.
    #[track_caller]
    #[inline]
    pub fn try_apply<O: Op<T>>(
        &'t self,
        op: O,
        inputs: impl AsRef<[Var<'t, T>]>,
    ) -> Result<Var<'t, T>, ShapeError> {
        let inputs = inputs.as_ref();
        for input in inputs {
            assert!(
                std::ptr::eq(input.tape, self),
                "{}: its inputs belong to different tapes: record everything that meets in one computation on one tape",
                op.card().name
            );
        }
        let at = Location::caller();
        let id = self.write().apply(self.params, op, inputs.iter().map(|v| v.id), at)?;
        Ok(Var { tape: self, id })
    }

    /// How many nodes have been recorded.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let _ = tape.constant(1.0).exp() + tape.constant(2.0);
    /// assert_eq!(tape.len(), 4); // two constants, exp, add
    /// ```
    #[allow(clippy::len_without_is_empty)] // a count of nodes, not a container
    #[track_caller]
    pub fn len(&self) -> usize {
        self.read().nodes.len()
    }

    /// The first value, in the order of computation, that holds an infinity or NaN.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 0.0, 4.0]).named("x");
    /// let _ = x.ln().named("log").square().sum(); // infinite from "log" on
    /// let first = tape.first_non_finite().unwrap();
    /// assert!(first.node.starts_with("\"log\" (ln) [3]"), "{first}");
    /// assert_eq!((first.value, first.first, first.count, first.of), (f64::NEG_INFINITY, 1, 1, 3));
    /// ```
    #[track_caller]
    pub fn first_non_finite(&self) -> Option<NonFinite> {
        let w = self.read();
        (0..w.nodes.len() as u32).find_map(|id| {
            let values = w.value(self.params, id);
            let count = values.iter().filter(|v| !v.is_finite()).count();
            let first = values.iter().position(|v| !v.is_finite())?;
            Some(NonFinite {
                node: w.describe(self.params, id),
                value: values[first].value(),
                first,
                count,
                of: values.len(),
            })
        })
    }
}

/// Where a computation first left the finite numbers.
///
/// See the example of [`Tape::first_non_finite`].
#[derive(Clone, Debug, PartialEq)]
pub struct NonFinite {
    /// The node, by name and line.
    pub node: String,
    /// The first value that is not finite.
    pub value: f64,
    /// Its place, counted by rows.
    pub first: usize,
    /// How many of the node's values are not finite ..
    pub count: usize,
    /// .. of so many.
    pub of: usize,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let NonFinite { node, value, first, count, of } = self;
        write!(f, "{node}: {count} of {of} values are not finite, the first is {value} at position {first}")
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The tape that this value is recorded on.
    ///
    /// A layer, which is given no tape, finds it so.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(2.0);
    /// let doubled = x + x.tape().constant(2.0);
    /// assert_eq!(doubled.item(), 4.0);
    /// ```
    pub fn tape(self) -> &'t Tape<'t, T> {
        self.tape
    }

    /// The lengths of the axes.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.shape().dims(), [2, 3]);
    /// assert_eq!(x.mean().shape().to_string(), "[]"); // a single number
    /// ```
    #[track_caller]
    pub fn shape(self) -> Shape {
        self.tape.read().nodes[self.id as usize].shape
    }

    /// The name on the card of the operation that made this value: "softmax"; "input" or "param" where none did.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(2.0);
    /// assert_eq!((x.op_name(), x.exp().op_name(), (x * x).op_name()), ("input", "exp", "mul"));
    /// ```
    #[track_caller]
    pub fn op_name(self) -> &'static str {
        self.tape.read().ops[self.id as usize].card().name
    }

    /// Whether `backward` computes a gradient for this value: it depends on a trainable parameter, or on an input that
    /// [`requires_grad`](Self::requires_grad).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![2.0]);
    /// assert!(!x.exp().needs_grad());
    /// assert!((x * tape.param(w)).needs_grad());
    /// assert!(!(x * tape.param(w).detach()).needs_grad());
    /// ```
    #[track_caller]
    pub fn needs_grad(self) -> bool {
        self.tape.read().nodes[self.id as usize].tracked
    }

    /// The value of a node that is a single number.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.input(&array![1.0, 3.0]);
    /// assert_eq!(x.mean().item(), 2.0);
    /// assert_eq!((x * 2.0).value(), array![2.0, 6.0].into_dyn());
    /// x.with_value(|x| assert_eq!(x, [1.0, 3.0])); // without a copy
    /// ```
    ///
    /// # Panics
    /// If it is not one.
    #[track_caller]
    pub fn item(self) -> T {
        let shape = self.shape();
        assert!(
            shape.len() == 1,
            "item: {shape} is not a single number: use `value`, or reduce it with `sum` or `mean`"
        );
        self.with_value(|values| values[0])
    }

    /// A copy of the value as an array.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!((x * 10.0).value(), array![[10.0, 20.0], [30.0, 40.0]].into_dyn());
    /// ```
    #[track_caller]
    pub fn value(self) -> ArrayD<T> {
        let shape = self.shape();
        self.with_value(|values| view(&shape, values).to_owned())
    }

    /// Reads the value where it stands, by rows; the closure cannot record anything.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input(&array![[1.0, 2.0], [3.0, 9.0]]);
    /// let largest = x.with_value(|x| x.iter().copied().fold(f64::MIN, f64::max));
    /// assert_eq!(largest, 9.0);
    /// ```
    #[track_caller]
    pub fn with_value<R>(self, read: impl FnOnce(&[T]) -> R) -> R {
        let w = self.tape.read();
        read(w.value(self.tape.params, self.id))
    }

    /// Gives this node a name, for error messages and explanations.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f32>::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let odds = tape.input(&array![0.0]).named("odds");
    /// odds.ln().named("logit");
    /// let first = tape.first_non_finite().unwrap();
    /// assert!(first.to_string().contains("\"logit\""), "{first}");
    /// ```
    #[track_caller]
    pub fn named(self, name: &'static str) -> Self {
        self.tape.write().nodes[self.id as usize].name = Some(name);
        self
    }

    /// Walks the tape back from this number: the gradient of every parameter then stands in
    /// [`Workspace::grads`], that of every node in [`Var::grad`]. Each call starts anew; nothing accumulates.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::new();
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
        let mut w = self.tape.write();
        assert!(
            w.record,
            "backward: this tape records no gradients: start it with `tape`, not with `no_grad` or `eval`"
        );
        let node = &w.nodes[self.id as usize];
        assert!(
            node.len == 1,
            "backward: starts from a single number, and {} is none: reduce it with `sum` or `mean`, or use a loss",
            w.describe(self.tape.params, self.id)
        );
        w.backward(self.tape.params, self.id as usize);
    }

    /// The gradient of the last `backward` with respect to this node. `None` if `backward` has not run, or if
    /// this node is an input without [`requires_grad`](Self::requires_grad), detached, or frozen.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
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
    pub fn grad(self) -> Option<ArrayD<T>> {
        let w = self.tape.read();
        let node = &w.nodes[self.id as usize];
        let root = w.walked_from?;
        if !node.tracked {
            return None;
        }
        let gradient: ArrayViewD<T> = match node.param {
            Some(param) => w.grads.view(param),
            None if self.id <= root && w.reached[self.id as usize] => {
                view(&node.shape, &w.node_grads[node.grad..node.grad + node.len])
            }
            None => return Some(ArrayD::from_elem(node.shape.dims(), T::ZERO)),
        };
        Some(gradient.to_owned())
    }

    /// Asks for the gradient of an input.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::new(), Workspace::new());
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
        let mut w = self.tape.write();
        let w = &mut **w;
        let id = self.id as usize;
        assert!(
            w.nodes[id].tracked || id + 1 == w.nodes.len(),
            "requires_grad: call it right where the input is recorded: `tape.input(&x).requires_grad()`"
        );
        w.track(id);
        self
    }

    /// The same value, cut off from what made it: no gradient flows back through it.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::new();
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
        let id = self.tape.write().detach(self.tape.params, self.id, Location::caller());
        Var { tape: self.tape, id }
    }
}

impl<T: Scalar> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let described = self.tape.read().describe(self.tape.params, self.id);
        write!(f, "{described}: {}", self.value())
    }
}
