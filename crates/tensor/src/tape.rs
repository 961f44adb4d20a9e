//! The tape: the record of a computation, in order, for the backward pass.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::panic::Location;

use ndarray::{ArcArray, ArrayBase, ArrayD, Data, Dimension, RemoveAxis};

use crate::node::{Home, Leaf, Node};
use crate::op::{Op, Recorded};
use crate::params::view;
use crate::store::{Numbers, Store, Typed, typed};
use crate::threads::{LIGHT, for_each};
use crate::workspace::Graph;
use crate::{DType, Entry, ParamId, Scalar, Shape, ShapeError};

/// A recording of one computation. It borrows the parameters and the workspace until its last use.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![3.0]);
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let loss = tape.param(w).square().sum(); // recorded as it is computed ..
/// loss.backward(); // .. and walked back
/// assert_eq!(tape.len(), 3);
/// assert_eq!(workspace.grads()[w], [6.0]); // the tape has ended: theta may change now
/// ```
///
/// It computes in the numbers of its parameters, and does not name them: a function of a tape serves `f32`, `f64` and
/// [`Dual`](crate::Dual).
pub struct Tape<'p> {
    entries: &'p [Entry],
    frozen: &'p [bool],
    recording: RefCell<Recording<'p>>,
    training: bool,
    pub(crate) notes_layers: bool,
    seed: Cell<Option<u64>>,
    // no `Drop`: it would prolong the borrow of the parameters to the end of the block
}

/// What was recorded, and its numbers.
pub(crate) struct Recording<'p> {
    pub graph: &'p mut Graph,
    pub store: Store<'p>,
}

impl Recording<'_> {
    /// The numbers of a node.
    #[inline]
    pub fn numbers(&self, id: u32) -> Numbers<'_> {
        let node = &self.graph.nodes[id as usize];
        match &self.store {
            Typed::F32(on) => Typed::F32(on.memory().value(node)),
            Typed::F64(on) => Typed::F64(on.memory().value(node)),
            Typed::Dual(on) => Typed::Dual(on.memory().value(node)),
        }
    }
}

/// What reads the numbers of a node where they stand, whatever their type: for [`Var::read`].
pub trait Read {
    /// What it returns.
    type Out;
    /// Reads them, by rows.
    fn read<T: Scalar>(self, x: &[T]) -> Self::Out;
}

/// What writes the numbers of an input in place, whatever their type: for [`Tape::input_by`].
pub trait Write {
    /// Writes every one of them, by rows.
    fn write<T: Scalar>(self, slots: &mut [T]);
}

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

impl<'t> Tape<'t> {
    pub(crate) fn new(
        entries: &'t [Entry],
        frozen: &'t [bool],
        graph: &'t mut Graph,
        store: Store<'t>,
        training: bool,
    ) -> Self {
        let recording = RefCell::new(Recording { graph, store });
        Tape { entries, frozen, recording, training, notes_layers: false, seed: Cell::new(None) }
    }

    /// What has been recorded.
    #[inline]
    #[track_caller]
    pub(crate) fn read(&self) -> Ref<'_, Recording<'t>> {
        match self.recording.try_borrow() {
            Ok(recording) => recording,
            Err(_) => panic!(
                "this tape is being written to: the closure of `input_with` cannot use it; read what it needs before"
            ),
        }
    }

    /// The same, to record more.
    #[inline]
    #[track_caller]
    pub(crate) fn write(&self) -> RefMut<'_, Recording<'t>> {
        match self.recording.try_borrow_mut() {
            Ok(recording) => recording,
            Err(_) => panic!(
                "this tape is being read or written to: a closure of `with_value` or `input_with` cannot record on it; take the \
                 value out first, with `value()`"
            ),
        }
    }

    /// The type of its numbers: that of its parameters.
    ///
    /// ```
    /// use surprisal_tensor::{DType, Params, Workspace};
    /// let params = Params::<f64>::default();
    /// assert_eq!(Workspace::new().tape(&params).dtype(), DType::F64);
    /// ```
    #[track_caller]
    pub fn dtype(&self) -> DType {
        match self.read().store {
            Typed::F32(_) => DType::F32,
            Typed::F64(_) => DType::F64,
            Typed::Dual(_) => DType::Dual,
        }
    }

