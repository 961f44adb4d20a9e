//! The tape: what was computed, in the order in which it was computed, so that it can be walked backward.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;

use ndarray::{ArrayBase, ArrayD, ArrayViewD, Data, Dimension};

use crate::op::{Backward, Card, Forward, Inputs, Op};
use crate::params::view;
use crate::{Buf, Gradients, ParamId, Params, Scalar, Shape, ShapeError};

/// One computed value: which operation made it, from which earlier nodes, and where its numbers stand.
pub(crate) struct Node<T: Scalar> {
    op: Box<dyn Op<T>>,
    pub shape: Shape,
    pub len: usize,
    pub param: Option<ParamId>, // the numbers stand in theta, else in the arena
    pub start: usize,
    memo: usize, // how many numbers behind the value `forward` keeps
    pub tracked: bool,
    pub grad: usize, // where its gradient stands, if tracked and no parameter
    inputs: (u32, u32),
    at: &'static Location<'static>,
    name: Option<&'static str>,
}

impl<T: Scalar> Node<T> {
    #[inline]
    pub fn value<'a>(&self, values: &'a [T], theta: &'a [T]) -> &'a [T] {
        let from = if self.param.is_some() { theta } else { values };
        &from[self.start..self.start + self.len]
    }
    fn inputs(&self) -> std::ops::Range<usize> {
        self.inputs.0 as usize..self.inputs.1 as usize
    }
}

/// A value that no operation made: data, a constant, a parameter.
struct Leaf(Card);

const INPUT: Card = Card { name: "input", forward: "x", backward: "", story: "Data that the user gave." };
const PARAM: Card = Card { name: "param", forward: "θ", backward: "", story: "A parameter of the model." };
const DETACH: Card =
    Card { name: "detach", forward: "x", backward: "0", story: "A value cut off from what made it." };

impl<T: Scalar> Op<T> for Leaf {
    fn card(&self) -> Card {
        self.0
    }
    fn shape(&self, _: Inputs<T>) -> Result<Shape, ShapeError> {
        unreachable!("a leaf is placed with its shape")
    }
    fn forward(&self, _: &mut Forward<T>) {}
    fn backward(&self, _: &mut Backward<T>) {}
}

/// The memory of tapes: nodes, values and gradients, kept from one step to the next.
///
/// Keep one for as long as you train: starting a tape rewinds it, so that a steady step allocates nothing. A new
/// one for every step gives the same numbers, only slower.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::new();
/// let w = params.add("w", &array![1.0, -2.0]);
///
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let loss = (3.0 * tape.param(w)).square().sum();
/// loss.backward();
/// assert_eq!(loss.item(), 45.0); // 9 (1 + 4)
/// assert_eq!(workspace.grads()[w], [18.0, -36.0]); // 18 w
/// ```
pub struct Workspace<T: Scalar = f32> {
    nodes: Vec<Node<T>>, // the first `live` belong to the current tape, the rest wait to be used again
    live: usize,
    edges: Vec<u32>,
    values: Buf<T>,
    values_used: usize,
    node_grads: Buf<T>,
    node_grads_used: usize,
    reached: Vec<bool>,
    walked_from: Option<u32>, // where the last `backward` started
    record: bool,
    grads: Gradients<T>,
    part: Buf<T>,
    scratch: Buf<T>,
}

impl<T: Scalar> Workspace<T> {
    /// No memory yet; the first tape takes what it needs.
    pub fn new() -> Self {
        Workspace {
            nodes: Vec::new(),
            live: 0,
            edges: Vec::new(),
            values: Buf::new(1),
            values_used: 0,
            node_grads: Buf::new(2),
            node_grads_used: 0,
            reached: Vec::new(),
            walked_from: None,
            record: true,
            grads: Gradients::new(),
            part: Buf::new(4),
            scratch: Buf::new(5),
        }
    }

    /// Starts a tape: what is computed on it is recorded for `backward`.
    ///
    /// It borrows the parameters, so no value computed from them can outlive an update of theirs:
    ///
    /// ```compile_fail,E0502
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::new();
    /// let w = params.add("w", &array![1.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let loss = tape.param(w).square().sum();
    /// params.as_mut_slice()[0] = 2.0; // error[E0502]: cannot borrow `params` as mutable ..
    /// println!("{}", loss.item()); // .. because it is also borrowed as immutable here
    /// ```
    #[inline]
    pub fn tape<'p>(&'p mut self, params: &'p Params<T>) -> Tape<'p, T> {
        self.start(params, true)
    }

