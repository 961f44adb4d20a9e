//! The tape: the record of a computation, in order, for the backward pass.

use std::any::Any;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::panic::Location;

use ndarray::{ArcArray, ArrayBase, Data, Dimension, RemoveAxis};

use crate::node::{Home, Leaf, Node};
use crate::op::{Op, Recorded, Shapes};
use crate::store::{Numbers, Store, Stored, Typed, typed};
use crate::threads::{LIGHT, for_each};
use crate::workspace::Graph;
use crate::{DType, Entry, ParamId, Scalar, Shape, ShapeError, Var};

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

    /// Name, shape and position of a parameter: where a layer that holds a [`ParamId`] finds its sizes.
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
            leaf: Some(Leaf::Param),
            param: Some(id),
            home: Home::Theta,
            start: entry.range.start,
            tracked,
            ..Node::leaf(entry.shape, entry.range.len(), Location::caller())
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
        graph.edges.extend(inputs.as_ref().iter().map(|input| {
            assert!(
                std::ptr::eq(input.tape, self),
                "{}: its inputs belong to different tapes: record everything that meets in one computation on one tape",
                Op::card(&op).name
            );
            input.id
        }));
        match store {
            Typed::F32(on) => on.apply(graph, self.entries, &op, edges, at)?, // in one piece: small steps are quick
            _ => self.apply_dyn(graph, store, &op, edges, at)?,
        }
        Ok(Var { tape: self, id: graph.put_op(op) })
    }

    /// [`try_apply`](Self::try_apply) of an operation whose type is erased: compiled once for all of them.
    #[track_caller]
    pub(crate) fn try_apply_boxed(
        &'t self,
        op: Box<dyn Recorded>,
        inputs: &[Var<'t>],
    ) -> Result<Var<'t>, ShapeError> {
        let Recording { graph, store } = &mut *self.write();
        let edges = graph.edges.len();
        graph.edges.extend(inputs.iter().map(|input| input.id));
        self.apply_dyn(graph, store, &*op, edges, Location::caller())?;
        Ok(Var { tape: self, id: graph.put_boxed(op) })
    }

    #[inline(never)]
    fn apply_dyn(
        &self,
        graph: &mut Graph,
        store: &mut Store<'_>,
        op: &dyn Recorded,
        edges: usize,
        at: &'static Location<'static>,
    ) -> Result<(), ShapeError> {
        typed!(store, on => on.apply(graph, self.entries, op, edges, at))
    }

    /// The shape that the result of an operation would have.
    pub(crate) fn shape_of(&self, op: &dyn Recorded, inputs: &[Var<'t>]) -> Result<Shape, ShapeError> {
        let ids = Vec::from_iter(inputs.iter().map(|input| input.id));
        let recording = self.read();
        let graph = &recording.graph;
        let shape = typed!(&recording.store, on => {
            let memory = on.memory();
            op.shape(Shapes { nodes: &graph.nodes, ids: &ids, memory: Stored::memory(&memory) })
        });
        shape.map_err(|error| error.at(op.card().name, &graph.describe_inputs(self.entries, &ids)))
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