    /// Name, shape and place of a parameter: where a layer that holds a [`ParamId`] finds its sizes.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![[1.0], [2.0]]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// assert_eq!(tape.entry(w).shape.dims(), [2, 1]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if it is a parameter of another set.
    #[inline]
    #[track_caller]
    pub fn entry(&self, id: ParamId) -> &'t Entry {
        crate::params::entry(self.entries, id)
    }

    /// The parameters that the tape was started with, in the order in which they were added.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// let names: Vec<_> = tape.entries().iter().map(|entry| &entry.name).collect();
    /// assert_eq!(names, ["w"]);
    /// ```
    pub fn entries(&self) -> &'t [Entry] {
        self.entries
    }

    /// The parameter with this name.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// assert_eq!((tape.find("w"), tape.find("v")), (Some(w), None));
    /// ```
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.ids().find(|&id| self.entry(id).name == name)
    }

    /// The ids in the order of [`entries`](Self::entries).
    pub fn ids(&self) -> impl Iterator<Item = ParamId> + use<> {
        (0..self.entries.len() as u32).map(ParamId)
    }

    /// Whether gradients are computed for a parameter.
    ///
    /// See the example of [`Params::freeze`](crate::Params::freeze).
    #[track_caller]
    pub fn is_trainable(&self, id: ParamId) -> bool {
        self.entry(id);
        !self.frozen[id.index()]
    }

    /// Whether layers that differ between training and evaluation (dropout, batch normalization) are in training. A tape of
    /// [`Workspace::tape`](crate::Workspace::tape) is, until [`evaluating`](Self::evaluating); one of [`Workspace::no_grad`](crate::Workspace::no_grad) is not.
    ///
    /// See the example of [`evaluating`](Self::evaluating).
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Puts such layers in evaluation; gradients are recorded all the same.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
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
    /// let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
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

    /// Notes a new value for a buffer, such as a running mean: it is written by the optimizer's next step, or by
    /// [`Gradients::apply_updates`](crate::Gradients::apply_updates).
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// let running_mean = params.add_buffer("running_mean", &array![0.0]);
    /// # let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// tape.update(running_mean, 0.9 * tape.param(running_mean) + 0.1 * 5.0);
    /// assert_eq!(tape.param(running_mean).value()[0], 0.0); // only noted ..
    /// workspace.grads().apply_updates(&mut params); // .. until an optimizer's step does this
    /// assert_eq!(params[running_mean], [0.5]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if it is not a buffer, the shapes differ, or the value belongs to another tape.
    #[track_caller]
    pub fn update(&self, id: ParamId, value: Var<'_>) {
        let entry = self.entry(id);
        assert!(
            entry.is_buffer,
            "update: \"{}\" is a parameter, which gradients move: only a buffer, of `params.add_buffer`, takes new values from a tape",
            entry.name
        );
        assert!(
            std::ptr::addr_eq(value.tape, self),
            "update: the new value of \"{}\" belongs to another tape: record it on the tape whose `update` is called",
            entry.name
        );
        let Recording { graph, store } = &mut *self.write();
        let node = &graph.nodes[value.id as usize];
        assert!(
            node.len == entry.shape.len(),
            "update: \"{}\" is {}, its new value {}",
            entry.name,
            entry.shape,
            node.shape
        );
        typed!(store, on => on.note_update(id, node));
    }

    /// Records data: an array of any number of axes, or a view of one. It is copied; one that is used step after step can be
    /// [`shared`](Self::shared).
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let table = array![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(tape.input(&table).shape().dims(), [2, 2]);
    /// assert_eq!(tape.input(&table.column(1)).value(), array![2.0, 4.0].into_dyn()); // a view
    /// ```
    ///
    /// Numbers of another type than the tape's are rounded to the nearest of its own.
    #[track_caller]
    pub fn input<E: Scalar, S: Data<Elem = E>, D: Dimension>(&'t self, x: &ArrayBase<S, D>) -> Var<'t> {
        match x.as_slice() {
            Some(slice) => self.input_numbers(x.shape().into(), E::numbers(slice)),
            None => self.input_by(x.shape(), Strided(x)),
        }
    }

    #[inline]
    #[track_caller]
    fn input_numbers(&'t self, shape: Shape, x: Numbers) -> Var<'t> {
        self.input_by(shape, Contiguous(x))
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
    pub fn shared<E: Scalar, D: Dimension>(&'t self, x: &ArcArray<E, D>) -> Var<'t> {
        if !x.is_standard_layout() {
            return self.input(x);
        }
        let flat = x.clone().into_shape_with_order(x.len()).expect("by rows, as many numbers");
        let (shape, at) = (x.shape().into(), Location::caller());
        let id = {
            let Recording { graph, store } = &mut *self.write();
            typed!(store, on => on.share(graph, &flat as &dyn Any, shape, at))
        };
        match id {
            Some(id) => Var { tape: self, id },
            None => self.input(x),
        }
    }

    /// Records rows of a table, or parts along the first axis of any array: a mini-batch.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let table = array![[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]];
    /// assert_eq!(tape.rows(&table, &[2, 0]).value(), array![[2.0, 2.1], [0.0, 0.1]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such row.
    #[track_caller]
    pub fn rows<E: Scalar, S: Data<Elem = E>, D: RemoveAxis>(
        &'t self,
        x: &ArrayBase<S, D>,
        rows: &[usize],
    ) -> Var<'t> {
        let shape = Shape::new(x.shape());
        let Some(&n) = shape.dims().first() else { panic!("rows: a single number has no rows") };
        if let Some(row) = rows.iter().find(|&&row| row >= n) {
            panic!("rows: there is no row {row}: {shape} has {n}");
        }
        let shape = match shape.resized(0, rows.len()) {
            Ok(shape) => shape,
            Err(error) => panic!("rows: {error}"),
        };
        match x.as_slice() {
            Some(slice) => self.input_by(shape, Rows { x: E::numbers(slice), n, rows }),
            None => self.input_by(shape, Strided(&x.select(ndarray::Axis(0), rows))),
        }
    }

    /// Records data that a function gives, number by number and by rows. It cannot use the tape.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input_with([2, 3], |i| i as f64);
    /// assert_eq!(x.value(), array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]].into_dyn());
    /// ```
    #[track_caller]
    pub fn input_with(&'t self, shape: impl Into<Shape>, number: impl FnMut(usize) -> f64) -> Var<'t> {
        self.input_by(shape, Each(number))
    }

    /// Records data that is written in place: no array in between.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Scalar, Workspace, Write, ndarray::array};
    /// struct Ones;
    /// impl Write for Ones {
    ///     fn write<T: Scalar>(self, slots: &mut [T]) {
    ///         slots.fill(T::ONE);
    ///     }
    /// }
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// assert_eq!(tape.input_by([2], Ones).value(), array![1.0, 1.0].into_dyn());
    /// ```
    #[track_caller]
    pub fn input_by(&'t self, shape: impl Into<Shape>, write: impl Write) -> Var<'t> {
        let (shape, at) = (shape.into(), Location::caller());
        let Recording { graph, store } = &mut *self.write();
        let id = typed!(store, on => {
            let (id, slots) = on.input(graph, shape, at);
            write.write(slots);
            id
        });
        Var { tape: self, id }
    }

    /// Records one number.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let half = tape.constant(0.5);
    /// assert_eq!(half.maximum(tape.input(&array![0.0, 1.0])).value(), array![0.5, 1.0].into_dyn());
    /// assert!(!half.needs_grad());
    /// ```
    #[track_caller]
    pub fn constant(&'t self, value: f64) -> Var<'t> {
        self.input_with([], |_| value)
    }

    /// Records the use of a parameter; nothing is copied.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![3.0]);
    /// # let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// (tape.param(w) * tape.param(w)).sum().backward(); // two uses, one gradient
    /// assert_eq!(workspace.grads()[w], [6.0]);
    /// ```
    #[inline]
    #[track_caller]
    pub fn param(&'t self, id: ParamId) -> Var<'t> {
        let entry = self.entry(id);
        if entry.is_buffer && !self.training {
            typed!(&self.read().store, on => on.params.expect_buffer_written(id));
        }
        let graph = &mut *self.write().graph;
        let tracked = graph.record && !self.frozen[id.index()];
        let id = graph.put_leaf(Node {
            len: entry.range.len(),
            leaf: Some(Leaf::Param),
            param: Some(id),
            home: Home::Theta,
            start: entry.range.start,
            tracked,
            ..Node::leaf(entry.shape, Location::caller())
        });
        Var { tape: self, id }
    }

    /// Records an operation and computes its value; the inputs are an array or a slice.
    ///
    /// Records an operation, as the methods of [`Var`] do; use it for operations of your own: see the example of [`Op`].
    ///
    /// ```
    /// use surprisal_tensor::ops::softmax::Softmax;
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let z = tape.input(&array![1.0, 1.0]);
    /// assert_eq!(tape.apply(Softmax { axis: -1 }, [z]).value(), z.softmax(-1).value());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if the shapes do not fit or an input belongs to another tape.
    #[track_caller]
    #[inline]
    pub fn apply<O: Op>(&'t self, op: O, inputs: impl AsRef<[Var<'t>]>) -> Var<'t> {
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
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
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
    pub fn try_apply<O: Op>(&'t self, op: O, inputs: impl AsRef<[Var<'t>]>) -> Result<Var<'t>, ShapeError> {
        let at = Location::caller();
        let Recording { graph, store } = &mut *self.write();
        let edges = graph.edges.len();
        for input in inputs.as_ref() {
            assert!(
                std::ptr::eq(input.tape, self),
                "{}: its inputs belong to different tapes: record everything that meets in one computation on one tape",
                Op::card(&op).name
            );
            graph.edges.push(input.id);
        }
        match store {
            Typed::F32(on) => on.apply(graph, self.entries, &op, edges, at)?, // in one piece: small steps are quick
            Typed::F64(on) => on.apply(graph, self.entries, &op as &dyn Recorded, edges, at)?,
            Typed::Dual(on) => on.apply(graph, self.entries, &op as &dyn Recorded, edges, at)?,
        }
        Ok(Var { tape: self, id: graph.put_op(op) })
    }

    /// How many nodes have been recorded.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let _ = tape.constant(1.0).exp() + tape.constant(2.0);
    /// assert_eq!(tape.len(), 4); // two constants, exp, add
    /// ```
    #[allow(clippy::len_without_is_empty)] // a count of nodes, not a container
    #[track_caller]
    pub fn len(&self) -> usize {
        self.read().graph.nodes.len()
    }

    /// The first value, in the order of computation, that holds an infinity or NaN.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
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
        (0..w.graph.nodes.len() as u32).find_map(|id| {
            let numbers = w.numbers(id);
            let count = numbers.numbers().filter(|v| !v.is_finite()).count();
            let first = numbers.numbers().position(|v| !v.is_finite())?;
            Some(NonFinite {
                node: w.graph.describe(self.entries, id),
                value: numbers.get(first),
                first,
                count,
                of: numbers.len(),
            })
        })
    }
}

struct Contiguous<'a>(Numbers<'a>);
impl Write for Contiguous<'_> {
    fn write<T: Scalar>(self, slots: &mut [T]) {
        match T::own(self.0) {
            Some(x) => for_each((slots, x), LIGHT, |_, (slots, x)| slots.copy_from_slice(x)),
            None => self.0.copy_to(slots),
        }
    }
}

struct Strided<'a, S: Data, D>(&'a ArrayBase<S, D>);
impl<E: Scalar, S: Data<Elem = E>, D: Dimension> Write for Strided<'_, S, D> {
    fn write<T: Scalar>(self, slots: &mut [T]) {
        for (slot, x) in slots.iter_mut().zip(self.0) {
            E::numbers(std::slice::from_ref(x)).copy_to(std::slice::from_mut(slot));
        }
    }
}