    /// Starts a tape that records no gradients: for evaluation. `backward` on it is an error.
    #[inline]
    pub fn no_grad<'p>(&'p mut self, params: &'p Params<T>) -> Tape<'p, T> {
        self.start(params, false)
    }

    fn start<'p>(&'p mut self, params: &'p Params<T>, record: bool) -> Tape<'p, T> {
        self.live = 0;
        self.values_used = 0;
        self.node_grads_used = 0;
        self.edges.clear();
        self.walked_from = None;
        self.record = record;
        if record {
            self.grads.clear_updates();
            self.grads.prepare(params); // of the last step nothing is left that an optimizer could take for this one's
        }
        Tape { params, workspace: RefCell::new(self), training: record, seed: Cell::new(None) }
    }

    /// The value of a scalar function of the parameters, and its gradient.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::new();
    /// let w = params.add("w", &array![0.5, 2.0]);
    /// let mut workspace = Workspace::new();
    /// let (value, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
    /// assert_eq!((value, &grads[w]), (4.25, &[1.0, 4.0][..]));
    /// ```
    #[track_caller]
    pub fn grad(
        &mut self,
        params: &Params<T>,
        f: impl for<'t> FnOnce(&'t Tape<'t, T>) -> Var<'t, T>,
    ) -> (T, &Gradients<T>) {
        let tape = self.tape(params);
        let loss = f(&tape);
        loss.backward();
        let value = loss.item();
        (value, &self.grads)
    }

    /// The value of a function of the parameters, without its gradient.
    pub fn eval(
        &mut self,
        params: &Params<T>,
        f: impl for<'t> FnOnce(&'t Tape<'t, T>) -> Var<'t, T>,
    ) -> ArrayD<T> {
        let tape = self.no_grad(params);
        f(&tape).value()
    }

    /// The gradient that the last `backward` left: of the loss with respect to every parameter.
    pub fn grads(&self) -> &Gradients<T> {
        &self.grads
    }

    /// The same, to change: for clipping, say.
    pub fn grads_mut(&mut self) -> &mut Gradients<T> {
        &mut self.grads
    }

    /// Bytes that the values and the gradients of nodes take.
    pub fn bytes(&self) -> usize {
        (self.values.len() + self.node_grads.len()) * size_of::<T>()
    }

    // ---- recording

    /// Adds a node of which only the value is still to be written.
    #[inline]
    fn place<O: Op<T>>(
        &mut self,
        op: O,
        shape: Shape,
        inputs: (u32, u32),
        memo: usize,
        tracked: bool,
        at: &'static Location<'static>,
    ) -> u32 {
        let len = shape.len();
        let start = reserve(&mut self.values, &mut self.values_used, len + memo);
        let grad = if tracked { reserve(&mut self.node_grads, &mut self.node_grads_used, len) } else { 0 };
        self.put(
            op,
            Node {
                op: Box::new(Unset),
                shape,
                len,
                param: None,
                start,
                memo,
                tracked,
                grad,
                inputs,
                at,
                name: None,
            },
        )
    }

    /// Puts a node behind the others, in the box that the last tape left there if it fits: a steady step allocates none.
    #[inline]
    fn put<O: Op<T>>(&mut self, op: O, mut node: Node<T>) -> u32 {
        let id = self.live;
        self.live += 1;
        match self.nodes.get_mut(id) {
            None => {
                node.op = Box::new(op);
                self.nodes.push(node);
            }
            Some(old) => {
                std::mem::swap(&mut old.op, &mut node.op);
                match (&mut *node.op as &mut dyn Any).downcast_mut::<O>() {
                    Some(slot) => *slot = op,
                    None => node.op = Box::new(op),
                }
                *old = node;
            }
        }
        id as u32
    }

    #[inline]
    fn apply<O: Op<T>>(
        &mut self,
        params: &Params<T>,
        op: O,
        ids: impl Iterator<Item = u32>,
        at: &'static Location<'static>,
    ) -> Result<u32, ShapeError> {
        let edges = self.edges.len();
        self.edges.extend(ids);
        let ids = &self.edges[edges..];
        let inputs =
            Inputs { nodes: &self.nodes[..self.live], ids, values: &self.values, theta: params.as_slice() };
        let shape = match op.shape(inputs) {
            Ok(shape) => shape,
            Err(error) => {
                let error = error.at(op.card().name, &self.describe_inputs(params, ids));
                self.edges.truncate(edges);
                return Err(error);
            }
        };
        let memo = op.memo(inputs);
        let tracked = self.record && ids.iter().any(|&id| self.nodes[id as usize].tracked);
        let id = self.place(op, shape, (edges as u32, self.edges.len() as u32), memo, tracked, at);
        self.forward(params, id as usize);
        Ok(id)
    }

    #[inline]
    fn forward(&mut self, params: &Params<T>, id: usize) {
        let (before, rest) = self.nodes.split_at(id);
        let node = &rest[0];
        let (earlier, here) = self.values.split_at_mut(node.start);
        let (y, memo) = here[..node.len + node.memo].split_at_mut(node.len);
        let inputs = Inputs {
            nodes: before,
            ids: &self.edges[node.inputs()],
            values: earlier,
            theta: params.as_slice(),
        };
        node.op.forward(&mut Forward { inputs, y, memo, scratch: &mut self.scratch });
    }

    // ---- walking back

    fn backward(&mut self, params: &Params<T>, root: usize) {
        self.reached.clear();
        self.reached.resize(self.live, false);
        self.grads.prepare(params);
        self.walked_from = Some(root as u32);
        if self.nodes[root].tracked {
            match self.nodes[root].param {
                Some(param) => {
                    let (slot, reached) = self.grads.slot(param, self.nodes[root].start, 1);
                    (slot[0], *reached) = (T::ONE, true);
                }
                None => {
                    self.node_grads[self.nodes[root].grad] = T::ONE;
                    self.reached[root] = true;
                }
            }
        }
        // a node's inputs have smaller indices, so the order of recording is a topological order
        for id in (0..=root).rev() {
            let (before, rest) = self.nodes.split_at(id);
            let node = &rest[0];
            if !self.reached[id] || node.inputs.0 == node.inputs.1 {
                continue;
            }
            let (earlier, here) = self.node_grads.split_at_mut(node.grad);
            let own = &self.values[node.start..node.start + node.len + node.memo];
            node.op.backward(&mut Backward {
                inputs: Inputs {
                    nodes: before,
                    ids: &self.edges[node.inputs()],
                    values: &self.values[..node.start],
                    theta: params.as_slice(),
                },
                y: &own[..node.len],
                dy: &here[..node.len],
                memo: &own[node.len..],
                before: earlier,
                reached: &mut self.reached,
                grads: &mut self.grads,
                part: &mut self.part,
                scratch: &mut self.scratch,
            });
        }
        self.grads.finish();
    }

    // ---- telling

    /// What a node is called: the user's name for it, its parameter's, or the operation's with its line.
    fn describe(&self, params: &Params<T>, id: u32) -> String {
        let node = &self.nodes[id as usize];
        if let Some(param) = node.param {
            return format!("parameter \"{}\" {}", params.entry(param).name, node.shape);
        }
        let operation = node.op.card().name;
        // an operation on "hidden.weight" belongs to the layer "hidden"
        let layer = self.edges[node.inputs()].iter().find_map(|&input| {
            let param = self.nodes[input as usize].param?;
            params.entry(param).name.rsplit_once('.').map(|(layer, _)| layer)
        });
        let what = match node.name.or(layer) {
            Some(name) => format!("\"{name}\" ({operation})"),
            None => operation.to_string(),
        };
        format!("{what} {}, recorded at {}", node.shape, node.at)
    }

    fn describe_inputs(&self, params: &Params<T>, ids: &[u32]) -> String {
        let places: &[&str] = match ids.len() {
            1 => &["input: "],
            2 => &["left:  ", "right: "],
            _ => &["first: ", "second:", "third: ", "fourth:", "fifth: "],
        };
        let lines = ids.iter().enumerate().map(|(k, &id)| {
            format!("\n  {} {}", places.get(k).unwrap_or(&"next:  "), self.describe(params, id))
        });
        lines.collect()
    }
}

impl<T: Scalar> Default for Workspace<T> {
    fn default() -> Self {
        Workspace::new()
    }
}

/// Takes the next `len` numbers of an arena; what a vector register could read starts on a cache line.
#[inline]
fn reserve<T: Scalar>(arena: &mut Buf<T>, used: &mut usize, len: usize) -> usize {
    const LINE: usize = 16;
    let start = if len < LINE { *used } else { used.next_multiple_of(LINE) };
    *used = start + len;
    if arena.len() < *used {
        arena.resize(*used);
    }
    start
}