struct Rows<'a> {
    x: Numbers<'a>,
    n: usize,
    rows: &'a [usize],
}
impl Write for Rows<'_> {
    fn write<T: Scalar>(self, slots: &mut [T]) {
        let width = self.x.len() / self.n.max(1);
        for (slots, &row) in slots.chunks_exact_mut(width.max(1)).zip(self.rows) {
            let row = row * width..(row + 1) * width;
            match T::own(self.x) {
                Some(x) => slots.copy_from_slice(&x[row]),
                None => self.x.part(row).copy_to(slots),
            }
        }
    }
}

struct Each<F>(F);
impl<F: FnMut(usize) -> f64> Write for Each<F> {
    fn write<T: Scalar>(mut self, slots: &mut [T]) {
        slots.iter_mut().enumerate().for_each(|(i, slot)| *slot = T::of(self.0(i)));
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
        let shape = self.shape();
        assert!(
            shape.len() == 1,
            "item: {shape} is not a single number: use `value`, or reduce it with `sum` or `mean`"
        );
        let mut number = [T::ZERO];
        self.tape.read().numbers(self.id).copy_to(&mut number);
        number[0]
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
        let Recording { graph, store } = &mut *self.tape.write();
        assert!(
            graph.record,
            "backward: this tape records no gradients: start it with `tape`, not with `no_grad` or `eval`"
        );
        let node = &graph.nodes[self.id as usize];
        assert!(
            node.len == 1,
            "backward: starts from a single number, found {}: reduce it with `sum` or `mean`, or use a loss",
            graph.describe(self.tape.entries, self.id)
        );
        typed!(store, on => on.backward(graph, self.id as usize));
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
        let described = w.graph.describe(self.tape.entries, self.id);
        let shape = &w.graph.nodes[self.id as usize].shape;
        typed!(w.numbers(self.id), x => write!(f, "{described}: {}", view(shape, x)))
    }
}