/// Stands in a node for the moment until its operation is put there; takes no memory.
struct Unset;
impl<T: Scalar> Op<T> for Unset {
    fn card(&self) -> Card {
        unreachable!()
    }
    fn shape(&self, _: Inputs<T>) -> Result<Shape, ShapeError> {
        unreachable!()
    }
    fn forward(&self, _: &mut Forward<T>) {}
    fn backward(&self, _: &mut Backward<T>) {}
}

/// A recording of one computation. It borrows the parameters and the workspace until its last use.
pub struct Tape<'p, T: Scalar = f32> {
    params: &'p Params<T>,
    workspace: RefCell<&'p mut Workspace<T>>,
    training: bool,
    seed: Cell<Option<u64>>,
    // no `Drop`: it would prolong the borrow of the parameters to the end of the block
}

/// A value on a tape: a reference and an index, so it can be copied freely and `a * b + c` reads as mathematics.
///
/// Methods that record an operation panic, at the caller's line, if the shapes do not fit.
pub struct Var<'t, T: Scalar = f32> {
    tape: &'t Tape<'t, T>,
    id: u32,
}
impl<T: Scalar> Clone for Var<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Scalar> Copy for Var<'_, T> {}

impl<'t, T: Scalar> Tape<'t, T> {
    /// The parameters that this tape was started with.
    pub fn params(&self) -> &'t Params<T> {
        self.params
    }

    /// Whether layers that differ between training and evaluation (dropout, batch normalisation) are in training. A tape of
    /// [`Workspace::tape`] is, until [`evaluating`](Self::evaluating); one of [`Workspace::no_grad`] is not.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Puts such layers in evaluation; gradients are recorded all the same.
    pub fn evaluating(mut self) -> Self {
        self.training = false;
        self
    }

    /// Gives the tape a seed for what is drawn in training, such as dropout's masks: one for each step, from your own generator.
    pub fn seeded(self, seed: u64) -> Self {
        self.seed.set(Some(seed));
        self
    }

    /// A seed of its own for one layer of this step.
    ///
    /// # Panics
    /// At the caller's line, if the tape has no seed.
    #[track_caller]
    pub fn next_seed(&self) -> u64 {
        let Some(seed) = self.seed.get() else {
            panic!(
                "this layer draws random numbers in training, and the tape has no seed: start it with \
                 `workspace.tape(&params).seeded(rng.next_u64())`, or evaluate with `no_grad` or `evaluating`"
            );
        };
        self.seed.set(Some(seed.wrapping_add(0x9e37_79b9_7f4a_7c15))); // the odd number of splitmix64: all seeds differ
        seed
    }

    /// Notes a new value for a frozen parameter, such as a running mean: it is written by the optimizer's next step, or by
    /// [`Gradients::apply_updates`].
    ///
    /// # Panics
    /// At the caller's line, if the parameter is trainable, or the shapes differ.
    #[track_caller]
    pub fn update(&self, id: ParamId, value: Var<'_, T>) {
        let entry = self.params.entry(id);
        assert!(!self.params.is_trainable(id), "update: \"{}\" is trainable: gradients move it", entry.name);
        let mut w = self.workspace.borrow_mut();
        let w = &mut **w;
        let node = &w.nodes[value.id as usize];
        assert!(
            node.len == entry.shape.len(),
            "update: \"{}\" is {}, its new value {}",
            entry.name,
            entry.shape,
            node.shape
        );
        w.grads.note_update(id, node.value(&w.values, self.params.as_slice()));
    }

    /// Records data: an array of any number of axes, or a view of one.
    #[track_caller]
    pub fn input<S: Data<Elem = T>, D: Dimension>(&'t self, x: &ArrayBase<S, D>) -> Var<'t, T> {
        self.input_with(x.shape(), |slots| match x.as_slice() {
            Some(x) => slots.copy_from_slice(x),
            None => slots.iter_mut().zip(x).for_each(|(slot, &x)| *slot = x),
        })
    }

    /// Records data that `fill` writes in place, by rows: no array in between.
    #[track_caller]
    pub fn input_with(&'t self, shape: impl Into<Shape>, fill: impl FnOnce(&mut [T])) -> Var<'t, T> {
        let mut w = self.workspace.borrow_mut();
        let id = w.place(Leaf(INPUT), shape.into(), (0, 0), 0, false, Location::caller());
        let node = &w.nodes[id as usize];
        let range = node.start..node.start + node.len;
        fill(&mut w.values[range]);
        Var { tape: self, id }
    }

    /// Records one number.
    #[track_caller]
    pub fn constant(&'t self, value: f64) -> Var<'t, T> {
        self.input_with([], |slot| slot[0] = T::of(value))
    }

    /// Records the use of a parameter; nothing is copied.
    #[track_caller]
    pub fn param(&'t self, id: ParamId) -> Var<'t, T> {
        let entry = self.params.entry(id);
        let mut w = self.workspace.borrow_mut();
        let tracked = w.record && self.params.is_trainable(id);
        let node = Node {
            op: Box::new(Unset),
            shape: entry.shape,
            len: entry.range.len(),
            param: Some(id),
            start: entry.range.start,
            memo: 0,
            tracked,
            grad: 0,
            inputs: (0, 0),
            at: Location::caller(),
            name: None,
        };
        let id = w.put(Leaf(PARAM), node);
        Var { tape: self, id }
    }

    /// Records an operation and computes its value; the inputs are an array or a slice.
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
        let id = self.workspace.borrow_mut().apply(self.params, op, inputs.iter().map(|v| v.id), at)?;
        Ok(Var { tape: self, id })
    }

    /// How many nodes have been recorded.
    #[allow(clippy::len_without_is_empty)] // a count of nodes, not a container
    pub fn len(&self) -> usize {
        self.workspace.borrow().live
    }

    /// The first value, in the order of computation, that holds an infinity or NaN.
    pub fn first_non_finite(&self) -> Option<NonFinite> {
        let w = self.workspace.borrow();
        (0..w.live as u32).find_map(|id| {
            let values = w.nodes[id as usize].value(&w.values, self.params.as_slice());
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
    pub fn tape(self) -> &'t Tape<'t, T> {
        self.tape
    }

    /// The lengths of the axes.
    pub fn shape(self) -> Shape {
        self.tape.workspace.borrow().nodes[self.id as usize].shape
    }

    /// The value of a node that is a single number.
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
    pub fn value(self) -> ArrayD<T> {
        let shape = self.shape();
        self.with_value(|values| view(&shape, values).to_owned())
    }

    /// Reads the value where it stands, by rows; the closure cannot record anything.
    pub fn with_value<R>(self, read: impl FnOnce(&[T]) -> R) -> R {
        let w = self.tape.workspace.borrow();
        read(w.nodes[self.id as usize].value(&w.values, self.tape.params.as_slice()))
    }

    /// Gives this node a name, for error messages and explanations.
    pub fn named(self, name: &'static str) -> Self {
        self.tape.workspace.borrow_mut().nodes[self.id as usize].name = Some(name);
        self
    }

    /// Walks the tape back from this number: the gradient of every parameter then stands in
    /// [`Workspace::grads`], that of every node in [`Var::grad`]. Each call starts anew; nothing accumulates.
    ///
    /// # Panics
    /// If this is not a single number, or if the tape records no gradients.
    #[track_caller]
    pub fn backward(self) {
        let mut w = self.tape.workspace.borrow_mut();
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
    pub fn grad(self) -> Option<ArrayD<T>> {
        let w = self.tape.workspace.borrow();
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
    /// # Panics
    /// Unless called right where the input is recorded: what was computed from it before would be left out.
    #[track_caller]
    pub fn requires_grad(self) -> Self {
        let mut w = self.tape.workspace.borrow_mut();
        let w = &mut **w;
        let id = self.id as usize;
        assert!(
            w.nodes[id].tracked || id + 1 == w.live,
            "requires_grad: call it right where the input is recorded: `tape.input(&x).requires_grad()`"
        );
        let node = &mut w.nodes[id];
        if !node.tracked && w.record {
            node.tracked = true;
            node.grad = reserve(&mut w.node_grads, &mut w.node_grads_used, node.len);
        }
        self
    }

    /// The same value, cut off from what made it: no gradient flows back through it.
    #[track_caller]
    pub fn detach(self) -> Self {
        let mut w = self.tape.workspace.borrow_mut();
        let w = &mut **w;
        let shape = w.nodes[self.id as usize].shape;
        let id = w.place(Leaf(DETACH), shape, (0, 0), 0, false, Location::caller());
        let start = w.nodes[id as usize].start;
        let (earlier, here) = w.values.split_at_mut(start);
        let value = w.nodes[self.id as usize].value(earlier, self.tape.params.as_slice());
        here[..value.len()].copy_from_slice(value);
        Var { tape: self.tape, id }
    }
}

impl<T: Scalar> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let described = self.tape.workspace.borrow().describe(self.tape.params, self.id);
        write!(f, "{described}: {}", self.value())
    }
}
